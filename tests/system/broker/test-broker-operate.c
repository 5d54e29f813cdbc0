/*
 * test-broker-operate.c - what the owner asks for and drops, last values for late joiners, and
 * observers with filters (spec/attach.md).
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include "scene.h"
#include "stranger.h"

#define SENSOR "(app:sensor id:9-1@127.0.0.1)"
#define LATE "(app:late module:ui id:9-2@127.0.0.1)"

/* Receives a message whose payload begins so. */
static void expect_begin(struct raw_client *c, const char *begin)
{
        char *line;

        ck_assert_msg(raw_receive(c), "the link was closed instead of: %s", begin);
        line = strstr(c->text, "\r\n");
        ck_assert_msg(line && strncmp(line + 2, begin, strlen(begin)) == 0,
                      "instead of: %s\ncame: %s", begin, c->text);
}

static void expect_part(const struct raw_client *c, const char *part)
{
        ck_assert_msg(strstr(c->text, part) != NULL, "\"%s\" is not in: %s", part, c->text);
}

/* ---- the owner ----------------------------------------------------------------------------- */

START_TEST(test_the_owner_is_told_what_the_broker_is)
{
        struct scene s;
        char text[160];

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        raw_send(&s.a, 'U', A, BROKER, "broker.status()");
        expect_begin(&s.a, "broker.status(0 (version \"1.");
        snprintf(text, sizeof(text), "(pid %d) (address \"(app:mbus-broker id:%d-0@127.0.0.1)\")",
                 (int)s.broker.pid, (int)s.broker.pid);
        expect_part(&s.a, text);
        snprintf(text, sizeof(text), "(socket \"%s\")", s.broker.socket);
        expect_part(&s.a, text);
        expect_part(&s.a, "(bus \"239.255.255.247:47000\")");
        expect_part(&s.a, "(multicast \"never\")");
        expect_part(&s.a, "(buses (\"main\"))");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_the_owner_is_told_which_buses_there_are_and_which_routes_between_them)
{
        struct scene s;

        scene_init(&s, "[bus old_one]\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                       "ENCRYPTIONKEY=(NOENCR,)\nPORT=47001\nDIALECT=UCL\nINTERFACE=lo\n"
                       "ROUTE=from=main\n"
                       "ROUTE=commands=x.,y.z address=(app:x) to=MAIN\n");
        raw_send(&s.a, 'U', A, BROKER, "broker.status()\r\nbroker.buses()\r\nbroker.entities()");
        expect_begin(&s.a, "broker.status(0 ");
        expect_part(&s.a, "(buses (\"main\" \"old_one\"))");
        expect_begin(&s.a, "broker.buses(0 ((bus \"main\") (where \"239.255.255.247:47000\") "
                           "(interface \"lo\") "
                           "(dialect \"rfc3259\") (local ");
        expect_part(&s.a, "(routes (\"to=old_one\")))");
        expect_part(&s.a,
                    " ((bus \"old_one\") (where \"239.255.255.247:47001\") (interface \"lo\") "
                    "(dialect \"ucl\") (local ");
        /* Whether another broker joins them is not known in the first second and a half. */
        expect_part(&s.a, " (remote 0) (joined ()) (standby (\"main\")) (routes "
                          "(\"to=main address=(app:x) commands=x.,y.z\")))");
        expect_begin(&s.a, "broker.entities(0 ((address \"(app:mbus-broker id:");
        expect_part(&s.a, "((address \"" A "\") (bus \"main\") (link ");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_link_without_an_entity_may_ask_and_answers_come_before_the_acknowledgement)
{
        struct raw_client asker;
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        raw_open(&asker, s.broker.socket);
        seq = raw_send(&asker, 'R', "()", BROKER, "broker.clients()\r\nbroker.stats()");
        expect_begin(&asker, "broker.clients(0 ((link 3) (pid ");
        expect_part(&asker, "((link 1) ");
        expect_part(&asker, "(entities 1)");
        expect_begin(&asker, "broker.stats(0 (uptime-seconds ");
        expect_part(&asker, "(clients 3)");
        expect_part(&asker, "(entities-local 3)");
        raw_expect_ack(&asker, "(app:mbus-broker", seq);
        raw_close(&asker);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_figures_count_messages_octets_and_drops_by_cause)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        for (unsigned i = 0; i < 5; i++) {
                raw_send(&s.a, 'U', A, B, "x.y()");
                raw_expect(&s.b, "x.y()");
        }
        seq = raw_send(&s.a, 'U', B, A, "forged()");
        raw_expect_about(
                &s.a, "broker.dropped(1 denied %u \"SrcAddr is not attached to the link\")", seq);
        raw_send(&s.a, 'U', A, BROKER, "broker.nonsense()");
        raw_send(&s.a, 'U', A, BROKER, "broker.stats()");
        expect_begin(&s.a, "broker.stats(0 ");
        /* two attachments, five messages, three more */
        expect_part(&s.a, "(link-messages-in 10)");
        /* two answers, five messages, and what was denied */
        expect_part(&s.a, "(link-messages-out 8)");
        expect_part(&s.a, "(dropped-denied 1)");
        expect_part(&s.a, "(dropped-unknown-command 1)");
        expect_part(&s.a, "(bus-dropped-digest 0)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_entities_are_told_in_several_messages_if_there_are_many)
{
        unsigned n = 0, messages = 0;
        struct scene s;
        char address[64];

        scene_init(&s, NULL);
        for (unsigned i = 0; i < 600; i++) {
                snprintf(address, sizeof(address), "(app:many id:7-%u@127.0.0.1)", i + 1);
                free(raw_attach(&s.b, address));
        }
        raw_send(&s.a, 'U', A, BROKER, "broker.entities()");
        do {
                expect_begin(&s.a, "broker.entities(");
                messages++;
                for (const char *at = s.a.text; (at = strstr(at, "((address ")); at++)
                        n++;
        } while (strstr(s.a.text, "broker.entities(1"));
        ck_assert_uint_eq(n, 603);
        ck_assert_uint_ge(messages, 2);
        scene_deinit(&s);
}
END_TEST

/* Asks as somebody else; the exit status of the child is 0 if all is denied. */
static void ask_as_nobody(const struct scene *s)
{
        static const char *const questions[] = { "broker.status()",  "broker.stats()",
                                                 "broker.clients()", "broker.entities()",
                                                 "broker.drop(1)",   "broker.buses()" };
        struct raw_client c;

        if (setgid(65533) < 0 || setuid(65533) < 0)
                _exit(2);
        raw_open(&c, s->broker.socket);
        for (unsigned i = 0; i < N(questions); i++) {
                uint32_t seq = raw_send(&c, 'R', "()", BROKER, questions[i]);

                raw_expect_about(&c,
                                 "broker.undelivered(%u denied \"only the owner of the broker, its "
                                 "own user or root, may ask for this, whatever [policy] says\")",
                                 seq);
        }
        raw_expect_nothing(&c);
        _exit(0);
}

START_TEST(test_others_are_denied)
{
        struct scene s;
        char run[128];
        int status;
        pid_t pid;

        if (!can_be_a_stranger())
                return;
        scene_init(&s, NULL);
        snprintf(run, sizeof(run), "%s/run", s.broker.directory);
        ck_assert_int_eq(chmod(s.broker.directory, 0755), 0);
        ck_assert_int_eq(chmod(run, 0755), 0);
        ck_assert_int_eq(chmod(s.broker.socket, 0666), 0);
        pid = fork();
        if (pid == 0)
                ask_as_nobody(&s);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        raw_send(&s.a, 'U', A, B, "still.here()");
        raw_expect(&s.b, "still.here()");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_the_owner_drops_a_link_by_its_number)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.drop(2)");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        raw_expect_closed(&s.b);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.drop(2)");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u unknown \"there is no such link or local entity\")",
                         seq);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.drop(all)");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u malformed \"broker.drop wants the number of a link "
                         "or an address\")",
                         seq);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_the_owner_drops_an_entity_and_its_link_stays)
{
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.drop(\"" B "\")");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        raw_expect(&s.b, "broker.detached(\"" B
                         "\" denied \"the owner of the broker took it off the bus\")");
        seq = raw_send(&s.a, 'R', A, B, "anybody()");
        raw_expect_about(&s.a, "broker.undelivered(%u unknown \"no known entity matches\")", seq);
        free(raw_attach(&s.b, B));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_an_entity_may_drop_itself_by_a_reliable_message_to_a_subset)
{
        struct scene s;
        char dest[64];
        uint32_t seq;

        scene_init(&s, NULL);
        snprintf(dest, sizeof(dest), "(id:%d-0@127.0.0.1)", (int)s.broker.pid);
        seq = raw_send(&s.a, 'R', A, dest, "broker.drop(\"" A "\")");
        raw_expect(&s.a, "broker.detached(\"" A
                         "\" denied \"the owner of the broker took it off the bus\")");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        free(raw_attach(&s.a, A));
        seq = raw_send(&s.a, 'R', A, dest, "broker.detach()");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        scene_deinit(&s);
}
END_TEST

