/*
 * test-search.c - the books of those that wait for a destination to become known.
 */
#include "core/search.h"

#include <check.h>
#include <stdio.h>

#include "core/error.h"
#include "core/limits.h"
#include "run.h"

#define MS NSEC_PER_MSEC
#define SURVEY (1050 * MS)
#define START (7 * NSEC_PER_SEC)

struct books {
        struct searches s;
        uint64_t now;
        int owner;
};

static struct address address_of(const char *text)
{
        struct address a;

        ck_assert_int_eq(address_parse(span_of(text), LENIENT, &a, NULL, NULL), 0);
        return a;
}

static void books_init(struct books *b)
{
        *b = (struct books){ .now = START };
        searches_init(&b->s, 1, SURVEY, true);
}

static struct waiter *wait_for(struct books *b, const char *dest, uint64_t key, uint64_t until)
{
        struct address a = address_of(dest);
        struct waiter *w;

        ck_assert_int_eq(
                searches_wait(&b->s, b->now, &a, &b->owner, key, span_of("x.y()"), until, &w), 0);
        ck_assert_ptr_eq(w->owner, &b->owner);
        ck_assert(span_equal_text(buffer_span(&w->bytes), "x.y()"));
        return w;
}

static void note(struct books *b, const char *address)
{
        struct address a = address_of(address);

        searches_note(&b->s, b->now, &a);
}

/* The one search that is due, and no other. */
static struct search *due(struct books *b)
{
        struct search *search = searches_due(&b->s, b->now);

        ck_assert_ptr_nonnull(search);
        ck_assert_ptr_null(searches_due(&b->s, b->now));
        return search;
}

static void nothing_due(struct books *b)
{
        ck_assert_ptr_null(searches_due(&b->s, b->now));
        ck_assert_uint_gt(searches_deadline(&b->s), b->now);
}

static void books_deinit(struct books *b)
{
        while (searches_first_waiter(&b->s))
                searches_drop(&b->s, searches_first_waiter(&b->s));
        ck_assert_uint_eq(b->s.n_waiters, 0);
        ck_assert_uint_eq(b->s.bytes, 0);
        searches_deinit(&b->s);
}

START_TEST(test_destination_is_asked_once_for_all_who_wait)
{
        struct books b;
        struct search *search;

        books_init(&b);
        ck_assert_uint_eq(searches_deadline(&b.s), TIME_NEVER);
        wait_for(&b, "(app:x)", 1, TIME_NEVER);
        wait_for(&b, "(app:x)", 2, TIME_NEVER);
        ck_assert_uint_eq(searches_deadline(&b.s), b.now);
        search = due(&b);
        ck_assert(!search->is_asked);
        search_asked(&b.s, search, b.now, true);
        nothing_due(&b);
        wait_for(&b, "(app:x)", 3, TIME_NEVER);
        nothing_due(&b);
        ck_assert_uint_eq(searches_deadline(&b.s), START + SURVEY);
        b.now = START + SURVEY - 1;
        nothing_due(&b);
        b.now = START + SURVEY;
        ck_assert_ptr_eq(due(&b), search);
        ck_assert(search->is_over);
        for (uint64_t key = 1; key <= 3; ++key) {
                ck_assert_uint_eq(search_first_waiter(search)->key, key);
                searches_drop(&b.s, search_first_waiter(search));
        }
        ck_assert(list_is_empty(&b.s.waited_for));
        books_deinit(&b);
}
END_TEST

START_TEST(test_question_without_room_is_tried_again)
{
        struct books b;
        struct search *search;

        books_init(&b);
        wait_for(&b, "(app:x)", 1, TIME_NEVER);
        search = due(&b);
        search_asked(&b.s, search, b.now, false);
        ck_assert_uint_eq(searches_deadline(&b.s), b.now + 10 * MS);
        b.now += SURVEY;
        ck_assert_ptr_eq(due(&b), search);
        ck_assert(!search->is_asked);
        ck_assert(!search->is_over);
        books_deinit(&b);
}
END_TEST

