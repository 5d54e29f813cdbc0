/*
 * test-tickets.c - questions on a link, found again by their SeqNums, beside a plain table.
 */
#include <stdlib.h>

#include <link/tickets.h>
#include "run.h"

#define KEYS 1024
#define STEPS 40000

struct model {
        struct tickets tickets;
        struct event_queue events;
        struct link_entity entities[2];
        uint32_t seqs[KEYS];
        struct link_entity *owners[KEYS]; /* NULL: the ticket is not in the table */
        size_t n;
        uint32_t random;
};

static uint32_t pick(struct model *m, uint32_t n)
{
        m->random = m->random * 1664525 + 1013904223;
        return (m->random >> 8) % n;
}

static void model_init(struct model *m)
{
        *m = (struct model){ .random = 4711 };
        m->tickets.events = &m->events;
}

static void model_deinit(struct model *m)
{
        tickets_deinit(&m->tickets);
        event_queue_deinit(&m->events);
}

static void add(struct model *m, size_t i, struct link_entity *entity)
{
        struct ticket ticket = { .entity = entity, .ticket = i, .seq = m->seqs[i] };

        ck_assert_int_eq(tickets_add(&m->tickets, &ticket), 0);
        m->owners[i] = entity;
        m->n++;
}

static void assert_same(const struct model *m, size_t i)
{
        const struct ticket *found = tickets_find(&m->tickets, m->seqs[i]);

        if (!m->owners[i]) {
                ck_assert_ptr_null(found);
                return;
        }
        ck_assert_ptr_nonnull(found);
        ck_assert_uint_eq(found->ticket, i);
        ck_assert_ptr_eq(found->entity, m->owners[i]);
}

static void forget(struct model *m, struct link_entity *entity)
{
        tickets_forget(&m->tickets, entity);
        ck_assert_uint_eq(entity->n_tickets, 0);
        for (size_t i = 0; i < KEYS; i++) {
                m->n -= m->owners[i] == entity;
                m->owners[i] = m->owners[i] == entity ? NULL : m->owners[i];
        }
}

static void play(struct model *m)
{
        for (unsigned step = 0; step < STEPS; step++) {
                size_t i = pick(m, KEYS);

                assert_same(m, i);
                if (m->owners[i]) {
                        tickets_remove(&m->tickets, m->seqs[i]);
                        m->owners[i] = NULL;
                        m->n--;
                } else {
                        add(m, i, &m->entities[pick(m, 2)]);
                }
                assert_same(m, i);
                ck_assert_uint_eq(m->tickets.n, m->n);
                if (step % (STEPS / 20) == 0)
                        forget(m, &m->entities[pick(m, 2)]);
                if (step % (STEPS / 200) == 0)
                        for (i = 0; i < KEYS; i++)
                                assert_same(m, i);
        }
}

START_TEST(test_tickets_are_found_until_they_are_removed)
{
        struct model m;

        model_init(&m);
        for (uint32_t i = 0; i < KEYS; i++)
                m.seqs[i] = UINT32_MAX - KEYS / 2 + i;
        play(&m);
        model_deinit(&m);
}
END_TEST

START_TEST(test_tickets_with_one_place_in_the_table_are_found)
{
        struct model m;

        model_init(&m);
        for (uint32_t i = 0; i < KEYS; i++)
                m.seqs[i] = i % 3 ? i << 12 : i;
        play(&m);
        model_deinit(&m);
}
END_TEST

START_TEST(test_drained_tickets_come_in_the_order_they_were_given)
{
        struct ticket *all;
        struct model m;
        size_t n;

        model_init(&m);
        for (uint32_t i = 0; i < KEYS; i++) {
                m.seqs[i] = i * 77;
                add(&m, i, &m.entities[i % 2]);
        }
        all = tickets_drain(&m.tickets, &n);
        ck_assert_uint_eq(n, KEYS);
        for (size_t i = 0; i < n; i++)
                ck_assert_uint_eq(all[i].ticket, i);
        ck_assert_uint_eq(m.entities[0].n_tickets + m.entities[1].n_tickets, 0);
        free(all);
        model_deinit(&m);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_tickets_are_found_until_they_are_removed,
                test_tickets_with_one_place_in_the_table_are_found,
                test_drained_tickets_come_in_the_order_they_were_given,
        };

        return run_tests("tickets", tests, N(tests));
}
