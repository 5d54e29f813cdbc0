/*
 * test-replay-window.c - which messages of one source are new: repetitions, lateness, wrap-around, restarts
 * and replays (RFC 3259, sections 3 and 7; spec/errata.md, 51, 52 and 60).
 */
#include "core/replay-window.h"

#include "run.h"
#include "seed.h"

/* Room for windows that need it; a test has few at a time. */
static uint32_t *some_room(void)
{
        static uint32_t rooms[8][WINDOW_BITS];
        static size_t n;

        return rooms[n++ % N(rooms)];
}

/* Takes the message if it is new, as the engine does. */
static enum window_verdict take(struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        enum window_verdict verdict = replay_window_check(w, seq, timestamp);

        if (verdict != WINDOW_NEW && verdict != WINDOW_RESTART)
                return verdict;
        if (replay_window_has_spare_stamps(w, timestamp))
                replay_window_take_stamps(w);
        else if (verdict == WINDOW_NEW && replay_window_needs_stamps(w, seq, timestamp))
                replay_window_give_stamps(w, some_room());
        replay_window_accept(w, seq, timestamp, verdict);
        return verdict;
}

/* A source that sent @n messages from @seq on, one each ms from @timestamp on. */
static struct replay_window filled(uint32_t seq, uint64_t timestamp, uint32_t n)
{
        struct replay_window w = REPLAY_WINDOW_INIT;

        for (uint32_t i = 0; i < n; ++i)
                ck_assert_int_eq(take(&w, seq + i, timestamp + i), WINDOW_NEW);
        return w;
}

START_TEST(test_first_message_of_a_source_is_new_whatever_its_number)
{
        static const uint32_t seqs[] = { 0, 1, 4711, 0x80000000u, UINT32_MAX };

        for (size_t i = 0; i < N(seqs); ++i) {
                struct replay_window w = REPLAY_WINDOW_INIT;

                ck_assert_int_eq(take(&w, seqs[i], 5000), WINDOW_NEW);
                ck_assert_int_eq(take(&w, seqs[i], 5000), WINDOW_DUPLICATE);
        }
}
END_TEST

/* REL-11 */
START_TEST(test_repetition_is_a_duplicate_as_long_as_the_window_reaches)
{
        struct replay_window w = filled(0, 5000, 3000);

        for (uint32_t seq = 3000 - WINDOW_BITS; seq < 3000; ++seq)
                ck_assert_int_eq(replay_window_check(&w, seq, 5000 + seq), WINDOW_DUPLICATE);
        for (uint32_t seq = 0; seq < 3000 - WINDOW_BITS; ++seq)
                ck_assert_int_eq(replay_window_check(&w, seq, 5000 + seq), WINDOW_STALE);
}
END_TEST

START_TEST(test_late_message_is_new_once)
{
        struct replay_window w = filled(0, 5000, 1);

        ck_assert_int_eq(take(&w, WINDOW_BITS, 7000), WINDOW_NEW);
        for (uint32_t seq = WINDOW_BITS - 1; seq > 0; --seq) {
                ck_assert_int_eq(take(&w, seq, 5000 + seq), WINDOW_NEW);
                ck_assert_int_eq(take(&w, seq, 5000 + seq), WINDOW_DUPLICATE);
        }
        ck_assert_int_eq(take(&w, 0, 5000), WINDOW_STALE);
}
END_TEST

/* MSG-04 */
START_TEST(test_wrap_after_4294967295_is_nothing_special)
{
        struct replay_window w = filled(UINT32_MAX - 99, 5000, 200);

        for (uint32_t i = 0; i < 200; ++i)
                ck_assert_int_eq(replay_window_check(&w, UINT32_MAX - 99 + i, 5000 + i),
                                 WINDOW_DUPLICATE);
        ck_assert_int_eq(take(&w, 100, 6000), WINDOW_NEW);
        w = filled(UINT32_MAX - 1, 5000, 1);
        ck_assert_int_eq(take(&w, 1, 5003), WINDOW_NEW);
        ck_assert_int_eq(take(&w, UINT32_MAX, 5001), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 0, 5002), WINDOW_NEW);
        ck_assert_int_eq(take(&w, UINT32_MAX, 5001), WINDOW_DUPLICATE);
}
END_TEST

