/*
 * test-broker-policy.c - a broker that others share, as these others see it.
 *
 * The tests are root in their namespace and take on other users' numbers while they connect. Where
 * root is nobody else, they cannot be done, and say so.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "scene.h"
#include "stranger.h"

#define C "(app:c module:ui id:1-3@127.0.0.1)"

/* Connects as the user @uid, with @group as its group or supplementary one. */
static void raw_open_as(struct raw_client *c, const char *path, uid_t uid, gid_t gid,
                        gid_t supplementary)
{
        ck_assert_int_eq(setgroups(1, &supplementary), 0);
        ck_assert_int_eq(setegid(gid), 0);
        ck_assert_int_eq(seteuid(uid), 0);
        raw_open(c, path);
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(setegid(0), 0);
        ck_assert_int_eq(setgroups(0, NULL), 0);
}

/* A scene with a broker that a stranger may connect to, and c, who is one. */
struct shared {
        struct scene s;
        struct raw_client c;
};

static void shared_init(struct shared *sh, const char *lines)
{
        char text[2048];

        snprintf(text, sizeof(text), "[broker]\nSOCKET_MODE=0666\n%s", lines);
        scene_init(&sh->s, text);
        ck_assert_int_eq(chmod(sh->s.broker.directory, 0755), 0);
        raw_open_as(&sh->c, sh->s.broker.socket, STRANGER, STRANGER, STRANGER);
}

static void shared_deinit(struct shared *sh)
{
        raw_close(&sh->c);
        scene_deinit(&sh->s);
}

static void expect_refused(struct raw_client *c, const char *address, const char *reason)
{
        uint32_t seq = raw_send(c, 'R', address, BROKER, "broker.attach(1)");
        char begin[64];

        snprintf(begin, sizeof(begin), "\r\nbroker.refused(%u %s ", seq, reason);
        ck_assert(raw_receive(c));
        ck_assert_msg(strstr(c->text, begin) != NULL, "%s: %s", address, c->text);
}

static void expect_denied(struct raw_client *c, const char *src, const char *dest,
                          const char *payload)
{
        uint32_t seq = raw_send(c, 'R', src, dest, payload);
        char begin[64];

        snprintf(begin, sizeof(begin), "\r\nbroker.undelivered(%u denied ", seq);
        ck_assert(raw_receive(c));
        ck_assert_msg(strstr(c->text, begin) != NULL, "%s: %s", payload, c->text);
}

/* How many unreliable messages the client has been told were denied once all that it sent is done, of which
 * it asks; *@ret_told is in how many pieces. */
static unsigned count_denied(struct raw_client *c, unsigned *ret_told)
{
        uint32_t seq = raw_send(c, 'R', "()", BROKER, "broker.sync()");
        unsigned n = 0, count;
        char acks[16], *at;

        snprintf(acks, sizeof(acks), " (%u)", seq);
        for (*ret_told = 0;; ++*ret_told) {
                ck_assert(raw_receive(c));
                at = strstr(c->text, "\r\nbroker.dropped(");
                if (!at)
                        break;
                ck_assert_int_eq(sscanf(at, "\r\nbroker.dropped(%u denied", &count), 1);
                n += count;
        }
        ck_assert_msg(strstr(c->text, acks) != NULL, "%s", c->text);
        return n;
}

START_TEST(test_a_stranger_without_a_line_may_do_nothing)
{
        struct shared sh;
        uint32_t seq;

        shared_init(&sh, "");
        expect_refused(&sh.c, "(app:c)", "denied");
        expect_refused(&sh.c, C, "denied");
        expect_denied(&sh.c, "()", BROKER, "broker.watch(\"()\")");
        expect_denied(&sh.c, "()", BROKER, "broker.observe(0)");
        expect_denied(&sh.c, A, B, "forged()");
        seq = raw_send(&sh.c, 'U', "()", B, "forged()");
        raw_expect_about(
                &sh.c, "broker.dropped(1 denied %u \"SrcAddr is not attached to the link\")", seq);
        raw_expect_nothing(&sh.c);
        raw_expect_nothing(&sh.s.b);
        expect_in_log(&sh.s.broker, "uid 65533): [policy] does not let it attach");
        shared_deinit(&sh);
}
END_TEST

