/*
 * test-broker-shares.c - limits of a user and of all users together: what a user who is alone gets of
 * them, and that the log says which was reached.
 */
#include "scene.h"

#define SHARE "is for all users, and this one's share of it is used up"
#define SLOW "it does not read fast enough, messages for it are lost"

/* A scene with this line in [limits]. */
static void scene_limited(struct scene *s, const char *line)
{
        char text[128];

        snprintf(text, sizeof(text), "[broker]\nMULTICAST=never\n[limits]\n%s\n", line);
        scene_init(s, text);
}

START_TEST(test_a_user_alone_has_half_of_the_links)
{
        struct raw_client c;
        struct scene s;

        scene_limited(&s, "LINKS=5");
        raw_open(&c, s.broker.socket);
        raw_expect(
                &c,
                "broker.refused(0 full \"too many links: see LINKS in [limits] of the broker\")");
        raw_expect_closed(&c);
        raw_close(&c);
        expect_in_log(&s.broker, ": LINKS=5 " SHARE ": it is closed; to change it write "
                                 "LINKS=NUMBER below [limits] in ");
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_user_alone_has_half_of_the_entities)
{
        struct scene s;
        uint32_t seq;

        scene_limited(&s, "ENTITIES=5");
        seq = raw_send(&s.a, 'R', "(app:x)", BROKER, "broker.attach(1)");
        raw_expect_about(&s.a,
                         "broker.refused(%u full \"this user has too many entities: see "
                         "ENTITIES in [limits] of the broker\")",
                         seq);
        expect_in_log(&s.broker,
                      "): ENTITIES=5 " SHARE ": no more entities are attached; to change "
                      "it write ENTITIES=NUMBER below [limits] in ");
        scene_deinit(&s);
}
END_TEST

/* Messages that the broker reads together: none of them times out before the last. */
static uint32_t send_together(struct raw_client *c, unsigned n)
{
        char frames[1024];
        size_t size = 0;

        for (unsigned i = 0; i < n; i++) {
                int length = snprintf(frames + size + 4, sizeof(frames) - size - 4,
                                      "mbus/1.0 %u 1 R " A " " B " ()\r\nx()", c->seq++);

                memcpy(frames + size, (const char[4]){ 0, 0, 0, (char)length }, 4);
                size += 4 + (size_t)length;
        }
        raw_send_octets(c, frames, size);
        return c->seq - 1;
}

static void expect_no_more_tickets(const char *line, const char *said)
{
        struct scene s;

        scene_limited(&s, line);
        raw_expect_about(&s.a,
                         "broker.undelivered(%u full \"too many reliable messages are under way\")",
                         send_together(&s.a, 3));
        expect_in_log(&s.broker, said);
        raw_expect(&s.b, "x()");
        raw_expect(&s.b, "x()");
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}

START_TEST(test_reliable_messages_of_a_user_and_of_all_are_bounded_and_that_is_said)
{
        expect_no_more_tickets(
                "TICKETS_PER_USER=2",
                "): TICKETS_PER_USER=2 is reached: no more reliable messages are "
                "taken; to change it write TICKETS_PER_USER=NUMBER below [limits] in ");
        expect_no_more_tickets("TICKETS=5",
                               "): TICKETS=5 " SHARE ": no more reliable messages are taken; to "
                               "change it write TICKETS=NUMBER below [limits] in ");
}
END_TEST

/* Four names find room, the fifth does not. */
static void expect_no_more_names(const char *line, const char *said)
{
        struct scene s;
        uint32_t seq;

        scene_limited(&s, line);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.retain(\"a\" \"b\" \"c\" \"d\")");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        ck_assert_uint_eq(count_in_log(&s.broker, "RETAINED"), 0);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.retain(\"e\")");
        raw_expect_about(&s.a, "broker.undelivered(%u full \"no more last values are kept\")", seq);
        expect_in_log(&s.broker, said);
        scene_deinit(&s);
}

