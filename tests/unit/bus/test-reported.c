/*
 * test-reported.c - of each stay of a peer an application hears once that it comes and once that it
 * goes, whatever it watches and whatever breaks.
 */
#include <stdlib.h>

#include <bus/mode.h>

#include "run.h"

struct world {
        struct event_queue events;
        struct watches watches;
        struct reported reported;
};

static struct address parse(const char *text)
{
        struct address a;

        ck_assert_int_eq(address_parse(span_of(text), STRICT, &a, NULL, NULL), 0);
        return a;
}

static void watch(struct world *w, const char *text)
{
        struct address a = parse(text);

        ck_assert_ptr_nonnull(watches_add(&w->watches, &a));
}

static void world_init(struct world *w, const char *watched)
{
        *w = (struct world){ .events.ring = NULL };
        reported_init(&w->reported, 7, &w->watches, &w->events);
        watch(w, watched);
}

static void world_deinit(struct world *w)
{
        ck_assert_ptr_null(event_queue_first(&w->events));
        ck_assert_int_eq(w->events.failure, 0);
        reported_deinit(&w->reported);
        ck_assert_uint_eq(w->reported.n_stale, 0);
        watches_deinit(&w->watches);
        event_queue_deinit(&w->events);
}

static void join(struct world *w, const char *text)
{
        struct address a = parse(text);

        reported_joined(&w->reported, &a, 0);
}

static void leave(struct world *w, const char *text)
{
        struct address a = parse(text);

        reported_left(&w->reported, &a, MBUS_REASON_BYE);
}

/* The next event is of @type and about @address. */
static void expect(struct world *w, enum mbus_event_type type, const char *address)
{
        struct queued item;

        ck_assert_ptr_nonnull(event_queue_first(&w->events));
        event_queue_pop(&w->events, &item);
        ck_assert_int_eq(item.event.type, type);
        ck_assert_str_eq(item.text, address);
        queued_deinit(&item);
}

START_TEST(test_a_peer_joins_and_leaves_once)
{
        struct world w;

        world_init(&w, "(app:a)");
        watch(&w, "(media:x)");
        join(&w, "(app:a media:x)");
        join(&w, "(app:a media:x)");
        expect(&w, MBUS_EVENT_JOINED, "(app:a media:x)");
        join(&w, "(app:b)");
        leave(&w, "(app:b)");
        leave(&w, "(app:a media:x)");
        leave(&w, "(app:a media:x)");
        expect(&w, MBUS_EVENT_LEFT, "(app:a media:x)");
        world_deinit(&w);
}
END_TEST

START_TEST(test_who_is_not_confirmed_after_a_lost_link_has_left)
{
        struct world w;

        world_init(&w, "()");
        join(&w, "(app:a)");
        join(&w, "(app:b)");
        join(&w, "(app:c)");
        expect(&w, MBUS_EVENT_JOINED, "(app:a)");
        expect(&w, MBUS_EVENT_JOINED, "(app:b)");
        expect(&w, MBUS_EVENT_JOINED, "(app:c)");
        reported_mark(&w.reported);
        ck_assert_uint_eq(w.reported.n_stale, 3);
        /* Confirmed, gone, and neither. */
        join(&w, "(app:a)");
        leave(&w, "(app:b)");
        expect(&w, MBUS_EVENT_LEFT, "(app:b)");
        ck_assert_uint_eq(w.reported.n_stale, 1);
        reported_sweep(&w.reported);
        expect(&w, MBUS_EVENT_LEFT, "(app:c)");
        reported_sweep(&w.reported);
        world_deinit(&w);
}
END_TEST

START_TEST(test_with_its_last_watch_a_peer_leaves)
{
        struct world w;

        world_init(&w, "(app:a)");
        watch(&w, "(media:x)");
        join(&w, "(app:a)");
        join(&w, "(app:a media:x)");
        expect(&w, MBUS_EVENT_JOINED, "(app:a)");
        expect(&w, MBUS_EVENT_JOINED, "(app:a media:x)");
        reported_unwatch(&w.reported, 0, MBUS_REASON_DENIED, SPAN_NULL);
        expect(&w, MBUS_EVENT_LEFT, "(app:a)");
        expect(&w, MBUS_EVENT_UNWATCHED, "(app:a)");
        reported_unwatch(&w.reported, 0, MBUS_REASON_DENIED, SPAN_NULL);
        expect(&w, MBUS_EVENT_LEFT, "(app:a media:x)");
        expect(&w, MBUS_EVENT_UNWATCHED, "(media:x)");
        ck_assert_uint_eq(w.watches.n, 0);
        world_deinit(&w);
}
END_TEST

START_TEST(test_a_snapshot_has_who_matches)
{
        struct world w;
        struct mbus_peers *peers = peer_list_new();
        struct address dest = parse("(media:x)");

        world_init(&w, "()");
        join(&w, "(app:a media:x)");
        join(&w, "(app:b)");
        expect(&w, MBUS_EVENT_JOINED, "(app:a media:x)");
        expect(&w, MBUS_EVENT_JOINED, "(app:b)");
        ck_assert_int_eq(reported_list(&w.reported, &dest, peers), 0);
        ck_assert_uint_eq(mbus_peers_get_n(peers), 1);
        ck_assert_str_eq(mbus_peers_get_address(peers, 0), "(app:a media:x)");
        mbus_peers_free(peers);
        world_deinit(&w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_peer_joins_and_leaves_once,
                test_who_is_not_confirmed_after_a_lost_link_has_left,
                test_with_its_last_watch_a_peer_leaves,
                test_a_snapshot_has_who_matches,
        };

        return run_tests("reported", tests, N(tests));
}