START_TEST(test_gap_of_any_size_forgets_what_it_passed)
{
        static const uint32_t gaps[] = { 1, 2, 63, 64, 65, 1022, 1023, 1024, 1025, 4096, 1u << 30 };

        for (size_t i = 0; i < N(gaps); ++i) {
                struct replay_window w = filled(0, 5000, 2000);

                ck_assert_int_eq(take(&w, 1999 + gaps[i], 8000), WINDOW_NEW);
                for (uint32_t back = 1; back < WINDOW_BITS && back < gaps[i]; ++back)
                        ck_assert_int_eq(replay_window_check(&w, 1999 + gaps[i] - back, 7999),
                                         WINDOW_NEW);
                if (gaps[i] < WINDOW_BITS)
                        ck_assert_int_eq(replay_window_check(&w, 1999, 6999), WINDOW_DUPLICATE);
        }
}
END_TEST

/* A source that starts again counts from 0, under a later clock. */
START_TEST(test_lower_number_with_later_time_is_a_restart)
{
        static const uint32_t lengths[] = { 1, 2, 31, 32, 33, 1000, 1024, 1025, 5000 };

        for (size_t i = 0; i < N(lengths); ++i) {
                struct replay_window w = filled(0, 5000, lengths[i]);

                ck_assert_int_eq(take(&w, 0, 20000), WINDOW_RESTART);
                ck_assert_int_eq(take(&w, 0, 20000), WINDOW_DUPLICATE);
                for (uint32_t seq = 1; seq < 6000; ++seq)
                        ck_assert_int_eq(take(&w, seq, 20000 + seq), WINDOW_NEW);
        }
}
END_TEST

START_TEST(test_restart_shows_though_the_first_life_was_met_in_its_middle)
{
        struct replay_window w = filled(500, 5000, 10);

        ck_assert_int_eq(take(&w, 0, 20000), WINDOW_RESTART);
        ck_assert_int_eq(take(&w, 1, 20001), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 505, 20505), WINDOW_NEW);
}
END_TEST

START_TEST(test_late_message_of_the_same_life_is_no_restart)
{
        struct replay_window w = filled(500, 5000, 10);

        /* Sent before what came first; also within the same ms. */
        ck_assert_int_eq(take(&w, 499, 4999), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 498, 4999), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 512, 5012), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 511, 5012), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 510, 5010), WINDOW_NEW);
}
END_TEST

START_TEST(test_nothing_of_an_earlier_life_is_taken_after_a_restart)
{
        struct replay_window w = filled(0, 5000, 100);

        /* 100 to 119 were sent and lost; the second life is as long as that. */
        ck_assert_int_eq(take(&w, 0, 20000), WINDOW_RESTART);
        ck_assert_int_eq(take(&w, 10, 20010), WINDOW_NEW);
        for (uint32_t seq = 0; seq < 120; ++seq) {
                enum window_verdict verdict = replay_window_check(&w, seq, 5000 + seq);

                ck_assert_msg(verdict == WINDOW_STALE || verdict == WINDOW_DUPLICATE,
                              "old message %u is new", seq);
        }
        /* The third is shorter than the first. */
        ck_assert_int_eq(take(&w, 0, 30000), WINDOW_RESTART);
        for (uint32_t seq = 0; seq < 120; ++seq) {
                ck_assert_int_eq(replay_window_check(&w, seq, 5000 + seq), WINDOW_STALE);
                if (seq <= 10)
                        ck_assert_int_eq(replay_window_check(&w, seq, 20000 + seq), WINDOW_STALE);
        }
}
END_TEST

