/*
 * test-udp-link.c - the sockets of a bus on hosts with cables between them: what reaches the other
 * host, and what must not.
 *
 * Invariant of the tests for silence: something sent later over the same path has arrived.
 */
#include "fake-engine.h"
#include "run.h"

static const struct config link_v4 = { .port = CONFIG_PORT_DEFAULT, .scope = SCOPE_LINKLOCAL };
static const struct config link_v6 = { .port = CONFIG_PORT_DEFAULT,
                                       .scope = SCOPE_LINKLOCAL,
                                       .ip_version = 6 };

/* What comes by over there when @say says @text over here. */
static struct packet next_there(int wire, struct bus *say, const char *text)
{
        bus_say(say, text);
        return wire_next(wire);
}

/* TRN-06 ADR-09 */
START_TEST(test_link_local_reaches_the_other_host_with_ttl_1)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct bus a, b;
        struct packet p;
        int wire;

        host_enter(h.there);
        wire = wire_open("far");
        bus_open_on(h.there, &b, &link_v4);
        bus_open_on(h.here, &a, &link_v4);
        ck_assert_ptr_null(udp_warning(a.udp, 0));
        ck_assert_str_eq(udp_host_id(a.udp), "10.1.0.1");
        ck_assert_str_eq(udp_host_id(b.udp), "10.1.0.2");
        ck_assert_uint_eq(udp_mtu(a.udp), 1472);
        p = next_there(wire, &a, "hello");
        ck_assert_str_eq(p.to, "239.255.255.247");
        ck_assert_str_eq(p.source, "10.1.0.1");
        ck_assert_int_eq(p.ttl, 1);
        bus_hears(&b, "hello");

        host_enter(h.there);
        bus_tell(&b, bus_last_from(&b), "directed unicast");
        bus_hears(&a, "directed unicast");
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 1);
        ck_assert_uint_eq(b.engine.dropped[MBUS_DROP_OWN], 0);
        bus_close(&a);
        bus_close(&b);
        close(wire);
        hosts_close(&h);
}
END_TEST

/* TRN-07 ADR-09 */
START_TEST(test_ipv6_link_local_reaches_the_other_host_and_names_it_by_interface_id)
{
        struct hosts h = hosts_new("fe80::211:22ff:fe33:4455/64", "fe80::a:0:0:b/64");
        struct bus a, b;
        struct packet p;
        int wire;

        hosts_await(&h, true);
        host_enter(h.there);
        wire = wire_open("far");
        bus_open_on(h.there, &b, &link_v6);
        bus_open_on(h.here, &a, &link_v6);
        ck_assert_str_eq(udp_host_id(a.udp), "211:22ff:fe33:4455");
        ck_assert_str_eq(udp_host_id(b.udp), "a:0:0:b");
        ck_assert_uint_eq(udp_mtu(a.udp), 1452);
        p = next_there(wire, &a, "hello");
        ck_assert_str_eq(p.to, "ff02::300");
        ck_assert_int_eq(p.ttl, 1);
        bus_hears(&b, "hello");
        host_enter(h.there);
        bus_tell(&b, bus_last_from(&b), "directed unicast");
        bus_hears(&a, "directed unicast");
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 1);
        bus_close(&a);
        bus_close(&b);
        close(wire);
        hosts_close(&h);
}
END_TEST

/* TRN-08 */
START_TEST(test_broadcast_reaches_the_other_host_and_the_others_on_this_one)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config c = link_v4;
        struct bus a, a2, b;
        struct packet p;
        int wire;

        c.broadcast = true;
        host_enter(h.there);
        wire = wire_open("far");
        bus_open_on(h.there, &b, &c);
        bus_open_on(h.here, &a, &c);
        bus_must_open(&a2, &c);
        p = next_there(wire, &a, "to all");
        ck_assert_str_eq(p.to, "255.255.255.255");
        ck_assert_int_eq(p.ttl, 1);
        bus_hears(&b, "to all");
        bus_hears(&a2, "to all");
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 1);
        ck_assert_uint_eq(a.engine.n, 0);
        bus_close(&a);
        bus_close(&a2);
        bus_close(&b);
        close(wire);
        hosts_close(&h);
}
END_TEST

/* Two buses of @config on this host hear each other, and the cable stays silent. */
static void stays_here(const struct hosts *h, const struct config *config)
{
        struct config link = link_v4;
        struct bus a, a2, fence;
        int wire;

        /* The fence is a link-local bus on another port. */
        link.port = 5000;
        snprintf(link.interfaces[link.n_interfaces++], sizeof(link.interfaces[0]), "near");
        host_enter(h->there);
        wire = wire_open("far");
        bus_open_on(h->here, &a, config);
        bus_must_open(&a2, config);
        bus_must_open(&fence, &link);
        bus_say(&a, "secret");
        bus_hears(&a2, "secret");
        ck_assert_str_eq(next_there(wire, &fence, "fence").text, "fence");
        bus_close(&a);
        bus_close(&a2);
        bus_close(&fence);
        close(wire);
}

/* TRN-06 TRN-07 TRN-08 */
START_TEST(test_host_local_never_leaves_the_host)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config c = { .port = CONFIG_PORT_DEFAULT };
        struct config v6 = { .port = CONFIG_PORT_DEFAULT, .ip_version = 6 };

        run("ip address add fe80::1/64 dev near");
        run("ip route add default dev near");
        run("ip -6 route add local ff00::/8 dev lo table local");
        stays_here(&h, &c);
        stays_here(&h, &v6);
        c.broadcast = v6.broadcast = true;
        stays_here(&h, &c);
        stays_here(&h, &v6);
        c.broadcast = v6.broadcast = false;
        c.dialect = DIALECT_UCL;
        stays_here(&h, &c);
        c.dialect = DIALECT_RFC3259;
        strcpy(c.interfaces[c.n_interfaces++], "near");
        stays_here(&h, &c);
        strcpy(v6.interfaces[v6.n_interfaces++], "near");
        stays_here(&h, &v6);
        hosts_close(&h);
}
END_TEST

