/*
 * test-peers.c - who is known, how long silence is borne, and who left (RFC 3259, sections 8 and 8.2;
 * spec/errata.md, 7 to 9 and 24).
 */
#include "core/peers.h"

#include "core/error.h"
#include "core/hello.h"
#include "run.h"
#include "seed.h"

#define MS NSEC_PER_MSEC
#define T0 (100000 * MS)

static const struct endpoint somewhere = { .n = 2, .bytes = { 1, 2 } };

static struct address parse(const char *text)
{
        struct address a;

        ck_assert_int_eq(address_parse(span_of(text), LENIENT, &a, NULL, NULL), 0);
        return a;
}

/* Addresses numbered from 0 on; the text lives until the next call. */
static struct address numbered(unsigned i)
{
        static char text[64];

        snprintf(text, sizeof(text), "(app:a id:%u-0@127.0.0.1)", i);
        return parse(text);
}

static struct peer *join(struct peers *ps, uint64_t now, unsigned i, size_t entities)
{
        struct address a = numbered(i);
        struct peer *peer = NULL;

        ck_assert_int_eq(peers_join(ps, now, &a, entities, &peer), 0);
        peers_heard(ps, peer, now, &somewhere, true);
        return peer;
}

static struct peer *find(const struct peers *ps, unsigned i)
{
        struct address a = numbered(i);

        return peers_find(ps, &a);
}

static struct peer *find_departed(const struct peers *ps, unsigned i)
{
        struct address a = numbered(i);

        return peers_find_departed(ps, &a);
}

/* MSG-08 */
START_TEST(test_peer_is_known_by_its_whole_address_and_legacy_without_an_id)
{
        static const struct {
                const char *address;
                bool legacy;
        } cases[] = {
                { "(app:rat id:4711-1@192.168.1.1)", false },
                { "(app:rat id:22285)", true },
                { "(app:rat module:ui)", true },
                { "(app:rat)", true },
        };
        struct peer *peers[N(cases)];
        struct peers ps;

        peers_init(&ps, 1, 100);
        for (size_t i = 0; i < N(cases); ++i) {
                struct address a = parse(cases[i].address);

                ck_assert_int_eq(peers_join(&ps, T0, &a, 2, peers + i), 0);
                ck_assert_int_eq(peers[i]->legacy, cases[i].legacy);
        }
        for (size_t i = 0; i < N(cases); ++i) {
                struct address a = parse(cases[i].address);

                ck_assert_ptr_eq(peers_find(&ps, &a), peers[i]);
        }
        peers_deinit(&ps);
}
END_TEST

START_TEST(test_peers_are_bounded)
{
        struct address a;
        struct peer *peer = NULL;
        struct peers ps;

        peers_init(&ps, 1, 3);
        for (unsigned i = 0; i < 3; ++i)
                join(&ps, T0, i, 2);
        a = numbered(3);
        ck_assert_int_eq(peers_join(&ps, T0, &a, 2, &peer), MBUS_E_FULL);
        ck_assert_ptr_null(peer);
        ck_assert_uint_eq(ps.known.n, 3);
        free(peers_leave(&ps, T0, find(&ps, 1)));
        join(&ps, T0, 3, 2);
        peers_deinit(&ps);
}
END_TEST

/* AWR-06 */
START_TEST(test_silent_peer_is_due_when_8_2_says_so)
{
        static const size_t entities[] = { 1, 2, 6, 100 };

        for (size_t i = 0; i < N(entities); ++i) {
                uint64_t dead = T0 + hello_dead_after(entities[i]);
                struct peer *peer;
                struct peers ps;

                peers_init(&ps, 1, 100);
                peer = join(&ps, T0, 0, entities[i]);
                ck_assert_uint_eq(peers_deadline(&ps, peer, entities[i]), dead);
                ck_assert_ptr_null(peers_due(&ps, dead - 1, entities[i]));
                ck_assert_ptr_eq(peers_due(&ps, dead, entities[i]), peer);
                free(peers_leave(&ps, dead, peer));
                ck_assert_ptr_null(peers_due(&ps, TIME_NEVER - 1, entities[i]));
                peers_deinit(&ps);
        }
}
END_TEST

/* AWR-06: any message keeps its sender alive, not only hello. */
START_TEST(test_peer_that_is_heard_stays)
{
        struct peers ps;
        struct peer *peer;

        peers_init(&ps, 1, 100);
        peer = join(&ps, T0, 0, 2);
        for (unsigned i = 1; i <= 20; ++i) {
                ck_assert_ptr_null(peers_due(&ps, T0 + i * 5000 * MS, 2));
                peers_heard(&ps, peer, T0 + i * 5000 * MS, &somewhere, false);
        }
        ck_assert_ptr_null(peers_due(&ps, T0 + 105499 * MS, 2));
        ck_assert_ptr_eq(peers_due(&ps, T0 + 105500 * MS, 2), peer);
        free(peers_leave(&ps, T0, peer));
        peers_deinit(&ps);
}
END_TEST

