/*
 * denial.h - unreliable messages that a link may not send: it is told of them, seldom and in sum.
 *
 * A reliable message that is denied is undelivered. Of the others nobody waits for an answer, and who
 * sends thousands of them must not get thousands: the first is told at once, then what comes within
 * DENIALS_PAUSE_MS together, or when the link asks whether all that it sent is done (broker.sync).
 */
#ifndef BROKER_SESSIONS_DENIAL_H
#define BROKER_SESSIONS_DENIAL_H

#include <stdint.h>

struct broker;
struct client;

struct denials {
        uint64_t n;      /* that are not told yet */
        uint64_t due;    /* when they may be */
        uint32_t seq;    /* of the first of them */
        const char *why; /* it was denied; lives for ever */
};

/* An unreliable message of @c is not passed on; @why is a literal. */
void denial_note(struct client *c, uint32_t seq, const char *why);
/* Tells @c what it was not told yet. */
void denial_tell(struct client *c);
/* The same for all of whom it is time; and when it is time next, TIME_NEVER: there is nothing to tell. */
void denials_tell(struct broker *b);
uint64_t denials_deadline(const struct broker *b);

#endif