START_TEST(test_beginning_of_a_new_life_may_come_out_of_order)
{
        struct replay_window w = filled(0, 5000, 100);

        ck_assert_int_eq(take(&w, 3, 20003), WINDOW_RESTART);
        ck_assert_int_eq(take(&w, 1, 20001), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 0, 20000), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 2, 20002), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 4, 20004), WINDOW_NEW);
        for (uint32_t seq = 0; seq <= 4; ++seq)
                ck_assert_int_eq(replay_window_check(&w, seq, 20000 + seq), WINDOW_DUPLICATE);
}
END_TEST

START_TEST(test_restart_that_was_missed_delivers_nothing_twice)
{
        struct replay_window w = filled(0, 5000, 4);

        /* Of the second life, 0 to 3 come late or never, so that 4 looks like the next. */
        ck_assert_int_eq(take(&w, 4, 20004), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 2, 20002), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 4, 20004), WINDOW_DUPLICATE);
        ck_assert_int_eq(take(&w, 2, 20002), WINDOW_DUPLICATE);
        ck_assert_int_eq(take(&w, 2, 5002), WINDOW_STALE);
        ck_assert_int_eq(take(&w, 5, 20005), WINDOW_NEW);
}
END_TEST

/* The first that comes of a new life is ahead of all of the old one, and looks like its next. */
static void check_burst(uint32_t n_old, uint32_t n, uint64_t pause)
{
        struct replay_window w = filled(0, 5000, n_old);
        uint64_t start = 5000 + n_old + pause;

        for (uint32_t seq = n; seq-- > 0;) {
                enum window_verdict verdict = take(&w, seq, start + seq / 8);

                ck_assert_msg(verdict == WINDOW_NEW || verdict == WINDOW_RESTART,
                              "%u of %u after %u: verdict %d", seq, n, n_old, verdict);
                ck_assert_int_eq(replay_window_check(&w, seq, start + seq / 8), WINDOW_DUPLICATE);
        }
        for (uint32_t seq = 0; seq < n; ++seq)
                ck_assert_int_eq(replay_window_check(&w, seq, start + seq / 8), WINDOW_DUPLICATE);
        for (uint32_t seq = 0; seq < n_old; ++seq)
                ck_assert_int_ne(replay_window_check(&w, seq, 5000 + seq), WINDOW_NEW);
}

START_TEST(test_burst_of_a_new_life_may_arrive_last_first)
{
        static const uint32_t lengths[] = { 1, 8, 31, 32, 33, 40, 63, 64, 65, 500, WINDOW_BITS };
        static const uint64_t pauses[] = { 1, 100, 5999, 6000, 6001, 20000 };

        for (size_t i = 0; i < N(lengths); ++i) {
                for (size_t k = 0; k < N(lengths); ++k) {
                        for (size_t p = 0; p < N(pauses); ++p)
                                check_burst(lengths[i], lengths[k], pauses[p]);
                }
        }
}
END_TEST

/* What cannot be told from a repetition is neither new nor acknowledged. */
START_TEST(test_without_room_nothing_is_called_a_repetition_that_may_be_none)
{
        struct replay_window w = REPLAY_WINDOW_INIT;

        for (uint32_t seq = 0; seq < 100; ++seq)
                replay_window_accept(&w, seq, 5000 + seq, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 68, 5068), WINDOW_DUPLICATE);
        ck_assert_int_eq(replay_window_check(&w, 67, 5067), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 0, 5000), WINDOW_STALE);
        /* A new life, of which 101 came first. */
        replay_window_accept(&w, 101, 8101, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 67, 8067), WINDOW_NEW);
        replay_window_accept(&w, 67, 8067, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 67, 8067), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 66, 8066), WINDOW_STALE);
}
END_TEST

