/*
 * test-udp-change.c - a bus whose interfaces, addresses and routes change while it is open.
 *
 * The kernel has queued the news of a change when the command that made it ends, so the tests wait
 * for nothing but datagrams.
 */
#include "fake-engine.h"
#include "run.h"

static const struct config link_v4 = { .port = CONFIG_PORT_DEFAULT, .scope = SCOPE_LINKLOCAL };
static const struct config link_v6 = { .port = CONFIG_PORT_DEFAULT,
                                       .scope = SCOPE_LINKLOCAL,
                                       .ip_version = 6 };

START_TEST(test_link_local_moves_from_lo_to_a_link_that_comes_up)
{
        struct hosts h = hosts_without_cable();
        struct bus a, a2, b;

        bus_must_open(&a, &link_v4);
        bus_must_open(&a2, &link_v4);
        bus_say(&a, "alone");
        bus_hears(&a2, "alone");
        cable("near", h.there, "far");
        plug_on(h.there, "far", "10.1.0.2/24");
        bus_must_open(&b, &link_v4);
        plug_on(h.here, "near", "10.1.0.1/24");
        hosts_await(&h, false);
        bus_process(&a);
        bus_process(&a2);
        bus_say(&a, "together");
        bus_hears(&b, "together");
        bus_hears(&a2, "together");
        host_enter(h.there);
        bus_say(&b, "welcome");
        bus_hears(&a, "welcome");
        /* Who knew the bus by it still does. */
        ck_assert_str_eq(udp_host_id(a.udp), "127.0.0.1");
        ck_assert_uint_eq(udp_mtu(a.udp), 1472);
        ck_assert_uint_eq(a.engine.n, 1);
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_OWN], 2);
        bus_close(&a);
        bus_close(&a2);
        bus_close(&b);
        hosts_close(&h);
}
END_TEST

START_TEST(test_interface_may_go_down_and_come_back)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config c = link_v4;
        struct bus a, b;

        strcpy(c.interfaces[c.n_interfaces++], "near");
        bus_open_on(h.there, &b, &link_v4);
        bus_open_on(h.here, &a, &c);
        run("ip link set near down");
        bus_process(&a);
        bus_say(&a, "lost");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SENT], 1);
        run("ip link set near up");
        hosts_await(&h, false);
        bus_process(&a);
        bus_say(&a, "again");
        bus_hears(&b, "again");
        host_enter(h.there);
        bus_say(&b, "and back");
        bus_hears(&a, "and back");
        ck_assert_uint_eq(a.engine.n, 1);
        ck_assert_uint_eq(b.engine.n, 1);
        bus_close(&a);
        bus_close(&b);
        hosts_close(&h);
}
END_TEST

START_TEST(test_ipv6_may_be_ready_after_the_bus)
{
        struct hosts h = hosts_without_cable();
        struct bus a, b;

        cable("near", h.there, "far");
        plug("near", "fe80::1/64");
        /* The other end is not up yet. */
        bus_must_open(&a, &link_v6);
        ck_assert_ptr_nonnull(strstr(udp_warning(a.udp, 0), "near: IPv6 is not ready"));
        ck_assert_str_eq(udp_host_id(a.udp), "0:0:0:1");
        bus_say(&a, "too early");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SENT], 1);
        plug_on(h.there, "far", "fe80::2/64");
        await_ipv6("far");
        bus_must_open(&b, &link_v6);
        host_enter(h.here);
        await_ipv6("near");
        bus_say(&a, "hello");
        bus_hears(&b, "hello");
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 1);
        ck_assert_uint_eq(a.engine.n, 0);
        bus_close(&a);
        bus_close(&b);
        hosts_close(&h);
}
END_TEST

static void replace_interface(const struct config *config, bool v6, const char *a, const char *b)
{
        struct hosts h = hosts_new(a, b);
        struct config c = *config;
        struct bus bus_a, bus_b;

        hosts_await(&h, v6);
        strcpy(c.interfaces[c.n_interfaces++], "near");
        bus_open_on(h.here, &bus_a, &c);
        run("ip link delete near");
        bus_process(&bus_a);
        bus_say(&bus_a, "lost");
        ck_assert_uint_eq(bus_a.engine.dropped[MBUS_DROP_SENT], 1);
        cable("near", h.there, "far");
        plug("near", a);
        bus_process(&bus_a);
        plug_on(h.there, "far", b);
        hosts_await(&h, v6);
        host_enter(h.there);
        bus_must_open(&bus_b, config);
        bus_say(&bus_b, "welcome back");
        bus_hears(&bus_a, "welcome back");
        host_enter(h.here);
        bus_say(&bus_a, "thank you");
        bus_hears(&bus_b, "thank you");
        bus_close(&bus_a);
        bus_close(&bus_b);
        hosts_close(&h);
}

