/*
 * test-broker-lists.c - answers that are larger than what may wait for a link: all entities, all links
 * (broker/control/lists.h).
 */
#include <signal.h>
#include <sys/stat.h>

#include "scene.h"
#include "stranger.h"

#define MANY 400
/* Octets that an address of almost 3 KB takes, with room to spare. */
#define LONG_SIZE 4096
/* Links beyond those of the scene: more than one piece of them. */
#define LINKS 700
#define FEW_OCTETS "[limits]\nBYTES_PER_LINK=128K\n"

/* MANY of these are more than what the socket takes and what FEW_OCTETS lets wait, together. */
static void make_long(unsigned number, char text[static LONG_SIZE])
{
        int n = sprintf(text, "(app:long id:7-%u@127.0.0.1", number);

        for (unsigned i = 0; i < 30; i++) {
                n += sprintf(text + n, " %c%c", 'a' + (int)i % 26, 'a' + (int)i / 26);
                memset(text + n, 'x', 28);
                n += 28;
                text[n++] = ':';
                memset(text + n, 'v', 64);
                n += 64;
        }
        strcpy(text + n, ")");
}

static void attach_long(struct raw_client *c, unsigned from, unsigned to)
{
        char text[LONG_SIZE];

        for (unsigned i = from; i < to; i++) {
                make_long(i, text);
                free(raw_attach(c, text));
        }
}

static void detach_long(struct raw_client *c, unsigned number)
{
        char text[LONG_SIZE];
        uint32_t seq;

        make_long(number, text);
        seq = raw_send(c, 'R', text, BROKER, "broker.detach()");
        raw_expect_ack(c, "(app:mbus-broker", seq);
}

static void begin(struct scene *s, const char *lines)
{
        scene_init(s, lines);
        attach_long(&s->b, 0, MANY);
}

/* What comes next begins so, behind its header. */
static bool is_next(const struct raw_client *c, const char *begin)
{
        const char *line = strstr(c->text, "\r\n");

        return line && strncmp(line + 2, begin, strlen(begin)) == 0;
}

/* How often each of the long ones is named in what came. */
static void count_long(const struct raw_client *c, unsigned *n)
{
        unsigned number;

        for (const char *at = c->text; (at = strstr(at, " id:7-")); at++) {
                ck_assert_int_eq(sscanf(at, " id:7-%u@", &number), 1);
                ck_assert_uint_lt(number, 2 * MANY);
                n[number]++;
        }
}

/* Receives the whole list that a command @name is answered with; returns how many of @item were in it. */
static unsigned receive_list(struct raw_client *c, const char *name, const char *item, unsigned *n)
{
        unsigned n_pieces = 0, items = 0;
        char last[64], more[64];

        snprintf(last, sizeof(last), "%s(0", name);
        snprintf(more, sizeof(more), "%s(1", name);
        do {
                ck_assert_msg(raw_receive(c), "the link was closed instead of %s", name);
                ck_assert_msg(is_next(c, last) || is_next(c, more), "instead of %s came: %.100s",
                              name, c->text);
                n_pieces++;
                if (n)
                        count_long(c, n);
                for (const char *at = c->text; (at = strstr(at, item)); at++)
                        items++;
        } while (is_next(c, more));
        ck_assert_uint_ge(n_pieces, 2);
        return items;
}

START_TEST(test_a_watcher_is_told_of_more_than_may_wait_for_it)
{
        unsigned n[2 * MANY] = { 0 }, n_pieces = 0;
        struct scene s;
        uint32_t seq;
        char end[64];

        begin(&s, FEW_OCTETS);
        seq = raw_send(&s.a, 'R', "()", BROKER, "broker.watch(\"()\")");
        snprintf(end, sizeof(end), "broker.watching(%u", seq);
        for (;;) {
                ck_assert_msg(raw_receive(&s.a), "the link was closed");
                if (is_next(&s.a, end))
                        break;
                ck_assert(is_next(&s.a, "broker.joined("));
                count_long(&s.a, n);
                n_pieces++;
        }
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        ck_assert_uint_ge(n_pieces, MANY / 10);
        for (unsigned i = 0; i < MANY; i++)
                ck_assert_uint_eq(n[i], 1);
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_the_owner_is_told_all_in_the_order_of_the_questions)
{
        unsigned n[2 * MANY] = { 0 };
        struct scene s;
        int fds[LINKS];
        uint32_t seq;

        begin(&s, FEW_OCTETS);
        for (unsigned i = 0; i < LINKS; i++) {
                struct raw_client c;

                raw_open(&c, s.broker.socket);
                fds[i] = dup(c.fd);
                raw_close(&c);
        }
        seq = raw_send(
                &s.a, 'R', A, BROKER,
                "broker.entities()\r\nbroker.status()\r\nbroker.clients()\r\nbroker.buses()");
        ck_assert_uint_eq(receive_list(&s.a, "broker.entities", "((address ", n), MANY + 3);
        for (unsigned i = 0; i < MANY; i++)
                ck_assert_uint_eq(n[i], 1);
        ck_assert(raw_receive(&s.a) && is_next(&s.a, "broker.status(0 "));
        ck_assert_uint_eq(receive_list(&s.a, "broker.clients", "((link ", NULL), LINKS + 2);
        ck_assert(raw_receive(&s.a) && is_next(&s.a, "broker.buses(0 "));
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        for (unsigned i = 0; i < LINKS; i++)
                close(fds[i]);
        scene_deinit(&s);
}
END_TEST

