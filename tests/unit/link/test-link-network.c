/*
 * test-link-network.c - what a broker tells of the network of its bus (spec/attach.md): each trouble is
 * one event, known until it is over, and forgotten with the link.
 */
#include <bus/bus.h>
#include "fake-broker.h"
#include "run.h"

#define FROM "mbus/1.0 1 9 U " BROKER " () ()\r\n"

static void expect_event(struct world *w, enum mbus_network network, const char *why)
{
        const struct mbus_event *event = event_expect(w->bus, MBUS_EVENT_NETWORK);

        ck_assert_int_eq(event->network, network);
        ck_assert_str_eq(event->why, why);
}

START_TEST(test_each_trouble_is_told_once_until_it_is_over)
{
        static const struct {
                const char *name;
                enum mbus_network network;
        } states[] = { { "mute", MBUS_NETWORK_MUTE },
                       { "deaf", MBUS_NETWORK_DEAF },
                       { "key", MBUS_NETWORK_KEY },
                       { "dialect", MBUS_NETWORK_DIALECT } };
        struct world *w = world_with_entity();

        ck_assert_ptr_null(mbus_bus_get_interface(w->bus));
        for (size_t i = 0; i < N(states); i++) {
                ck_assert_ptr_null(mbus_bus_get_network(w->bus, states[i].network));
                say(w, FROM "broker.network(%s \"eth0\" \"why\")", states[i].name);
                expect_event(w, states[i].network, "why");
                say(w, FROM "broker.network(%s \"eth0\" \"why\")", states[i].name);
                ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
                ck_assert_str_eq(mbus_bus_get_network(w->bus, states[i].network), "why");
        }
        ck_assert_str_eq(mbus_bus_get_interface(w->bus), "eth0");
        say(w, FROM "broker.network(deaf \"eth0\" \"another why\")");
        expect_event(w, MBUS_NETWORK_DEAF, "another why");
        say(w, FROM "broker.network(moved \"wlan0\" \"there\")");
        expect_event(w, MBUS_NETWORK_MOVED, "there");
        ck_assert_ptr_null(mbus_bus_get_network(w->bus, MBUS_NETWORK_MOVED));
        ck_assert_str_eq(mbus_bus_get_interface(w->bus), "wlan0");
        say(w, FROM "broker.network(ok \"wlan0\" \"over\")");
        expect_event(w, MBUS_NETWORK_OK, "over");
        for (unsigned i = 0; i <= MBUS_NETWORK_MAX; i++)
                ck_assert_ptr_null(mbus_bus_get_network(w->bus, (enum mbus_network)i));
        world_free(w);
}
END_TEST

START_TEST(test_what_cannot_be_understood_is_ignored)
{
        static const char *const odd[] = { "broker.network()",
                                           "broker.network(mute)",
                                           "broker.network(1 2 3)",
                                           "broker.network(mute 1 (\"x\"))",
                                           "broker.network(fine \"eth0\" \"x\")",
                                           "broker.network(\"mute\" \"eth0\" \"x\")" };
        struct world *w = world_with_entity();

        for (size_t i = 0; i < N(odd); i++) {
                const struct mbus_event *event;

                say(w, FROM "%s", odd[i]);
                event = mbus_bus_pop_event(w->bus);
                ck_assert(!event || event->type == MBUS_EVENT_NETWORK);
        }
        ck_assert_ptr_null(mbus_bus_get_network(w->bus, MBUS_NETWORK_DEAF));
        world_free(w);
}
END_TEST

START_TEST(test_the_interface_comes_with_the_answer_to_a_watch)
{
        struct world *w = world_with_entity();
        uint32_t seq;

        ck_assert_int_eq(mbus_bus_watch(w->bus, "()"), 0);
        seq = expect(w, "broker.watch(\"()\")");
        say(w, FROM "broker.watching(%u \"eth0 eth1\")", seq);
        event_expect(w->bus, MBUS_EVENT_WATCHING);
        ck_assert_str_eq(mbus_bus_get_interface(w->bus), "eth0 eth1");
        world_free(w);
}
END_TEST

START_TEST(test_another_broker_tells_anew)
{
        struct world *w = world_with_entity();

        say(w, FROM "broker.network(mute \"eth0\" \"why\")");
        expect_event(w, MBUS_NETWORK_MUTE, "why");
        broker_stop(w);
        turn(w);
        event_expect(w->bus, MBUS_EVENT_LINK_DOWN);
        ck_assert_ptr_null(mbus_bus_get_network(w->bus, MBUS_NETWORK_MUTE));
        ck_assert_ptr_null(mbus_bus_get_interface(w->bus));
        world_free(w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_each_trouble_is_told_once_until_it_is_over,
                test_what_cannot_be_understood_is_ignored,
                test_the_interface_comes_with_the_answer_to_a_watch,
                test_another_broker_tells_anew,
        };

        return run_tests("link-network", tests, N(tests));
}
