/*
 * test-broker-reload.c - SIGHUP: the configuration is read again, all of it or nothing, and no client
 * notices.
 */
#include <signal.h>
#include <sys/stat.h>

#include "scene.h"
#include "stranger.h"

#define N_ADDRESS "(app:n id:9-9@127.0.0.1)"
/* How what a new configuration takes away is explained. */
#define CHANGED "[policy] of the broker has changed and does not let this user "

static void reload(const struct scene *s, const char *lines, unsigned n)
{
        if (lines)
                daemon_configure(&s->broker, lines);
        ck_assert_int_eq(kill(s->broker.pid, SIGHUP), 0);
        free(await_in_log(&s->broker, "was read again and counts from now on", n));
}

/* The broker refuses the file; its log is to be freed. */
static char *reload_in_vain(const struct scene *s)
{
        ck_assert_int_eq(kill(s->broker.pid, SIGHUP), 0);
        return await_in_log(&s->broker, "is not used; all stays as it was", 1);
}

static void expect_in(const char *log, const char *text)
{
        ck_assert_msg(strstr(log, text) != NULL, "\"%s\" is not in: %s", text, log);
}

static void expect_alive(struct scene *s)
{
        raw_send(&s->a, 'U', A, B, "still.here()");
        raw_expect(&s->b, "still.here()");
        raw_expect_nothing(&s->a);
}

