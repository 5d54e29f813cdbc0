/*
 * wait.c - mbus-cli wait: says that it waits for a condition until somebody says that it is there
 * (RFC 3259, 9.5).
 */
#include <stdint.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/request.h>
#include <cli/text/duration.h>
#include <cli/text/text.h>

#include "verbs.h"

struct wait {
        struct request request; /* of DEST */
        const char *condition;
        bool waits;
};

static int64_t timeout_of(const struct options *o)
{
        uint64_t wait = options_number(o, &option_wait, INT64_MAX);

        return wait < INT64_MAX ? (int64_t)wait : -1;
}

static int wait_on_ready(struct wait *wait)
{
        int r;

        if (wait->waits)
                return LOOP_ON;
        r = mbus_entity_wait(wait->request.entity, wait->request.address, wait->condition,
                             timeout_of(wait->request.options));
        if (r)
                return session_failed(&wait->request.session, "cannot wait", r);
        wait->waits = true;
        /* From now on the library's time counts. */
        wait->request.loop.deadline = LOOP_NEVER;
        return LOOP_ON;
}

static int wait_on_go(const struct wait *wait, const struct mbus_event *event)
{
        if (event->go == MBUS_GO_CAME)
                return EXITS_OK;
        text_error("nobody said mbus.go(%s)", wait->condition);
        return EXITS_TIMED_OUT;
}

static int wait_on_event(void *data, const struct mbus_event *event)
{
        struct wait *wait = data;

        switch (event->type) {
        case MBUS_EVENT_READY:
                return wait_on_ready(wait);
        case MBUS_EVENT_REFUSED:
                return session_refused("cannot join the bus", event);
        case MBUS_EVENT_GO:
                return wait_on_go(wait, event);
        case MBUS_EVENT_DROPPED:
                return event->drop == MBUS_DROP_DENIED
                               ? session_denied(wait->request.address, event)
                               : LOOP_ON;
        default:
                return request_on_event(event);
        }
}

static int wait_on_deadline(void *data)
{
        const struct wait *wait = data;

        return request_unanswered(&wait->request);
}

static int wait_run(const struct options *options)
{
        struct wait wait = { .condition = options->args[0] };
        int status, r;

        request_init(&wait.request, options, &wait, wait_on_event, wait_on_deadline);
        wait.request.address = options->n_args > 1 ? options->args[1] : "()";
        status = request_open(&wait.request, options);
        if (status)
                return status;
        wait.request.session.asks = true;
        r = request_join(&wait.request, SESSION_ADDRESS);
        status = r ? session_failed(&wait.request.session, "cannot join the bus", r)
                   : request_run(&wait.request, 5 * DURATION_S);
        if (status == EXITS_TIMED_OUT && session_is_mute(&wait.request.session))
                status = EXITS_NO_BUS;
        session_close(&wait.request.session);
        return status;
}

static const struct option_info *const options[] = { &option_wait, OPTIONS_COMMON };

const struct verb verb_wait = {
        .name = "wait",
        .usage = "[-W SECS] CONDITION [DEST]",
        .summary = "waits until somebody says that CONDITION is there",
        .notes = "Says mbus.waiting(CONDITION) every second to all entities that DEST matches, or\n"
                 "to all, until mbus.go(CONDITION) comes: exit 0. 27 if that does not happen\n"
                 "within -W, without which it waits for ever. In a script, as the one side:\n"
                 "  mbus-cli wait -W 10 ready && mbus-cli send '(app:x)' 'x.start()'\n"
                 "mbus-cli go is the other.\n",
        .options = options,
        .args_min = 1,
        .args_max = 2,
        .run = wait_run,
        .needs = "a line of [policy] for this user with attach=(app:mbus-cli) and send= for DEST, "
                 "with mbus.waiting if that line has commands=",
};
