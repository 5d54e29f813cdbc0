/*
 * engine-hello.c - see engine-hello.h.
 */
#include "engine-hello.h"

#include "engine-transmit.h"

/*
 * The old programs wait for five seconds, whoever else there is. So for them it is our own entities
 * alone that count, so many of them as one that keep the process below HELLOS_PER_SECOND_UCL.
 */
size_t hello_entities(const struct engine *e)
{
        const size_t as_one = HELLOS_PER_SECOND_UCL * HELLO_FACTOR_MS / 1000;

        if (e->options.dialect != DIALECT_UCL)
                return engine_n_all(e);
        return (e->locals.n + e->n_elsewhere + as_one - 1) / as_one;
}

void start_hello(struct engine *e, uint64_t now, struct entity *entity)
{
        entity->since = now;
        hello_start(&entity->hello, now, &e->random);
        deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
}

void announce_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity)
{
        entity->conflict = false;
        say_to_all(e, wall_ms, entity, "mbus.hello()");
        hello_said(&entity->hello, now, hello_entities(e), &e->random);
        deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
}

void answer_ping(struct engine *e, uint64_t now, const struct address *dest)
{
        struct index_cursor cursor = index_match(&e->locals, dest);
        struct index_entry *entry;

        while ((entry = index_next(&cursor))) {
                struct entity *entity = entity_of_entry(entry);

                hello_ping(&entity->hello, now, &e->random);
                deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
        }
}

void say_hellos(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        struct deadline *d;

        while ((d = deadlines_pop(&e->hellos, now))) {
                struct entity *entity = container_of(d, struct entity, deadline);

                if (hello_expire(&entity->hello, now, hello_entities(e), &e->random))
                        say_to_all(e, wall_ms, entity, "mbus.hello()");
                deadlines_set(&e->hellos, d, hello_next(&entity->hello));
        }
}

void shrink_hellos(struct engine *e, uint64_t now)
{
        size_t n = engine_n_all(e);

        if (!e->shrunk)
                return;
        e->shrunk = false;
        /* In DIALECT=UCL the interval depends on nobody who left, or hardly. */
        for (size_t i = 0; i < e->locals.n && e->options.dialect != DIALECT_UCL; ++i) {
                struct entity *entity = entity_of_entry(e->locals.all[i]);

                hello_shrink(&entity->hello, now, n);
                deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
        }
        peers_shrink(&e->peers, n);
}