START_TEST(test_a_stranger_attaches_what_its_line_names_and_nothing_else)
{
        struct shared sh;

        shared_init(&sh, "[policy]\nallow user=65533 attach=(app:c module:ui)\n");
        free(raw_attach(&sh.c, C));
        expect_refused(&sh.c, "(app:c)", "denied");
        expect_refused(&sh.c, "(app:c module:ui media:audio)", "denied");
        /* The id of b: messages to the id alone would reach both. */
        expect_refused(&sh.c, "(app:c module:ui id:1-2@127.0.0.1)", "taken");
        free(raw_attach(&sh.c, "(module:ui app:c)"));
        raw_send(&sh.s.a, 'U', A, "(app:c)", "x()");
        raw_expect(&sh.c, "x()");
        shared_deinit(&sh);
}
END_TEST

START_TEST(test_a_stranger_sends_what_its_line_names_and_nothing_else)
{
        struct shared sh;
        unsigned told;
        uint32_t seq;

        shared_init(&sh, "MULTICAST=never\n[policy]\nallow user=65533 attach=(app:c *) "
                         "send=(module:engine) commands=audio.,mute\n");
        free(raw_attach(&sh.c, C));
        /* Twice, as the second finds a route that is remembered. */
        for (unsigned round = 0; round < 2; round++) {
                raw_send(&sh.c, 'U', C, B, "audio.gain(3)");
                raw_expect(&sh.s.b, "audio.gain(3)");
                raw_send(&sh.c, 'U', C, "(module:engine)", "mute()\r\naudio.gain(3)");
                raw_expect(&sh.s.b, "mute()\r\naudio.gain(3)");
                raw_send(&sh.c, 'U', C, B, "quit()");
                raw_send(&sh.c, 'U', C, B, "audio.gain(3)\r\nquit()");
                raw_send(&sh.c, 'U', C, B, "audio.gain(3");
                raw_send(&sh.c, 'U', C, B, "mbus.quit()");
                raw_send(&sh.c, 'U', C, "()", "audio.gain(3)");
                raw_send(&sh.c, 'U', C, A, "audio.gain(3)");
                ck_assert_uint_eq(count_denied(&sh.c, &told), 5);
                expect_denied(&sh.c, C, B, "quit()");
                expect_denied(&sh.c, C, A, "audio.gain(3)");
                /* Whether there is such an entity is none of its business, either. */
                expect_denied(&sh.c, C, "(app:nobody)", "audio.gain(3)");
                raw_expect_nothing(&sh.s.a);
        }
        seq = raw_send(&sh.c, 'R', C, B, "mute()");
        raw_expect(&sh.s.b, "mute()");
        raw_acknowledge(&sh.s.b, B, C, seq);
        raw_expect_ack(&sh.c, B, seq);
        raw_expect_nothing(&sh.s.b);
        ck_assert_uint_eq(count_in_log(&sh.s.broker, "[policy] does not let it send"), 1);
        shared_deinit(&sh);
}
END_TEST