START_TEST(test_room_is_wanted_by_busy_sources_only)
{
        static uint32_t room[WINDOW_BITS];
        struct replay_window w = REPLAY_WINDOW_INIT;

        for (uint32_t seq = 0; seq < 100; ++seq) {
                ck_assert(!replay_window_needs_stamps(&w, seq, 5000 + seq * 188));
                replay_window_accept(&w, seq, 5000 + seq * 188, WINDOW_NEW);
        }
        ck_assert(replay_window_needs_stamps(&w, 100, 5000 + 68 * 188 + 6000));
        ck_assert(!replay_window_needs_stamps(&w, 100, 5000 + 68 * 188 + 6001));
        replay_window_give_stamps(&w, room);
        ck_assert(!replay_window_needs_stamps(&w, 100, 5000 + 99 * 188));
        ck_assert(!replay_window_has_spare_stamps(&w, 5000 + 99 * 188 + 6000));
        ck_assert(replay_window_has_spare_stamps(&w, 5000 + 99 * 188 + 6001));
        for (uint32_t seq = 68; seq < 100; ++seq)
                ck_assert_int_eq(replay_window_check(&w, seq, 5000 + seq * 188), WINDOW_DUPLICATE);
        ck_assert_ptr_eq(replay_window_take_stamps(&w), room);
        ck_assert_ptr_null(replay_window_take_stamps(&w));
        for (uint32_t seq = 0; seq < 100; ++seq)
                ck_assert_int_eq(replay_window_check(&w, seq, 5000 + seq * 188),
                                 seq < 68 ? WINDOW_STALE : WINDOW_DUPLICATE);
}
END_TEST

START_TEST(test_clock_that_is_set_back_loses_nothing)
{
        struct replay_window w = filled(0, 5000000, 100);

        for (uint32_t seq = 100; seq < 300; ++seq)
                ck_assert_int_eq(take(&w, seq, 1000000 + seq), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 299, 1000299), WINDOW_DUPLICATE);
}
END_TEST

/* A new life with an earlier clock is not heard now and then, where the former one left a gap: either
 * it is known as a new one, or it is silent, and given up, and known anew. */
START_TEST(test_message_that_does_not_fit_between_its_neighbours_is_stale)
{
        struct replay_window w = filled(0, 5000000, 50);

        for (uint32_t seq = 51; seq < 100; ++seq)
                ck_assert_int_eq(take(&w, seq, 5000000 + seq), WINDOW_NEW);
        for (uint32_t seq = 101; seq < 200; ++seq)
                ck_assert_int_eq(take(&w, seq, 1000000 + seq), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 50, 2000000), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 50, 5000048), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 50, 5000049), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 50, 5000050), WINDOW_NEW);
        /* It may be from before or after that its clock was set back. */
        ck_assert_int_eq(replay_window_check(&w, 100, 5000099), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 100, 1000101), WINDOW_NEW);
        replay_window_forget(&w, 199);
        ck_assert_int_eq(replay_window_check(&w, 199, 1000199), WINDOW_NEW);
}
END_TEST

/* Several messages of one ms, or of one second, as JMbus stamps them. */
START_TEST(test_equal_time_stamps_are_fine)
{
        struct replay_window w = REPLAY_WINDOW_INIT;

        for (uint32_t seq = 0; seq < 3000; ++seq)
                ck_assert_int_eq(take(&w, seq ^ 1, seq < 1500 ? 5000 : 6000), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 2500, 6000), WINDOW_DUPLICATE);
}
END_TEST

START_TEST(test_ucl_wrap_at_a_million_is_no_restart)
{
        struct replay_window w = filled(999900, 5000, 100);

        ck_assert_int_eq(take(&w, 0, 5100), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 1, 5101), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 999999, 5099), WINDOW_DUPLICATE);
        ck_assert_int_eq(take(&w, 0, 5100), WINDOW_DUPLICATE);
        w = filled(999900, 5000, 100);
        ck_assert_int_eq(take(&w, 3, 5103), WINDOW_NEW);
        /* Far from the wrap it is one. */
        w = filled(900000, 5000, 100);
        ck_assert_int_eq(take(&w, 0, 9000), WINDOW_RESTART);
}
END_TEST

