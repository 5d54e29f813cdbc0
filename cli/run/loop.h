/*
 * loop.h - the main loop of all verbs: the bus, one deadline, signals, and a reader that goes away.
 */
#ifndef CLI_LOOP_H
#define CLI_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <mbus/mbus.h>

/* What a handler returns to go on; anything else is the exit status. */
#define LOOP_ON (-1)
#define LOOP_NEVER UINT64_MAX

struct loop {
        struct mbus_bus *bus;
        void *data;
        int (*on_event)(void *data, const struct mbus_event *event);
        int (*on_deadline)(void *data); /* NULL: there is no deadline */
        uint64_t deadline; /* CLOCK_MONOTONIC ns when on_deadline is due; a handler may change it */
        /* When the first event must have come, else the bus does not answer: who waits without end
         * waits for messages, not for a broker that hangs. 0: any time will do. */
        uint64_t answer_by;
        bool prints; /* ends when nobody reads standard output any more */
};

/* Catches SIGINT, SIGTERM and SIGHUP. 0 or an exit status. */
int loop_catch_signals(void);

uint64_t loop_now(void);
/* loop_now() + @ns, LOOP_NEVER if that is beyond all times. */
uint64_t loop_after(uint64_t ns);

/* Runs until a handler returns an exit status, a signal comes (128 + its number), standard output
 * has no reader (EXITS_OK) or is closed (EXITS_FAILED), or the bus fails. */
int loop_run(struct loop *loop);

/* Tells stderr that the bus does not answer. Returns EXITS_NO_BUS. */
int loop_unanswered(struct mbus_bus *bus);

/* Tells stderr what the bus remarks, each once. loop_run() does so as it comes. */
void loop_print_warnings(struct mbus_bus *bus);

/* Tells stderr that @network is the matter, if it is and was not told before. Events that tell of
 * it are told as they come. */
void loop_tell_network(struct mbus_bus *bus, enum mbus_network network);

/* Waits until @end for what was sent to leave; *@ret_left has not. 0 or an exit status. */
int loop_flush(struct mbus_bus *bus, uint64_t end, int *ret_left);
/* Waits, but not long, until the bus has sent what it has to send. */
void loop_drain(struct mbus_bus *bus);

#endif
