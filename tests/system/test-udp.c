/*
 * test-udp.c - the sockets of a bus on a host with nothing but lo.
 *
 * Every test has a host of its own, started by in-namespace.
 */
#include "fake-engine.h"
#include "run.h"

#define ROUTE "ip -6 route add local ff00::/8 dev lo table local"

static const struct config host_v4 = { .port = CONFIG_PORT_DEFAULT };
static const struct config host_v6 = { .port = CONFIG_PORT_DEFAULT, .ip_version = 6 };
static const struct config broadcast_v4 = { .port = CONFIG_PORT_DEFAULT, .broadcast = true };

/* Opens two buses of one configuration, lets them talk, returns what was on lo. */
static struct packet try_two(const struct config *config)
{
        struct bus a, b;
        struct packet p;
        int wire = wire_open("lo");

        bus_must_open(&a, config);
        bus_must_open(&b, config);
        bus_say(&a, "hello");
        bus_hears(&b, "hello");
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 1);
        p = wire_next(wire);
        ck_assert_str_eq(p.text, "hello");
        ck_assert_uint_ne(p.source_port, p.port);

        bus_say(&b, "and back");
        bus_hears(&a, "and back");
        bus_waits_for_drops(&b, MBUS_DROP_OWN, 1);
        ck_assert_uint_eq(a.engine.n, 1);
        ck_assert_uint_eq(b.engine.n, 1);
        bus_close(&a);
        bus_close(&b);
        close(wire);
        return p;
}

/* TRN-06 TRN-09 */
START_TEST(test_host_local_is_the_default_group_with_ttl_0_and_needs_no_route)
{
        int host = host_new();
        struct packet p = try_two(&host_v4);

        ck_assert_str_eq(p.to, "239.255.255.247");
        ck_assert_str_eq(p.source, "127.0.0.1");
        ck_assert_uint_eq(p.port, 47000);
        ck_assert_int_eq(p.ttl, 0);
        close(host);
}
END_TEST

START_TEST(test_address_and_port_of_the_configuration_are_used)
{
        struct config c = { .port = 5000, .address = "239.1.2.3" };
        int host = host_new();
        struct packet p = try_two(&c);
        struct bus b;

        ck_assert_str_eq(p.to, "239.1.2.3");
        ck_assert_uint_eq(p.port, 5000);
        bus_must_open(&b, &c);
        ck_assert_str_eq(udp_name(b.udp), "239.1.2.3:5000");
        bus_close(&b);
        close(host);
}
END_TEST

/* TRN-07 TRN-09 */
START_TEST(test_ipv6_host_local_is_ff01_300_with_hop_limit_0)
{
        int host = host_new();
        struct packet p;
        struct bus b;

        run(ROUTE);
        p = try_two(&host_v6);
        ck_assert_str_eq(p.to, "ff01::300");
        ck_assert_uint_eq(p.port, 47000);
        ck_assert_int_eq(p.ttl, 0);
        bus_must_open(&b, &host_v6);
        ck_assert_str_eq(udp_name(b.udp), "[ff01::300]:47000");
        bus_close(&b);
        close(host);
}
END_TEST

/* TRN-08 */
START_TEST(test_broadcast_reaches_all_on_the_host_and_not_the_sender)
{
        int host = host_new();
        struct packet p = try_two(&broadcast_v4);

        ck_assert_str_eq(p.to, "255.255.255.255");
        /* Linux refuses TTL 0 for it; what is sent on lo stays on the host in any case. */
        ck_assert_int_eq(p.ttl, 1);
        close(host);
}
END_TEST

/* TRN-08 */
START_TEST(test_ipv6_broadcast_is_the_group_of_all_nodes)
{
        struct config c = host_v6;
        int host = host_new();
        struct packet p;

        run(ROUTE);
        c.broadcast = true;
        p = try_two(&c);
        ck_assert_str_eq(p.to, "ff01::1");
        ck_assert_int_eq(p.ttl, 0);
        c.scope = SCOPE_LINKLOCAL;
        p = try_two(&c);
        ck_assert_str_eq(p.to, "ff02::1");
        ck_assert_int_eq(p.ttl, 1);
        close(host);
}
END_TEST

/* ADR-09 */
START_TEST(test_host_id_on_lo_is_the_loopback_address)
{
        int host = host_new();
        struct bus b;

        bus_must_open(&b, &host_v4);
        ck_assert_str_eq(udp_host_id(b.udp), "127.0.0.1");
        ck_assert_ptr_null(udp_warning(b.udp, 0));
        ck_assert_uint_eq(udp_mtu(b.udp), 65507);
        bus_close(&b);
        run(ROUTE);
        bus_must_open(&b, &host_v6);
        ck_assert_str_eq(udp_host_id(b.udp), "::1");
        bus_close(&b);
        close(host);
}
END_TEST

