/*
 * monitor.c - mbus-cli monitor: prints all messages on the bus, or those to or from an address.
 *
 * It joins nothing: nobody on the bus notices.
 */
#include <inttypes.h>
#include <stdio.h>

#include <cli/options/verb.h>
#include <cli/run/exits.h>
#include <cli/run/loop.h>
#include <cli/run/printer.h>
#include <cli/run/session.h>
#include <cli/text/format.h>
#include <cli/text/text.h>

struct monitor {
        struct printer printer;
        const struct options *options;
        const struct mbus_bus *bus;
        bool brokered;
        bool filters;
        uint64_t seen;
};

static int refused(const struct monitor *monitor, const struct mbus_event *event)
{
        if (event->reason != MBUS_REASON_UNKNOWN || !monitor->options->arg_on)
                return session_refused("cannot monitor", event);
        text_error("cannot monitor: %s is on no bus %s%s", mbus_bus_get_url(monitor->bus),
                   monitor->options->arg_on,
                   monitor->brokered ? "" : "; only a broker has other buses than main");
        return EXITS_NO_BUS;
}

static void print_beginning(const struct monitor *monitor)
{
        const char *name = monitor->options->arg_on;

        fprintf(stderr, "monitoring %s%s%s\n", mbus_bus_get_url(monitor->bus), name ? ", bus " : "",
                name ? name : "");
}

static int on_event(void *data, const struct mbus_event *event)
{
        struct monitor *monitor = data;

        switch (event->type) {
        case MBUS_EVENT_OBSERVED:
                monitor->seen++;
                return printer_put(&monitor->printer, event);
        case MBUS_EVENT_OBSERVING:
                print_beginning(monitor);
                return LOOP_ON;
        case MBUS_EVENT_UNOBSERVED:
                return refused(monitor, event);
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
        fprintf(stderr, "%" PRIu64 " messages%s, %" PRIu64 " printed", monitor->seen,
                monitor->filters ? " that match" : "", monitor->printer.shown);
        for (int drop = 0; drop < MBUS_DROP_MAX; drop++) {
                uint64_t n = mbus_bus_get_dropped(monitor->bus, (enum mbus_drop)drop);

                if (n)
                        fprintf(stderr, ", %" PRIu64 " dropped (%s)", n,
                                mbus_drop_name((enum mbus_drop)drop));
        }
        fputc('\n', stderr);
}

/* What matches is chosen where the messages are, by the broker or the library: so a monitor of few
 * does not have to keep up with all the others. */
static int observe(struct monitor *monitor, struct mbus_bus *bus)
{
        const struct options *o = monitor->options;
        struct mbus_observation *observation;
        size_t n = o->n_args ? o->n_args : 1;
        int r = mbus_observation_new(&observation);

        if (r)
                return r;
        mbus_observation_set_hello(observation, options_has(o, OPTION_HELLO));
        for (size_t i = 0; i < n && monitor->filters; i++)
                mbus_observation_add_filter(observation, o->n_args ? o->args[i] : NULL,
                                            o->arg_prefix, o->arg_on);
        r = mbus_bus_observe(bus, observation);
        mbus_observation_free(observation);
        return r;
}

static int watch(struct monitor *monitor, struct session *session)
{
        struct loop loop = { .bus = session->bus,
                             .data = monitor,
                             .on_event = on_event,
                             .on_deadline = on_deadline,
                             .prints = true };
        int r = observe(monitor, session->bus), status;

        if (r)
                return session_error("cannot monitor", r);
        loop.deadline = printer_deadline(&monitor->printer);
        loop.answer_by = session_answer_by(session, monitor->options);
        status = loop_run(&loop);
        printer_finish(&monitor->printer);
        if (status != EXITS_DENIED && status != EXITS_NO_BUS)
                print_summary(monitor);
        return status;
}

static int check_addresses(const struct options *options)
{
        int status = EXITS_OK;

        if (options->n_args > MBUS_FILTERS_MAX) {
                text_error("monitor: there may be %d ADDRs, not %zu", MBUS_FILTERS_MAX,
                           options->n_args);
                return EXITS_USAGE;
        }
        for (size_t i = 0; i < options->n_args && !status; i++)
                status = session_check_address("ADDR", options->args[i], false);
        return status;
}

static int run(const struct options *options)
{
        struct monitor monitor = { .printer = { .options = options },
                                   .options = options,
                                   .filters = options->n_args || options->arg_prefix ||
                                              options->arg_on };
        struct session session;
        int status = check_addresses(options);

        if (!status)
                status = session_open(options, &session);
        if (status)
                return status;
        monitor.bus = session.bus;
        monitor.brokered = session.brokered;
        status = watch(&monitor, &session);
        session.asks = monitor.seen == 0;
        session_close(&session);
        return status;
}

const struct verb verb_monitor = {
        .name = "monitor",
        .usage = "[-C N] [-W SECS] [-j|-F FMT] [-p PREFIX] [--on NAME] [--hello] [ADDR...]",
        .summary = "prints all messages on the bus, or those to or from ADDR",
        .notes = "A message matches if one of the ADDRs, of which there may be 16, matches its\n"
                 "source, or if its destination has all elements of one; if one of its commands\n"
                 "begins with PREFIX; and if it is on the bus NAME of the broker. The others are\n"
                 "left out where they are, and not counted in the summary. \"monitoring URL\" on\n"
                 "standard error says that it listens; exit 7 if a broker does not allow it, 9\n"
                 "if there is no bus NAME. -W ends it with status 27 unless -C was reached.\n"
                 "Without -F a line is\n"
                 "  " FORMAT_DEFAULT "\n"
                 "\n",
        .options = OPTIONS_BUS | OPTION_BIT(OPTION_COUNT) | OPTION_BIT(OPTION_WAIT) |
                   OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_FORMAT) | OPTION_BIT(OPTION_HELLO) |
                   OPTION_BIT(OPTION_PREFIX) | OPTION_BIT(OPTION_ON),
        .args_max = SIZE_MAX,
        .run = run,
        .needs = "a line of [policy] for this user with observe=yes",
        .print_more = format_print_letters,
};