START_TEST(test_news_are_of_a_whole_address_before_the_survey_is_over)
{
        struct books b;
        struct search *search;

        books_init(&b);
        wait_for(&b, "(app:x id:1-1@h)", 1, TIME_NEVER);
        search_asked(&b.s, due(&b), b.now, true);
        note(&b, "(app:x id:1-1@h more:yes)");
        note(&b, "(app:y id:1-1@h)");
        nothing_due(&b);
        note(&b, "(id:1-1@h app:x)");
        search = due(&b);
        ck_assert(!search->is_over);
        ck_assert_int_eq(search_judge(&b.s, search, b.now, 1, false), SEARCH_WAIT);
        ck_assert_uint_eq(searches_deadline(&b.s), START + SURVEY);
        b.now += SURVEY;
        ck_assert_int_eq(search_judge(&b.s, due(&b), b.now, 0, false), SEARCH_ASK);
        search_asked(&b.s, search, b.now, true);
        b.now += SURVEY;
        b.s.asks = false;
        ck_assert_int_eq(search_judge(&b.s, due(&b), b.now, 0, false), SEARCH_WAIT);
        nothing_due(&b);
        note(&b, "(app:x id:1-1@h more:yes)");
        ck_assert_ptr_eq(due(&b), search);
        ck_assert_int_eq(search_judge(&b.s, search, b.now, 1, false), SEARCH_ANSWER);
        books_deinit(&b);
}
END_TEST

START_TEST(test_search_is_remembered_but_not_asked_twice_in_a_second)
{
        struct books b;
        struct search *search;

        books_init(&b);
        searches_drop(&b.s, wait_for(&b, "(app:x)", 1, TIME_NEVER));
        /* It was never asked: it is forgotten at once. */
        search_forget(&b.s, due(&b));
        ck_assert_uint_eq(b.s.all.n, 0);

        searches_drop(&b.s, wait_for(&b, "(app:x)", 1, TIME_NEVER));
        wait_for(&b, "(app:x)", 2, TIME_NEVER);
        search = due(&b);
        search_asked(&b.s, search, b.now, true);
        searches_drop(&b.s, search_first_waiter(search));
        b.now += 999 * MS;
        nothing_due(&b);
        wait_for(&b, "(app:x)", 3, TIME_NEVER);
        nothing_due(&b);
        ck_assert(search->is_asked);
        searches_drop(&b.s, search_first_waiter(search));
        b.now += 1 * MS;
        ck_assert_ptr_eq(due(&b), search);
        search_rests(&b.s, search, b.now + 5 * MS);
        wait_for(&b, "(app:x)", 4, TIME_NEVER);
        ck_assert_ptr_eq(due(&b), search);
        ck_assert(!search->is_asked);
        books_deinit(&b);
}
END_TEST

START_TEST(test_patience_ends_for_each_by_itself)
{
        struct books b;
        struct waiter *w;

        books_init(&b);
        wait_for(&b, "(app:x)", 1, b.now + 300 * MS);
        wait_for(&b, "(app:x)", 2, b.now + 100 * MS);
        wait_for(&b, "(app:y)", 3, b.now + 200 * MS);
        for (struct search *search; (search = searches_due(&b.s, b.now));)
                search_asked(&b.s, search, b.now, true);
        for (unsigned i = 0; i < 3; ++i) {
                static const uint64_t keys[] = { 2, 3, 1 };

                ck_assert_ptr_null(searches_given_up(&b.s, b.now));
                b.now += 100 * MS;
                w = searches_given_up(&b.s, b.now);
                ck_assert_ptr_nonnull(w);
                ck_assert_uint_eq(w->key, keys[i]);
                searches_drop(&b.s, w);
        }
        ck_assert_uint_eq(b.s.n_waiters, 0);
        books_deinit(&b);
}
END_TEST

