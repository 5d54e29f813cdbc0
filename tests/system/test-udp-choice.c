/*
 * test-udp-choice.c - which interface a bus takes (spec/interfaces.md): named in every way that an
 * interface has a name, or found by one rule for IPv4 and IPv6; and that it says where it went.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "fake-engine.h"
#include "run.h"

static const struct config link_v4 = { .port = CONFIG_PORT_DEFAULT, .scope = SCOPE_LINKLOCAL };
static const struct config link_v6 = { .port = CONFIG_PORT_DEFAULT,
                                       .scope = SCOPE_LINKLOCAL,
                                       .ip_version = 6 };

static struct config named(const char *name)
{
        struct config c = link_v4;

        snprintf(c.interfaces[c.n_interfaces++], sizeof(c.interfaces[0]), "%s", name);
        return c;
}

/* Where the bus is that @config describes. */
static void expect_on(const struct config *config, const char *interface)
{
        struct bus b;

        bus_must_open(&b, config);
        ck_assert_str_eq(udp_interface(b.udp), interface);
        bus_close(&b);
}

/* A cable in this host, both of whose ends are up; the other end has no address of IPv4. */
static void link_here(const char *name, unsigned index, const char *address)
{
        run("ip link add name %s index %u type veth peer name %s-peer index %u", name, index, name,
            index + 100);
        run("echo 1 >/proc/sys/net/ipv6/conf/%s-peer/disable_ipv6", name);
        if (strchr(address, ':'))
                run("ip -6 address add %s dev %s nodad", address, name);
        else
                run("ip address add %s dev %s; ip -6 address add fe80::%u/64 dev %s nodad", address,
                    name, index, name);
        run("ip link set %s up; ip link set %s-peer up", name, name);
        await_link(name);
}

/* The kernel notices a moment later. */
static void unplug(const char *name)
{
        run("ip link set %s-peer down", name);
        run("for i in $(seq 1000); do "
            "ip link show dev %s | grep -q NO-CARRIER.*LOWERLAYERDOWN && exit 0; sleep 0.01; "
            "done; exit 1",
            name);
}

static void plug_back(const char *name)
{
        run("ip link set %s-peer up", name);
        await_link(name);
}

/* ---- names ----------------------------------------------------------------------------------- */

START_TEST(test_an_address_with_a_label_is_an_address_like_any)
{
        struct config c = named("eth0"), by_label = named("eth0:1"), by_address = named("10.9.0.1");
        struct bus b;
        int host = host_new();

        link_here("eth0", 10, "fe80::10/64");
        run("ip address add 10.9.0.1/24 dev eth0 label eth0:1");
        expect_on(&link_v4, "eth0");
        expect_on(&c, "eth0");
        expect_on(&by_label, "eth0");
        expect_on(&by_address, "eth0");
        bus_must_open(&b, &link_v4);
        ck_assert_ptr_null(udp_warning(b.udp, 0));
        ck_assert_str_eq(udp_host_id(b.udp), "10.9.0.1");
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_an_interface_may_be_named_by_an_altname)
{
        static const char longest[] =
                "an-altname-that-has-as-many-letters-as-the-kernel-allows-"
                "one-to-have-which-is-one-hundred-and-twenty-seven-of-them-in-"
                "all-0123";
        struct config c = named("enp0s3-and-more"), l = named(longest), six = named("fe80::10");
        int host = host_new();

        six.ip_version = 6;
        link_here("eth0", 10, "10.9.0.1/24");
        run("ip link property add dev eth0 altname enp0s3-and-more");
        run("ip link property add dev eth0 altname %s", longest);
        expect_on(&c, "eth0");
        expect_on(&l, "eth0");
        expect_on(&six, "eth0");
        close(host);
}
END_TEST

