/*
 * routing.h - the door of routing/: where a message goes, what becomes of it, and who wants to
 * know.
 *
 *      router        from a session to sessions and the bus main, and from there to sessions
 *      inbound       a message on its way through
 *      ack-list      the acknowledgements in one
 *      fanout        who gets what one entity sends to one destination, remembered
 *      patience      messages that wait until their destination is known
 *      retain        last values, for those who come late
 *      presence      who watches entities come and go
 *      monitor       who observes messages
 */
#ifndef BROKER_ROUTING_ROUTING_H
#define BROKER_ROUTING_ROUTING_H

#include "fanout.h"
#include "list-position.h"
#include "monitor.h"
#include "patience.h"
#include "presence.h"
#include "retain.h"
#include "router.h"
#include "state.h"

/* Listens to @sessions, and gets their frames. The pointers stay the caller's. */
void routing_init(struct routing *routing, struct sessions *sessions,
                  const struct options *options);
/* The bus main is open, and the first entity is to come on it. */
void routing_open(struct routing *routing);
/* The broker ends: the entities of all sessions leave, and nobody is told. */
void routing_say_bye(struct routing *routing);
/* All sessions must have ended. */
void routing_close(struct routing *routing);
/* When the next of what is remembered here is due. */
uint64_t routing_deadline(const struct routing *routing);

#endif