/* A reliable message is repeated for seconds, while the unreliable ones behind it pass the wrap. */
START_TEST(test_message_from_before_a_ucl_wrap_may_come_after_it)
{
        for (uint32_t n_before = 0; n_before < 2; ++n_before) {
                struct replay_window w = filled(999998 - n_before, 5000, n_before);

                for (uint32_t seq = 0; seq < 100; ++seq)
                        ck_assert_int_eq(take(&w, seq, 5100 + seq), WINDOW_NEW);
                ck_assert_int_eq(take(&w, 999999, 5099), WINDOW_NEW);
                ck_assert_int_eq(take(&w, 999999, 5099), WINDOW_DUPLICATE);
                ck_assert_int_eq(take(&w, 999998, 5098), WINDOW_NEW);
                replay_window_forget(&w, 999998);
                ck_assert_int_eq(take(&w, 999998, 5098), WINDOW_NEW);
                for (uint32_t seq = 0; seq < 100; ++seq)
                        ck_assert_int_eq(take(&w, seq, 5100 + seq), WINDOW_DUPLICATE);
                if (n_before)
                        ck_assert_int_eq(take(&w, 999997, 5000), WINDOW_DUPLICATE);
                ck_assert_int_eq(take(&w, 100, 5200), WINDOW_NEW);
                /* A new life is one, wherever the former one was. */
                ck_assert_int_eq(take(&w, 5, 20000), WINDOW_RESTART);
                ck_assert_int_eq(take(&w, 5, 5105), WINDOW_STALE);
        }
}
END_TEST

START_TEST(test_a_leap_is_farther_than_the_window_and_no_earlier)
{
        struct replay_window w = REPLAY_WINDOW_INIT;

        ck_assert_int_eq(replay_window_check_old(&w, 5000, 10), WINDOW_NEW);
        replay_window_accept(&w, 100, 10, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check_old(&w, 99, 10), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check_old(&w, 100, 10), WINDOW_DUPLICATE);
        ck_assert_int_eq(replay_window_check_old(&w, 100 + WINDOW_BITS, 10), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check_old(&w, 101 + WINDOW_BITS, 10), WINDOW_RESTART);
        ck_assert_int_eq(replay_window_check_old(&w, 900000, 11), WINDOW_RESTART);
        ck_assert_int_eq(replay_window_check_old(&w, 900000, 9), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 900000, 11), WINDOW_NEW);
        /* The UCL library's wrap is none. */
        replay_window_accept(&w, 999999, 20, WINDOW_RESTART);
        ck_assert_int_eq(replay_window_check_old(&w, 0, 20), WINDOW_NEW);
}
END_TEST

/* Each that nobody acknowledges holds up those behind it for five seconds. */
START_TEST(test_what_waited_long_in_its_senders_queue_is_new)
{
        struct replay_window w = REPLAY_WINDOW_INIT;

        replay_window_accept(&w, 99, 1000, WINDOW_NEW);
        for (uint32_t seq = 110; seq < 135; seq++)
                replay_window_accept(&w, seq, seq * 1000, WINDOW_NEW);
        ck_assert_int_eq(replay_window_check_old(&w, 100, 134000 - 60000), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check_old(&w, 100, 134000 - 60001), WINDOW_STALE);
        ck_assert_int_eq(replay_window_check(&w, 100, 134000 - 6000), WINDOW_NEW);
        ck_assert_int_eq(replay_window_check(&w, 100, 134000 - 6001), WINDOW_STALE);
        /* But not what is of the life before. */
        replay_window_accept(&w, 7, 135000, WINDOW_RESTART);
        ck_assert_int_eq(replay_window_check_old(&w, 100, 130000), WINDOW_STALE);
}
END_TEST

