/*
 * deadline.h - a heap of deadlines that are fields of whatever they belong to.
 *
 * A timer is not an object: it is a struct deadline inside an entity, a peer, an outstanding
 * message. The heap answers one question, which is due first. It owns nothing but an array of
 * pointers; the owner of a deadline removes it before it goes away. Times are monotonic
 * nanoseconds, TIME_NEVER is no deadline.
 */
#ifndef MBUS_CORE_DEADLINE_H
#define MBUS_CORE_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deadline {
        uint64_t at;
        size_t slot; /* position in the heap plus one; 0: not in it */
};

#define DEADLINE_INIT ((struct deadline){ UINT64_MAX, 0 })

struct deadlines {
        struct deadline **heap;
        size_t n;
        size_t reserved;
        size_t size;
};

#define DEADLINES_INIT ((struct deadlines){ NULL, 0, 0, 0 })

void deadlines_deinit(struct deadlines *ds);
/*
 * Makes room for one more, so that as many deadlines_set() as there were successful reserves cannot
 * fail. Called when the object with the deadline is made. 0 or -ENOMEM.
 */
int deadlines_reserve(struct deadlines *ds);
/* Gives the room of one deadline back; the deadline must be unset before. */
void deadlines_release(struct deadlines *ds);
/* Sets, moves or (TIME_NEVER) unsets @d. */
void deadlines_set(struct deadlines *ds, struct deadline *d, uint64_t at);
/* The earliest time, or TIME_NEVER. */
uint64_t deadlines_next(const struct deadlines *ds);
/* Takes out and returns the earliest deadline at or before @now, or NULL. It is DEADLINE_INIT
 * again. */
struct deadline *deadlines_pop(struct deadlines *ds, uint64_t now);

#endif