/* AWR-06: a newcomer to a large bus does not drop whom it just met. */
START_TEST(test_three_of_the_gaps_between_hellos_are_always_allowed)
{
        struct peers ps;
        struct peer *peer;
        uint64_t now = T0;

        peers_init(&ps, 1, 100);
        peer = join(&ps, now, 0, 2);
        peers_heard(&ps, peer, now += 4000 * MS, &somewhere, true);
        ck_assert_uint_eq(peers_deadline(&ps, peer, 2), now + 12000 * MS);
        /* The formula is never undercut. */
        ck_assert_uint_eq(peers_deadline(&ps, peer, 100), now + hello_dead_after(100));
        /* A gap that does not come again counts less with each hello. */
        for (unsigned i = 0; i < 20; ++i)
                peers_heard(&ps, peer, now += 1000 * MS, &somewhere, true);
        ck_assert_uint_eq(peers_deadline(&ps, peer, 2), now + 5500 * MS);
        peers_deinit(&ps);
}
END_TEST

/* AWR-06: in DIALECT=UCL, however large the bus is (spec/errata.md, 7). */
START_TEST(test_who_was_heard_every_second_is_missed_after_five)
{
        struct peers ps;
        struct peer *peer, *slow, *once;
        uint64_t now = T0;

        peers_init(&ps, 1, 100);
        ps.brisk = true;
        once = join(&ps, now, 2, 100);
        peer = join(&ps, now, 0, 100);
        slow = join(&ps, now, 1, 100);
        ck_assert_uint_eq(peers_deadline(&ps, peer, 100), now + hello_dead_after(100));
        peers_heard(&ps, peer, now + 1500 * MS, &somewhere, true);
        peers_heard(&ps, slow, now + 1501 * MS, &somewhere, true);
        now += 1500 * MS;
        ck_assert_uint_eq(peers_deadline(&ps, peer, 100), now + 5500 * MS);
        ck_assert_ptr_null(peers_due(&ps, now + 5499 * MS, 100));
        ck_assert_ptr_eq(peers_due(&ps, now + 5500 * MS, 100), peer);
        free(peers_leave(&ps, now + 5500 * MS, peer));
        ck_assert_ptr_null(peers_due(&ps, now + 5500 * MS, 100));
        ck_assert_uint_eq(peers_deadline(&ps, slow, 100), now + 1 * MS + hello_dead_after(100));
        ck_assert_uint_eq(peers_deadline(&ps, once, 100), T0 + hello_dead_after(100));
        peers_deinit(&ps);
}
END_TEST

START_TEST(test_who_misses_a_hello_has_more_time_again)
{
        struct peers ps;
        struct peer *peer;
        uint64_t now = T0;

        peers_init(&ps, 1, 100);
        ps.brisk = true;
        peer = join(&ps, now, 0, 100);
        peers_heard(&ps, peer, now += 1000 * MS, &somewhere, true);
        peers_heard(&ps, peer, now += 2100 * MS, &somewhere, true);
        /* It was lost, and so may others be. */
        ck_assert(ps.lossy);
        ck_assert_uint_eq(peers_deadline(&ps, peer, 100), now + 2 * hello_dead_after(100));
        for (unsigned i = 0; i < 3; ++i)
                peers_heard(&ps, peer, now += 1000 * MS, &somewhere, true);
        ck_assert_uint_eq(peers_deadline(&ps, peer, 100), now + 11000 * MS);
        ps.lossy = false;
        ck_assert_uint_eq(peers_deadline(&ps, peer, 100), now + 5500 * MS);
        peers_deinit(&ps);
}
END_TEST

/* AWR-06 */
START_TEST(test_silence_is_borne_longer_when_the_bus_has_grown)
{
        struct peers ps;
        struct peer *peer;

        peers_init(&ps, 1, 100);
        peer = join(&ps, T0, 0, 2);
        /* Others joined meanwhile. */
        ck_assert_ptr_null(peers_due(&ps, T0 + 6000 * MS, 50));
        ck_assert_ptr_null(peers_due(&ps, T0 + 54999 * MS, 50));
        ck_assert_ptr_eq(peers_due(&ps, T0 + 55000 * MS, 50), peer);
        free(peers_leave(&ps, T0, peer));
        peers_deinit(&ps);
}
END_TEST