START_TEST(test_ucl_wraps_follow_each_other)
{
        struct replay_window w = REPLAY_WINDOW_INIT;
        uint64_t stamp = 5000;

        for (uint32_t n = 0; n < 5000; ++n) {
                for (uint32_t seq = 999990; seq != 10; seq = (seq + 1) % RELIABLE_SEQ_MOD_UCL)
                        ck_assert_int_eq(take(&w, seq, ++stamp), WINDOW_NEW);
                ck_assert_int_eq(take(&w, 999995, stamp - 14), WINDOW_DUPLICATE);
                ck_assert_int_eq(take(&w, 9, stamp), WINDOW_DUPLICATE);
        }
}
END_TEST

START_TEST(test_forgotten_message_is_new_again)
{
        struct replay_window w = filled(0, 5000, 50);

        replay_window_forget(&w, 49);
        replay_window_forget(&w, 10);
        replay_window_forget(&w, 4711);
        ck_assert_int_eq(take(&w, 10, 5010), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 49, 5049), WINDOW_NEW);
        ck_assert_int_eq(take(&w, 10, 5010), WINDOW_DUPLICATE);
        ck_assert_int_eq(take(&w, 49, 5049), WINDOW_DUPLICATE);
        ck_assert_int_eq(take(&w, 50, 5050), WINDOW_NEW);
        w = REPLAY_WINDOW_INIT;
        replay_window_forget(&w, 0);
        ck_assert_int_eq(take(&w, 0, 5000), WINDOW_NEW);
}
END_TEST

#define SENT_MAX 4000

/* What one life of a source sent, and what became of it. */
struct life {
        uint32_t first;
        uint32_t n;
        uint64_t start;
        bool taken[SENT_MAX];
        bool arrived[SENT_MAX];
};

static void arrive(struct replay_window *w, struct life *life, uint32_t i)
{
        enum window_verdict verdict = take(w, life->first + i, life->start + i / 3);
        bool is_new = verdict == WINDOW_NEW || verdict == WINDOW_RESTART;

        ck_assert_msg(!(is_new && life->taken[i]), "message %u was taken twice", i);
        ck_assert_msg(is_new || life->arrived[i], "message %u was lost, verdict %d", i, verdict);
        life->taken[i] |= is_new;
        life->arrived[i] = true;
}

/* MSG-04 */
START_TEST(test_each_message_is_taken_once_in_any_order_with_loss_and_repetition)
{
        struct random r = seeded("order");

        for (unsigned round = 0; round < 30; ++round) {
                uint32_t distance = (uint32_t)random_below(&r, WINDOW_BITS - 1) + 1;
                static struct life life;
                struct replay_window w = REPLAY_WINDOW_INIT;

                life = (struct life){ .first = (uint32_t)(0 - random_below(&r, SENT_MAX)),
                                      .start = UINT64_C(1006271404123) };
                for (uint32_t at = 0; at < SENT_MAX; ++at) {
                        uint32_t back = (uint32_t)random_below(&r, distance);

                        /* The newest now and then, else one of those before it. */
                        if (random_below(&r, 3) == 0)
                                back = 0;
                        if (back <= at)
                                arrive(&w, &life, at - back);
                }
        }
}
END_TEST

/* Replays a message of an earlier life. */
static void replay(struct replay_window *w, const struct life *old, uint32_t i)
{
        enum window_verdict verdict = replay_window_check(w, old->first + i, old->start + i / 3);

        ck_assert_msg(verdict == WINDOW_STALE || verdict == WINDOW_DUPLICATE,
                      "old message %u is taken", i);
}