/* Nobody waits for an answer to them, and who sends thousands must not get thousands. */
START_TEST(test_unreliable_messages_that_are_denied_are_told_of_in_sum_and_before_the_question)
{
        struct shared sh;
        unsigned told, n = 0;
        uint32_t seq;

        shared_init(&sh, "MULTICAST=never\n[policy]\nallow user=65533 attach=(app:c *)\n");
        free(raw_attach(&sh.c, C));
        ck_assert_uint_eq(count_denied(&sh.c, &told), 0);
        seq = raw_send(&sh.c, 'U', C, B, "no()");
        raw_expect_about(&sh.c,
                         "broker.dropped(1 denied %u \"[policy] does not let it send there: that "
                         "takes send= in a line for its user\")",
                         seq);
        for (unsigned i = 0; i < 2000; i++)
                raw_send(&sh.c, 'U', C, B, "no()");
        n = count_denied(&sh.c, &told);
        ck_assert_uint_eq(n, 2000);
        ck_assert_uint_le(told, 8);
        /* Without a question it is told, too, a little later. */
        raw_send(&sh.c, 'U', C, B, "no()");
        ck_assert(raw_receive(&sh.c));
        ck_assert_ptr_nonnull(strstr(sh.c.text, "broker.dropped(1 denied "));
        raw_expect_nothing(&sh.s.b);
        shared_deinit(&sh);
}
END_TEST

/* What each of several users does is in the log, however much the others do at the same time. */
START_TEST(test_a_denial_says_who_was_denied_what_and_hides_no_other_users)
{
        static const char *const said[] = {
                "uid 3000): [policy] does not let it attach (app:evil module:x)",
                "uid 3001): [policy] does not let it say broker.watch(\"(app:a)\")",
                ("uid 3002): [policy] does not let it send this command there: that takes it "
                 "in commands= of a line for its user that has send= for there: quit to " B),
                ("uid 3003): [policy] does not let it send there: that takes send= in a line for "
                 "its user: anything to " A),
                "uid 3004): SrcAddr " A " is not attached to it: broker.detach()",
                "uid 3005): SrcAddr is not attached to the link: " A " to " B,
                "uid 3006): only the owner may say broker.drop(1)",
                "uid 3007): mbus.hello and mbus.bye are said by the broker: mbus.bye to " B,
        };
        struct raw_client c[N(said)];
        struct shared sh;

        shared_init(&sh, "MULTICAST=never\n[policy]\nallow user=3002,3003,3007 attach=(app:c *) "
                         "send=(module:engine) commands=audio.,mbus. watch=no\n");
        for (unsigned i = 0; i < N(said); i++)
                raw_open_as(&c[i], sh.s.broker.socket, 3000 + i, STRANGER, STRANGER);
        free(raw_attach(&c[2], C));
        free(raw_attach(&c[3], "(app:c id:1-4@127.0.0.1)"));
        free(raw_attach(&c[7], "(app:c id:1-5@127.0.0.1)"));
        for (unsigned i = 0; i < 100; i++)
                expect_refused(&sh.c, "(app:noise)", "denied");
        expect_refused(&c[0], "(app:evil module:x)", "denied");
        expect_denied(&c[1], "()", BROKER, "broker.watch(\"(app:a)\")");
        expect_denied(&c[2], C, B, "audio.x()\r\nquit()");
        expect_denied(&c[3], "(app:c id:1-4@127.0.0.1)", A, "audio.x()");
        expect_denied(&c[4], A, BROKER, "broker.detach()");
        expect_denied(&c[5], A, B, "forged()");
        expect_denied(&c[6], "()", BROKER, "broker.drop(1)");
        expect_denied(&c[7], "(app:c id:1-5@127.0.0.1)", B, "mbus.bye()");
        for (unsigned i = 0; i < N(said); i++) {
                expect_in_log(&sh.s.broker, said[i]);
                raw_close(&c[i]);
        }
        ck_assert_uint_eq(count_in_log(&sh.s.broker, "(app:noise)"), 1);
        shared_deinit(&sh);
}
END_TEST

