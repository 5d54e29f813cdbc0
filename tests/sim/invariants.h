/*
 * invariants.h - what must hold on any bus. spec/simulation.md states the claims; the names they have
 * here are those that a failure prints.
 */
#ifndef MBUS_TESTS_SIM_INVARIANTS_H
#define MBUS_TESTS_SIM_INVARIANTS_H

#include "core/engine.h"
#include "failure.h"

struct world;
struct node;

/* Records the first failure; later ones are its consequences. */
void fail(struct world *w, const char *claim, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* An entity was given up: was it alive? */
void check_left(struct world *w, const struct node *node, const struct event *event);
/* Each engine knows exactly the living, if the time that section 8 allows is over. */
void check_awareness(struct world *w);
/* Memory and peers of one node. */
void check_bounds(struct world *w, const struct node *node);
/* No ticket is open for longer than it may. */
void check_overdue(struct world *w);
/* The rate of hellos since begin_rate(). */
void begin_rate(struct world *w);
void check_rate(struct world *w);
/* At the end: what was called delivered arrived, and what had to arrive did. */
void check_letters(struct world *w);

#endif
