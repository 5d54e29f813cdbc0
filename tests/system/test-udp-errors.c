/*
 * test-udp-errors.c - a bus that cannot be opened says why, and how to mend it, in one line.
 */
#include "fake-engine.h"
#include "run.h"

#define ROUTE "ip -6 route add local ff00::/8 dev lo table local"

static const struct config host_v4 = { .port = CONFIG_PORT_DEFAULT };
static const struct config host_v6 = { .port = CONFIG_PORT_DEFAULT, .ip_version = 6 };

static struct config on_interface(const char *name)
{
        struct config c = { .port = CONFIG_PORT_DEFAULT, .n_interfaces = 1 };

        snprintf(c.interfaces[0], sizeof(c.interfaces[0]), "%s", name);
        return c;
}

START_TEST(test_ipv6_without_a_route_names_the_command_that_adds_it)
{
        int host = host_new();
        struct bus b;

        ck_assert_int_eq(bus_open(&b, &host_v6), MBUS_E_NO_BUS);
        ck_assert_str_eq(b.error, "lo: connect for [ff01::300]:47000: Network is unreachable: "
                                  "`" ROUTE "`");
        close(host);
}
END_TEST

START_TEST(test_lo_that_is_down_is_said_with_the_command_that_mends_it)
{
        int host = host_new();
        struct bus b;

        run("ip link set lo down");
        ck_assert_int_eq(bus_open(&b, &host_v4), MBUS_E_NO_BUS);
        ck_assert_str_eq(b.error, "lo: the interface is down: `ip link set lo up`");
        close(host);
}
END_TEST

START_TEST(test_interfaces_that_cannot_be_used_are_named)
{
        struct config c = on_interface("eth7");
        int host = host_new();
        struct bus b;

        ck_assert_int_eq(bus_open(&b, &c), MBUS_E_NO_BUS);
        ck_assert_str_eq(b.error, "INTERFACE=eth7: no interface has this name or address: "
                                  "`ip address` lists them");
        c = on_interface("192.0.2.1");
        ck_assert_int_eq(bus_open(&b, &c), MBUS_E_NO_BUS);
        ck_assert_ptr_nonnull(strstr(b.error, "INTERFACE=192.0.2.1: no interface"));
        run("ip link add eth7 type veth peer name eth8");
        c = on_interface("eth7");
        ck_assert_int_eq(bus_open(&b, &c), MBUS_E_NO_BUS);
        ck_assert_str_eq(b.error, "INTERFACE=eth7: the interface is down: `ip link set eth7 up`");
        run("ip link set eth7 up");
        ck_assert_int_eq(bus_open(&b, &c), MBUS_E_NO_BUS);
        ck_assert_ptr_nonnull(strstr(b.error, "INTERFACE=eth7: the interface has no IPv4 address"));
        close(host);
}
END_TEST

START_TEST(test_a_port_that_is_not_shared_is_said)
{
        struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(47000) };
        int host = host_new(), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct bus b;

        ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
        ck_assert_int_eq(bus_open(&b, &host_v4), MBUS_E_NO_BUS);
        ck_assert_str_eq(b.error, "lo: bind for 239.255.255.247:47000: Address already in use: "
                                  "`ss -ulnp` names the program that does not share the port");
        close(fd);
        close(host);
}
END_TEST

START_TEST(test_configurations_that_make_no_sense_are_refused)
{
        struct config unicast = { .port = CONFIG_PORT_DEFAULT, .address = "10.0.0.1" };
        struct config mixed = { .port = CONFIG_PORT_DEFAULT,
                                .address = "239.1.2.3",
                                .ip_version = 6 };
        struct config leaking = on_interface("lo");
        struct bus b;

        leaking.broadcast = true;
        ck_assert_int_eq(bus_open(&b, &unicast), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(b.error, "ADDRESS=10.0.0.1: is no multicast address"));
        ck_assert_int_eq(bus_open(&b, &mixed), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(b.error, "ADDRESS=239.1.2.3: contradicts IPVERSION=6"));
        ck_assert_int_eq(bus_open(&b, &leaking), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(b.error, "would leave the host"));
}
END_TEST

START_TEST(test_nothing_is_left_open)
{
        int host = host_new();
        unsigned before = open_files();
        struct config bad = on_interface("eth7");
        struct bus b;

        bus_must_open(&b, &host_v4);
        bus_close(&b);
        ck_assert_int_eq(bus_open(&b, &bad), MBUS_E_NO_BUS);
        ck_assert_int_eq(bus_open(&b, &host_v6), MBUS_E_NO_BUS);
        ck_assert_uint_eq(open_files(), before);
        ck_assert_ptr_null(udp_close(NULL));
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_ipv6_without_a_route_names_the_command_that_adds_it,
                test_lo_that_is_down_is_said_with_the_command_that_mends_it,
                test_interfaces_that_cannot_be_used_are_named,
                test_a_port_that_is_not_shared_is_said,
                test_configurations_that_make_no_sense_are_refused,
                test_nothing_is_left_open,
        };

        return run_tests("udp-errors", tests, N(tests));
}
