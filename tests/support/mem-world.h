/*
 * mem-world.h - three buses in one process that know each other, for tests of the public library.
 */
#ifndef MBUS_SUPPORT_MEM_WORLD_H
#define MBUS_SUPPORT_MEM_WORLD_H

#include "buses.h"

/* A bus of three members; a and b each with an entity that knows the other. */
struct world {
        struct mbus_bus *buses[4];
        struct mbus_bus *a;
        struct mbus_bus *b;
        struct mbus_bus *c;
        struct mbus_entity *ui;
        struct mbus_entity *engine;
};

static inline void turn(struct world *w)
{
        buses_settle(w->buses);
}

static inline struct world world_new(void)
{
        struct world w = { .a = bus_open("mem:test", NULL),
                           .b = bus_open("mem:test", NULL),
                           .c = bus_open("mem:test", NULL) };

        w.buses[0] = w.a;
        w.buses[1] = w.b;
        w.buses[2] = w.c;
        w.ui = entity_add(w.a, "(app:player module:ui)");
        w.engine = entity_add(w.b, "(app:player module:engine)");
        turn(&w);
        for (size_t i = 0; i < 3; i++)
                events_clear(w.buses[i]);
        return w;
}

static inline void world_free(struct world *w)
{
        for (size_t i = 0; i < 3; i++)
                w->buses[i] = mbus_bus_close(w->buses[i]);
}

static inline int send_reliable(struct mbus_entity *from, const char *to, uint64_t *ret_ticket)
{
        struct mbus_commands *c;
        int r;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_commands_add_text(c, "a()", NULL, NULL), 0);
        r = mbus_entity_send_reliable(from, to, c, ret_ticket);
        mbus_commands_free(c);
        return r;
}

#endif