/* TRN-10 */
START_TEST(test_own_endpoint_is_never_the_bus_port_and_takes_unicast)
{
        int host = host_new();
        struct bus a, b;

        /* Two ports are left to the kernel, and it picks the wrong one first every other time. */
        run("echo 47000 47001 >/proc/sys/net/ipv4/ip_local_port_range");
        for (unsigned i = 0; i < 64; i++) {
                bus_must_open(&a, &host_v4);
                ck_assert_uint_eq(own_port(&a), 47001);
                bus_close(&a);
        }
        bus_must_open(&a, &host_v4);
        run("echo 48000 49000 >/proc/sys/net/ipv4/ip_local_port_range");
        bus_must_open(&b, &host_v4);
        bus_say(&a, "I am here");
        bus_hears(&b, "I am here");
        ck_assert(bus_last_from(&b)->unique);
        ck_assert(!bus_last_from(&b)->own);

        bus_tell(&b, bus_last_from(&b), "for you alone");
        bus_hears(&a, "for you alone");
        ck_assert_uint_eq(b.engine.dropped[MBUS_DROP_OWN], 0);
        bus_close(&a);
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_endpoint_on_the_bus_port_is_not_unique)
{
        struct sockaddr_in old = { .sin_family = AF_INET, .sin_port = htons(47000) };
        struct sockaddr_in group = old;
        int host = host_new(), on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct bus b;

        old.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        inet_pton(AF_INET, "239.255.255.247", &group.sin_addr);
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&old, sizeof(old)), 0);
        bus_must_open(&b, &host_v4);
        ck_assert_int_eq(sendto(fd, "old", 3, 0, (struct sockaddr *)&group, sizeof(group)), 3);
        bus_hears(&b, "old");
        ck_assert(!bus_last_from(&b)->unique);
        bus_close(&b);
        close(fd);
        close(host);
}
END_TEST

START_TEST(test_another_group_on_the_port_is_not_heard)
{
        struct config other = { .port = CONFIG_PORT_DEFAULT, .address = "239.1.2.3" };
        int host = host_new();
        struct bus a, b, c;

        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &other);
        bus_must_open(&c, &host_v4);
        bus_say(&b, "elsewhere");
        bus_say(&c, "here");
        bus_hears(&a, "here");
        ck_assert_uint_eq(a.engine.n, 1);
        bus_close(&a);
        bus_close(&b);
        bus_close(&c);
        close(host);
}
END_TEST

START_TEST(test_datagrams_move_in_batches_and_keep_their_order)
{
        int host = host_new();
        struct bus a, b;
        char text[16];

        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        for (unsigned i = 0; i < 200; i++) {
                snprintf(text, sizeof(text), "%u", i);
                bus_queue(&a, &ENDPOINT_GROUP, text);
        }
        ck_assert_int_eq(udp_send(a.udp, &a.engine), 0);
        /* When the sender has all of them back, the other has them in its socket. */
        bus_waits_for_drops(&a, MBUS_DROP_OWN, 200);
        ck_assert_int_eq(bus_process(&b), 1);
        ck_assert_uint_eq(b.engine.n, UDP_BATCH);
        while (bus_process(&b) == 1)
                ;
        ck_assert_uint_eq(b.engine.n, 200);
        for (unsigned i = 0; i < 200; i++)
                ck_assert_int_eq(atoi(b.engine.heard[i].text), (int)i);
        bus_close(&a);
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_the_largest_datagram_arrives_and_a_larger_one_is_dropped_and_counted)
{
        static char big[DATAGRAM_MAX + 1];
        int host = host_new();
        struct bus a, b;

        memset(big, 'x', sizeof(big));
        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        ck_assert_int_eq(
                outgoing_push(&a.engine.out, (struct span){ big, sizeof(big) }, &ENDPOINT_GROUP),
                0);
        ck_assert_int_eq(
                outgoing_push(&a.engine.out, (struct span){ big, DATAGRAM_MAX }, &ENDPOINT_GROUP),
                0);
        bus_say(&a, "end");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SENT], 1);
        bus_hears(&b, "end");
        ck_assert_uint_eq(b.engine.n, 2);
        ck_assert_uint_eq(b.engine.heard[0].size, DATAGRAM_MAX);
        bus_close(&a);
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_datagrams_lost_for_a_full_socket_buffer_are_counted)
{
        static char big[60000];
        int host = host_new();
        struct bus a, b;
        size_t sent = 0;

        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        for (unsigned i = 0; i < 8; i++) {
                for (unsigned k = 0; k < 50; k++, sent++)
                        ck_assert_int_eq(outgoing_push(&a.engine.out,
                                                       (struct span){ big, sizeof(big) },
                                                       &ENDPOINT_GROUP),
                                         0);
                ck_assert_int_eq(udp_send(a.udp, &a.engine), 0);
                bus_waits_for_drops(&a, MBUS_DROP_OWN, sent);
        }
        while (bus_process(&b) == 1)
                ;
        ck_assert_uint_lt(b.engine.n, sent);
        /* The kernel tells of the loss with the next one that it queues. */
        bus_say(&a, "next");
        sent++;
        bus_hears(&b, "next");
        ck_assert_uint_eq(b.engine.n + b.engine.dropped[MBUS_DROP_SOCKET], sent);
        bus_say(&a, "later");
        bus_hears(&b, "later");
        ck_assert_uint_eq(b.engine.n + b.engine.dropped[MBUS_DROP_SOCKET], sent + 1);
        bus_close(&a);
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_unicast_to_nobody_harms_nothing)
{
        struct sockaddr_in nobody = { .sin_family = AF_INET, .sin_port = htons(9) };
        struct endpoint to = { .n = sizeof(nobody), .unique = true };
        int host = host_new();
        struct bus a, b;

        nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        memcpy(to.bytes, &nobody, sizeof(nobody));
        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        for (unsigned i = 0; i < 3; i++) {
                bus_tell(&a, &to, "anybody?");
                bus_process(&a);
        }
        /* Nor to a place that lo does not lead to. */
        inet_pton(AF_INET, "192.0.2.1", &nobody.sin_addr);
        memcpy(to.bytes, &nobody, sizeof(nobody));
        bus_tell(&a, &to, "anybody?");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SENT], 1);
        bus_say(&a, "still here");
        bus_hears(&b, "still here");
        bus_close(&a);
        bus_close(&b);
        close(host);
}
END_TEST