/* AWR-06 */
START_TEST(test_silence_is_borne_shorter_when_most_have_left)
{
        struct peers ps;
        struct peer *peer;

        peers_init(&ps, 1, 200);
        for (unsigned i = 0; i < 100; ++i)
                join(&ps, T0, i, 101);
        peers_shrink(&ps, 101);
        for (unsigned i = 1; i < 100; ++i) {
                free(peers_leave(&ps, T0 + i, find(&ps, i)));
                peers_shrink(&ps, 101 - i);
        }
        peer = find(&ps, 0);
        ck_assert_uint_le(deadlines_next(&ps.deadlines), T0 + hello_dead_after(8));
        ck_assert_ptr_null(peers_due(&ps, T0 + 5499 * MS, 2));
        ck_assert_ptr_eq(peers_due(&ps, T0 + hello_dead_after(8), 2), peer);
        free(peers_leave(&ps, T0, peer));
        peers_deinit(&ps);
}
END_TEST

START_TEST(test_endpoint_is_that_of_the_last_message)
{
        struct endpoint there = { .n = 2, .unique = true, .bytes = { 3, 4 } };
        struct peers ps;
        struct peer *peer;

        peers_init(&ps, 1, 100);
        peer = join(&ps, T0, 0, 2);
        ck_assert_mem_eq(peer->endpoint.bytes, somewhere.bytes, 2);
        peers_heard(&ps, peer, T0 + 1, &there, false);
        ck_assert_mem_eq(peer->endpoint.bytes, there.bytes, 2);
        ck_assert(peer->endpoint.unique);
        peers_deinit(&ps);
}
END_TEST

/* AWR-07 */
START_TEST(test_who_leaves_is_remembered_with_its_window_for_ten_seconds)
{
        struct address *address;
        struct peers ps;
        struct peer *peer;

        peers_init(&ps, 1, 100);
        peer = join(&ps, T0, 0, 2);
        replay_window_accept(&peer->window, 42, 1006271404123, WINDOW_NEW);
        address = peers_leave(&ps, T0 + 1000 * MS, peer);
        ck_assert(span_equal_text(address->text, "(app:a id:0-0@127.0.0.1)"));
        free(address);
        ck_assert_ptr_null(find(&ps, 0));
        ck_assert_ptr_eq(find_departed(&ps, 0), peer);
        ck_assert_uint_eq(peer->window.high, 42);
        peers_forget_old(&ps, T0 + 11000 * MS);
        ck_assert_ptr_eq(find_departed(&ps, 0), peer);
        peers_forget_old(&ps, T0 + 11000 * MS + 1);
        ck_assert_ptr_null(find_departed(&ps, 0));
        peers_deinit(&ps);
}
END_TEST

START_TEST(test_who_comes_back_is_known_again_with_its_window)
{
        struct peers ps;
        struct peer *peer;

        peers_init(&ps, 1, 100);
        peer = join(&ps, T0, 0, 2);
        replay_window_accept(&peer->window, 42, 1006271404123, WINDOW_NEW);
        free(peers_leave(&ps, T0, peer));
        ck_assert_int_eq(peers_revive(&ps, T0 + 5000 * MS, peer, 2), 0);
        ck_assert_ptr_eq(find(&ps, 0), peer);
        ck_assert_ptr_null(find_departed(&ps, 0));
        ck_assert_uint_eq(peer->window.high, 42);
        ck_assert_uint_eq(peer->joined, T0 + 5000 * MS);
        ck_assert_uint_eq(peers_deadline(&ps, peer, 2), T0 + 10500 * MS);
        peers_forget_old(&ps, TIME_NEVER - 1);
        ck_assert_ptr_eq(find(&ps, 0), peer);
        peers_deinit(&ps);
}
END_TEST

/* @peer sends so much at once that its window needs room for all time stamps. */
static void hear_burst(struct peers *ps, struct peer *peer, uint64_t timestamp)
{
        for (uint32_t seq = 0; seq <= WINDOW_STAMPS; ++seq)
                peers_accept(ps, peer, seq, timestamp, WINDOW_NEW);
}

