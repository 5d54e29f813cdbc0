/*
 * world.h - three engines on a virtual clock and one cable, for runs in which something fails.
 *
 * What happens at each node is written into the trial. Tickets are followed: each ends in exactly
 * one event. Times are ms since the world began.
 */
#ifndef MBUS_TESTS_WORLD_H
#define MBUS_TESTS_WORLD_H

#include "core/engine.h"
#include "trial.h"

#define NODES 3
#define ENTITIES 2
#define TICKETS_MAX 256

struct ticket {
        uint64_t number;
        const struct entity *entity; /* NULL: it was removed, or the ticket ended */
};

struct node {
        struct engine *engine;
        struct entity *entities[ENTITIES]; /* NULL: not on the bus */
        struct ticket tickets[TICKETS_MAX];
        size_t n_tickets;
        bool cut; /* nothing comes in and nothing gets out */
        bool acknowledges;
};

struct world {
        struct trial *t;
        struct crypto *crypto;
        struct engine_options options;
        struct node nodes[NODES];
        uint64_t now;
};

/* Makes the engines; false, and nothing to free, if there is no memory for them. */
bool world_init(struct world *w, struct trial *t, struct crypto *crypto,
                const struct engine_options *options);
/* Memory is back: all has to work. Then frees the world. */
void world_end(struct world *w);

/* A new engine in the place of the old one, which says nothing. */
bool world_replace(struct world *w, unsigned node);
/* Puts entity @i of @node on the bus under its name, "(app:<a> ...)", or another's. */
void world_add(struct world *w, unsigned node, unsigned i, const char *address);
void world_remove(struct world *w, unsigned node, unsigned i);
/* Sends "x(text)" from entity 0 of @node. */
void world_send(struct world *w, unsigned node, const char *dest, const char *text);
void world_send_reliable(struct world *w, unsigned node, const char *dest, const char *text);
/* Datagrams and events go where they belong until nothing moves. */
void world_settle(struct world *w);
/* Lets time pass. */
void world_run(struct world *w, unsigned ms);

/* What entities are called. */
extern const char *const world_names[NODES][ENTITIES];

#endif