START_TEST(test_each_message_of_many_lives_is_taken_once)
{
        struct random r = seeded("lives");
        static struct life lives[40];
        struct replay_window w = REPLAY_WINDOW_INIT;
        uint64_t clock = UINT64_C(1006271404123);

        for (size_t n = 0; n < N(lives); ++n) {
                struct life *life = lives + n;

                *life = (struct life){ .n = 1 + (uint32_t)random_below(&r, n % 3 ? 1500 : 20),
                                       .start = clock };
                for (uint32_t at = 0; at < life->n; ++at) {
                        /* The first is heard first, or nobody could know of the restart. */
                        uint32_t back = at ? (uint32_t)random_below(&r, 20) : 0;

                        if (back <= at && (at == 0 || random_below(&r, 4) != 0))
                                arrive(&w, life, at - back);
                        if (at > 0 && n > 0) {
                                struct life *old = lives + random_below(&r, n);

                                replay(&w, old, (uint32_t)random_below(&r, old->n));
                        }
                }
                clock += life->n + 1000;
        }
}
END_TEST

/* The order in which the messages of a life come: anything within @distance. */
static void shuffle(struct random *r, uint32_t n, uint32_t distance, uint32_t *order)
{
        for (uint32_t i = 0; i < n; ++i)
                order[i] = i;
        for (uint32_t from = 0; from < n; from += distance) {
                uint32_t some = n - from < distance ? n - from : distance;

                for (uint32_t i = some; i > 1; --i) {
                        uint32_t *a = order + from + i - 1;
                        uint32_t *b = order + from + random_below(r, i), c = *a;

                        *a = *b;
                        *b = c;
                }
        }
}

START_TEST(test_each_message_of_many_lives_is_taken_once_whichever_comes_first)
{
        struct random r = seeded("orders");
        static struct life lives[200];
        static uint32_t order[SENT_MAX];
        struct replay_window w = REPLAY_WINDOW_INIT;
        uint64_t clock = UINT64_C(1006271404123);

        for (size_t n = 0; n < N(lives); ++n) {
                struct life *life = lives + n;

                *life = (struct life){ .n = 1 + (uint32_t)random_below(&r, n % 3 ? 1500 : 50),
                                       .start = clock };
                shuffle(&r, life->n, 1 + (uint32_t)random_below(&r, 700), order);
                for (uint32_t i = 0; i < life->n; ++i) {
                        arrive(&w, life, order[i]);
                        arrive(&w, life, order[random_below(&r, i + 1)]);
                        if (n > 0) {
                                struct life *old = lives + random_below(&r, n);

                                replay(&w, old, (uint32_t)random_below(&r, old->n));
                        }
                }
                clock += life->n / 3 + 1 + random_below(&r, 3) * random_below(&r, 7000);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_first_message_of_a_source_is_new_whatever_its_number,
                test_repetition_is_a_duplicate_as_long_as_the_window_reaches,
                test_late_message_is_new_once,
                test_wrap_after_4294967295_is_nothing_special,
                test_gap_of_any_size_forgets_what_it_passed,
                test_lower_number_with_later_time_is_a_restart,
                test_restart_shows_though_the_first_life_was_met_in_its_middle,
                test_late_message_of_the_same_life_is_no_restart,
                test_nothing_of_an_earlier_life_is_taken_after_a_restart,
                test_beginning_of_a_new_life_may_come_out_of_order,
                test_restart_that_was_missed_delivers_nothing_twice,
                test_burst_of_a_new_life_may_arrive_last_first,
                test_without_room_nothing_is_called_a_repetition_that_may_be_none,
                test_room_is_wanted_by_busy_sources_only,
                test_clock_that_is_set_back_loses_nothing,
                test_message_that_does_not_fit_between_its_neighbours_is_stale,
                test_equal_time_stamps_are_fine,
                test_ucl_wrap_at_a_million_is_no_restart,
                test_message_from_before_a_ucl_wrap_may_come_after_it,
                test_a_leap_is_farther_than_the_window_and_no_earlier,
                test_what_waited_long_in_its_senders_queue_is_new,
                test_ucl_wraps_follow_each_other,
                test_forgotten_message_is_new_again,
                test_each_message_is_taken_once_in_any_order_with_loss_and_repetition,
                test_each_message_of_many_lives_is_taken_once,
                test_each_message_of_many_lives_is_taken_once_whichever_comes_first,
        };

        return run_tests("window", tests, N(tests));
}
