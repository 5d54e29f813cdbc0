/*
 * cmd-monitor.c - mbus-cli monitor: prints all messages on the bus, or those to or from an address.
 *
 * It joins nothing: nobody on the bus notices.
 */
#include <inttypes.h>
#include <stdio.h>

#include "exits.h"
#include "loop.h"
#include "output.h"
#include "printer.h"
#include "session.h"
#include "text.h"
#include "verb.h"

struct monitor {
        struct printer printer;
        const struct options *options;
        const struct mbus_bus *bus;
        uint64_t seen;
};

/* Whether the message is from an entity that one of the addresses matches, or to one or several
 * whose destination names at least the elements of the address. */
static bool is_wanted(const struct options *o, const struct mbus_message *message)
{
        for (size_t i = 0; i < o->n_args; i++)
                if (mbus_address_matches(o->args[i], mbus_message_get_source(message)) ||
                    mbus_address_matches(o->args[i], mbus_message_get_destination(message)))
                        return true;
        return o->n_args == 0;
}

static int on_event(void *data, const struct mbus_event *event)
{
        struct monitor *monitor = data;

        switch (event->type) {
        case MBUS_EVENT_OBSERVED:
                monitor->seen++;
                return is_wanted(monitor->options, event->message)
                               ? printer_put(&monitor->printer, event)
                               : LOOP_ON;
        case MBUS_EVENT_OBSERVING:
                fprintf(stderr, "monitoring %s\n", mbus_bus_get_url(monitor->bus));
                return LOOP_ON;
        case MBUS_EVENT_UNOBSERVED:
                return session_refused("cannot monitor", event->reason);
        default:
                return printer_notice(&monitor->printer, event);
        }
}

static int on_deadline(void *data)
{
        const struct monitor *monitor = data;

        return printer_timed_out(&monitor->printer);
}

static void print_summary(const struct monitor *monitor)
{
        fprintf(stderr, "%" PRIu64 " messages, %" PRIu64 " printed", monitor->seen,
                monitor->printer.shown);
        for (int drop = 0; drop < MBUS_DROP_MAX; drop++) {
                uint64_t n = mbus_bus_get_dropped(monitor->bus, (enum mbus_drop)drop);

                if (n)
                        fprintf(stderr, ", %" PRIu64 " dropped (%s)", n,
                                mbus_drop_name((enum mbus_drop)drop));
        }
        fputc('\n', stderr);
}

static int watch(struct monitor *monitor, struct session *session)
{
        struct loop loop = { .bus = session->bus,
                             .data = monitor,
                             .on_event = on_event,
                             .on_deadline = on_deadline,
                             .prints = true };
        int r = mbus_bus_observe(session->bus, options_has(monitor->options, OPTION_HELLO)), status;

        if (r)
                return session_error("cannot monitor", r);
        loop.deadline = printer_deadline(&monitor->printer);
        status = loop_run(&loop);
        printer_finish(&monitor->printer);
        if (status != EXITS_DENIED)
                print_summary(monitor);
        return status;
}

static int run(const struct options *options)
{
        struct monitor monitor = { .printer = { .options = options }, .options = options };
        struct session session;
        int status = EXITS_OK;

        for (size_t i = 0; i < options->n_args && !status; i++)
                status = session_check_address("ADDR", options->args[i]);
        if (!status)
                status = session_open(options, &session);
        if (status)
                return status;
        monitor.bus = session.bus;
        status = watch(&monitor, &session);
        session_close(&session);
        return status;
}

const struct verb verb_monitor = {
        .name = "monitor",
        .usage = "[-C N] [-W SECS] [-j|-F FMT] [--hello] [ADDR...]",
        .summary = "prints all messages on the bus, or those to or from ADDR",
        .notes = "A message is printed if one of the ADDRs matches its source, or if its\n"
                 "destination has all elements of one. \"monitoring URL\" on standard error\n"
                 "says that it listens; exit 7 if a broker does not allow it. -W ends it with\n"
                 "status 27 unless -C was reached.\n"
                 "Without -F a line is\n"
                 "  " OUTPUT_FORMAT_DEFAULT "\n"
                 "\n",
        .options = OPTIONS_BUS | OPTION_BIT(OPTION_COUNT) | OPTION_BIT(OPTION_WAIT) |
                   OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_FORMAT) | OPTION_BIT(OPTION_HELLO),
        .args_max = SIZE_MAX,
        .run = run,
        .print_more = output_print_letters,
};
