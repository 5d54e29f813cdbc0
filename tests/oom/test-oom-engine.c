/*
 * test-oom-engine.c - whole engines while memory is short.
 *
 * Whatever allocation fails: nothing leaks, every ticket ends in exactly one event, and either the
 * owners see what they would have seen or there is an error, a failed ticket or a counted drop. With
 * memory again the engines find each other and deliver.
 */
#include <stdio.h>

#include "fail-malloc.h"
#include "run.h"
#include "world.h"

static struct crypto *plain, *encrypted;

static const struct engine_options usual = { .dialect = DIALECT_RFC3259 };

static void add_all(struct world *w)
{
        for (unsigned i = 0; i < NODES; ++i)
                world_add(w, i, 0, world_names[i][0]);
}

/* A world in which all are known to each other when memory begins to be short. */
static bool begin_known(struct world *w, struct trial *t, const struct engine_options *options)
{
        if (!world_init(w, t, plain, options))
                return false;
        add_all(w);
        world_run(w, 3000);
        return true;
}

static void join(struct trial *t)
{
        struct world w;

        if (!world_init(&w, t, plain, &usual))
                return;
        add_all(&w);
        world_add(&w, 0, 1, world_names[0][1]);
        world_run(&w, 5000);
        world_end(&w);
}

static void send_to_groups(struct trial *t)
{
        struct engine_options options = { .send_unicast = true };
        struct world w;

        if (!begin_known(&w, t, &options))
                return;
        world_add(&w, 1, 1, world_names[1][1]);
        world_add(&w, 0, 1, world_names[0][1]);
        world_run(&w, 2000);
        for (unsigned i = 0; i < 5; ++i) {
                world_send(&w, 0, "()", "to all");
                world_send(&w, 1, "(module:one)", "to some");
                world_send(&w, 2, world_names[0][0], "to one");
                world_run(&w, 10);
        }
        world_end(&w);
}

/* More than the WINDOW_STAMPS that have a place anyway. */
static void send_many_at_once(struct trial *t)
{
        struct world w;

        if (!begin_known(&w, t, &usual))
                return;
        for (unsigned i = 0; i < WINDOW_STAMPS + 8; ++i)
                world_send(&w, 1, world_names[0][0], "a burst");
        world_send_reliable(&w, 1, world_names[0][0], "and its end");
        world_run(&w, 1000);
        world_end(&w);
}

static void send_encrypted(struct trial *t)
{
        struct world w;

        if (!world_init(&w, t, encrypted, &usual))
                return;
        add_all(&w);
        world_run(&w, 3000);
        world_send(&w, 0, "()", "secret");
        world_send_reliable(&w, 0, world_names[1][0], "secret");
        world_run(&w, 2000);
        world_end(&w);
}

static void send_many_reliably(struct world *w)
{
        world_add(w, 0, 1, world_names[0][1]);
        for (unsigned i = 0; i < 10; ++i) {
                world_send_reliable(w, 0, world_names[1][0], "many");
                world_send_reliable(w, 0, world_names[2][0], "many");
        }
        world_send_reliable(w, 1, world_names[0][0], "back");
        if (!w->options.owner_routes)
                world_send_reliable(w, 0, world_names[0][1], "at home");
        world_settle(w);
        for (unsigned i = 0; i < 3; ++i) {
                world_send_reliable(w, 1, "(app:a module:one)", "ping");
                world_send(w, 0, world_names[1][0], "pong, with the acknowledgement");
                world_run(w, 100);
        }
        world_run(w, 2000);
        world_end(w);
}

static void send_reliably(struct trial *t)
{
        struct world w;

        if (begin_known(&w, t, &usual))
                send_many_reliably(&w);
}

static void send_reliably_with_ucl(struct trial *t)
{
        struct engine_options options = { .dialect = DIALECT_UCL };
        struct world w;

        if (begin_known(&w, t, &options))
                send_many_reliably(&w);
}

static void send_reliably_for_owners(struct trial *t)
{
        struct engine_options options = { .owner_routes = true, .owner_acknowledges = true };
        struct world w;

        if (begin_known(&w, t, &options))
                send_many_reliably(&w);
}