/* ---- last values --------------------------------------------------------------------------- */

/* A sensor on a's link that keeps `value`, and has sent some. */
static void sensor_init(struct scene *s)
{
        uint32_t seq;

        scene_init(s, "[broker]\nMULTICAST=never\n");
        free(raw_attach(&s->a, SENSOR));
        seq = raw_send(&s->a, 'R', SENSOR, BROKER, "broker.retain(\"sensor.value\")");
        raw_expect_ack(&s->a, "(app:mbus-broker", seq);
        raw_send(&s->a, 'U', SENSOR, "(module:ui)", "sensor.value(1)");
        raw_expect(&s->a, "sensor.value(1)");
        raw_send(&s->a, 'U', SENSOR, "(module:ui)", "sensor.value(2)\r\nsensor.more()");
        raw_expect(&s->a, "sensor.value(2)\r\nsensor.more()");
}

START_TEST(test_who_attaches_later_gets_the_last_value_for_itself_alone)
{
        struct scene s;

        sensor_init(&s);
        free(raw_attach(&s.b, LATE));
        raw_expect(&s.b, "sensor.value(2)\r\nsensor.more()");
        expect_part(&s.b, " 1700000000000 U " SENSOR " " LATE " ()");
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_who_does_not_match_gets_no_last_value)
{
        struct scene s;

        sensor_init(&s);
        free(raw_attach(&s.b, "(app:late module:engine id:9-2@127.0.0.1)"));
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_other_commands_and_messages_to_one_entity_are_not_kept)
{
        struct scene s;

        sensor_init(&s);
        raw_send(&s.a, 'U', SENSOR, "(module:ui)", "sensor.other(3)");
        raw_expect(&s.a, "sensor.other(3)");
        raw_send(&s.a, 'U', SENSOR, A, "sensor.value(4)");
        raw_expect(&s.a, "sensor.value(4)");
        free(raw_attach(&s.b, LATE));
        raw_expect(&s.b, "sensor.value(2)\r\nsensor.more()");
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_value_is_gone_with_its_entity_and_when_it_is_forgotten)
{
        struct scene s;
        uint32_t seq;

        sensor_init(&s);
        seq = raw_send(&s.a, 'R', SENSOR, BROKER, "broker.forget(\"sensor.value\")");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        free(raw_attach(&s.b, LATE));
        raw_expect_nothing(&s.b);
        raw_send(&s.a, 'U', SENSOR, BROKER, "broker.retain(\"sensor.value\" \"x\")");
        raw_send(&s.a, 'U', SENSOR, "()", "x(1)");
        raw_expect(&s.a, "x(1)");
        raw_expect(&s.b, "x(1)"); /* for B and LATE, who were there */
        seq = raw_send(&s.a, 'R', SENSOR, BROKER, "broker.detach()");
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        free(raw_attach(&s.b, "(app:later id:9-3@127.0.0.1)"));
        raw_expect_nothing(&s.b);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_names_and_octets_of_last_values_are_bounded)
{
        struct scene s;
        char *large = malloc(40000), command[64];
        uint32_t seq;

        sensor_init(&s);
        for (unsigned i = 1; i < 16; i++) {
                snprintf(command, sizeof(command), "broker.retain(\"name.%u\")", i);
                seq = raw_send(&s.a, 'R', SENSOR, BROKER, command);
                raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        }
        seq = raw_send(&s.a, 'R', SENSOR, BROKER, "broker.retain(\"name.16\")");
        raw_expect_about(&s.a, "broker.undelivered(%u full \"no more last values are kept\")", seq);
        expect_in_log(&s.broker,
                      "RETAINED_NAMES_MAX=16 is reached: no more last values of its entity are "
                      "kept; it cannot be changed (0 more before)");
        seq = raw_send(&s.a, 'R', SENSOR, BROKER, "broker.retain(symbol)");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u malformed \"names of commands are wanted, as "
                         "strings\")",
                         seq);
        scene_deinit(&s);

        scene_init(&s, "[broker]\nMULTICAST=never\n[limits]\nRETAINED_PER_LINK=32K\n");
        memset(large, 'x', 39999);
        memcpy(large, "v(\"", 3);
        memcpy(large + 39996, "\")", 3);
        raw_send(&s.a, 'U', A, BROKER, "broker.retain(\"v\")");
        raw_send(&s.a, 'U', A, "(module:late)", "v(1)");
        raw_send(&s.a, 'U', A, "(module:late)", large);
        raw_expect_nothing(&s.a);
        free(raw_attach(&s.b, "(app:b2 module:late id:9-4@127.0.0.1)"));
        raw_expect_nothing(&s.b);
        raw_send(&s.a, 'U', A, BROKER, "broker.stats()");
        expect_begin(&s.a, "broker.stats(0 ");
        expect_part(&s.a, "(retained-messages 0) (retained-bytes 1024)");
        free(large);
        scene_deinit(&s);
}
END_TEST

