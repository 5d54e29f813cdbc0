/*
 * hub.h - where the mem: buses of one name hand their datagrams to each other.
 *
 * Buses of one hub may live in different threads: what stands under "the hub's mutex" is touched
 * with that held, everything else belongs to one bus. A hub lives as long as it has members, and is
 * of one process: a child that opens a bus of that name gets a hub of its own.
 *
 * Introductions are counted. A newcomer raises the hub's count, which wakes everybody else; who has
 * said who its entities are up to that count has introduced itself. So a member knows all there is
 * to know, with no time that passes, as soon as all others have come as far as the count when its
 * own newest entity was added: introduced, asked <= introductions, always.
 */
#ifndef MBUS_MODES_HUB_H
#define MBUS_MODES_HUB_H

#include <core/engine.h>
#include <core/index.h>
#include <core/list.h>
#include <core/outgoing.h>

struct hub;

/* Of one bus. */
struct hub_member {
        struct hub *hub; /* NULL: it is in none */
        struct list_node node;
        struct outgoing inbox;   /* the hub's mutex; bounded by OUTGOING_BYTES_MAX */
        struct outgoing reading; /* what was taken out of it */
        uint64_t lost;           /* the hub's mutex: for which the inbox had no room */
        uint64_t introduced;     /* the hub's mutex: up to which of the hub's introductions */
        uint64_t asked;          /* the introductions when its newest entity was added */
        size_t n_entities;       /* the hub's mutex */
        uint32_t ordinal;        /* among all that the hub ever had */
        int fd;                  /* readable while the inbox or the introductions have something */
};

/* An address that an entity of the hub has. */
struct hub_claim {
        struct index_entry entry;
};

/* Makes @m, whose fd is set, a member of the hub @name. 0 or -ENOMEM. */
int hub_join(const char *name, struct hub_member *m);
void hub_leave(struct hub_member *m);
/* In a child of the process that joined: lets go of the hub, and touches nothing that is the
 * parent's. */
void hub_abandon(struct hub_member *m);

/* Hands what @engine has queued to all others. */
void hub_spread(struct hub_member *m, struct engine *engine);
/* Takes what came for @m into `reading`. *@ret_introductions is up to where it is to introduce
 * its entities. */
void hub_take(struct hub_member *m, uint64_t *ret_lost, uint64_t *ret_introductions);

/* Everybody shall say who is there, because @m has a new entity. */
void hub_introduce(struct hub_member *m);
/* What @m had to say up to @introductions has been handed over. */
void hub_introduced(struct hub_member *m, uint64_t introductions);
/* Whether all that others have to say to our entities about who they are has been read. */
bool hub_has_told(struct hub_member *m);
/* @m has an entity less. */
void hub_forget_entity(struct hub_member *m);

/* *@claim, if there is one, is exchanged for one of @address, which nobody else has. 0,
 * MBUS_E_TAKEN or -ENOMEM, after which it is as before. */
int hub_claim(struct hub_member *m, struct hub_claim **claim, const struct address *address);
void hub_release(struct hub_member *m, struct hub_claim **claim);

#endif