/* They make others go on, or end: what all commands are does not hold them. */
START_TEST(test_a_stranger_says_go_and_quit_only_if_its_line_names_them)
{
        static const char *const lines[] = {
                "allow user=65533 attach=(app:c *) send=*\n",
                "allow user=65533 attach=(app:c *) send=*\n"
                "allow user=65533 send=* commands=mbus.go,mbus.quit\n"
        };

        for (unsigned named = 0; named < 2; named++) {
                struct shared sh;
                char text[256];
                uint32_t seq;

                snprintf(text, sizeof(text), "MULTICAST=never\n[policy]\n%s", lines[named]);
                shared_init(&sh, text);
                free(raw_attach(&sh.c, C));
                raw_send(&sh.c, 'U', C, B, "any.command()\r\nmbus.waiting(x)");
                raw_expect(&sh.s.b, "any.command()\r\nmbus.waiting(x)");
                if (named) {
                        seq = raw_send(&sh.c, 'R', C, B, "mbus.go(x)\r\nany.command()");
                        raw_expect(&sh.s.b, "mbus.go(x)\r\nany.command()");
                        raw_acknowledge(&sh.s.b, B, C, seq);
                        raw_expect_ack(&sh.c, B, seq);
                        raw_send(&sh.c, 'U', C, B, "mbus.quit()");
                        raw_expect(&sh.s.b, "mbus.quit()");
                } else {
                        expect_denied(&sh.c, C, B, "mbus.go(x)\r\nany.command()");
                        expect_denied(&sh.c, C, B, "any.command()\r\nmbus.quit()");
                        expect_denied(&sh.c, C, B, "any.command()\n\t mbus.go(x)");
                }
                /* The owner is bound by nothing. */
                raw_send(&sh.s.a, 'U', A, B, "mbus.quit()");
                raw_expect(&sh.s.b, "mbus.quit()");
                shared_deinit(&sh);
        }
}
END_TEST

START_TEST(test_acknowledgements_need_no_grant)
{
        struct shared sh;
        uint32_t seq;
        char acks[16];

        shared_init(&sh, "[policy]\nallow user=65533 attach=(app:c *)\n");
        free(raw_attach(&sh.c, C));
        seq = raw_send(&sh.s.a, 'R', A, C, "x()");
        raw_expect(&sh.c, "x()");
        raw_acknowledge(&sh.c, C, A, seq);
        raw_expect_ack(&sh.s.a, C, seq);
        /* One that rides on something forbidden counts, too. */
        seq = raw_send(&sh.s.a, 'R', A, C, "x()");
        raw_expect(&sh.c, "x()");
        snprintf(acks, sizeof(acks), "(%u)", seq);
        raw_send_acks(&sh.c, 'U', C, A, acks, "forbidden()");
        raw_expect_ack(&sh.s.a, C, seq);
        shared_deinit(&sh);
}
END_TEST

START_TEST(test_watching_and_observing_are_granted_one_by_one)
{
        struct shared sh;
        uint32_t seq;

        shared_init(&sh, "MULTICAST=never\n[policy]\nallow user=65533 watch=yes\n");
        raw_send(&sh.c, 'R', "()", BROKER, "broker.watch(\"(app:a)\")");
        ck_assert(raw_receive(&sh.c));
        ck_assert_ptr_nonnull(strstr(sh.c.text, "\r\nbroker.joined(\"" A "\" "));
        shared_deinit(&sh);

        shared_init(&sh, "MULTICAST=never\n[policy]\nallow user=65533 observe=yes\n");
        expect_denied(&sh.c, "()", BROKER, "broker.watch(\"()\")");
        seq = raw_send(&sh.c, 'R', "()", BROKER, "broker.observe(0)");
        raw_expect_ack(&sh.c, "(app:mbus-broker", seq);
        raw_send(&sh.s.a, 'U', A, B, "seen()");
        raw_expect(&sh.c, "seen()");
        ck_assert(sh.c.observed);
        shared_deinit(&sh);
}
END_TEST