START_TEST(test_what_the_broker_section_says_changes_and_clients_stay)
{
        struct scene s;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        reload(&s, "[broker]\nMULTICAST=always\n", 1);
        raw_send(&s.a, 'U', A, BROKER, "broker.status()");
        ck_assert(raw_receive(&s.a));
        expect_in(s.a.text, "(multicast \"always\")");
        reload(&s, "", 2);
        expect_alive(&s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_limits_change_for_links_that_are_there)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, "");
        reload(&s, "[limits]\nENTITIES_PER_LINK=1\n", 1);
        seq = raw_send(&s.a, 'R', "(app:second)", BROKER, "broker.attach(1)");
        raw_expect_about(&s.a,
                         "broker.refused(%u full \"this link has too many entities: see "
                         "ENTITIES_PER_LINK in [limits] of the broker\")",
                         seq);
        expect_alive(&s);
        reload(&s, "", 2);
        free(raw_attach(&s.a, "(app:second)"));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_is_beyond_a_lower_limit_stays_and_counts)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, "");
        free(raw_attach(&s.a, "(app:second id:1-7@127.0.0.1)"));
        free(raw_attach(&s.a, "(app:third id:1-8@127.0.0.1)"));
        raw_send(&s.a, 'U', A, BROKER, "broker.watch(\"(app:x)\")\r\nbroker.watch(\"(app:y)\")");
        raw_receive(&s.a);
        raw_receive(&s.a);
        reload(&s, "[limits]\nENTITIES_PER_LINK=2\nWATCHES_PER_LINK=1\nLINKS=1\n", 1);
        raw_send(&s.b, 'U', B, "(app:third)", "you.stay()");
        raw_expect(&s.a, "you.stay()");
        raw_send(&s.a, 'U', A, BROKER, "broker.detach()");
        seq = raw_send(&s.a, 'R', "(app:fourth)", BROKER, "broker.attach(1)");
        raw_expect_about(&s.a,
                         "broker.refused(%u full \"this link has too many entities: see "
                         "ENTITIES_PER_LINK in [limits] of the broker\")",
                         seq);
        raw_send(&s.a, 'U', "(app:third id:1-8@127.0.0.1)", BROKER, "broker.detach()");
        free(raw_attach(&s.a, A));
        free(raw_attach(&s.b, "(app:x id:1-9@127.0.0.1)"));
        raw_receive(&s.a);
        expect_in(s.a.text, "broker.joined(\"(app:x ");
        expect_alive(&s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_a_stricter_policy_still_covers_stays)
{
        struct raw_client nobody;
        struct scene s;

        if (!can_be_a_stranger())
                return;
        scene_init(&s, "[broker]\nMULTICAST=never\n[policy]\nallow user=65533 all\n");
        open_as_stranger(&nobody, &s.broker);
        free(raw_attach(&nobody, N_ADDRESS));
        free(raw_attach(&nobody, "(app:m module:x id:9-8@127.0.0.1)"));
        reload(&s, "[broker]\nMULTICAST=never\n[policy]\nallow user=65533 attach=(app:n)\n", 1);
        raw_expect(&nobody,
                   "broker.detached(\"(app:m module:x id:9-8@127.0.0.1)\" denied \"" CHANGED
                   "have it\")");
        raw_send(&s.a, 'U', A, N_ADDRESS, "you.are.there()");
        raw_expect(&nobody, "you.are.there()");
        raw_expect_nothing(&nobody);
        raw_close(&nobody);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_rights_are_found_anew_for_links_that_are_there)
{
        struct raw_client nobody;
        struct scene s;
        uint32_t seq;

        if (!can_be_a_stranger())
                return;
        scene_init(&s, "[broker]\nMULTICAST=never\n");
        open_as_stranger(&nobody, &s.broker);
        seq = raw_send(&nobody, 'R', N_ADDRESS, BROKER, "broker.attach(1)");
        raw_expect_about(
                &nobody,
                "broker.refused(%u denied \"[policy] of the broker does not let this user attach "
                "it: that takes attach= in a line for this user\")",
                seq);
        reload(&s, "[broker]\nMULTICAST=never\n[policy]\nallow user=65533 all\n", 1);
        free(raw_attach(&nobody, N_ADDRESS));
        raw_send(&nobody, 'U', N_ADDRESS, A, "may.i()");
        raw_expect(&s.a, "may.i()");
        raw_send(&nobody, 'U', "()", BROKER, "broker.observe(0)\r\nbroker.watch(\"(app:x)\")");
        raw_receive(&nobody);
        expect_in(nobody.text, "broker.watching(");
        raw_expect_nothing(&nobody);
        reload(&s, "[broker]\nMULTICAST=never\n", 2);
        raw_receive(&nobody);
        expect_in(nobody.text, "\r\nbroker.unwatched(denied \"" CHANGED "do that\")");
        raw_receive(&nobody);
        expect_in(nobody.text, "\r\nbroker.unobserved(denied \"" CHANGED "do that\")");
        raw_expect(&nobody, "broker.detached(\"" N_ADDRESS "\" denied \"" CHANGED "have it\")");
        seq = raw_send(&nobody, 'R', N_ADDRESS, A, "may.i()");
        raw_receive(&nobody);
        expect_in(nobody.text, "broker.undelivered(");
        expect_in(nobody.text, " denied ");
        seq = raw_send(&s.a, 'R', A, N_ADDRESS, "are.you.there()");
        raw_expect_about(&s.a, "broker.undelivered(%u unknown \"no known entity matches\")", seq);
        expect_alive(&s);
        raw_expect_nothing(&nobody);
        raw_close(&nobody);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_file_with_one_mistake_is_refused_as_a_whole)
{
        struct scene s;
        char *log;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        daemon_configure(&s.broker, "[broker]\nMULTICAST=always\n[limits]\nENTITIES_PER_LINK=1\n"
                                    "[policy]\nallow everybody\n");
        log = reload_in_vain(&s);
        expect_in(log, "/.mbus:10: ");
        free(log);
        free(raw_attach(&s.a, "(app:second)"));
        raw_send(&s.a, 'U', A, BROKER, "broker.status()\r\nbroker.stats()");
        ck_assert(raw_receive(&s.a));
        expect_in(s.a.text, "(multicast \"never\")");
        ck_assert(raw_receive(&s.a));
        expect_in(s.a.text, "(reloads-used 0) (reloads-refused 1)");
        expect_alive(&s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_file_that_is_gone_or_open_to_others_is_refused_and_none_is_made)
{
        struct scene s;
        char *log;

        scene_init(&s, "");
        ck_assert_int_eq(chmod(s.broker.config, 0644), 0);
        log = reload_in_vain(&s);
        expect_in(log, "chmod 600");
        free(log);
        ck_assert_int_eq(unlink(s.broker.config), 0);
        ck_assert_int_eq(kill(s.broker.pid, SIGHUP), 0);
        log = await_in_log(&s.broker, "is not used; all stays as it was", 2);
        expect_in(log, "there is no such file");
        free(log);
        ck_assert_int_eq(access(s.broker.config, F_OK), -1);
        expect_alive(&s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_needs_a_restart_is_named_without_values)
{
        struct scene s;
        char *log;

        scene_init(&s, "");
        reload(&s,
               "PORT=4711\nSCOPE=LINKLOCAL\n[broker]\nMETRICS=127.0.0.1:9259\nMULTICAST=never\n",
               1);
        log = daemon_read_log(&s.broker);
        expect_in(log, "/.mbus: SCOPE, PORT in [MBUS] changed; it counts after a restart");
        expect_in(log, "/.mbus: METRICS in [broker] changed; it counts after a restart");
        free(log);
        /* The rest counts. */
        raw_send(&s.a, 'U', A, BROKER, "broker.status()");
        ck_assert(raw_receive(&s.a));
        expect_in(s.a.text, "(multicast \"never\")");
        expect_in(s.a.text, "(bus \"239.255.255.247:47000\")");
        expect_alive(&s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_reloads_leak_no_descriptor)
{
        struct scene s;
        unsigned files;

        scene_init(&s, "[policy]\nallow user=65533 watch=yes\n");
        reload(&s, NULL, 1);
        files = daemon_open_files(&s.broker);
        for (unsigned i = 2; i < 20; i++)
                reload(&s, NULL, i);
        ck_assert_uint_eq(daemon_open_files(&s.broker), files);
        expect_alive(&s);
        scene_deinit(&s);
}
END_TEST

#define TWIN "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\nENCRYPTIONKEY=(NOENCR,)\n"

START_TEST(test_a_bus_that_is_another_one_by_name_only_is_refused_and_all_stays)
{
        struct scene s;
        FILE *file;
        char *log;

        scene_init(&s, "[bus a]\n" TWIN "PORT=47500\n");
        daemon_configure(&s.broker, "[bus a]\n" TWIN "PORT=47500\n[bus b]\n" TWIN "PORT=47500\n");
        log = reload_in_vain(&s);
        expect_in(log, "/.mbus:9: [bus b]: it is the same bus as [bus a] of line 5: group, ");
        free(log);
        expect_alive(&s);
        /* [MBUS] counts after a restart only: until then the bus has to differ from the old one. */
        file = fopen(s.broker.config, "we");
        ck_assert_ptr_nonnull(file);
        fprintf(file, "[MBUS]\nCONFIG_VERSION=1\n" TWIN "PORT=47600\n[bus a]\n" TWIN);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_eq(kill(s.broker.pid, SIGHUP), 0);
        log = await_in_log(&s.broker, "is not used; all stays as it was", 2);
        expect_in(log,
                  "/.mbus:6: [bus a]: it is the same bus as [MBUS] as it was when the broker ");
        free(log);
        expect_alive(&s);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_the_broker_section_says_changes_and_clients_stay,
                test_limits_change_for_links_that_are_there,
                test_what_is_beyond_a_lower_limit_stays_and_counts,
                test_what_a_stricter_policy_still_covers_stays,
                test_rights_are_found_anew_for_links_that_are_there,
                test_a_file_with_one_mistake_is_refused_as_a_whole,
                test_a_file_that_is_gone_or_open_to_others_is_refused_and_none_is_made,
                test_what_needs_a_restart_is_named_without_values,
                test_reloads_leak_no_descriptor,
                test_a_bus_that_is_another_one_by_name_only_is_refused_and_all_stays,
        };

        return run_tests("broker-reload", tests, N(tests));
}