START_TEST(test_last_values_of_a_link_of_a_user_and_of_all_are_bounded_and_that_is_said)
{
        expect_no_more_names("RETAINED_PER_LINK=4K",
                             "): RETAINED_PER_LINK=4096 is reached: a last value is not kept; to "
                             "change it write RETAINED_PER_LINK=NUMBER below [limits] in ");
        expect_no_more_names("RETAINED_PER_USER=4K",
                             "): RETAINED_PER_USER=4096 is reached: a last value is not kept; to "
                             "change it write RETAINED_PER_USER=NUMBER below [limits] in ");
        expect_no_more_names("RETAINED=8K",
                             "): RETAINED=8192 " SHARE ": a last value is not kept; to change it "
                             "write RETAINED=NUMBER below [limits] in ");
}
END_TEST

/* COMMAND("cnnn...") with a name of 40000 octets; to be freed. */
static char *long_name(const char *command, char c)
{
        size_t n = strlen(command) + 40005;
        char *text = malloc(n), *at;

        ck_assert_ptr_nonnull(text);
        at = text + snprintf(text, n, "%s(\"", command);
        memset(at, 'n', 40000);
        *at = c;
        memcpy(at + 40000, "\")", 3);
        return text;
}

START_TEST(test_a_long_name_counts_for_all_that_it_takes)
{
        char *retain = long_name("broker.retain", 'a'), *other = long_name("broker.retain", 'b'),
             *forget = long_name("broker.forget", 'a');
        struct scene s;
        uint32_t seq;

        scene_limited(&s, "RETAINED_PER_LINK=64K");
        seq = raw_send(&s.a, 'R', A, BROKER, retain);
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        seq = raw_send(&s.a, 'R', A, BROKER, other);
        raw_expect_about(&s.a, "broker.undelivered(%u full \"no more last values are kept\")", seq);
        seq = raw_send(&s.a, 'R', A, BROKER, forget);
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        /* What it counted for is given back to the last octet, and there is room for the other. */
        seq = raw_send(&s.a, 'R', A, BROKER, other);
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.forget()");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        raw_send(&s.a, 'U', A, BROKER, "broker.stats()");
        ck_assert(raw_receive(&s.a));
        ck_assert_msg(strstr(s.a.text, "(retained-bytes 0)") != NULL, "%s", s.a.text);
        free(retain);
        free(other);
        free(forget);
        scene_deinit(&s);
}
END_TEST

/* b reads nothing of what fills its socket and then waits in the broker. */
static void expect_slow(const char *line, const char *said)
{
        char payload[1100];
        struct scene s;

        scene_limited(&s, line);
        snprintf(payload, sizeof(payload), "x(\"%01000u\")", 1);
        for (unsigned i = 0; i < 3000; i++)
                raw_send(&s.a, 'U', A, B, payload);
        raw_expect_nothing(&s.a);
        expect_in_log(&s.broker, said);
        ck_assert_uint_eq(count_in_log(&s.broker, "[limits]"), 1);
        scene_deinit(&s);
}

START_TEST(test_what_waits_for_a_link_a_user_and_all_is_bounded_and_that_is_said)
{
        expect_slow("BYTES_PER_LINK=128K", "): BYTES_PER_LINK=131072 is reached: " SLOW);
        expect_slow("BYTES_PER_USER=128K", "): BYTES_PER_USER=131072 is reached: " SLOW);
        expect_slow("BYTES=256K", "): BYTES=262144 " SHARE ": " SLOW);
        expect_slow("MESSAGES_PER_LINK=16", "): MESSAGES_PER_LINK=16 is reached: " SLOW);
        expect_slow("MESSAGES_PER_USER=16", "): MESSAGES_PER_USER=16 is reached: " SLOW);
        expect_slow("MESSAGES=64", "): MESSAGES=64 " SHARE ": " SLOW);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_user_alone_has_half_of_the_links,
                test_a_user_alone_has_half_of_the_entities,
                test_reliable_messages_of_a_user_and_of_all_are_bounded_and_that_is_said,
                test_last_values_of_a_link_of_a_user_and_of_all_are_bounded_and_that_is_said,
                test_a_long_name_counts_for_all_that_it_takes,
                test_what_waits_for_a_link_a_user_and_all_is_bounded_and_that_is_said,
        };

        return run_tests("broker-shares", tests, N(tests));
}