/* Lists wait for each other; anything else does not wait for them. */
START_TEST(test_a_second_list_comes_behind_the_first_and_other_answers_between)
{
        unsigned n[2 * MANY] = { 0 };
        bool is_first_told = false;
        uint32_t first, second, other;
        char ack_of_other[32];
        struct scene s;

        begin(&s, FEW_OCTETS);
        first = raw_send(&s.a, 'R', "()", BROKER, "broker.watch(\"(app:long)\")");
        second = raw_send(&s.a, 'R', A, BROKER, "broker.entities()");
        other = raw_send(&s.a, 'R', A, BROKER, "mbus.waiting(x)");
        snprintf(ack_of_other, sizeof(ack_of_other), " (%u)", other);
        do {
                ck_assert_msg(raw_receive(&s.a), "the link was closed");
                is_first_told |=
                        strcmp(s.a.text + s.a.text_n - strlen(ack_of_other), ack_of_other) == 0;
                count_long(&s.a, n);
        } while (!is_next(&s.a, "broker.watching("));
        ck_assert(is_first_told);
        raw_expect_ack(&s.a, "(app:mbus-broker", first);
        ck_assert_uint_eq(receive_list(&s.a, "broker.entities", "((address ", n), MANY + 3);
        raw_expect_ack(&s.a, "(app:mbus-broker", second);
        for (unsigned i = 0; i < MANY; i++)
                ck_assert_uint_eq(n[i], 2);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_who_comes_and_goes_while_a_watcher_is_told_is_told_rightly)
{
        bool here[2 * MANY] = { false };
        unsigned named[2 * MANY];
        struct scene s;

        begin(&s, NULL);
        raw_send(&s.a, 'U', "()", BROKER, "broker.watch(\"(app:long)\")");
        /* The list has begun, and waits for its reader. */
        raw_expect_nothing(&s.b);
        for (unsigned i = 0; i < MANY; i += 3)
                detach_long(&s.b, i);
        attach_long(&s.b, MANY, MANY + 20);
        attach_long(&s.b, 3, 4);
        do {
                ck_assert_msg(raw_receive(&s.a), "the link was closed");
                memset(named, 0, sizeof(named));
                count_long(&s.a, named);
                for (unsigned i = 0; i < 2 * MANY; i++)
                        if (named[i] > 0)
                                here[i] = is_next(&s.a, "broker.joined(");
        } while (!is_next(&s.a, "broker.watching("));
        for (unsigned i = 0; i < 2 * MANY; i++)
                ck_assert_msg(here[i] == (i < MANY ? i == 3 || i % 3 != 0 : i < MANY + 20),
                              "%u is taken for %s", i, here[i] ? "there" : "gone");
        scene_deinit(&s);
}
END_TEST

/* The octets that wait for link 1, as its owner is told on another. */
static unsigned long ask_waiting(struct raw_client *c)
{
        unsigned long bytes;
        const char *at;

        raw_send(c, 'U', B, BROKER, "broker.clients()");
        ck_assert(raw_receive(c));
        at = strstr(c->text, "((link 1) ");
        at = at ? strstr(at, "(queued-bytes ") : NULL;
        ck_assert_ptr_nonnull(at);
        ck_assert_int_eq(sscanf(at, "(queued-bytes %lu)", &bytes), 1);
        return bytes;
}

