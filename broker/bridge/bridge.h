/*
 * bridge.h - the door of bridge/: several buses in one broker, and routes between them
 * (spec/buses.md).
 *
 * An entity that a rule exports from one bus to another is hosted there by a proxy: an entity of
 * the same address, with hellos, answers to pings and a bye of its own. What the entity says to a
 * group is said again by its proxy; what is sent reliably to a proxy is sent again to the entity by
 * the sender's proxy beside it, and acknowledged when that was.
 *
 *      plan            which buses and bridges there are, by the configuration
 *      bridges         they begin and end, and have their turns
 *      election        which of several brokers between two of them is at work
 *      proxy           who is hosted where, and who not yet
 *      relay, pending-relays
 *                      messages, and those that are to be acknowledged
 *      bus-events      what the events of all buses mean, main among them
 *      loss, network-news
 *                      what is the matter with a bus, told to those whom it concerns
 *      lookup, hosted-entity
 *                      what the others need
 */
#ifndef BROKER_BRIDGE_BRIDGE_H
#define BROKER_BRIDGE_BRIDGE_H

#include <broker/routing/routing.h>

#include "loss.h"
#include "network-news.h"
#include "state.h"

/* Listens to the sessions, and serves @routing, which stays the caller's. */
void bridges_init(struct bridges *all, struct routing *routing);
/* Whether messages of the bus main are to be carried on. */
bool bridges_relay_main(const struct bus_configs *configs);
/* Opens the buses of @configs, which stays valid; the bus main is open. 0 or the exit status,
 * with a line in the log. */
int bridges_open(struct bridges *all, const struct bus_configs *configs);
/* The buses that routes join with @bus, one after the other; *@cursor is 0 at first.
 * *@ret_works: this broker is the one that carries between them, and does not stand by. */
struct bus *bridges_next_joined(const struct bridges *all, const struct bus *bus, size_t *cursor,
                                bool *ret_works);

struct bridges_plan;

/* Another configuration: opens what it has beyond the present one. 0 or the exit status, with a
 * line in the log; nothing has changed then. *@ret_plan is for one of the next two. */
int bridges_prepare(struct bridges *all, const struct bus_configs *configs,
                    struct bridges_plan **ret_plan);
/* It counts from now on, and the one before is not looked at any more. Takes NULL. */
void bridges_commit(struct bridges_plan *plan);
/* It is not wanted after all. Takes NULL. */
void bridges_discard(struct bridges_plan *plan);

/* All buses begin. 0 or -errno. */
int bridges_start(struct bridges *all);
/* All proxies say bye. */
void bridges_stop(struct bridges *all);
void bridges_close(struct bridges *all);

/* Does what is due, with the events of all buses. Whether there was anything of buses but main. */
bool bridges_process(struct bridges *all);
uint64_t bridges_deadline(const struct bridges *all);
/* Sends what the engines of all buses have queued. */
void bridges_send(struct bridges *all);

/* Somebody else has the address of @p, which gives way. */
void proxy_lose_address(struct proxy *p);

#endif