static void observe(struct trial *t)
{
        struct world w;

        if (!world_init(&w, t, plain, &usual))
                return;
        engine_observe(w.nodes[2].engine, true, true);
        engine_observe(w.nodes[0].engine, true, false);
        add_all(&w);
        world_run(&w, 3000);
        world_send(&w, 0, "()", "seen");
        world_send(&w, 1, "(app:nobody)", "seen, too");
        world_send_reliable(&w, 2, world_names[1][0], "seen by all");
        world_run(&w, 1500);
        world_remove(&w, 1, 0);
        world_run(&w, 1500);
        world_end(&w);
}

/* Two have one address, and both learn it before they learn of each other. */
static void conflict(struct trial *t)
{
        struct world w;

        if (!world_init(&w, t, plain, &usual))
                return;
        world_add(&w, 0, 0, world_names[0][0]);
        world_add(&w, 2, 0, world_names[0][0]);
        world_run(&w, 4000);
        world_end(&w);
}

static void leave(struct trial *t)
{
        struct world w;

        if (!begin_known(&w, t, &usual))
                return;
        world_send_reliable(&w, 0, world_names[1][0], "too late");
        world_send_reliable(&w, 1, world_names[0][0], "on its way out");
        world_remove(&w, 1, 0);
        world_run(&w, 3000);
        world_add(&w, 1, 0, world_names[1][0]);
        world_run(&w, 3000);
        world_send_reliable(&w, 0, world_names[1][0], "in time");
        world_run(&w, 1000);
        world_end(&w);
}

static void fall_silent(struct trial *t)
{
        struct world w;

        if (!begin_known(&w, t, &usual))
                return;
        w.nodes[1].cut = true;
        world_send_reliable(&w, 0, world_names[1][0], "lost");
        world_send(&w, 2, "()", "lost in part");
        world_run(&w, 30000);
        w.nodes[1].cut = false;
        world_run(&w, 5000);
        world_end(&w);
}

/* A program dies and comes back under the same address before anybody misses it. */
static void restart(struct trial *t)
{
        struct world w;

        if (!begin_known(&w, t, &usual))
                return;
        world_send_reliable(&w, 1, world_names[0][0], "from the first life");
        world_run(&w, 500);
        if (world_replace(&w, 1)) {
                world_add(&w, 1, 0, world_names[1][0]);
                world_run(&w, 3000);
                world_send_reliable(&w, 0, world_names[1][0], "to the second life");
                world_run(&w, 1000);
        }
        world_end(&w);
}

static void ping(struct trial *t)
{
        struct address all = ADDRESS_ALL;
        struct world w;

        if (!begin_known(&w, t, &usual))
                return;
        if (w.nodes[0].entities[0])
                trial_ok(t, engine_ping(w.nodes[0].engine, w.now, 1, w.nodes[0].entities[0], &all));
        world_run(&w, 3000);
        world_end(&w);
}

START_TEST(test_engines_find_each_other)
{
        fail_each_malloc("join", join);
        fail_each_malloc("ping", ping);
}
END_TEST

START_TEST(test_messages_arrive_or_are_counted)
{
        fail_each_malloc("groups", send_to_groups);
        fail_each_malloc("burst", send_many_at_once);
        fail_each_malloc("encrypted", send_encrypted);
        fail_each_malloc("observe", observe);
}
END_TEST

START_TEST(test_each_ticket_ends_in_one_event)
{
        fail_each_malloc("reliable", send_reliably);
        fail_each_malloc("reliable, UCL", send_reliably_with_ucl);
        fail_each_malloc("reliable, owners acknowledge", send_reliably_for_owners);
}
END_TEST

START_TEST(test_those_who_go_and_return_are_known_as_such)
{
        fail_each_malloc("conflict", conflict);
        fail_each_malloc("leave", leave);
        fail_each_malloc("silence", fall_silent);
        fail_each_malloc("restart", restart);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_engines_find_each_other,
                test_messages_arrive_or_are_counted,
                test_each_ticket_ends_in_one_event,
                test_those_who_go_and_return_are_known_as_such,
        };
        struct config config = CONFIG_INIT;
        int r;

        fail_malloc_init();
        crypto_global_init();
        config.hash_key.n = hash_key_size(HASH_SHA1);
        if (crypto_new(&config, &plain) != 0)
                return EXIT_FAILURE;
        config.cipher = CIPHER_AES;
        config.cipher_key.n = cipher_key_size(CIPHER_AES);
        if (crypto_new(&config, &encrypted) != 0)
                return EXIT_FAILURE;
        r = run_tests("oom-engine", tests, N(tests));
        crypto_free(plain);
        crypto_free(encrypted);
        return r;
}