START_TEST(test_time_stamps_of_busy_peers_are_bounded)
{
        struct peer *peer, *last = NULL;
        struct peers ps;
        size_t bytes;

        peers_init(&ps, 1, 2 * PEERS_STAMPED_MAX);
        for (unsigned i = 0; i <= PEERS_STAMPED_MAX; ++i) {
                peer = join(&ps, T0, i, 2);
                bytes = peers_bytes(&ps);
                ck_assert_ptr_null(peer->window.all_stamps);
                hear_burst(&ps, peer, 1006271404123);
                if (i < PEERS_STAMPED_MAX)
                        last = peer;
        }
        ck_assert_uint_eq(ps.n_stamped, PEERS_STAMPED_MAX);
        ck_assert_ptr_nonnull(last->window.all_stamps);
        ck_assert_ptr_null(peer->window.all_stamps);
        ck_assert_uint_eq(peers_bytes(&ps), bytes);

        /* A pause of more than six seconds, or the end, makes room for another. */
        peers_accept(&ps, last, WINDOW_STAMPS + 1, 1006271404123 + 6001, WINDOW_NEW);
        ck_assert_uint_eq(ps.n_stamped, PEERS_STAMPED_MAX - 1);
        ck_assert_uint_eq(peers_bytes(&ps), bytes - WINDOW_BITS * sizeof(uint32_t));
        peers_accept(&ps, peer, WINDOW_STAMPS + 1, 1006271404123, WINDOW_NEW);
        ck_assert_ptr_nonnull(peer->window.all_stamps);
        free(peers_leave(&ps, T0, peer));
        ck_assert_uint_eq(ps.n_stamped, PEERS_STAMPED_MAX - 1);
        ck_assert_ptr_null(peer->window.all_stamps);
        peers_deinit(&ps);
}
END_TEST

START_TEST(test_tombstones_are_bounded_and_the_oldest_goes_first)
{
        struct peers ps;
        unsigned i;

        peers_init(&ps, 1, 100);
        for (i = 0; i < TOMBSTONES_MAX + 10; ++i)
                free(peers_leave(&ps, T0 + i, join(&ps, T0 + i, i, 2)));
        ck_assert_uint_eq(ps.departed.n, TOMBSTONES_MAX);
        ck_assert_ptr_null(find_departed(&ps, 9));
        ck_assert_ptr_nonnull(find_departed(&ps, 10));
        /* All of them are too old by then. */
        free(peers_leave(&ps, T0 + 60000 * MS, join(&ps, T0 + 60000 * MS, i, 2)));
        ck_assert_uint_eq(ps.departed.n, 1);
        ck_assert_uint_eq(ps.known.n, 0);
        peers_deinit(&ps);
}
END_TEST

#define MANY 60

/* What should be known of one address. */
struct expected {
        bool known;
        uint64_t left; /* 0: never */
};

START_TEST(test_peers_agree_with_a_plain_list)
{
        struct random r = seeded("peers");
        static struct expected xs[MANY];
        struct peers ps;
        uint64_t now = T0;

        peers_init(&ps, random_u64(&r), 40);
        for (unsigned i = 0; i < 10000; ++i) {
                unsigned k = (unsigned)random_below(&r, MANY);
                struct peer *peer = find(&ps, k), *departed;
                struct expected *x = xs + k;

                now += random_below(&r, 100 * MS);
                peers_forget_old(&ps, now);
                departed = find_departed(&ps, k);
                ck_assert_int_eq(peer != NULL, x->known);
                ck_assert_int_eq(departed != NULL,
                                 !x->known && x->left && now - x->left <= 10000 * MS);
                if (peer) {
                        free(peers_leave(&ps, now, peer));
                        *x = (struct expected){ .left = now };
                } else if (ps.known.n < 40) {
                        if (departed)
                                ck_assert_int_eq(peers_revive(&ps, now, departed, 2), 0);
                        else
                                join(&ps, now, k, 2);
                        x->known = true;
                }
        }
        ck_assert_uint_gt(ps.known.n, 0);
        ck_assert_uint_gt(ps.departed.n, 0);
        peers_deinit(&ps);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_peer_is_known_by_its_whole_address_and_legacy_without_an_id,
                test_peers_are_bounded,
                test_silent_peer_is_due_when_8_2_says_so,
                test_peer_that_is_heard_stays,
                test_three_of_the_gaps_between_hellos_are_always_allowed,
                test_who_was_heard_every_second_is_missed_after_five,
                test_who_misses_a_hello_has_more_time_again,
                test_silence_is_borne_longer_when_the_bus_has_grown,
                test_silence_is_borne_shorter_when_most_have_left,
                test_endpoint_is_that_of_the_last_message,
                test_who_leaves_is_remembered_with_its_window_for_ten_seconds,
                test_who_comes_back_is_known_again_with_its_window,
                test_time_stamps_of_busy_peers_are_bounded,
                test_tombstones_are_bounded_and_the_oldest_goes_first,
                test_peers_agree_with_a_plain_list,
        };

        return run_tests("peers", tests, N(tests));
}
