/*
 * test-udp-network.c - a bus says when it is mute or deaf, and when it is among strangers.
 */
#include "fake-engine.h"
#include "run.h"

static const struct config link_v4 = { .port = CONFIG_PORT_DEFAULT, .scope = SCOPE_LINKLOCAL };
static const struct config host_local = { .port = CONFIG_PORT_DEFAULT };

static void tick(struct bus *b, uint64_t seconds)
{
        bus_process(b);
        udp_tick(b->udp, &b->engine, seconds * NSEC_PER_SEC);
}

static void drop_group(const char *hook)
{
        run("nft add table inet f && "
            "nft 'add chain inet f c { type filter hook %s priority 0; }' && "
            "nft 'add rule inet f c ip daddr 239.255.255.247 drop'",
            hook);
}

static void drop_nothing(void)
{
        run("nft delete table inet f");
}

static int host_with_link(void)
{
        int host = host_new();

        run("ip link add name eth0 type veth peer name peer0");
        plug("eth0", "10.9.0.1/24");
        run("ip link set peer0 up");
        await_link("eth0");
        return host;
}

static void mute(const struct config *config, const char *interface)
{
        int host = host_with_link();
        struct bus b;

        bus_must_open(&b, config);
        bus_say(&b, "heard");
        tick(&b, 1);
        bus_expect_no_notice(&b);
        drop_group("output");
        for (int i = 0; i < 5; i++)
                bus_say(&b, "lost");
        ck_assert_uint_eq(b.engine.dropped[MBUS_DROP_SENT], 5);
        tick(&b, 2);
        bus_expect_notice(&b, MBUS_NETWORK_MUTE, interface);
        bus_expect_no_notice(&b);
        ck_assert_ptr_nonnull(strstr(udp_network(b.udp, &b.engine, MBUS_NETWORK_MUTE),
                                     "239.255.255.247:47000: Operation not permitted"));
        ck_assert_ptr_nonnull(strstr(udp_network(b.udp, &b.engine, MBUS_NETWORK_MUTE), "nft"));
        /* Another cause is said, the same is not. */
        tick(&b, 4);
        bus_say(&b, "lost");
        tick(&b, 5);
        bus_expect_no_notice(&b);
        drop_nothing();
        bus_say(&b, "found");
        tick(&b, 8);
        bus_expect_no_notice(&b);
        tick(&b, 30);
        bus_expect_notice(&b, MBUS_NETWORK_OK, "nothing is refused");
        ck_assert_ptr_null(udp_network(b.udp, &b.engine, MBUS_NETWORK_MUTE));
        drop_group("output");
        bus_say(&b, "lost again");
        tick(&b, 31);
        bus_expect_notice(&b, MBUS_NETWORK_MUTE, "Operation not permitted");
        bus_close(&b);
        close(host);
}

START_TEST(test_the_first_refusal_of_the_kernel_is_told)
{
        mute(&link_v4, "eth0: the kernel refuses");
        mute(&host_local, "lo: the kernel refuses");
}
END_TEST

START_TEST(test_an_interface_that_is_down_is_told)
{
        struct config c = link_v4;
        int host = host_with_link();
        struct bus b;

        strcpy(c.interfaces[c.n_interfaces++], "eth0");
        bus_must_open(&b, &c);
        run("ip link set eth0 down");
        bus_say(&b, "before the news");
        tick(&b, 1);
        bus_expect_notice(&b, MBUS_NETWORK_MUTE, "INTERFACE=eth0: the interface is down");
        bus_say(&b, "after the news");
        tick(&b, 2);
        bus_expect_no_notice(&b);
        ck_assert_uint_eq(b.engine.dropped[MBUS_DROP_SENT], 2);
        run("ip link set eth0 up");
        await_link("eth0");
        bus_process(&b);
        bus_say(&b, "back");
        tick(&b, 20);
        bus_expect_notice(&b, MBUS_NETWORK_OK, "eth0");
        bus_close(&b);
        close(host);
}
END_TEST

/* Sends one message a second. */
static void say_for(struct bus *b, uint64_t from, uint64_t to)
{
        for (uint64_t s = from; s < to; s++) {
                bus_say(b, "hello");
                tick(b, s);
        }
}

static void deaf(const struct config *config, const char *interface)
{
        int host = host_with_link();
        struct bus b;

        bus_must_open(&b, config);
        say_for(&b, 1, 30);
        bus_expect_no_notice(&b);
        drop_group("input");
        say_for(&b, 30, 50);
        bus_expect_notice(&b, MBUS_NETWORK_DEAF, interface);
        say_for(&b, 50, 80);
        bus_expect_no_notice(&b);
        ck_assert_ptr_nonnull(udp_network(b.udp, &b.engine, MBUS_NETWORK_DEAF));
        drop_nothing();
        say_for(&b, 80, 90);
        bus_expect_notice(&b, MBUS_NETWORK_OK, "come in again");
        ck_assert_ptr_null(udp_network(b.udp, &b.engine, MBUS_NETWORK_DEAF));
        ck_assert_uint_eq(b.engine.dropped[MBUS_DROP_SENT], 0);
        bus_close(&b);
        close(host);
}