START_TEST(test_lines_for_groups_are_for_supplementary_groups_too)
{
        struct raw_client c;
        struct shared sh;

        shared_init(&sh, "[policy]\nallow group=77 attach=(app:c *)\n");
        expect_refused(&sh.c, "(app:c)", "denied");
        raw_open_as(&c, sh.s.broker.socket, STRANGER, 77, STRANGER);
        free(raw_attach(&c, "(app:c)"));
        raw_close(&c);
        raw_open_as(&c, sh.s.broker.socket, STRANGER, STRANGER, 77);
        free(raw_attach(&c, "(app:c)"));
        raw_close(&c);
        shared_deinit(&sh);
}
END_TEST

START_TEST(test_more_groups_than_are_usual_are_looked_at_too)
{
        struct raw_client c;
        struct shared sh;
        gid_t groups[300];

        shared_init(&sh, "[policy]\nallow group=1299 all\n");
        for (unsigned i = 0; i < 300; i++)
                groups[i] = 1000 + i;
        ck_assert_int_eq(setgroups(300, groups), 0);
        ck_assert_int_eq(seteuid(STRANGER), 0);
        raw_open(&c, sh.s.broker.socket);
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(setgroups(0, NULL), 0);
        free(raw_attach(&c, C));
        raw_send(&c, 'U', C, B, "x()");
        raw_expect(&sh.s.b, "x()");
        raw_close(&c);
        shared_deinit(&sh);
}
END_TEST

START_TEST(test_a_user_who_may_do_all_is_no_owner)
{
        struct shared sh;

        shared_init(&sh, "QUIT=owner\n[policy]\nallow user=65533 all\n");
        free(raw_attach(&sh.c, C));
        raw_send(&sh.c, 'U', C, B, "anything()");
        raw_expect(&sh.s.b, "anything()");
        expect_denied(&sh.c, C, BROKER, "broker.clients()");
        expect_denied(&sh.c, C, BROKER, "mbus.quit()");
        raw_expect_nothing(&sh.s.a);
        shared_deinit(&sh);
}
END_TEST

START_TEST(test_a_policy_with_a_mistake_ends_the_broker_with_8)
{
        struct scene s;

        scene_prepare(&s);
        daemon_configure(&s.broker, "[policy]\nallow user=65533 attach=(app:c\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker,
                      "/.mbus:6: attach: \"(app:c\" is no address, write (TAG:VALUE ...) or *");
        daemon_configure(&s.broker, "[polcy]\nallow user=65533 all\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker,
                      "/.mbus:5: [polcy]: there is no such section, write [policy] or remove");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_quit_is_for_those_whom_the_configuration_names)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        expect_denied(&s.a, A, BROKER, "mbus.quit()");
        raw_send(&s.a, 'U', A, "()", "mbus.quit()");
        raw_expect(&s.b, "mbus.quit()");
        raw_expect_nothing(&s.b);
        scene_deinit(&s);

        scene_init(&s, "[broker]\nQUIT=owner\n");
        seq = raw_send(&s.a, 'R', A, BROKER, "mbus.quit()");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        raw_expect_closed(&s.b);
        ck_assert_int_eq(daemon_await(&s.broker), 0);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_stranger_without_a_line_may_do_nothing,
                test_a_stranger_attaches_what_its_line_names_and_nothing_else,
                test_a_stranger_sends_what_its_line_names_and_nothing_else,
                test_unreliable_messages_that_are_denied_are_told_of_in_sum_and_before_the_question,
                test_a_denial_says_who_was_denied_what_and_hides_no_other_users,
                test_a_stranger_says_go_and_quit_only_if_its_line_names_them,
                test_acknowledgements_need_no_grant,
                test_watching_and_observing_are_granted_one_by_one,
                test_lines_for_groups_are_for_supplementary_groups_too,
                test_more_groups_than_are_usual_are_looked_at_too,
                test_a_user_who_may_do_all_is_no_owner,
                test_a_policy_with_a_mistake_ends_the_broker_with_8,
                test_quit_is_for_those_whom_the_configuration_names,
        };

        if (!can_be_a_stranger())
                return 77;
        return run_tests("broker-policy", tests, N(tests));
}
