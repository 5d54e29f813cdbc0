/*
 * sessions.h - the door of sessions/: whom the broker hosts, what they may do, and what it tells
 * them.
 *
 *      session       what a client on a connection is here
 *      local-entity  an entity of the bus main that is hosted here
 *      ids           the ids that the broker gives
 *      replies       what the broker says to clients, of which all above make use
 *      pending, reliable
 *                    who waits for whose acknowledgement
 *      denial        what may not be sent, told in sum
 */
#ifndef BROKER_SESSIONS_SESSIONS_H
#define BROKER_SESSIONS_SESSIONS_H

#include "denial.h"
#include "ids.h"
#include "local-entity.h"
#include "reliable.h"
#include "replies.h"
#include "session.h"

/* The pointers stay the caller's. */
void sessions_init(struct sessions *all, struct iteration *it, struct connections *net,
                   struct buses *buses);
/* The bus main is open: puts the broker itself on it. 0 or the exit status, with a line in the
 * log. */
int sessions_open(struct sessions *all);
/* The broker's own entity leaves; nobody can be told anything any more. */
void sessions_leave(struct sessions *all);
/* All sessions must have ended, and all entities have left. */
void sessions_close(struct sessions *all);

#endif
