/*
 * test-oom-modules.c - the books of the engine, each alone, while memory is short.
 *
 * An operation that fails has changed nothing: the next one, with memory, finds all in order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/peers.h"
#include "core/events.h"
#include "fail-malloc.h"
#include "run.h"

#define MANY 20

static const uint64_t second = NSEC_PER_SEC;

static struct address address_of(struct trial *t, unsigned i, char text[static 64])
{
        struct address a;

        snprintf(text, 64, "(app:a%u module:m%u media:audio id:%u-1@127.0.0.1)", i % 3, i, i);
        trial_must(t, address_parse(span_of(text), STRICT, &a, NULL, NULL) == 0);
        return a;
}

static void keep_deadlines(struct trial *t)
{
        struct deadline ds[40];
        struct deadlines heap = DEADLINES_INIT;
        size_t n = 0;

        for (size_t i = 0; i < N(ds); ++i) {
                int r = deadlines_reserve(&heap);

                trial_must(t, r == 0 || r == -ENOMEM);
                if (!trial_ok(t, r))
                        continue;
                ds[n] = DEADLINE_INIT;
                deadlines_set(&heap, &ds[n], 100 - n);
                ++n;
        }
        trial_note(t, "%zu", n);
        fail_malloc_stop();
        for (; n > 0; --n) {
                trial_must(t, deadlines_pop(&heap, TIME_NEVER - 1) == &ds[n - 1]);
                deadlines_release(&heap);
        }
        trial_must(t, deadlines_reserve(&heap) == 0);
        deadlines_deinit(&heap);
}

/* Each entry that is in is found, by its address and by an element, and no other is. */
static void check_index(struct trial *t, const struct index *ix, struct index_entry *entries,
                        const bool *in)
{
        struct address dest;
        struct index_cursor cursor;
        size_t n = 0, n_in = 0;
        char text[64];

        for (unsigned i = 0; i < MANY; ++i) {
                struct address a = address_of(t, i, text);

                trial_must(t, index_find(ix, &a) == (in[i] ? &entries[i] : NULL));
                n_in += in[i];
        }
        trial_must(t, address_parse(span_of("(media:audio)"), STRICT, &dest, NULL, NULL) == 0);
        cursor = index_match(ix, &dest);
        while (index_next(&cursor))
                ++n;
        trial_must(t, n == n_in && ix->n == n_in);
}

static void keep_index(struct trial *t)
{
        struct index_entry entries[MANY], other;
        bool in[MANY];
        struct index ix;
        char text[64];

        index_init(&ix, 1);
        for (unsigned i = 0; i < MANY; ++i) {
                struct address a = address_of(t, i, text);
                int r = index_add(&ix, &entries[i], &a);

                trial_must(t, r == 0 || r == -ENOMEM);
                in[i] = trial_ok(t, r);
        }
        check_index(t, &ix, entries, in);
        if (in[3]) {
                index_move(&ix, &other, &entries[3]);
                index_move(&ix, &entries[3], &other);
        }
        fail_malloc_stop();
        for (unsigned i = 0; i < MANY; ++i) {
                struct address a = address_of(t, i, text);

                if (!in[i])
                        trial_must(t, index_add(&ix, &entries[i], &a) == 0);
                in[i] = true;
        }
        check_index(t, &ix, entries, in);
        for (unsigned i = 0; i < MANY; ++i)
                index_remove(&ix, &entries[i]);
        index_deinit(&ix);
}

/* Half of them leave, one of those comes back. */
static void leave_and_return(struct trial *t, struct peers *ps)
{
        struct peer *peer;
        char text[64];

        for (unsigned i = 0; i < MANY; i += 2) {
                struct address a = address_of(t, i, text);

                peer = peers_find(ps, &a);
                if (!peer)
                        continue;
                free(peers_leave(ps, second, peer));
                trial_must(t, !peers_find(ps, &a));
                /* A tombstone that there is no memory for only remembered the dead. */
                if (!peers_find_departed(ps, &a))
                        trial_notice(t);
        }
        for (unsigned i = 0; i < MANY; i += 4) {
                struct address a = address_of(t, i, text);
                int r;

                peer = peers_find_departed(ps, &a);
                if (!peer)
                        continue;
                r = peers_revive(ps, 2 * second, peer, MANY);
                trial_must(t, r == 0 || r == -ENOMEM);
                trial_ok(t, r);
                trial_must(t, peers_find(ps, &a) == (r == 0 ? peer : NULL));
        }
}

