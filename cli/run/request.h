/*
 * request.h - what verbs share that ask for one thing and end with the answer: list, ping, send,
 * status.
 *
 * To them a broker that goes away, or says nothing in time, is the end; others wait until it is
 * back (printer.h).
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include <cli/options/options.h>

#include "loop.h"
#include "session.h"

struct request {
        const struct options *options;
        const char *address; /* of whom it is asked: of the command line, without one "()", all */
        struct session session;
        struct loop loop;
        struct mbus_entity *entity; /* that asks; NULL: it has not joined */
};

/* The handlers get @data. Nothing is open yet. */
void request_init(struct request *request, const struct options *options, void *data,
                  int (*on_event)(void *data, const struct mbus_event *event),
                  int (*on_deadline)(void *data));
/* Checks the address and opens the bus. 0, or an exit status after having told stderr. */
int request_open(struct request *request, const struct options *options);
/* Joins with @address, to ask as. As mbus_bus_add_entity(). */
int request_join(struct request *request, const char *address);
/* Runs until the answer, or until -W, else @wait ns, is over. Returns the exit status. */
int request_run(struct request *request, uint64_t wait);

/* Events that no verb needs to know: the end of the broker, with its exit status, or LOOP_ON. */
int request_on_event(const struct mbus_event *event);
/* When time is over: tells stderr that the bus said nothing. Returns EXITS_NO_BUS. */
int request_unanswered(const struct request *request);

#endif