START_TEST(test_interface_may_be_replaced_by_another_of_its_name)
{
        replace_interface(&link_v4, false, "10.1.0.1/24", "10.1.0.2/24");
        replace_interface(&link_v6, true, "fe80::1/64", "fe80::2/64");
}
END_TEST

START_TEST(test_link_local_follows_the_route_when_it_moves)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config first = link_v4, second = link_v4;
        struct bus a, b, b2;

        cable("near2", h.there, "far2");
        plug("near2", "10.2.0.1/24");
        bus_open_on(h.here, &a, &link_v4);
        ck_assert_str_eq(udp_host_id(a.udp), "10.1.0.1");
        plug_on(h.there, "far2", "10.2.0.2/24");
        await_link("far2");
        strcpy(first.interfaces[first.n_interfaces++], "far");
        strcpy(second.interfaces[second.n_interfaces++], "far2");
        bus_must_open(&b, &first);
        bus_must_open(&b2, &second);
        host_enter(h.here);
        await_link("near2");
        bus_process(&a);
        run("ip route add default dev near2");
        bus_process(&a);
        bus_say(&a, "on the second");
        bus_hears(&b2, "on the second");
        host_enter(h.there);
        bus_say(&b, "left behind");
        bus_say(&b2, "found again");
        bus_hears(&a, "found again");
        ck_assert_uint_eq(a.engine.n, 1);
        ck_assert_str_eq(udp_host_id(a.udp), "10.1.0.1");
        bus_close(&a);
        bus_close(&b);
        bus_close(&b2);
        hosts_close(&h);
}
END_TEST

START_TEST(test_own_datagrams_are_known_when_the_address_has_changed)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct bus a, a2;

        bus_open_on(h.here, &a, &link_v4);
        bus_must_open(&a2, &link_v4);
        bus_say(&a, "with the old");
        run("ip address delete 10.1.0.1/24 dev near");
        run("ip address add 10.1.0.7/24 dev near");
        bus_say(&a, "with the new");
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 2);
        ck_assert_uint_eq(a.engine.n, 0);
        bus_hears(&a2, "with the new");
        ck_assert_str_eq(udp_host_id(a.udp), "10.1.0.1");
        bus_close(&a);
        bus_close(&a2);
        hosts_close(&h);
}
END_TEST

START_TEST(test_own_datagrams_are_known_before_the_news_of_a_new_address)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct pollfd fds[UDP_POLLFDS];
        char news[4096];
        struct bus a;

        bus_must_open(&a, &link_v4);
        run("ip address delete 10.1.0.1/24 dev near");
        run("ip address add 10.1.0.7/24 dev near");
        udp_get_pollfds(a.udp, fds);
        while (recv(fds[2].fd, news, sizeof(news), MSG_DONTWAIT) > 0)
                ;
        bus_say(&a, "hello");
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 1);
        ck_assert_uint_eq(a.engine.n, 0);
        bus_close(&a);
        hosts_close(&h);
}
END_TEST

START_TEST(test_same_port_on_another_host_is_not_own)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct bus a, b;

        run("echo 48000 48001 >/proc/sys/net/ipv4/ip_local_port_range");
        bus_open_on(h.there, &b, &link_v4);
        run("echo 48000 48001 >/proc/sys/net/ipv4/ip_local_port_range");
        bus_close(&b);
        /* Of the two ports the kernel picks either: until both hosts have the same. */
        for (;;) {
                bus_open_on(h.here, &a, &link_v4);
                bus_open_on(h.there, &b, &link_v4);
                if (own_port(&a) == own_port(&b))
                        break;
                bus_close(&a);
                bus_close(&b);
        }
        bus_say(&b, "not you");
        host_enter(h.here);
        bus_hears(&a, "not you");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_OWN], 0);
        bus_close(&a);
        bus_close(&b);
        hosts_close(&h);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_link_local_moves_from_lo_to_a_link_that_comes_up,
                test_interface_may_go_down_and_come_back,
                test_ipv6_may_be_ready_after_the_bus,
                test_interface_may_be_replaced_by_another_of_its_name,
                test_link_local_follows_the_route_when_it_moves,
                test_own_datagrams_are_known_when_the_address_has_changed,
                test_own_datagrams_are_known_before_the_news_of_a_new_address,
                test_same_port_on_another_host_is_not_own,
        };

        return run_tests("udp-change", tests, N(tests));
}
