/*
 * printer.c - writes messages as subscribe and monitor do. Every line is flushed: what reads it may
 * be a program that waits for it.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cli/options/common.h>
#include <cli/text/duration.h>
#include <cli/text/format.h>
#include <cli/text/json.h>
#include <cli/text/text.h>
#include <programs/streams.h>

#include "exits.h"
#include "loop.h"
#include "printer.h"

/* How often stderr is told of losses. */
#define REPORT_EVERY DURATION_S

int printer_flush(void)
{
        if (fflush(stdout) == 0 && !streams_error())
                return LOOP_ON;
        /* The loop knows the number of the signal that made it give up. */
        if (streams_ended)
                return LOOP_ON;
        return streams_error() == EPIPE ? EXITS_OK : EXITS_FAILED;
}

int printer_put(struct printer *printer, const struct mbus_event *event)
{
        const struct options *o = printer->options;
        const char *format = options_text(o, &option_format);
        int status;

        assert(printer->printed < options_number(o, &option_count, UINT64_MAX));
        if (options_has(o, &option_json)) {
                json_print_message(stdout, event->message, event->time, true);
                fputc('\n', stdout);
        } else {
                format_print(stdout, format ? format : FORMAT_DEFAULT, event->message, event->time);
        }
        status = printer_flush();
        if (status != LOOP_ON)
                return status;
        printer->printed++;
        return printer->printed >= options_number(o, &option_count, UINT64_MAX) ? EXITS_OK
                                                                                : LOOP_ON;
}

static void report_lost(struct printer *printer, int drop)
{
        if (!printer->unreported[drop])
                return;
        text_error("%llu messages were lost: %s", (unsigned long long)printer->unreported[drop],
                   mbus_drop_name((enum mbus_drop)drop));
        printer->unreported[drop] = 0;
        printer->report_at[drop] = loop_after(REPORT_EVERY);
}

static int on_lost(struct printer *printer, const struct mbus_event *event)
{
        if (event->drop >= MBUS_DROP_MAX)
                return LOOP_ON;
        if (options_has(printer->options, &option_json)) {
                json_print_lost(stdout, event->count, mbus_drop_name(event->drop));
                fputc('\n', stdout);
                return printer_flush();
        }
        printer->unreported[event->drop] += event->count;
        if (loop_now() >= printer->report_at[event->drop])
                report_lost(printer, event->drop);
        return LOOP_ON;
}

int printer_notice(struct printer *printer, const struct mbus_event *event)
{
        if (event->type == MBUS_EVENT_DROPPED)
                return on_lost(printer, event);
        if (event->type == MBUS_EVENT_LINK_DOWN)
                text_error("the broker went away; waiting for it");
        else if (event->type == MBUS_EVENT_LINK_UP)
                text_error("the broker is back");
        return LOOP_ON;
}

void printer_finish(struct printer *printer)
{
        for (int drop = 0; drop < MBUS_DROP_MAX; drop++)
                report_lost(printer, drop);
}

int printer_timed_out(const struct printer *printer)
{
        if (options_has(printer->options, &option_count))
                text_error("time is over after %llu of %llu messages",
                           (unsigned long long)printer->printed,
                           (unsigned long long)options_number(printer->options, &option_count, 0));
        return EXITS_TIMED_OUT;
}

uint64_t printer_deadline(const struct printer *printer)
{
        return loop_after(options_number(printer->options, &option_wait, LOOP_NEVER));
}