static void keep_peers(struct trial *t)
{
        struct peers ps;
        struct peer *peer;
        size_t n;
        char text[64];

        peers_init(&ps, 1, 1000);
        for (unsigned i = 0; i < MANY; ++i) {
                struct address a = address_of(t, i, text);
                int r = peers_join(&ps, 0, &a, i, &peer);

                trial_must(t, r == 0 || r == -ENOMEM);
                if (trial_ok(t, r))
                        trial_must(t, peers_find(&ps, &a) == peer);
        }
        leave_and_return(t, &ps);
        peers_shrink(&ps, 2);
        trial_note(t, "%zu known, %zu departed", ps.known.n, ps.departed.n);
        fail_malloc_stop();
        for (n = ps.known.n; (peer = peers_due(&ps, 1000 * second, 1)); --n)
                free(peers_leave(&ps, 1000 * second, peer));
        trial_must(t, n == 0 && ps.known.n == 0);
        peers_deinit(&ps);
}

static void keep_reliable(struct trial *t)
{
        struct entity *from = (struct entity *)(void *)t;
        struct send_queue queue = SEND_QUEUE_INIT;
        struct delivery *r;
        struct retransmitter s;
        uint32_t seq = 0;

        retransmitter_init(&s, 100, 3, 1000, RELIABLE_BYTES_MAX);
        for (uint64_t i = 0; i < 40; ++i)
                trial_ok(t,
                         retransmitter_add(&s, &queue, from, i, span_of("some(\"payload\")"), &r));
        while ((r = retransmitter_next(&s, &queue))) {
                int error = retransmitter_launch(&s, r, 0, seq, span_of("a datagram, sealed"));

                trial_must(t, error == 0 || error == -ENOMEM);
                if (trial_ok(t, error))
                        trial_must(t, retransmitter_find(&s, from, seq++) == r);
                else
                        retransmitter_remove(&s, r);
        }
        trial_note(t, "%zu in flight, %zu octets", s.n_in_flight, s.bytes);
        fail_malloc_stop();
        trial_must(t, s.n == seq && s.n_in_flight == seq && queue.n_in_flight == seq);
        while ((r = retransmitter_due(&s, 1000))) {
                retransmitter_repeated(&s, r, 1000);
                retransmitter_remove(&s, r);
        }
        trial_must(t, s.n == 0 && s.bytes == 0 && !send_queue_oldest(&queue));
        retransmitter_deinit(&s);
}

static void send_acks(struct acks *acks)
{
        if (acks->n_owed > 0)
                acks_sent(acks, 10, acks->n_owed);
}

static void keep_acks(struct trial *t)
{
        struct acks *acks = acks_new((struct entity *)(void *)t, (struct peer *)(void *)t);

        if (!acks) {
                trial_notice(t);
                return;
        }
        for (uint32_t seq = 0; seq < 40; ++seq) {
                int r = acks_withhold(acks, seq);

                trial_must(t, r == 0 || r == -ENOMEM);
                trial_ok(t, r);
                trial_must(t, acks_release(acks, seq / 2) == (r == 0 && seq / 2 * 2 == seq) ||
                                      t->noticed);
        }
        for (uint32_t seq = 0; seq < 5; ++seq) {
                if (!acks_owe(acks, seq))
                        trial_notice(t);
                send_acks(acks);
                acks_repeat(acks, 10, seq);
        }
        /* Without a copy of a list only the one that came again is owed: the peer, which repeats
         * the others, too, is sign enough. */
        if (acks->n_owed < 5)
                trial_notice(t);
        fail_malloc_stop();
        send_acks(acks);
        trial_must(t, acks_owe(acks, 100) && acks_owe(acks, 101));
        send_acks(acks);
        acks_repeat(acks, 10, 101);
        trial_must(t, acks->n_owed == 2 && acks->owed[0] == 101 && acks->owed[1] == 100);
        acks_free(acks);
}

