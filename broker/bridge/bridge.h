/*
 * bridge.h - several buses in one broker, and routes between them (spec/buses.md).
 *
 * An entity that a rule exports from one bus to another is hosted there by a proxy: an entity of the
 * same address, with hellos, answers to pings and a bye of its own. What the entity says to a group is
 * said again by its proxy; what is sent reliably to a proxy is sent again to the entity by the
 * sender's proxy beside it, and acknowledged when that was.
 *
 *      bridges.c   which buses and bridges there are, by the configuration
 *      bridge.c    which of several brokers between two of them is at work
 *      proxy.c     who is hosted where, and who not yet
 *      relay.c     messages
 */
#ifndef BROKER_BRIDGE_BRIDGE_H
#define BROKER_BRIDGE_BRIDGE_H

#include <broker/config/bus-config.h>
#include <broker/buses/bus.h>
#include <broker/net/connection.h>

struct proxy;

/* Whether messages of the bus main are to be carried on. */
bool bridges_relay_main(const struct bus_configs *configs);
/* Opens the buses of @configs, which stays valid; the bus main is open. 0 or the exit status, with a
 * line in the log. Nothing is done, here and below, if there is but one bus. */
int bridges_open(struct broker *b, const struct bus_configs *configs);

/* The buses that the broker is on, main first; NULL behind the last. */
struct bus *bridges_get_bus(struct broker *b, size_t i);
/* The buses that routes join with @bus, one after the other; *@cursor is 0 at first. *@ret_works: this
 * broker is the one that carries between them, and does not stand by. */
struct bus *bridges_next_joined(const struct bus *bus, size_t *cursor, bool *ret_works);
/* The one of this name, or NULL. */
struct bus *bridges_find_bus(struct broker *b, const char *name);

struct bridges_plan;

/* Another configuration: opens what it has beyond the present one. 0 or the exit status, with a line in
 * the log; nothing has changed then. *@ret_plan is for one of the next two. */
int bridges_prepare(struct broker *b, const struct bus_configs *configs,
                    struct bridges_plan **ret_plan);
/* It counts from now on, and the one before is not looked at any more. Takes NULL. */
void bridges_commit(struct bridges_plan *plan);
/* It is not wanted after all. Takes NULL. */
void bridges_discard(struct bridges_plan *plan);

/* 0 or -errno. */
int bridges_start(struct broker *b);
/* All proxies say bye. */
void bridges_stop(struct broker *b);
void bridges_close(struct broker *b);

/* Does what is due, with the events of all buses but main. Whether there was anything. */
bool bridges_process(struct broker *b);
uint64_t bridges_deadline(const struct broker *b);
void bridges_send(struct broker *b);

/* What happens on a bus: an entity that is not a proxy comes and goes, a message came in. */
void bridge_joined(struct bus *bus, const struct address *address);
void bridge_left(struct bus *bus, const struct address *address, enum mbus_reason reason);
void bridge_message(struct bus *bus, const struct event *event);
/* The engine ended @ticket of @by; MBUS_REASON_NONE: it was delivered. */
void bridge_finish(struct proxy *by, uint64_t ticket, enum mbus_reason reason);
/* Somebody else has the address. */
void bridge_conflict(struct proxy *p);

/* Whether other buses host @src, an entity of a client. */
bool bridge_exports(struct broker *b, const struct address *src);
/* An unreliable message of @src to the other buses; @payload is well-formed. */
void bridge_forward(struct broker *b, const struct attachment *src, const struct address *dest,
                    uint64_t timestamp, struct span payload);
/*
 * A reliable one to the entity that @to stands for, of which the client hears as of any other. What
 * reliable_check() says was asked for; the client is charged until it ends. 0,
 * MBUS_E_UNKNOWN: @src is not known there, or the rules do not let it pass; else as
 * engine_send_reliable().
 */
int bridge_send_reliable(const struct attachment *src, struct proxy *to, uint32_t seq,
                         uint64_t timestamp, struct span payload);
/* A client's entity @from acknowledged @seq, which @by gave it. False if that is not waited for. */
bool bridge_acknowledge(struct proxy *by, uint32_t seq, const struct attachment *from);

#endif