/* TRN-06 */
START_TEST(test_link_local_without_a_link_is_on_lo_with_a_warning)
{
        struct config c = { .port = CONFIG_PORT_DEFAULT, .scope = SCOPE_LINKLOCAL };
        int host = host_new();
        struct packet p = try_two(&c);
        struct bus b;

        ck_assert_int_eq(p.ttl, 1);
        bus_must_open(&b, &c);
        ck_assert_ptr_nonnull(strstr(udp_warning(b.udp, 0), "no interface but lo is up"));
        ck_assert_ptr_null(udp_warning(b.udp, 1));
        ck_assert_str_eq(udp_host_id(b.udp), "127.0.0.1");
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_ucl_dialect_without_a_route_is_on_lo_with_a_warning)
{
        struct config c = { .port = CONFIG_PORT_DEFAULT, .dialect = DIALECT_UCL };
        int host = host_new();
        struct bus b;

        ck_assert_int_eq(try_two(&c).ttl, 0);
        bus_must_open(&b, &c);
        ck_assert_ptr_nonnull(strstr(udp_warning(b.udp, 0), "DIALECT=UCL: there is no route"));
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_lo_may_go_down_and_come_back)
{
        int host = host_new();
        struct bus a, b;

        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        run("ip link set lo down");
        bus_say(&a, "lost");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SENT], 1);
        bus_process(&a);
        bus_process(&b);
        run("ip link set lo up");
        bus_process(&a);
        bus_process(&b);
        bus_say(&a, "again");
        bus_hears(&b, "again");
        ck_assert_uint_eq(b.engine.n, 1);
        ck_assert_str_eq(udp_host_id(b.udp), "127.0.0.1");
        bus_close(&a);
        bus_close(&b);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_host_local_is_the_default_group_with_ttl_0_and_needs_no_route,
                test_address_and_port_of_the_configuration_are_used,
                test_ipv6_host_local_is_ff01_300_with_hop_limit_0,
                test_broadcast_reaches_all_on_the_host_and_not_the_sender,
                test_ipv6_broadcast_is_the_group_of_all_nodes,
                test_host_id_on_lo_is_the_loopback_address,
                test_own_endpoint_is_never_the_bus_port_and_takes_unicast,
                test_endpoint_on_the_bus_port_is_not_unique,
                test_another_group_on_the_port_is_not_heard,
                test_datagrams_move_in_batches_and_keep_their_order,
                test_the_largest_datagram_arrives_and_a_larger_one_is_dropped_and_counted,
                test_datagrams_lost_for_a_full_socket_buffer_are_counted,
                test_unicast_to_nobody_harms_nothing,
                test_link_local_without_a_link_is_on_lo_with_a_warning,
                test_ucl_dialect_without_a_route_is_on_lo_with_a_warning,
                test_lo_may_go_down_and_come_back,
        };

        return run_tests("udp", tests, N(tests));
}