/* ---- filters ------------------------------------------------------------------------------- */

START_TEST(test_an_observer_gets_copies_of_what_its_filters_let_pass)
{
        struct scene s;

        scene_init(&s, "[broker]\nMULTICAST=never\n");
        raw_send(&s.b, 'U', "()", BROKER,
                 "broker.observe(0 (\"(app:a)\" \"audio.\") (\"(module:late)\" \"\"))");
        raw_expect_nothing(&s.b);
        raw_send(&s.a, 'U', A, "(app:x)", "video.mute()");
        raw_send(&s.a, 'U', A, "(app:x)", "video.mute()\r\naudio.mute(1)");
        raw_expect(&s.b, "video.mute()\r\naudio.mute(1)");
        ck_assert(s.b.observed);
        raw_send(&s.a, 'U', A, "(module:late media:x)", "any()");
        raw_expect(&s.b, "any()");
        raw_send(&s.b, 'U', B, "(app:x)", "audio.mute(2)");
        raw_expect_nothing(&s.b);
        raw_send(&s.b, 'U', "()", BROKER, "broker.observe(0)");
        raw_expect_nothing(&s.b);
        raw_send(&s.a, 'U', A, "(app:x)", "video.mute()");
        raw_expect(&s.b, "video.mute()");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_filters_are_bounded_and_checked)
{
        static const char *const numberless[] = { "broker.observe(\"x\")", "broker.observe()",
                                                  "broker.observe((\"(app:a)\" \"\"))" };
        char command[1024] = "broker.observe(0";
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        seq = raw_send(&s.a, 'R', "()", BROKER, "broker.observe(0 \"(app:a)\")");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u malformed \"broker.observe wants a number, then "
                         "lists of address, beginning and bus\")",
                         seq);
        for (unsigned i = 0; i < N(numberless); i++) {
                seq = raw_send(&s.a, 'R', "()", BROKER, numberless[i]);
                raw_expect_about(&s.a,
                                 "broker.undelivered(%u malformed \"broker.observe wants a number, "
                                 "then lists of address, beginning and bus\")",
                                 seq);
        }
        seq = raw_send(&s.a, 'R', "()", BROKER, "broker.observe(0 (\"(app:a) \" 5))");
        raw_receive(&s.a);
        expect_part(&s.a, "malformed");
        seq = raw_send(&s.a, 'R', "()", BROKER, "broker.observe(0 (\"()\" \"\" \"studio\"))");
        raw_expect_about(&s.a,
                         "broker.undelivered(%u unknown \"the broker is on no bus of this name: "
                         "mbus-cli status names those that it is on\")",
                         seq);
        for (unsigned i = 0; i < 17; i++)
                strcat(command, " (\"()\" \"x\")");
        strcat(command, ")");
        seq = raw_send(&s.a, 'R', "()", BROKER, command);
        raw_expect_about(&s.a, "broker.undelivered(%u full \"this link has too many filters\")",
                         seq);
        expect_in_log(&s.broker, "OBSERVE_FILTERS_MAX=16 is reached: it observes no more than "
                                 "before; it cannot be changed (0 more before)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_slow_observer_is_told_how_much_it_missed_and_nobody_waits_for_it)
{
        unsigned sent = 40000, received = 0, dropped = 0;
        char text[600];
        struct scene s;

        scene_init(&s, "[broker]\nMULTICAST=never\n[limits]\nBYTES_PER_LINK=256K\n");
        raw_send(&s.b, 'U', "()", BROKER, "broker.observe(0 (\"(app:a)\"))");
        raw_expect_nothing(&s.b);
        memset(text, 'x', sizeof(text));
        memcpy(text, "t(\"", 3);
        strcpy(text + sizeof(text) - 3, "\")");
        for (unsigned i = 0; i < sent; i++)
                raw_send(&s.a, 'U', A, "(app:nobody)", text);
        raw_expect_nothing(&s.a);
        while (received + dropped < sent) {
                ck_assert(raw_receive(&s.b));
                if (s.b.observed)
                        received++;
                else
                        ck_assert_int_eq(sscanf(strstr(s.b.text, "\r\n") + 2,
                                                "broker.dropped(%u copies)", &dropped),
                                         1);
        }
        ck_assert_uint_gt(dropped, 0);
        ck_assert_uint_eq(received + dropped, sent);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_owner_is_told_what_the_broker_is,
                test_the_owner_is_told_which_buses_there_are_and_which_routes_between_them,
                test_a_link_without_an_entity_may_ask_and_answers_come_before_the_acknowledgement,
                test_figures_count_messages_octets_and_drops_by_cause,
                test_entities_are_told_in_several_messages_if_there_are_many,
                test_others_are_denied,
                test_the_owner_drops_a_link_by_its_number,
                test_the_owner_drops_an_entity_and_its_link_stays,
                test_an_entity_may_drop_itself_by_a_reliable_message_to_a_subset,
                test_who_attaches_later_gets_the_last_value_for_itself_alone,
                test_who_does_not_match_gets_no_last_value,
                test_other_commands_and_messages_to_one_entity_are_not_kept,
                test_a_value_is_gone_with_its_entity_and_when_it_is_forgotten,
                test_names_and_octets_of_last_values_are_bounded,
                test_an_observer_gets_copies_of_what_its_filters_let_pass,
                test_filters_are_bounded_and_checked,
                test_a_slow_observer_is_told_how_much_it_missed_and_nobody_waits_for_it,
        };

        return run_tests("broker-operate", tests, N(tests));
}
