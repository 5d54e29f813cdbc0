/*
 * test-broker-attach.c - entities come, are told of, and go (spec/attach.md).
 */
#include <stdbool.h>

#include "scene.h"

/* Asks for an address in vain: the answer has @reason. */
static void expect_refused(struct raw_client *c, const char *address, const char *command,
                           const char *reason)
{
        uint32_t seq = raw_send(c, 'R', address, BROKER, command);
        char begin[64];

        snprintf(begin, sizeof(begin), "()\r\nbroker.refused(%u %s \"", seq, reason);
        ck_assert(raw_receive(c));
        ck_assert_msg(strstr(c->text, begin) != NULL, "not refused as %s: %s", reason, c->text);
}

/* ADR-08 MSG-08 */
START_TEST(test_an_address_without_id_gets_one_of_the_process_and_the_host)
{
        char expected[96];
        struct scene s;
        char *address, *other;

        scene_connect(&s, NULL);
        address = raw_attach(&s.a, "(app:a  module:x)");
        snprintf(expected, sizeof(expected), "(app:a module:x id:%d-1@127.0.0.1)", (int)getpid());
        if (getpid() >= 100)
                ck_assert_str_eq(address, expected);
        other = raw_attach(&s.b, "()");
        snprintf(expected, sizeof(expected), "(id:%d-2@127.0.0.1)", (int)getpid());
        if (getpid() >= 100)
                ck_assert_str_eq(other, expected);
        free(address);
        free(other);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_an_address_with_id_stays_as_it_is)
{
        struct scene s;
        char *address;

        scene_connect(&s, NULL);
        address = raw_attach(&s.a, "(id:4711-99@10.0.0.1 app:a)");
        ck_assert_str_eq(address, "(id:4711-99@10.0.0.1 app:a)");
        free(address);
        scene_deinit(&s);
}
END_TEST

/* 60000 octets of white space between @before and @behind. */
static char *spread(const char *before, const char *behind)
{
        size_t n = strlen(before) + 60000 + strlen(behind) + 1;
        char *text = malloc(n);

        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(snprintf(text, n, "%s%60000s%s", before, "", behind), (int)n - 1);
        return text;
}

START_TEST(test_white_space_of_an_address_is_not_kept)
{
        char *wide = spread("(app:x", "id:1-1@127.0.0.1)"), *without = spread("(", "app:y)");
        struct scene s;
        char *x, *y;

        scene_connect(&s, NULL);
        x = raw_attach(&s.a, wide);
        ck_assert_str_eq(x, "(app:x id:1-1@127.0.0.1)");
        y = raw_attach(&s.b, without);
        ck_assert_msg(strncmp(y, "(app:y id:", 10) == 0, "%s", y);
        /* It can be written as before all the same, in both places. */
        raw_send(&s.a, 'U', wide, y, "from.wide()");
        raw_expect(&s.b, "from.wide()");
        raw_send(&s.b, 'U', y, wide, "to.wide()");
        raw_expect(&s.a, "to.wide()");
        raw_send(&s.b, 'U', y, x, "to.narrow()");
        raw_expect(&s.a, "to.narrow()");
        free(wide);
        free(without);
        free(x);
        free(y);
        scene_deinit(&s);
}
END_TEST

