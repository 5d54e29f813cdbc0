/*
 * monitor.h - clients that watch entities come and go, and clients that observe all messages.
 *
 * An observer's copies are dropped before anything else of its queue, so that observing costs the
 * observer and nobody else.
 */
#ifndef BROKER_ROUTING_MONITOR_H
#define BROKER_ROUTING_MONITOR_H

#include "list-position.h"
#include "state.h"

/* @s watches @address from now on. 0, MBUS_E_FULL or -ENOMEM. */
int monitor_watch(struct routing *routing, struct session *s, const struct address *address);
bool monitor_has_watch(const struct session *s, const struct address *address);
/* Tells of the next of those that are known already, in one message. Whether these were the last. */
bool monitor_tell(struct routing *routing, struct session *s, const struct address *address,
                  struct list_position *position);
/* Tells the watchers, but for the link that it is on (NULL: none), which does not know yet that it is
 * its own. @age_ms is for how long it has been known. */
void monitor_joined(struct routing *routing, const struct session *own,
                    const struct address *address, uint64_t age_ms);
void monitor_left(struct routing *routing, const struct address *address, enum mbus_reason reason);

/* @s gets a copy of each message that passes one of @filters, which are taken over in any case;
 * @hello: bare hellos and acknowledgements, too. 0, or MBUS_E_UNKNOWN: they name a bus that is not
 * there. */
int monitor_observe(struct routing *routing, struct session *s, bool hello, struct filter *filters);
void monitor_unobserve(struct routing *routing, struct session *s);
/* Ends what @s may not do any more, and tells it. */
void monitor_restrict(struct routing *routing, struct session *s);
/* Buses have come or gone: ends what was observed on those that went, and tells it. */
void monitor_change_buses(struct routing *routing);
/* Gives those who observe @bus a copy of a message that passes there. @bare: it holds nothing but
 * hellos or acknowledgements. */
void monitor_copy(struct routing *routing, struct bus *bus, struct span text, bool bare);
/* ... on the bus main. */
void monitor_copy_main(struct routing *routing, struct span text, bool bare);
/* The same for what the engine shows. */
void monitor_copy_received(struct routing *routing, struct bus *bus, const struct message *m);

/* Ends all that @s watches and observes. */
void monitor_forget(struct routing *routing, struct session *s);

#endif