START_TEST(test_a_bus_to_which_nothing_comes_back_is_deaf)
{
        deaf(&link_v4, "eth0: nothing comes in");
        deaf(&host_local, "lo: nothing comes in");
}
END_TEST

/* Who sends nothing cannot know, nor who sent a little and waits, nor who did not look. */
START_TEST(test_silence_is_not_deafness)
{
        int host = host_with_link();
        struct bus b;

        bus_must_open(&b, &link_v4);
        for (uint64_t s = 1; s < 100; s++)
                tick(&b, s);
        bus_expect_no_notice(&b);
        /* A program that was stopped finds everything at once. */
        for (int i = 0; i < 10; i++)
                bus_say(&b, "hello");
        udp_tick(b.udp, &b.engine, 200 * NSEC_PER_SEC);
        udp_tick(b.udp, &b.engine, 300 * NSEC_PER_SEC);
        udp_tick(b.udp, &b.engine, 400 * NSEC_PER_SEC);
        bus_expect_no_notice(&b);
        tick(&b, 401);
        bus_expect_no_notice(&b);
        bus_close(&b);
        close(host);
}
END_TEST

/* The membership that the kernel lost without a word is one that joining again gives back. */
START_TEST(test_a_membership_that_was_lost_is_mended_before_it_is_told)
{
        int host = host_with_link();
        struct ip_mreqn group = { .imr_ifindex = (int)if_nametoindex("eth0") };
        struct pollfd fds[UDP_POLLFDS];
        struct bus b;

        inet_pton(AF_INET, "239.255.255.247", &group.imr_multiaddr);
        bus_must_open(&b, &link_v4);
        udp_get_pollfds(b.udp, fds);
        ck_assert_int_eq(
                setsockopt(fds[0].fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)), 0);
        say_for(&b, 1, 30);
        bus_expect_no_notice(&b);
        ck_assert_uint_ge(b.engine.dropped[MBUS_DROP_OWN], 20);
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_only_strangers_are_remarkable)
{
        int host = host_with_link();
        struct bus b;

        bus_must_open(&b, &link_v4);
        b.engine.reported.n_strangers = 1;
        ck_assert_ptr_nonnull(strstr(udp_network(b.udp, &b.engine, MBUS_NETWORK_KEY),
                                     "1 message with another key was heard"));
        tick(&b, 1);
        bus_expect_no_notice(&b);
        b.engine.reported.n_strangers = 7;
        tick(&b, 4);
        bus_expect_notice(&b, MBUS_NETWORK_KEY, "7 messages with another key were heard");
        tick(&b, 90);
        bus_expect_no_notice(&b);
        b.engine.reported.n = 1;
        tick(&b, 91);
        bus_expect_notice(&b, MBUS_NETWORK_OK, "understood");
        b.engine.reported.n_strangers = 1000;
        tick(&b, 200);
        bus_expect_no_notice(&b);
        ck_assert_ptr_null(udp_network(b.udp, &b.engine, MBUS_NETWORK_KEY));
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_only_line_feeds_are_remarkable_to_who_sends)
{
        struct config ucl = link_v4;
        int host = host_with_link();
        struct bus b;

        bus_must_open(&b, &link_v4);
        b.engine.reported = (struct engine_heard){ .n = 3, .n_line_feed = 3 };
        tick(&b, 1);
        tick(&b, 10);
        bus_expect_no_notice(&b);
        bus_say(&b, "hello");
        tick(&b, 11);
        tick(&b, 14);
        bus_expect_notice(&b, MBUS_NETWORK_DIALECT, "is DIALECT=UCL missing");
        b.engine.reported.n++;
        tick(&b, 15);
        bus_expect_notice(&b, MBUS_NETWORK_OK, "understood");
        bus_close(&b);
        ucl.dialect = DIALECT_UCL;
        bus_must_open(&b, &ucl);
        b.engine.reported = (struct engine_heard){ .n = 3, .n_line_feed = 3 };
        bus_say(&b, "hello");
        tick(&b, 1);
        tick(&b, 10);
        bus_expect_no_notice(&b);
        bus_close(&b);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_first_refusal_of_the_kernel_is_told,
                test_an_interface_that_is_down_is_told,
                test_a_bus_to_which_nothing_comes_back_is_deaf,
                test_silence_is_not_deafness,
                test_a_membership_that_was_lost_is_mended_before_it_is_told,
                test_only_strangers_are_remarkable,
                test_only_line_feeds_are_remarkable_to_who_sends,
        };

        return run_tests("udp-network", tests, N(tests));
}