static void keep_datagrams(struct trial *t)
{
        static const char bytes[5000];
        struct endpoint group = ENDPOINT_GROUP;
        struct outgoing out = OUTGOING_INIT;
        struct datagram datagram;
        size_t cursor = 0, n = 0;

        for (unsigned i = 0; i < 30; ++i) {
                int r = outgoing_push(&out, (struct span){ bytes, 100 * i }, &group);

                trial_must(t, r == 0 || r == -ENOMEM);
                trial_ok(t, r);
                if (i % 3 == 2 && out.n > 0)
                        outgoing_pop(&out, 1);
        }
        trial_note(t, "%zu, %zu", out.n, out.used);
        fail_malloc_stop();
        trial_must(t, outgoing_push(&out, span_of("again"), &group) == 0);
        while (outgoing_peek(&out, &cursor, &datagram))
                ++n;
        trial_must(t, n == out.n && span_equal_text(datagram.bytes, "again"));
        outgoing_deinit(&out);
}

/* A message event that owns all it can own; NULL on trouble. */
static int push_message(struct trial *t, struct events *es, struct entity *to)
{
        struct event event = { .type = EVENT_MESSAGE, .n_recipients = 1 };
        int r = message_new(span_of("mbus/1.0 1 2 U (a:b) () ()\r\nx()"), &event.message, NULL);

        if (!trial_ok(t, r))
                return r;
        event.recipients = malloc(sizeof(*event.recipients));
        if (!event.recipients) {
                trial_notice(t);
                event_deinit(&event);
                return -ENOMEM;
        }
        event.recipients[0] = to;
        r = events_push(es, &event);
        trial_ok(t, r);
        return r;
}

static void keep_events(struct trial *t)
{
        struct entity *one = (struct entity *)(void *)t, *two = (struct entity *)(void *)t->what;
        struct events es;
        struct event event;
        size_t reserved = 0, n = 0;

        events_init(&es, 5, 10000);
        for (unsigned i = 0; i < 8; ++i) {
                push_message(t, &es, i & 1 ? one : two);
                reserved += trial_ok(t, events_reserve(&es));
        }
        for (; reserved > 1; --reserved)
                events_push_reserved(&es, &(struct event){ .type = EVENT_FAILED, .entity = two });
        if (reserved)
                events_release(&es);
        events_forget(&es, one);
        while (events_pop(&es, &event)) {
                trial_note(t, "type %d, %zu", event.type, event.n_recipients);
                event_deinit(&event);
        }
        fail_malloc_stop();
        trial_must(t, push_message(t, &es, one) == 0 && events_reserve(&es) == 0);
        events_push_reserved(&es, &(struct event){ .type = EVENT_DELIVERED, .entity = one });
        for (; events_pop(&es, &event); ++n)
                event_deinit(&event);
        trial_must(t, n == 2);
        trial_must(t, push_message(t, &es, one) == 0);
        events_deinit(&es);
}

START_TEST(test_deadlines_that_were_reserved_can_be_set)
{
        fail_each_malloc("deadlines", keep_deadlines);
}
END_TEST

START_TEST(test_index_and_peers_hold_those_that_were_added)
{
        fail_each_malloc("index", keep_index);
        fail_each_malloc("peers", keep_peers);
}
END_TEST

START_TEST(test_books_of_the_reliable_exchange_stay_balanced)
{
        fail_each_malloc("sender", keep_reliable);
        fail_each_malloc("acks", keep_acks);
}
END_TEST

START_TEST(test_queues_lose_only_what_they_refused)
{
        fail_each_malloc("outgoing", keep_datagrams);
        fail_each_malloc("events", keep_events);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_deadlines_that_were_reserved_can_be_set,
                test_index_and_peers_hold_those_that_were_added,
                test_books_of_the_reliable_exchange_stay_balanced,
                test_queues_lose_only_what_they_refused,
        };

        return run_tests("oom-modules", tests, N(tests));
}
