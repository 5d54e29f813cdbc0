/*
 * subscribe.c - mbus-cli subscribe: joins with an address and prints what is sent to it.
 */
#include <stdio.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/loop.h>
#include <cli/run/printer.h>
#include <cli/run/session.h>
#include <cli/text/format.h>
#include <cli/text/text.h>

#include "verbs.h"

/* Whoever is asked to end should (RFC 3259, 9.4). */
static int subscribe_on_quit(struct printer *printer, const struct mbus_event *event)
{
        int status = printer_put(printer, event);

        text_error("asked to quit by %s", mbus_message_get_source(event->message));
        return status == LOOP_ON ? EXITS_OK : status;
}

static int subscribe_on_event(void *data, const struct mbus_event *event)
{
        struct printer *printer = data;

        switch (event->type) {
        case MBUS_EVENT_READY:
                fprintf(stderr, "ready %s\n", event->address);
                return LOOP_ON;
        case MBUS_EVENT_REFUSED:
                return session_refused("cannot join the bus", event);
        case MBUS_EVENT_MESSAGE:
                return printer_put(printer, event);
        case MBUS_EVENT_QUIT:
                return subscribe_on_quit(printer, event);
        default:
                return printer_notice(printer, event);
        }
}

static int subscribe_on_deadline(void *data)
{
        return printer_timed_out(data);
}

static int subscribe_run(const struct options *options)
{
        struct printer printer = { .options = options };
        struct loop loop = { .data = &printer,
                             .on_event = subscribe_on_event,
                             .on_deadline = subscribe_on_deadline,
                             .prints = true };
        struct mbus_entity *entity;
        struct session session;
        int status = session_check_address("ADDR", options->args[0], true), r;

        if (!status)
                status = session_open(options, &session);
        if (status)
                return status;
        loop.bus = session.bus;
        loop.deadline = printer_deadline(&printer);
        loop.answer_by = session_answer_by(&session, options);
        r = mbus_bus_add_entity(session.bus, options->args[0], &entity);
        status = r ? session_failed(&session, "cannot join the bus", r) : loop_run(&loop);
        printer_finish(&printer);
        session.asks = printer.printed == 0;
        session_close(&session);
        return status;
}

static const struct option_info *const options[] = { &option_count, &option_wait, &option_json,
                                                     &option_format, OPTIONS_COMMON };

const struct verb verb_subscribe = {
        .name = "subscribe",
        .usage = "[-C N] [-W SECS] [-j|-F FMT] ADDR",
        .summary = "joins the bus as ADDR and prints what is sent to it",
        .notes = "An id is added to ADDR where it has none; \"ready ADDRESS\" on standard\n"
                 "error tells the full address. -W ends it with status 27 unless -C was\n"
                 "reached. A message with mbus.quit is printed and ends it, too. Without -F a\n"
                 "line is\n"
                 "  " FORMAT_DEFAULT "\n"
                 "\n",
        .options = options,
        .args_min = 1,
        .args_max = 1,
        .run = subscribe_run,
        .needs = "a line of [policy] for this user with attach= for ADDR",
        .print_more = format_print_letters,
};
