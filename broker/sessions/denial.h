/*
 * denial.h - unreliable messages that a session may not send: it is told of them, seldom and in
 * sum.
 *
 * A reliable message that is denied is undelivered. Of the others nobody waits for an answer, and
 * who sends thousands of them must not get thousands: the first is told at once, then what comes
 * within DENIALS_PAUSE_MS together, or when it asks whether all that it sent is done (broker.sync).
 */
#ifndef BROKER_SESSIONS_DENIAL_H
#define BROKER_SESSIONS_DENIAL_H

#include "session.h"

/* An unreliable message of @s is not passed on; @why is a literal. */
void denial_note(struct session *s, uint32_t seq, const char *why);
/* Tells @s what it was not told yet. */
void denial_tell(struct session *s);
/* The same for all of whom it is time; and when it is time next, TIME_NEVER: there is nothing to
 * tell. */
void denials_tell(struct sessions *all);
uint64_t denials_deadline(const struct sessions *all);

#endif