/* What the cable brings is not heard by a bus of @config on the other host. */
static void hears_no_stranger(const struct hosts *h, const struct config *config,
                              const struct config *stranger)
{
        struct bus a, b, listening, friend;

        bus_open_on(h->there, &b, config);
        bus_must_open(&friend, config);
        bus_must_open(&listening, stranger);
        bus_open_on(h->here, &a, stranger);
        bus_say(&a, "from outside");
        bus_hears(&listening, "from outside");
        host_enter(h->there);
        bus_say(&friend, "from inside");
        bus_hears(&b, "from inside");
        ck_assert_uint_eq(b.engine.n, 1);
        bus_close(&a);
        bus_close(&b);
        bus_close(&friend);
        bus_close(&listening);
}

START_TEST(test_host_local_hears_nothing_from_the_link)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config host = { .port = CONFIG_PORT_DEFAULT }, link = link_v4;

        /* Though another program of the host has joined the group on the link. */
        hears_no_stranger(&h, &host, &link);
        host.broadcast = link.broadcast = true;
        hears_no_stranger(&h, &host, &link);
        hosts_close(&h);
}
END_TEST

START_TEST(test_ucl_dialect_joins_where_old_programs_do)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config c = { .port = CONFIG_PORT_DEFAULT, .dialect = DIALECT_UCL };
        struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(47000) };
        struct ip_mreq mreq = { .imr_interface = { htonl(INADDR_ANY) } };
        unsigned char ttl = 0;
        char text[16] = "";
        struct bus a;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

        run("ip route add default via 10.1.0.2");
        inet_pton(AF_INET, "239.255.255.247", &group.sin_addr);
        mreq.imr_multiaddr = group.sin_addr;
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)), 0);
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)), 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&group, sizeof(group)), 0);
        bus_must_open(&a, &c);
        ck_assert_ptr_null(udp_warning(a.udp, 0));
        ck_assert_str_eq(udp_host_id(a.udp), "10.1.0.1");
        bus_say(&a, "to RAT");
        ck_assert_int_eq(recv(fd, text, sizeof(text) - 1, 0), 6);
        ck_assert_str_eq(text, "to RAT");
        ck_assert_int_eq(sendto(fd, "from RAT", 8, 0, (struct sockaddr *)&group, sizeof(group)), 8);
        bus_hears(&a, "from RAT");
        bus_close(&a);
        close(fd);
        hosts_close(&h);
}
END_TEST

START_TEST(test_interface_may_be_named_by_its_address)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config c = link_v4;
        struct bus a, b;

        host_enter(h.there);
        bus_open_on(h.there, &b, &link_v4);
        host_enter(h.here);
        run("ip link add name first type veth peer name other");
        plug("first", "10.9.0.1/24");
        run("ip route add default dev first");
        strcpy(c.interfaces[c.n_interfaces++], "10.1.0.1");
        bus_must_open(&a, &c);
        ck_assert_str_eq(udp_host_id(a.udp), "10.1.0.1");
        bus_say(&a, "hello");
        bus_hears(&b, "hello");
        bus_close(&a);
        bus_close(&b);
        hosts_close(&h);
}
END_TEST

START_TEST(test_several_interfaces_are_heard_and_the_first_is_sent_to)
{
        struct hosts h = hosts_new("10.1.0.1/24", "10.1.0.2/24");
        struct config c = link_v4, first = link_v4, second = link_v4;
        struct bus a, b, b2;

        cable("near2", h.there, "far2");
        plug("near2", "10.2.0.1/24");
        plug_on(h.there, "far2", "10.2.0.2/24");
        await_link("far2");
        host_enter(h.here);
        await_link("near2");
        host_enter(h.there);
        strcpy(first.interfaces[first.n_interfaces++], "far");
        strcpy(second.interfaces[second.n_interfaces++], "far2");
        strcpy(c.interfaces[c.n_interfaces++], "near2");
        strcpy(c.interfaces[c.n_interfaces++], "near");
        bus_must_open(&b, &first);
        bus_must_open(&b2, &second);
        bus_open_on(h.here, &a, &c);
        ck_assert_str_eq(udp_host_id(a.udp), "10.2.0.1");
        host_enter(h.there);
        bus_say(&b, "on the second");
        bus_hears(&a, "on the second");
        bus_say(&b2, "on the first");
        bus_hears(&a, "on the first");
        ck_assert_uint_eq(a.engine.n, 2);
        host_enter(h.here);
        bus_say(&a, "out");
        bus_hears(&b2, "out");
        ck_assert_uint_eq(b.engine.n, 0);
        bus_close(&a);
        bus_close(&b);
        bus_close(&b2);
        hosts_close(&h);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_link_local_reaches_the_other_host_with_ttl_1,
                test_ipv6_link_local_reaches_the_other_host_and_names_it_by_interface_id,
                test_broadcast_reaches_the_other_host_and_the_others_on_this_one,
                test_host_local_never_leaves_the_host,
                test_host_local_hears_nothing_from_the_link,
                test_ucl_dialect_joins_where_old_programs_do,
                test_interface_may_be_named_by_its_address,
                test_several_interfaces_are_heard_and_the_first_is_sent_to,
        };

        return run_tests("udp-link", tests, N(tests));
}
