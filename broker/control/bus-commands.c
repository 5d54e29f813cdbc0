/*
 * bus-commands.c - mbus.* commands to the broker, and broker.sync (spec/attach.md).
 */
#include "commands.h"

/* ---- quit ---------------------------------------------------------------------------------- */

void control_quit(struct control *control, const char *who)
{
        log_info("%s sent mbus.quit: the broker ends", who);
        iteration_stop(control->it, true);
}

static void on_quit(struct request *request)
{
        if (request->control->settings->options.quit != QUIT_NEVER &&
            connection_is_owner(&request->s->link)) {
                control_quit(request->control, "a client");
                return;
        }
        connection_count(&request->s->link, DROP_DENIED,
                         "it may not end the broker (QUIT in [broker])");
        request_fail(request, MBUS_REASON_DENIED,
                     request->control->settings->options.quit == QUIT_NEVER
                             ? "the broker ends for nobody who asks: that takes QUIT=owner in "
                               "[broker] of its configuration, and its own user or root"
                             : "the broker ends for its own user and for root only, whatever "
                               "[policy] says");
}

/* ---- what waits for nothing ----------------------------------------------------------------- */

/* All that the session sent before is done, and it has been told what was denied of it. */
static void on_sync(struct request *request)
{
        denial_tell(request->s);
}

/* ---- other commands of the bus -------------------------------------------------------------- */

static void on_ping(struct request *request)
{
        engine_answer_ping(request->control->routing->engine, request->control->it->now,
                           &request->h->dest);
}

/* Whoever waits, or lets others go on, may say so to everybody; the broker never waits. */
static void on_information(struct request *request)
{
        (void)request;
}

static void on_hello_or_bye(struct request *request)
{
        static const char why[] = "mbus.hello and mbus.bye are said by the broker";

        connection_count(&request->s->link, DROP_DENIED, "%s", why);
        if (request->h->reliable)
                request_fail(request, MBUS_REASON_DENIED, why);
        request->failed = true;
}

static const struct command_entry entries[] = {
        { "broker.sync", SPEAKER_ANY, on_sync },
        { "mbus.quit", SPEAKER_ANY, on_quit },
        { "mbus.ping", SPEAKER_ANY, on_ping },
        { "mbus.waiting", SPEAKER_ANY, on_information },
        { "mbus.go", SPEAKER_ANY, on_information },
        { "mbus.hello", SPEAKER_ANY, on_hello_or_bye },
        { "mbus.bye", SPEAKER_ANY, on_hello_or_bye },
};

const struct command_table bus_commands = { entries, sizeof(entries) / sizeof(*entries), NULL };
