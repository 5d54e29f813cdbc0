/*
 * hello.h - when an entity says mbus.hello, and when silence means death (sections 8 and 9.1, 9.3).
 *
 * The variables are the RFC's own: hello_p, hello_n, entities_p. Times are ns of the engine's
 * monotonic clock. `entities` counts this entity, too (spec/errata.md, 4).
 */
#ifndef MBUS_CORE_HELLO_H
#define MBUS_CORE_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

/*
 * The hello timer of one entity. It always runs: hello_n is never TIME_NEVER. A ping that is not
 * answered yet makes `reply` the earlier of the two; whatever hello is said then answers it and all
 * before it (AWR-10). Until the first hello neither reconsideration moves the timer: it is an
 * arbitrary delay of up to c_hello_min, for however many there are (AWR-02).
 */
struct hello {
        uint64_t hello_p;  /* when the last hello was sent */
        uint64_t hello_n;  /* when the timer expires */
        uint64_t reply;    /* when a ping is to be answered, or TIME_NEVER */
        size_t entities_p; /* the number of entities when hello_n was computed */
        bool first;        /* no hello was sent yet */
};

/* hello_d of section 8.1.1, in ns. */
uint64_t hello_interval(size_t entities);
/* How long an entity may be silent, in ns (8.2). */
uint64_t hello_dead_after(size_t entities);

/* Joins: the first hello goes out after a random delay of up to c_hello_min (9.1). */
void hello_start(struct hello *h, uint64_t now, struct random *random);
/* When hello_expire() is due. */
uint64_t hello_next(const struct hello *h);
/* The timer expired (8.1.5): true if a hello is to be sent now. */
bool hello_expire(struct hello *h, uint64_t now, size_t entities, struct random *random);
/* A hello was sent, for whatever reason: the next one follows at its interval. */
void hello_said(struct hello *h, uint64_t now, size_t entities, struct random *random);
/* The number of entities fell: reverse reconsideration (8.1.4). */
void hello_shrink(struct hello *h, uint64_t now, size_t entities);
/* A ping came (9.3): a hello goes out within c_hello_min; one answers them all. */
void hello_ping(struct hello *h, uint64_t now, struct random *random);

#endif
