/*
 * relay.h - messages from one bus to another.
 */
#ifndef BROKER_BRIDGE_RELAY_H
#define BROKER_BRIDGE_RELAY_H

#include "state.h"

/* A message came in on @bus. */
void relay_message(struct bridges *all, struct bus *bus, const struct event *event);

/* What routing/ asks of other buses (struct other_buses). */
bool relay_exports(struct other_buses *others, const struct address *src);
void relay_forward(struct other_buses *others, const struct local_entity *src,
                   const struct address *dest, uint64_t timestamp, struct span payload);
int relay_send_reliable(const struct local_entity *src, struct proxy *to, uint32_t seq,
                        uint64_t timestamp, struct span payload);

#endif
