/*
 * fake-scene.h - a fake bus with one engine and one entity, and somebody to play.
 */
#ifndef MBUS_TESTS_FAKE_SCENE_H
#define MBUS_TESTS_FAKE_SCENE_H

#include "fake-bus.h"

#define ME "(app:me id:1-0@127.0.0.1)"
#define YOU "(app:you id:2-0@127.0.0.1)"
#define THEM "(app:them id:3-0@127.0.0.1)"

struct scene {
        struct fake_bus bus;
        struct engine *e;
        struct entity *me;
        struct fake_peer you;
};

static inline void scene_init(struct scene *s, const struct engine_options *options)
{
        fake_bus_init(&s->bus);
        s->e = fake_add(&s->bus, options);
        s->me = fake_entity(&s->bus, s->e, ME);
        s->you = (struct fake_peer){ .address = YOU, .socket = 1, .unique = true };
}

static inline void scene_deinit(struct scene *s)
{
        fake_bus_deinit(&s->bus);
}

/* The other has said hello, which was noticed. */
static inline void scene_meet(struct scene *s)
{
        fake_hello(&s->bus, s->e, &s->you);
        fake_expect(s->e, EVENT_JOINED);
        fake_expect_nothing(s->e);
}

/* The other says @payload to all. */
static inline void scene_says(struct scene *s, const char *payload)
{
        fake_say(&s->bus, s->e, &s->you, 'U', "()", "()", payload);
}

#endif
