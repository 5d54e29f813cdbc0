/*
 * monitor.c - mbus-cli monitor: prints all messages on the bus, or those to or from an address.
 *
 * It joins nothing: nobody on the bus notices.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/loop.h>
#include <cli/run/printer.h>
#include <cli/run/session.h>
#include <cli/text/format.h>
#include <cli/text/text.h>

#include "verbs.h"

/* What the name of a command can begin with (RFC 3259, 5.3). */
static int parse_prefix(const struct option_info *info, const char *text,
                        union option_value *ret_value)
{
        for (const char *p = text; *p; p++) {
                bool letter = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
                bool other = (*p >= '0' && *p <= '9') || strchr("-_.", *p);

                if (!letter && (p == text || !other))
                        return option_error_at(info, "the name of a command has no such character",
                                               text, (size_t)(p - text));
        }
        if (!*text)
                return option_error(info, "the beginning of a command's name is wanted");
        ret_value->text = text;
        return 0;
}

static int parse_name(const struct option_info *info, const char *text,
                      union option_value *ret_value)
{
        static const char what[] = "the name of a bus of the broker is wanted, as in [bus NAME]";

        for (const char *p = text; *p; p++)
                if (strchr(":/ ", *p))
                        return option_error_at(info, what, text, (size_t)(p - text));
        if (!*text)
                return option_error(info, what);
        ret_value->text = text;
        return 0;
}

static const struct option_info hello = { 0, "hello", NULL, "also bare hellos and acknowledgements",
                                          NULL };
static const struct option_info prefix = { 'p', "prefix", "PREFIX",
                                           "with a command whose name begins so", parse_prefix };
static const struct option_info on = { 0, "on", "NAME", "on this bus of the broker; default main",
                                       parse_name };

struct monitor {
        struct printer printer;
        const struct options *options;
        const struct mbus_bus *bus;
        bool brokered;
        bool filters;
        uint64_t seen;
};

static int monitor_refused(const struct monitor *monitor, const struct mbus_event *event)
{
        if (event->reason != MBUS_REASON_UNKNOWN || !options_has(monitor->options, &on))
                return session_refused("cannot monitor", event);
        text_error("cannot monitor: %s is on no bus %s%s", mbus_bus_get_url(monitor->bus),
                   options_text(monitor->options, &on),
                   monitor->brokered ? "" : "; only a broker has other buses than main");
        return EXITS_NO_BUS;
}

static void print_beginning(const struct monitor *monitor)
{
        const char *name = options_text(monitor->options, &on);

        fprintf(stderr, "monitoring %s%s%s\n", mbus_bus_get_url(monitor->bus), name ? ", bus " : "",
                name ? name : "");
}

static int monitor_on_event(void *data, const struct mbus_event *event)
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
                return monitor_refused(monitor, event);
        default:
                return printer_notice(&monitor->printer, event);
        }
}

static int monitor_on_deadline(void *data)
{
        const struct monitor *monitor = data;

        return printer_timed_out(&monitor->printer);
}

static void monitor_print_summary(const struct monitor *monitor)
{
        fprintf(stderr, "%" PRIu64 " messages%s, %" PRIu64 " printed", monitor->seen,
                monitor->filters ? " that match" : "", monitor->printer.printed);
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
static int monitor_observe(struct monitor *monitor, struct mbus_bus *bus)
{
        const struct options *o = monitor->options;
        struct mbus_observation *observation;
        size_t n = o->n_args ? o->n_args : 1;
        int r = mbus_observation_new(&observation);

        if (r)
                return r;
        mbus_observation_set_hello(observation, options_has(o, &hello));
        for (size_t i = 0; i < n && monitor->filters; i++)
                mbus_observation_add_filter(observation, o->n_args ? o->args[i] : NULL,
                                            options_text(o, &prefix), options_text(o, &on));
        r = mbus_bus_observe(bus, observation);
        mbus_observation_free(observation);
        return r;
}

static int monitor_watch(struct monitor *monitor, struct session *session)
{
        struct loop loop = { .bus = session->bus,
                             .data = monitor,
                             .on_event = monitor_on_event,
                             .on_deadline = monitor_on_deadline,
                             .prints = true };
        int r = monitor_observe(monitor, session->bus), status;

        if (r)
                return session_error("cannot monitor", r);
        loop.deadline = printer_deadline(&monitor->printer);
        loop.answer_by = session_answer_by(session, monitor->options);
        status = loop_run(&loop);
        printer_finish(&monitor->printer);
        if (status != EXITS_DENIED && status != EXITS_NO_BUS)
                monitor_print_summary(monitor);
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

static int monitor_run(const struct options *options)
{
        struct monitor monitor = { .printer = { .options = options },
                                   .options = options,
                                   .filters = options->n_args || options_has(options, &prefix) ||
                                              options_has(options, &on) };
        struct session session;
        int status = check_addresses(options);

        if (!status)
                status = session_open(options, &session);
        if (status)
                return status;
        monitor.bus = session.bus;
        monitor.brokered = session.brokered;
        status = monitor_watch(&monitor, &session);
        session.asks = monitor.seen == 0;
        session_close(&session);
        return status;
}

static const struct option_info *const options[] = { &option_count, &option_wait,
                                                     &option_json,  &option_format,
                                                     &hello,        &prefix,
                                                     &on,           OPTIONS_COMMON };

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
        .options = options,
        .args_max = SIZE_MAX,
        .run = monitor_run,
        .needs = "a line of [policy] for this user with observe=yes",
        .print_more = format_print_letters,
};