/* ADR-05 */
START_TEST(test_a_taken_address_is_refused_and_given_again_when_its_link_has_ended)
{
        struct scene s;
        struct raw_client c;
        char *address;

        scene_connect(&s, NULL);
        raw_open(&c, s.broker.socket);
        free(raw_attach(&c, "(app:a id:1-1@127.0.0.1)"));
        expect_refused(&s.a, "(id:1-1@127.0.0.1 app:a)", "broker.attach(1)", "taken");
        raw_send(&s.b, 'R', "()", BROKER, "broker.watch(\"(app:a)\")");
        ck_assert(raw_receive(&s.b));
        raw_expect_about(&s.b, "broker.watching(%u \"lo\")", 0);
        ck_assert(raw_receive(&s.b));
        raw_close(&c);
        raw_expect(&s.b, "broker.left(\"(app:a id:1-1@127.0.0.1)\" bye)");
        address = raw_attach(&s.a, "(id:1-1@127.0.0.1 app:a)");
        ck_assert_str_eq(address, "(id:1-1@127.0.0.1 app:a)");
        free(address);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_cannot_be_an_address_of_ours_is_refused_with_the_reason)
{
        struct scene s;

        scene_connect(&s, NULL);
        expect_refused(&s.a, "(cc-module:a)", "broker.attach(1)", "malformed");
        expect_refused(&s.a, "(app:a id:12)", "broker.attach(1)", "malformed");
        expect_refused(&s.a, "(app:mbus-broker module:x)", "broker.attach(1)", "denied");
        expect_refused(&s.a, "(app:a)", "broker.attach(2 3)", "version");
        expect_refused(&s.a, "(app:a)", "broker.attach()", "version");
        free(raw_attach(&s.a, "(app:a)"));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_one_link_carries_several_entities_and_one_of_them_can_leave)
{
        struct scene s;
        char *x, *y;
        uint32_t seq;

        scene_connect(&s, NULL);
        x = raw_attach(&s.a, "(app:x)");
        y = raw_attach(&s.a, "(app:y)");
        raw_send(&s.a, 'U', y, BROKER, "broker.detach()");
        seq = raw_send(&s.a, 'R', y, x, "too.late()");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u denied "
                         "\"SrcAddr is not attached to the link\")",
                         seq);
        raw_send(&s.a, 'R', x, BROKER, "broker.detach()");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq + 1);
        seq = raw_send(&s.a, 'R', x, BROKER, "broker.detach()");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u denied "
                         "\"SrcAddr is not attached to the link\")",
                         seq);
        free(x);
        free(y);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_watcher_is_told_of_those_there_and_of_those_that_come_and_go)
{
        struct scene s;
        char *address;
        char expected[128];

        scene_connect(&s, NULL);
        address = raw_attach(&s.a, "(app:a module:x)");
        raw_send(&s.b, 'U', "()", BROKER, "broker.watch(\"(module:x)\")");
        snprintf(expected, sizeof(expected), "\r\nbroker.joined(\"%s\" ", address);
        ck_assert(raw_receive(&s.b));
        ck_assert_msg(strstr(s.b.text, expected) != NULL, "%s", s.b.text);
        raw_expect(&s.b, "broker.watching(0 \"lo\")");
        free(raw_attach(&s.a, "(app:not-watched)"));
        raw_send(&s.a, 'U', address, BROKER, "broker.detach()");
        snprintf(expected, sizeof(expected), "broker.left(\"%s\" bye)", address);
        raw_expect(&s.b, expected);
        free(address);
        address = raw_attach(&s.a, "(app:c module:x)");
        snprintf(expected, sizeof(expected), "broker.joined(\"%s\" 0)", address);
        raw_expect(&s.b, expected);
        free(address);
        scene_deinit(&s);
}
END_TEST

/* Its link was told before it knew the address for its own, and took it for somebody else's. Found by
 * the simulator. */
START_TEST(test_a_link_is_not_told_of_an_entity_that_it_attaches)
{
        struct scene s;
        char *address;
        char expected[128];

        scene_connect(&s, NULL);
        raw_send(&s.a, 'U', "()", BROKER, "broker.watch(\"(module:x)\")");
        raw_expect(&s.a, "broker.watching(0 \"lo\")");
        /* The very next message is the answer. */
        free(raw_attach(&s.a, "(app:a module:x)"));
        address = raw_attach(&s.b, "(app:b module:x)");
        snprintf(expected, sizeof(expected), "broker.joined(\"%s\" 0)", address);
        raw_expect(&s.a, expected);
        free(address);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_the_broker_is_an_entity_that_a_watcher_is_told_of)
{
        struct scene s;

        scene_connect(&s, NULL);
        raw_send(&s.a, 'U', "()", BROKER, "broker.watch(\"(app:mbus-broker)\")");
        ck_assert(raw_receive(&s.a));
        ck_assert(strstr(s.a.text, "broker.joined(\"(app:mbus-broker id:"));
        raw_expect(&s.a, "broker.watching(0 \"lo\")");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_watch_for_something_that_is_no_address_is_refused)
{
        struct scene s;

        scene_connect(&s, NULL);
        raw_send(&s.a, 'R', "()", BROKER, "broker.watch(\"app:a\")");
        raw_expect(&s.a, "broker.undelivered(0 malformed \"broker.watch wants one address\")");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_descriptors_of_links_that_ended_come_back)
{
        unsigned files;
        struct scene s;

        scene_connect(&s, NULL);
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        files = daemon_open_files(&s.broker);
        for (unsigned round = 0; round < 300; round++) {
                struct raw_client c;

                raw_open(&c, s.broker.socket);
                free(raw_attach(&c, "(app:c module:y)"));
                raw_send(&c, 'U', "()", BROKER, "broker.watch(\"(app:c)\")");
                ck_assert(raw_receive(&c));
                raw_send_octets(&c, "\0\0\1\0half a frame", 16);
                raw_close(&c);
        }
        /* The broker has seen the last link's end when its address is free. */
        free(raw_attach(&s.a, "(app:d)"));
        while (daemon_open_files(&s.broker) != files)
                raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_an_address_without_id_gets_one_of_the_process_and_the_host,
                test_an_address_with_id_stays_as_it_is,
                test_white_space_of_an_address_is_not_kept,
                test_a_taken_address_is_refused_and_given_again_when_its_link_has_ended,
                test_what_cannot_be_an_address_of_ours_is_refused_with_the_reason,
                test_one_link_carries_several_entities_and_one_of_them_can_leave,
                test_a_watcher_is_told_of_those_there_and_of_those_that_come_and_go,
                test_a_link_is_not_told_of_an_entity_that_it_attaches,
                test_the_broker_is_an_entity_that_a_watcher_is_told_of,
                test_a_watch_for_something_that_is_no_address_is_refused,
                test_descriptors_of_links_that_ended_come_back,
        };

        return run_tests("broker-attach", tests, N(tests));
}
