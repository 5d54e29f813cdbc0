/*
 * drain.h - the end of the broker: what waits for clients is written, as far as they take it.
 */
#ifndef BROKER_NET_DRAIN_H
#define BROKER_NET_DRAIN_H

struct broker;

/* Returns when nothing waits any more, or at broker.stop_at: whoever does not read by then has lost
 * the rest with the link. Nothing is read meanwhile. */
void drain_links(struct broker *b);

#endif