/* n entities are known to match, of which one may be whole. */
START_TEST(test_verdicts)
{
        static const struct {
                unsigned n;
                bool whole;
                enum search_verdict before, after;
        } cases[] = {
                { 0, false, SEARCH_WAIT, SEARCH_ASK },
                { 1, false, SEARCH_WAIT, SEARCH_ANSWER },
                { 1, true, SEARCH_ANSWER, SEARCH_ANSWER },
                { 2, false, SEARCH_WAIT, SEARCH_ANSWER },
        };

        for (size_t i = 0; i < N(cases); ++i) {
                struct search *search;
                struct books b;

                books_init(&b);
                wait_for(&b, "(app:x)", 1, b.now + 2 * SURVEY);
                search = due(&b);
                ck_assert_int_eq(search_judge(&b.s, search, b.now, cases[i].n, cases[i].whole),
                                 cases[i].whole ? SEARCH_ANSWER : SEARCH_ASK);
                search_asked(&b.s, search, b.now, true);
                b.now += SURVEY / 2;
                ck_assert_int_eq(search_judge(&b.s, search, b.now, cases[i].n, cases[i].whole),
                                 cases[i].before);
                b.now += SURVEY / 2;
                search = due(&b);
                ck_assert_int_eq(search_judge(&b.s, search, b.now, cases[i].n, cases[i].whole),
                                 cases[i].after);
                /* Too late for another answer. */
                b.now += 1;
                if (cases[i].n == 0)
                        ck_assert_int_eq(search_judge(&b.s, search, b.now, 0, false), SEARCH_WAIT);
                searches_drop(&b.s, search_first_waiter(search));
                ck_assert_int_eq(search_judge(&b.s, search, b.now, cases[i].n, cases[i].whole),
                                 SEARCH_END);
                books_deinit(&b);
        }
}
END_TEST

START_TEST(test_who_wants_to_wait)
{
        struct address dest = address_of("(app:x)");
        struct search *search;
        struct books b;

        books_init(&b);
        ck_assert(searches_want(&b.s, &dest, 0, false, true));
        ck_assert(searches_want(&b.s, &dest, 1, false, false));
        ck_assert(!searches_want(&b.s, &dest, 1, false, true));
        ck_assert(!searches_want(&b.s, &dest, 1, true, false));
        ck_assert(!searches_want(&b.s, &dest, 2, false, false));
        wait_for(&b, "(app:x)", 1, TIME_NEVER);
        ck_assert(searches_want(&b.s, &dest, 1, true, true));
        search_asked(&b.s, due(&b), b.now, true);
        b.now += SURVEY;
        search = due(&b);
        searches_drop(&b.s, search_first_waiter(search));
        ck_assert(!searches_want(&b.s, &dest, 1, false, false));
        books_deinit(&b);
}
END_TEST

START_TEST(test_destinations_are_bounded_and_rested_ones_give_way)
{
        struct address dest;
        struct waiter *w;
        char text[64];
        struct books b;

        books_init(&b);
        for (unsigned i = 0; i < SEARCHES_MAX; ++i) {
                snprintf(text, sizeof(text), "(app:x number:%u)", i);
                w = wait_for(&b, text, i, TIME_NEVER);
        }
        for (struct search *search; (search = searches_due(&b.s, b.now));)
                search_asked(&b.s, search, b.now, true);
        dest = address_of("(app:one-more)");
        ck_assert_int_eq(searches_wait(&b.s, b.now, &dest, &b, 0, span_of("x()"), TIME_NEVER, &w),
                         MBUS_E_FULL);
        dest = address_of("(app:x number:7)");
        ck_assert_int_eq(searches_wait(&b.s, b.now, &dest, &b, 0, span_of("x()"), TIME_NEVER, &w),
                         0);
        searches_drop(&b.s, search_first_waiter(searches_find(&b.s, &dest)));
        searches_drop(&b.s, search_first_waiter(searches_find(&b.s, &dest)));
        /* It was asked a moment ago, which must not be forgotten ... */
        dest = address_of("(app:one-more)");
        ck_assert_int_eq(searches_wait(&b.s, b.now, &dest, &b, 0, span_of("x()"), TIME_NEVER, &w),
                         MBUS_E_FULL);
        /* ... for a second. */
        b.now += 1000 * MS;
        ck_assert_int_eq(searches_wait(&b.s, b.now, &dest, &b, 0, span_of("x()"), TIME_NEVER, &w),
                         0);
        ck_assert_uint_eq(b.s.all.n, SEARCHES_MAX);
        ck_assert_uint_eq(b.s.n_waiters, SEARCHES_MAX);
        books_deinit(&b);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_destination_is_asked_once_for_all_who_wait,
                test_question_without_room_is_tried_again,
                test_news_are_of_a_whole_address_before_the_survey_is_over,
                test_search_is_remembered_but_not_asked_twice_in_a_second,
                test_patience_ends_for_each_by_itself,
                test_verdicts,
                test_who_wants_to_wait,
                test_destinations_are_bounded_and_rested_ones_give_way,
        };

        return run_tests("search", tests, N(tests));
}
