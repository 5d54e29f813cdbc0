/*
 * test-flush.c - mbus_bus_flush() waits for what was sent, and tells what is left, in each mode.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <mbus/mbus.h>

#include "buses.h"
#include "daemon.h"
#include "namespace.h"
#include "run.h"

#define KEYS                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(NOENCR,)\n"
#define MSEC INT64_C(1000000)
#define LONG (60000 * MSEC)

struct rig {
        int host;
        struct daemon broker;
        char url[128];
        struct mbus_bus *from;
        struct mbus_bus *to;
        struct mbus_entity *sender;
        struct mbus_entity *receiver;
};

static struct mbus_entity *join(struct mbus_bus *bus, const char *address)
{
        struct mbus_entity *entity = entity_add(bus, address);

        while (!mbus_entity_get_address(entity)) {
                ck_assert_int_eq(mbus_bus_wait(bus, LONG), 0);
                events_clear(bus);
        }
        events_clear(bus);
        return entity;
}

static void rig_open(struct rig *r, const char *url)
{
        r->from = bus_open(url, KEYS);
        r->to = bus_open(url, KEYS);
        r->sender = join(r->from, "(app:sender)");
        r->receiver = join(r->to, "(app:receiver)");
        /* They know each other. */
        ck_assert_int_eq(mbus_bus_watch(r->from, "(app:receiver)"), 0);
        for (int i = 0; i < 5000 && !event_find(r->from, MBUS_EVENT_JOINED); i++) {
                ck_assert_int_ge(mbus_bus_process(r->to), 0);
                mbus_bus_wait(r->from, 2 * MSEC);
        }
}

static void rig_start(struct rig *r, const char *limits)
{
        *r = (struct rig){ .host = host_new() };
        daemon_prepare(&r->broker);
        daemon_configure(&r->broker, limits);
        daemon_start(&r->broker);
        snprintf(r->url, sizeof(r->url), "unix:%s", r->broker.socket);
        rig_open(r, r->url);
}

/* At @url; NULL: at a broker. */
static void rig_start_at(struct rig *r, const char *url)
{
        if (!url) {
                rig_start(r, "");
                return;
        }
        *r = (struct rig){ .host = host_new() };
        rig_open(r, url);
}

static void rig_end(struct rig *r)
{
        mbus_bus_close(r->from);
        mbus_bus_close(r->to);
        if (r->broker.directory[0])
                daemon_free(&r->broker);
        close(r->host);
}

static void send_some(struct rig *r, int n)
{
        for (int i = 0; i < n; i++) {
                int error = mbus_entity_send_text(r->sender, "(app:receiver)", "count(1)");

                ck_assert_int_eq(error, 0);
        }
}

/* How many messages have come to the receiver by now. */
static int received(struct rig *r)
{
        int n = 0;

        while (mbus_bus_wait(r->to, 50 * MSEC) == 0)
                n += mbus_bus_pop_event(r->to)->type == MBUS_EVENT_MESSAGE;
        return n;
}

static uint64_t send_reliable(struct rig *r)
{
        struct mbus_commands *c;
        uint64_t ticket = 0;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_commands_add_text(c, "a(1)", NULL, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_reliable(r->sender, "(app:receiver)", c, &ticket), 0);
        mbus_commands_free(c);
        return ticket;
}

START_TEST(test_a_broker_that_reads_slowly_leaves_what_it_has_not_read)
{
        enum { SENT = 4000, RATE = 1000 };
        struct rig r;
        int left, came;

        rig_start(&r, "[limits]\nSEND_RATE=1000\n");
        send_some(&r, SENT);
        left = mbus_bus_flush(r.from, 300 * MSEC);
        ck_assert_int_gt(left, 0);
        ck_assert_int_lt(left, SENT);
        /* Those of a second come at once; and some came while we looked. */
        came = received(&r);
        ck_assert_msg(came + left >= SENT - RATE / 2 && came >= RATE, "%d came, %d were left of %d",
                      came, left, SENT);
        ck_assert_msg(came + left <= SENT + 4 * RATE, "%d came, %d were left of %d", came, left,
                      SENT);
        ck_assert_int_eq(mbus_bus_flush(r.from, LONG), 0);
        while (came < SENT)
                came += received(&r);
        ck_assert_int_eq(came, SENT);
        ck_assert_int_eq(mbus_bus_flush(r.from, 0), 0);
        rig_end(&r);
}
END_TEST

