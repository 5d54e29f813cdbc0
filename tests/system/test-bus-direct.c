/*
 * test-bus-direct.c - the public library over the network, without a broker: two buses on one host,
 * and on two hosts with a cable between them.
 *
 * Waiting ends with the event that is waited for; the bound is there for a test that fails.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <mbus/mbus.h>

#include "buses.h"
#include "namespace.h"
#include "run.h"

#define KEYS                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)\n"
#define HOST_LOCAL KEYS "SCOPE=HOSTLOCAL\n"
#define LINK_LOCAL KEYS "SCOPE=LINKLOCAL\nINTERFACE=near\n"
#define LINK_FAR KEYS "SCOPE=LINKLOCAL\nINTERFACE=far\n"

static uint64_t send_reliable(struct mbus_entity *from, const char *to)
{
        struct mbus_commands *c;
        uint64_t ticket = 0;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_commands_add_text(c, "a(1)", NULL, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_reliable(from, to, c, &ticket), 0);
        mbus_commands_free(c);
        return ticket;
}

START_TEST(test_two_buses_of_a_host_meet_and_exchange_messages)
{
        struct mbus_bus *a = bus_open("udp:", HOST_LOCAL), *b = bus_open("udp:", HOST_LOCAL);
        struct mbus_entity *ui = entity_add(a, "(module:ui)");
        struct mbus_entity *engine = entity_add(b, "(module:engine)");
        const struct mbus_event *event;
        uint64_t ticket;

        ck_assert_str_eq(mbus_bus_get_url(a), "udp:239.255.255.247:47000");
        ck_assert_str_ne(mbus_entity_get_address(ui), mbus_entity_get_address(engine));
        ck_assert_int_eq(mbus_bus_watch(a, "(module:engine)"), 0);
        event = event_await(a, b, MBUS_EVENT_JOINED);
        ck_assert_str_eq(event->address, mbus_entity_get_address(engine));
        ticket = send_reliable(ui, "(module:engine)");
        event = event_await(b, a, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_eq(event->entity, engine);
        ck_assert_str_eq(mbus_message_get_command(event->message, 0), "a");
        event = event_await(a, b, MBUS_EVENT_DELIVERED);
        ck_assert_uint_eq(event->ticket, ticket);
        ck_assert_ptr_null(mbus_bus_close(b));
        ck_assert_int_eq(event_await(a, a, MBUS_EVENT_LEFT)->reason, MBUS_REASON_BYE);
        mbus_bus_close(a);
}
END_TEST

START_TEST(test_who_sends_without_pause_has_whole_batches_sent_meanwhile)
{
        struct mbus_bus *a = bus_open("udp:", HOST_LOCAL), *b = bus_open("udp:", HOST_LOCAL);
        struct mbus_entity *ui = entity_add(a, "(module:ui)");
        size_t n = 0;

        entity_add(b, "(module:engine)");
        for (int i = 0; i < 200; i++)
                ck_assert_int_eq(mbus_entity_send_text(ui, "(module:engine)", "a(1)"), 0);
        /* Of the sender's bus, nothing but the calls that send has run. */
        while (mbus_bus_wait(b, 0) == 0)
                n += mbus_bus_pop_event(b)->type == MBUS_EVENT_MESSAGE;
        ck_assert_uint_ge(n, 128);
        mbus_bus_close(a);
        mbus_bus_close(b);
}
END_TEST

START_TEST(test_one_descriptor_of_a_direct_bus_follows_its_timers)
{
        struct mbus_bus *a = bus_open("udp:", HOST_LOCAL), *b = bus_open("udp:", HOST_LOCAL);
        struct pollfd fd = { .events = POLLIN };
        bool heard = false;

        ck_assert_int_eq(mbus_bus_get_fd(a, &fd.fd), 0);
        entity_add(a, "(module:ui)");
        observe_hello(b);
        /* Nothing but the descriptor says when the first hello is due. */
        while (!heard) {
                ck_assert_int_eq(poll(&fd, 1, 20000), 1);
                ck_assert_int_ge(mbus_bus_process(a), 0);
                events_clear(a);
                ck_assert_int_ge(mbus_bus_process(b), 0);
                heard = event_find(b, MBUS_EVENT_OBSERVED) != NULL;
        }
        mbus_bus_close(a);
        mbus_bus_close(b);
}
END_TEST

/* TRN-05 */
START_TEST(test_a_message_larger_than_the_links_mtu_draws_a_warning)
{
        int there = host_new(), here = host_new();
        struct mbus_bus *a, *b;
        struct mbus_entity *ui;
        char text[2000];
        size_t n = 0;

        cable("near", there, "far");
        plug("near", "192.0.2.1/24");
        host_enter(there);
        plug("far", "192.0.2.2/24");
        await_link("far");
        b = bus_open("udp:", LINK_FAR);
        host_enter(here);
        await_link("near");
        a = bus_open("udp:", LINK_LOCAL);
        ui = entity_add(a, "(module:ui)");
        entity_add(b, "(module:engine)");
        while (mbus_bus_get_warning(a, n))
                n++;

        memset(text, 'a', sizeof(text));
        strcpy(text + 1000, "()");
        ck_assert_int_eq(mbus_entity_send_text(ui, "(module:engine)", text), 0);
        ck_assert_ptr_null(mbus_bus_get_warning(a, n));
        memset(text, 'a', sizeof(text));
        strcpy(text + 1600, "()");
        ck_assert_int_eq(mbus_entity_send_text(ui, "(module:engine)", text), 0);
        ck_assert_int_eq(mbus_entity_send_text(ui, "(module:engine)", text), 0);
        ck_assert_ptr_nonnull(mbus_bus_get_warning(a, n));
        ck_assert_ptr_nonnull(strstr(mbus_bus_get_warning(a, n), "1472"));
        ck_assert_ptr_null(mbus_bus_get_warning(a, n + 1));
        /* It is a warning: the message goes, in fragments. */
        event_await(b, a, MBUS_EVENT_MESSAGE);
        event_await(b, a, MBUS_EVENT_MESSAGE);
        event_await(b, a, MBUS_EVENT_MESSAGE);
        mbus_bus_close(a);
        mbus_bus_close(b);
        close(here);
        close(there);
}
END_TEST

START_TEST(test_no_descriptor_stays_open)
{
        unsigned before = open_files();
        struct mbus_bus *a = bus_open("udp:", HOST_LOCAL);
        int fd;

        ck_assert_int_eq(mbus_bus_get_fd(a, &fd), 0);
        entity_add(a, "(module:ui)");
        ck_assert_uint_gt(open_files(), before);
        mbus_bus_close(a);
        ck_assert_uint_eq(open_files(), before);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_no_descriptor_stays_open,
                test_two_buses_of_a_host_meet_and_exchange_messages,
                test_who_sends_without_pause_has_whole_batches_sent_meanwhile,
                test_one_descriptor_of_a_direct_bus_follows_its_timers,
                test_a_message_larger_than_the_links_mtu_draws_a_warning,
        };

        return run_tests("bus-direct", tests, N(tests));
}
