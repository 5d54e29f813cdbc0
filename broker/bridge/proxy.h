/*
 * proxy.h - who of one bus is hosted on another, and who not yet.
 */
#ifndef BROKER_BRIDGE_PROXY_H
#define BROKER_BRIDGE_PROXY_H

#include "bridge.h"
#include "state.h"

/* Hosts @address of bus[from] on the other one, if that is to be so by now. */
void bridge_consider(struct bridge *bridge, unsigned from, const struct address *address);
/* The same, later: in @min_ms to @max_ms. */
void bridge_defer(struct bridge *bridge, unsigned from, const struct address *address,
                  unsigned min_ms, unsigned max_ms);
/* All that are known on bus[from]. */
void bridge_consider_all(struct bridge *bridge, unsigned from);
/* The rules are others: who is not to be hosted any more leaves, who is to be comes. */
void bridge_review(struct bridge *bridge);
/* @address has come on bus[from], with @many others; or is gone. */
void bridge_come(struct bridge *bridge, unsigned from, const struct address *address, bool many);
void bridge_gone(struct bridge *bridge, unsigned from, const struct address *address);
/* Who @p stands for has left: @told, senders of reliable messages are, too. */
void proxy_free(struct proxy *p, bool bye, bool told);
void bridge_drop_proxies(struct bridge *bridge, bool bye);
void bridge_drop_hold_downs(struct bridge *bridge);
/* Looks at those whose time is over. Whether there were any. */
bool bridges_end_hold_downs(struct bridges *all);

#endif