/* The other end of a tunnel is not where we are. */
START_TEST(test_the_far_address_of_a_tunnel_is_not_ours)
{
        struct config near = named("10.9.0.1"), far = named("10.9.0.2");
        struct bus b;
        int host = host_new();

        link_here("eth0", 10, "fe80::10/64");
        run("ip address add 10.9.0.1 peer 10.9.0.2 dev eth0");
        expect_on(&near, "eth0");
        ck_assert_int_eq(bus_open(&b, &far), MBUS_E_NO_BUS);
        bus_close(&b);
        close(host);
}
END_TEST

/* ---- the rule -------------------------------------------------------------------------------- */

/* docker0 is there first; the default route leads elsewhere. */
START_TEST(test_both_protocols_follow_their_default_route)
{
        int host = host_new();

        link_here("docker0", 10, "172.17.0.1/16");
        link_here("eth0", 20, "10.9.0.1/24");
        expect_on(&link_v4, "docker0");
        expect_on(&link_v6, "docker0");
        run("ip route add default via 10.9.0.254 dev eth0");
        run("ip -6 route add default via fe80::fe dev eth0");
        expect_on(&link_v4, "eth0");
        expect_on(&link_v6, "eth0");
        /* What somebody says about groups in particular counts more. */
        link_here("eth1", 30, "10.10.0.1/24");
        run("ip route add 239.0.0.0/8 dev eth1");
        run("ip -6 route add ff02::/16 dev eth1 table main");
        expect_on(&link_v4, "eth1");
        expect_on(&link_v6, "eth1");
        close(host);
}
END_TEST

START_TEST(test_of_two_default_routes_the_better_one_with_a_carrier_counts)
{
        int host = host_new();

        link_here("docker0", 10, "172.17.0.1/16");
        link_here("eth0", 20, "10.9.0.1/24");
        link_here("wlan0", 30, "10.10.0.1/24");
        run("ip route add default via 10.9.0.254 dev eth0 metric 100");
        run("ip route add default via 10.10.0.254 dev wlan0 metric 600");
        run("ip -6 route add default via fe80::fe dev eth0 metric 100");
        run("ip -6 route add default via fe80::fe dev wlan0 metric 600");
        expect_on(&link_v4, "eth0");
        expect_on(&link_v6, "eth0");
        unplug("eth0");
        expect_on(&link_v4, "wlan0");
        expect_on(&link_v6, "wlan0");
        unplug("wlan0");
        expect_on(&link_v4, "docker0");
        expect_on(&link_v6, "docker0");
        unplug("docker0");
        expect_on(&link_v4, "eth0");
        close(host);
}
END_TEST

static void follow_the_carrier(const struct config *config)
{
        int host = host_new();
        struct bus b;

        link_here("eth0", 20, "10.9.0.1/24");
        link_here("wlan0", 30, "10.10.0.1/24");
        run("ip route add default via 10.9.0.254 dev eth0 metric 100");
        run("ip route add default via 10.10.0.254 dev wlan0 metric 600");
        run("ip -6 route add default via fe80::fe dev eth0 metric 100");
        run("ip -6 route add default via fe80::fe dev wlan0 metric 600");
        bus_must_open(&b, config);
        ck_assert_str_eq(udp_interface(b.udp), "eth0");
        unplug("eth0");
        bus_process(&b);
        ck_assert_str_eq(udp_interface(b.udp), "wlan0");
        bus_expect_notice(&b, MBUS_NETWORK_MOVED, "the bus is on wlan0 now, it was on eth0");
        plug_back("eth0");
        bus_process(&b);
        bus_expect_notice(&b, MBUS_NETWORK_MOVED, "the bus is on eth0 now, it was on wlan0");
        bus_expect_no_notice(&b);
        /* A tunnel takes the default route. */
        link_here("vpn0", 40, "10.11.0.1/24");
        bus_process(&b);
        bus_expect_no_notice(&b);
        run("ip route add default via 10.11.0.254 dev vpn0 metric 1");
        run("ip -6 route add default via fe80::fe dev vpn0 metric 1");
        bus_process(&b);
        bus_expect_notice(&b, MBUS_NETWORK_MOVED, "the bus is on vpn0 now, it was on eth0");
        run("ip link delete vpn0");
        bus_process(&b);
        bus_expect_notice(&b, MBUS_NETWORK_MOVED, "the bus is on eth0 now, it was on vpn0");
        bus_close(&b);
        close(host);
}

