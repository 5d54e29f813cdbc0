/*
 * go.c - mbus-cli go: says that a condition is there to those who wait for it (RFC 3259, 9.6).
 *
 * Who waits says so again and again, to whom he likes: all of that is observed where that is
 * allowed, and what is sent to all is heard in any case.
 */
#include <stdint.h>
#include <string.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/request.h>
#include <cli/run/told.h>
#include <cli/text/duration.h>
#include <cli/text/text.h>

#include "send.h"
#include "verbs.h"

/* Our own programs say it every second. */
#define WAIT_DEFAULT SESSION_PATIENCE
/* A ticket ends by itself; this is for a broker that hangs. */
#define WAIT_TICKETS (10 * DURATION_S)

/* Listening until -W is over, then closing: nobody new is told, and tickets end. */
struct go {
        struct request request;
        const char *condition;
        struct told told;
        bool is_over;
};

static bool waits_for(const struct mbus_message *message, const char *condition)
{
        const char *name, *text;

        for (size_t i = 0; (name = mbus_message_get_command(message, i)); i++) {
                text = mbus_value_get_text(mbus_value_first(mbus_message_get_args(message, i)),
                                           NULL);
                if (strcmp(name, "mbus.waiting") == 0 && text && strcmp(text, condition) == 0)
                        return true;
        }
        return false;
}

static int go_on_heard(struct go *go, const struct mbus_message *message)
{
        const char *source = mbus_message_get_source(message);
        const char *own = mbus_entity_get_address(go->request.entity);
        uint64_t ticket;
        int r;

        if (go->is_over || !own || strcmp(source, own) == 0 || told_has(&go->told, source) ||
            !waits_for(message, go->condition))
                return LOOP_ON;
        r = mbus_entity_go(go->request.entity, source, go->condition, &ticket);
        return r ? session_failed(&go->request.session, source, r)
                 : told_add(&go->told, source, ticket);
}

static int go_on_told(struct go *go, const struct mbus_event *event)
{
        int status = told_on_event(&go->told, event);

        return status == LOOP_ON && go->is_over && !go->told.n_open ? go->told.status : status;
}

static int go_on_event(void *data, const struct mbus_event *event)
{
        struct go *go = data;

        switch (event->type) {
        case MBUS_EVENT_REFUSED:
                return session_refused("cannot join the bus", event);
        case MBUS_EVENT_OBSERVED:
        case MBUS_EVENT_MESSAGE:
                return go_on_heard(go, event->message);
        case MBUS_EVENT_UNOBSERVED:
                text_error("hears only those who say it to all: %s",
                           mbus_reason_name(event->reason));
                return LOOP_ON;
        case MBUS_EVENT_DELIVERED:
        case MBUS_EVENT_FAILED:
                return go_on_told(go, event);
        default:
                return request_on_event(event);
        }
}

static int go_on_deadline(void *data)
{
        struct go *go = data;

        if (!mbus_entity_get_address(go->request.entity))
                return request_unanswered(&go->request);
        if (go->is_over)
                return EXITS_UNDELIVERED;
        go->is_over = true;
        if (!go->told.n) {
                text_error("nobody waits for %s", go->condition);
                return EXITS_UNKNOWN;
        }
        go->request.loop.deadline = loop_after(WAIT_TICKETS);
        return go->told.n_open ? LOOP_ON : go->told.status;
}

static int go_observe(struct mbus_bus *bus)
{
        struct mbus_observation *observation;
        int r = mbus_observation_new(&observation);

        if (r)
                return r;
        mbus_observation_add_filter(observation, NULL, "mbus.waiting", NULL);
        r = mbus_bus_observe(bus, observation);
        mbus_observation_free(observation);
        return r;
}

static int go_to_those_who_wait(const struct options *options)
{
        struct go go = { .condition = options->args[0] };
        int status, r;

        request_init(&go.request, options, &go, go_on_event, go_on_deadline);
        go.request.address = "()";
        status = request_open(&go.request, options);
        if (status)
                return status;
        go.request.session.asks = true;
        r = go_observe(go.request.session.bus);
        if (!r)
                r = request_join(&go.request, SESSION_ADDRESS);
        status = r ? session_failed(&go.request.session, "cannot listen", r)
                   : request_run(&go.request, WAIT_DEFAULT);
        session_close(&go.request.session);
        told_deinit(&go.told);
        return status;
}

static int go_run(const struct options *options)
{
        struct mbus_commands *commands;
        int r = mbus_commands_new(&commands), status = EXITS_OK;

        if (r)
                return session_error("CONDITION", r);
        mbus_commands_begin(commands, "mbus.go");
        mbus_commands_add_string(commands, options->args[0]);
        mbus_commands_end(commands);
        r = mbus_commands_check(commands);
        if (r)
                status = session_error("CONDITION", r);
        else if (options->n_args > 1)
                status = send_reliably(options, options->args[1], commands);
        else
                status = go_to_those_who_wait(options);
        mbus_commands_free(commands);
        return status;
}

static const struct option_info *const options[] = { &option_wait, OPTIONS_COMMON };

const struct verb verb_go = {
        .name = "go",
        .usage = "[-W SECS] CONDITION [DEST]",
        .summary = "says that CONDITION is there to those who wait for it",
        .notes = "Without DEST it listens until -W (2.5 s) is over, says mbus.go(CONDITION) to\n"
                 "each entity that says mbus.waiting(CONDITION) meanwhile, and prints who got it.\n"
                 "Exit 3 if nobody waits, 5 if somebody did not acknowledge. With DEST it is sent\n"
                 "as by send -r, to one entity, whether it is heard waiting or not.\n",
        .options = options,
        .args_min = 1,
        .args_max = 2,
        .run = go_run,
        .needs = "a line of [policy] for this user with attach=(app:mbus-cli) and send= for those "
                 "who wait, with mbus.go if that line has commands=; and observe=yes to hear those "
                 "who do not say so to all",
};