START_TEST(test_of_a_broker_that_stands_still_all_is_left)
{
        struct rig r;

        rig_start(&r, "");
        ck_assert_int_eq(kill(r.broker.pid, SIGSTOP), 0);
        send_some(&r, 100);
        ck_assert_int_eq(mbus_bus_flush(r.from, 100 * MSEC), 100);
        ck_assert_int_eq(mbus_bus_flush(r.from, 0), 100);
        ck_assert_int_eq(kill(r.broker.pid, SIGCONT), 0);
        ck_assert_int_eq(mbus_bus_flush(r.from, LONG), 0);
        ck_assert_int_eq(received(&r), 100);
        rig_end(&r);
}
END_TEST

START_TEST(test_what_went_with_a_link_is_told_once)
{
        struct rig r;

        rig_start(&r, "");
        ck_assert_int_eq(kill(r.broker.pid, SIGSTOP), 0);
        send_some(&r, 7);
        ck_assert_int_eq(mbus_bus_flush(r.from, 0), 7);
        kill(r.broker.pid, SIGKILL);
        daemon_await(&r.broker);
        while (!event_find(r.from, MBUS_EVENT_LINK_DOWN))
                ck_assert_int_ge(mbus_bus_process(r.from), 0);
        ck_assert_int_eq(mbus_bus_flush(r.from, 10 * MSEC), 7);
        ck_assert_int_eq(mbus_bus_flush(r.from, 10 * MSEC), 0);
        mbus_bus_close(r.from);
        mbus_bus_close(r.to);
        close(r.host);
}
END_TEST

START_TEST(test_reliable_messages_are_left_until_they_are_acknowledged)
{
        static const char *const urls[] = { "mem:flush", "udp:", NULL };
        struct rig r;

        for (size_t i = 0; i < N(urls); i++) {
                rig_start_at(&r, urls[i]);
                send_reliable(&r);
                ck_assert_int_eq(mbus_bus_flush(r.from, 20 * MSEC), 1);
                /* It may wait until all who match have answered. */
                for (int k = 0; !event_find(r.to, MBUS_EVENT_MESSAGE); k++) {
                        ck_assert_int_lt(k, 5000);
                        ck_assert_int_le(mbus_bus_flush(r.from, MSEC), 1);
                        ck_assert_int_ge(mbus_bus_process(r.to), 0);
                }
                ck_assert_int_ge(mbus_bus_process(r.to), 0);
                ck_assert_int_eq(mbus_bus_flush(r.from, LONG), 0);
                event_expect(r.from, MBUS_EVENT_DELIVERED);
                rig_end(&r);
        }
}
END_TEST

START_TEST(test_unreliable_messages_leave_at_once)
{
        static const char *const urls[] = { "mem:flush", "udp:", NULL };
        struct rig r;

        for (size_t i = 0; i < N(urls); i++) {
                rig_start_at(&r, urls[i]);
                ck_assert_int_eq(mbus_bus_flush(r.from, 0), 0);
                send_some(&r, 100);
                ck_assert_int_eq(mbus_bus_flush(r.from, LONG), 0);
                ck_assert_int_eq(received(&r), 100);
                rig_end(&r);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_broker_that_reads_slowly_leaves_what_it_has_not_read,
                test_of_a_broker_that_stands_still_all_is_left,
                test_what_went_with_a_link_is_told_once,
                test_reliable_messages_are_left_until_they_are_acknowledged,
                test_unreliable_messages_leave_at_once,
        };

        return run_tests("flush", tests, N(tests));
}