START_TEST(test_a_bus_that_moves_says_so)
{
        follow_the_carrier(&link_v4);
        follow_the_carrier(&link_v6);
}
END_TEST

START_TEST(test_an_interface_without_a_carrier_is_said_to_be_mute)
{
        struct config c = named("eth0");
        int host = host_new();
        struct bus b;

        link_here("eth0", 20, "10.9.0.1/24");
        unplug("eth0");
        bus_must_open(&b, &c);
        ck_assert_ptr_nonnull(strstr(udp_warning(b.udp, 0), "eth0: the interface has no carrier"));
        bus_close(&b);
        plug_back("eth0");
        bus_must_open(&b, &c);
        ck_assert_ptr_null(udp_warning(b.udp, 0));
        unplug("eth0");
        bus_process(&b);
        bus_expect_notice(&b, MBUS_NETWORK_MUTE, "eth0: the interface has no carrier");
        ck_assert_ptr_nonnull(udp_network(b.udp, &b.engine, MBUS_NETWORK_MUTE));
        plug_back("eth0");
        bus_process(&b);
        udp_tick(b.udp, &b.engine, 11 * NSEC_PER_SEC);
        bus_expect_notice(&b, MBUS_NETWORK_OK, "eth0");
        ck_assert_ptr_null(udp_network(b.udp, &b.engine, MBUS_NETWORK_MUTE));
        bus_close(&b);
        close(host);
}
END_TEST

/* ---- without netlink ------------------------------------------------------------------------- */

static void forbid_netlink(void)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = N(code), .filter = code };

        ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(test_without_netlink_the_same_is_chosen_and_changes_are_noticed_later)
{
        struct config c = named("eth0"), label = named("eth0:1"), six = named("fe80::14");
        struct config host_local = { .port = CONFIG_PORT_DEFAULT };
        int host = host_new();
        struct bus b, other;

        six.ip_version = 6;
        link_here("docker0", 10, "172.17.0.1/16");
        link_here("eth0", 20, "fe80::14/64");
        run("ip address add 10.9.0.1/24 dev eth0 label eth0:1");
        run("ip route add default via 10.9.0.254 dev eth0");
        run("ip -6 route add default via fe80::fe dev eth0");
        forbid_netlink();
        expect_on(&link_v4, "eth0");
        expect_on(&link_v6, "eth0");
        expect_on(&c, "eth0");
        expect_on(&label, "eth0");
        expect_on(&six, "eth0");
        expect_on(&host_local, "lo");
        bus_must_open(&b, &link_v4);
        bus_must_open(&other, &link_v4);
        ck_assert_ptr_nonnull(strstr(udp_warning(b.udp, 0), "netlink: Address family"));
        ck_assert_ptr_null(udp_warning(b.udp, 1));
        bus_say(&b, "hello");
        bus_hears(&other, "hello");
        udp_tick(b.udp, &b.engine, 1);
        ck_assert_uint_eq(udp_deadline(b.udp), 1 + 3 * NSEC_PER_SEC);
        bus_close(&b);
        bus_close(&other);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_an_address_with_a_label_is_an_address_like_any,
                test_an_interface_may_be_named_by_an_altname,
                test_the_far_address_of_a_tunnel_is_not_ours,
                test_both_protocols_follow_their_default_route,
                test_of_two_default_routes_the_better_one_with_a_carrier_counts,
                test_a_bus_that_moves_says_so,
                test_an_interface_without_a_carrier_is_said_to_be_mute,
                test_without_netlink_the_same_is_chosen_and_changes_are_noticed_later,
        };

        return run_tests("udp-choice", tests, N(tests));
}