START_TEST(test_who_does_not_read_a_list_has_no_more_waiting_than_the_limit)
{
        unsigned n[2 * MANY] = { 0 };
        struct scene s;
        uint32_t seq;

        begin(&s, FEW_OCTETS);
        for (unsigned i = 0; i < 10; i++)
                seq = raw_send(&s.a, 'R', A, BROKER, "broker.entities()\r\nbroker.clients()");
        for (unsigned i = 0; i < 20; i++)
                ck_assert_uint_le(ask_waiting(&s.b), 128 << 10);
        ck_assert_uint_gt(ask_waiting(&s.b), 16 << 10);
        for (unsigned i = 0; i < 10; i++) {
                ck_assert_uint_eq(receive_list(&s.a, "broker.entities", "((address ", n), MANY + 3);
                ck_assert(raw_receive(&s.a) && is_next(&s.a, "broker.clients(0 "));
                raw_expect_ack(&s.a, "(app:mbus-broker", seq - 9 + i);
        }
        scene_deinit(&s);
}
END_TEST

START_TEST(test_questions_that_wait_for_lists_are_bounded)
{
        static char question[60000];
        struct scene s;
        unsigned n = 0;
        uint32_t seq = 0;

        begin(&s, NULL);
        n = (unsigned)sprintf(question, "broker.entities()\r\nmbus.waiting(\"");
        memset(question + n, 'x', sizeof(question) - 3 - n);
        strcpy(question + sizeof(question) - 3, "\")");
        raw_send(&s.a, 'R', A, BROKER, "broker.watch(\"()\")");
        for (unsigned i = 0; i < 9; i++)
                seq = raw_send(&s.a, 'R', A, BROKER, question);
        do
                ck_assert_msg(raw_receive(&s.a), "the link was closed");
        while (!is_next(&s.a, "broker.undelivered("));
        snprintf(question, sizeof(question),
                 "broker.undelivered(%u full \"too many lists are asked for on this link at a time",
                 seq);
        ck_assert_msg(is_next(&s.a, question), "%s", s.a.text);
        expect_in_log(&s.broker,
                      "LISTS_BYTES_MAX=524288 is reached: a list that it asks for is not made; "
                      "it cannot be changed (0 more before)");
        /* The link ends while the others wait. */
        raw_close(&s.a);
        raw_expect_nothing(&s.b);
        raw_open(&s.a, s.broker.socket);
        scene_deinit(&s);
}
END_TEST

static void reload(const struct daemon *d, const char *lines)
{
        daemon_configure(d, lines);
        ck_assert_int_eq(kill(d->pid, SIGHUP), 0);
        free(await_in_log(d, "was read again and counts from now on", 1));
}

START_TEST(test_a_bus_may_go_while_entities_are_told)
{
        unsigned n[2 * MANY] = { 0 };
        struct scene s;
        uint32_t seq;

        begin(&s, FEW_OCTETS "[bus other]\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                             "ENCRYPTIONKEY=(NOENCR,)\nPORT=47001\nINTERFACE=lo\n");
        seq = raw_send(&s.a, 'R', A, BROKER, "broker.entities()");
        reload(&s.broker, FEW_OCTETS);
        ck_assert_uint_eq(receive_list(&s.a, "broker.entities", "((address ", n), MANY + 3);
        raw_expect_ack(&s.a, "(app:mbus-broker", seq);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_watch_that_ends_before_all_were_told_is_not_said_to_be_complete)
{
        struct raw_client stranger;
        struct scene s;
        char end[80];
        uint32_t seq;

        if (!can_be_a_stranger())
                return;
        begin(&s, FEW_OCTETS "[policy]\nallow user=65533 all\n");
        open_as_stranger(&stranger, &s.broker);
        seq = raw_send(&stranger, 'R', "()", BROKER, "broker.watch(\"()\")");
        raw_expect_nothing(&s.a);
        raw_expect_nothing(&s.b);
        reload(&s.broker, FEW_OCTETS);
        snprintf(end, sizeof(end), "broker.undelivered(%u denied \"the watch ended before", seq);
        do
                ck_assert_msg(raw_receive(&stranger), "the link was closed");
        while (is_next(&stranger, "broker.joined("));
        ck_assert_msg(is_next(&stranger, "broker.unwatched(denied "), "%s", stranger.text);
        ck_assert(raw_receive(&stranger));
        ck_assert_msg(is_next(&stranger, end), "%s", stranger.text);
        raw_expect_nothing(&stranger);
        raw_close(&stranger);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_watcher_is_told_of_more_than_may_wait_for_it,
                test_the_owner_is_told_all_in_the_order_of_the_questions,
                test_a_second_list_comes_behind_the_first_and_other_answers_between,
                test_who_comes_and_goes_while_a_watcher_is_told_is_told_rightly,
                test_who_does_not_read_a_list_has_no_more_waiting_than_the_limit,
                test_questions_that_wait_for_lists_are_bounded,
                test_a_bus_may_go_while_entities_are_told,
                test_a_watch_that_ends_before_all_were_told_is_not_said_to_be_complete,
        };

        return run_tests("broker-lists", tests, N(tests));
}
