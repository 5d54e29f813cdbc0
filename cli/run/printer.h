/*
 * printer.h - what subscribe and monitor share: writing messages, counting them, and telling of
 * everything else that happens.
 */
#ifndef CLI_PRINTER_H
#define CLI_PRINTER_H

#include <mbus/mbus.h>

#include <cli/options/options.h>

struct printer {
        const struct options *options;
        uint64_t printed; /* fewer than -C: with the last one printer_put() returned EXITS_OK */
        uint64_t unreported[MBUS_DROP_MAX]; /* lost, and stderr was not told so yet */
        uint64_t report_at[MBUS_DROP_MAX];  /* stderr is told no earlier, CLOCK_MONOTONIC ns */
};

/* Writes the message of @event at once. LOOP_ON, or an exit status: -C is reached, nobody reads any
 * more, or the disk is full. */
int printer_put(struct printer *printer, const struct mbus_event *event);
/* Writes what stdout holds. LOOP_ON, or an exit status. */
int printer_flush(void);
/* Tells of losses, where they happened with -j, else stderr, each cause once a second at most; and
 * stderr of the link to the broker. As printer_put(). */
int printer_notice(struct printer *printer, const struct mbus_event *event);
/* Tells stderr of the losses that it has not been told of. */
void printer_finish(struct printer *printer);
/* The exit status when -W is over. */
int printer_timed_out(const struct printer *printer);
/* loop_now() + -W, or never. */
uint64_t printer_deadline(const struct printer *printer);

#endif
