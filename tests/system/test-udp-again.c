/*
 * test-udp-again.c - interfaces that go and come back, under the same index or name, and others that
 * take these over. Names and indices are no identities: what counts is which interface it is now.
 */
#include "fake-engine.h"
#include "run.h"

static const struct config link_v4 = { .port = CONFIG_PORT_DEFAULT, .scope = SCOPE_LINKLOCAL };
static const struct config link_v6 = { .port = CONFIG_PORT_DEFAULT,
                                       .scope = SCOPE_LINKLOCAL,
                                       .ip_version = 6 };

/* Two hosts on a cable; on the near one an interface by name, and the far one's bus. */
struct pair {
        struct hosts h;
        struct config config;
        const char *address;
        bool v6;
        struct bus far;
};

static struct pair pair_new(bool v6, bool named)
{
        struct pair p = { .config = v6 ? link_v6 : link_v4,
                          .address = v6 ? "fe80::1/64" : "10.1.0.1/24",
                          .v6 = v6 };

        p.h = hosts_new(p.address, v6 ? "fe80::2/64" : "10.1.0.2/24");
        hosts_await(&p.h, v6);
        if (named)
                strcpy(p.config.interfaces[p.config.n_interfaces++], "near");
        bus_open_on(p.h.there, &p.far, v6 ? &link_v6 : &link_v4);
        host_enter(p.h.here);
        return p;
}

static void pair_close(struct pair *p)
{
        bus_close(&p->far);
        hosts_close(&p->h);
}

static bool has_heard(const struct bus *b, const char *text)
{
        return b->engine.n > 0 &&
               strcmp(b->engine.heard[(b->engine.n - 1) % HEARD_MAX].text, text) == 0;
}

/* A link that has just come up may drop what is sent first: it is said until it is heard. */
static void say_until_heard(int from, struct bus *speaker, int to, struct bus *listener,
                            const char *text)
{
        for (int i = 0; i < 200 && !has_heard(listener, text); i++) {
                struct pollfd fds[UDP_POLLFDS];

                host_enter(from);
                bus_process(speaker);
                bus_say(speaker, text);
                host_enter(to);
                poll(fds, udp_get_pollfds(listener->udp, fds), 50);
                while (bus_process(listener))
                        ;
        }
        ck_assert_msg(has_heard(listener, text), "%s was not heard", text);
}

/* Each of @near hears the far one, who hears them. */
static void expect_talk(struct pair *p, struct bus *near, size_t n, const char *text)
{
        char back[64];

        for (size_t i = 0; i < n; i++)
                say_until_heard(p->h.there, &p->far, p->h.here, &near[i], text);
        snprintf(back, sizeof(back), "%s back", text);
        say_until_heard(p->h.here, &near[0], p->h.there, &p->far, back);
        host_enter(p->h.here);
}

static void plug_again(struct pair *p)
{
        plug("near", p->address);
        host_enter(p->h.there);
        run("ip address replace %s dev far", p->v6 ? "fe80::2/64" : "10.1.0.2/24");
        run("ip link set far up");
        hosts_await(&p->h, p->v6);
}

static void make_again(struct pair *p, unsigned index)
{
        run("ip link delete near");
        run("ip link add name near index %u type veth peer name far netns /proc/%d/fd/%d", index,
            (int)getpid(), p->h.there);
        plug_again(p);
}

/* @seen: the programs run between, as they mostly do. */
static void come_back_with_same_index(bool v6, bool named, bool seen)
{
        struct pair p = pair_new(v6, named);
        unsigned index = if_nametoindex("near");
        struct bus near[2];

        bus_must_open(&near[0], &p.config);
        bus_must_open(&near[1], &p.config);
        expect_talk(&p, near, 2, "before");
        if (seen) {
                run("ip link delete near");
                bus_process(&near[0]);
                bus_process(&near[1]);
                run("ip link add name near index %u type veth peer name far netns /proc/%d/fd/%d",
                    index, (int)getpid(), p.h.there);
                plug_again(&p);
        } else {
                make_again(&p, index);
        }
        ck_assert_uint_eq(if_nametoindex("near"), index);
        bus_process(&near[0]);
        bus_process(&near[1]);
        host_enter(p.h.there);
        bus_close(&p.far);
        bus_must_open(&p.far, v6 ? &link_v6 : &link_v4);
        host_enter(p.h.here);
        expect_talk(&p, near, 2, "again");
        /* That one leaves takes nothing from the other. */
        if (seen) {
                bus_close(&near[1]);
                expect_talk(&p, near, 1, "alone");
        } else {
                bus_close(&near[1]);
        }
        bus_close(&near[0]);
        pair_close(&p);
}

START_TEST(test_an_interface_made_anew_with_the_same_index_is_joined_again)
{
        for (int i = 0; i < 8; i++)
                come_back_with_same_index(i & 1, i & 2, i & 4);
}
END_TEST

static void move_away_and_back(bool v6)
{
        struct pair p = pair_new(v6, true);
        unsigned index = if_nametoindex("near");
        int other = host_new();
        struct bus near;

        host_enter(p.h.here);
        bus_must_open(&near, &p.config);
        expect_talk(&p, &near, 1, "before");
        run("ip link set near netns /proc/%d/fd/%d", (int)getpid(), other);
        bus_process(&near);
        bus_say(&near, "lost");
        ck_assert_uint_eq(near.engine.dropped[MBUS_DROP_SENT], 1);
        host_enter(other);
        run("ip link set near netns /proc/%d/fd/%d", (int)getpid(), p.h.here);
        host_enter(p.h.here);
        ck_assert_uint_eq(if_nametoindex("near"), index);
        plug_again(&p);
        bus_process(&near);
        expect_talk(&p, &near, 1, "again");
        bus_close(&near);
        close(other);
        pair_close(&p);
}

START_TEST(test_an_interface_that_was_in_another_namespace_is_joined_again)
{
        move_away_and_back(false);
        move_away_and_back(true);
}
END_TEST

START_TEST(test_an_interface_may_go_down_and_up_and_change_its_address)
{
        struct pair p = pair_new(false, true);
        struct bus near;

        bus_must_open(&near, &p.config);
        for (int i = 0; i < 3; i++) {
                run("ip link set near down");
                bus_process(&near);
                run("ip link set near up");
                hosts_await(&p.h, false);
                bus_process(&near);
                expect_talk(&p, &near, 1, i ? "up again" : "up");
        }
        run("ip address flush dev near");
        bus_process(&near);
        bus_say(&near, "lost");
        run("ip address add 10.1.0.7/24 dev near");
        bus_process(&near);
        expect_talk(&p, &near, 1, "with another address");
        ck_assert_str_eq(udp_host_id(near.udp), "10.1.0.1");
        bus_close(&near);
        pair_close(&p);
}
END_TEST

/* An MTU below the least of IPv6 takes it off the interface, and the members with it. */
START_TEST(test_an_interface_that_lost_its_protocol_is_joined_again)
{
        struct pair p = pair_new(true, true);
        struct bus near;

        bus_must_open(&near, &p.config);
        run("ip link set near mtu 1200");
        bus_process(&near);
        run("ip link set near mtu 1500");
        run("ip address replace fe80::1/64 dev near");
        await_ipv6("near");
        bus_process(&near);
        expect_talk(&p, &near, 1, "again");
        bus_close(&near);
        pair_close(&p);
}
END_TEST

START_TEST(test_another_interface_of_the_same_index_is_not_the_bus)
{
        struct pair p = pair_new(false, true);
        unsigned index = if_nametoindex("near");
        struct bus near;

        bus_must_open(&near, &p.config);
        run("ip link delete near");
        run("ip link add name other index %u type veth peer name other2", index);
        plug("other", "10.7.0.1/24");
        run("ip link set other2 up");
        await_link("other");
        bus_process(&near);
        bus_say(&near, "not here");
        ck_assert_uint_eq(near.engine.dropped[MBUS_DROP_SENT], 1);
        ck_assert_int_eq(system("ip maddress show dev other | grep -q 239.255.255.247"), 256);
        /* By another index under its name it is the bus again. */
        run("ip link add name near type veth peer name far netns /proc/%d/fd/%d", (int)getpid(),
            p.h.there);
        plug_again(&p);
        bus_process(&near);
        host_enter(p.h.there);
        bus_close(&p.far);
        bus_must_open(&p.far, &link_v4);
        host_enter(p.h.here);
        expect_talk(&p, &near, 1, "here");
        ck_assert_uint_eq(near.engine.dropped[MBUS_DROP_SENT], 1);
        bus_close(&near);
        pair_close(&p);
}
END_TEST

START_TEST(test_a_name_may_pass_to_another_interface)
{
        struct pair p = pair_new(false, true);
        struct bus near, far2;

        cable("second", p.h.there, "far2");
        bus_must_open(&near, &p.config);
        plug("second", "10.2.0.1/24");
        plug_on(p.h.there, "far2", "10.2.0.2/24");
        await_link("far2");
        host_enter(p.h.here);
        await_link("second");
        run("ip link set near down; ip link set near name gone; ip link set near up; :");
        run("ip link set gone up");
        bus_process(&near);
        bus_say(&near, "to nobody");
        ck_assert_uint_eq(near.engine.dropped[MBUS_DROP_SENT], 1);
        run("ip link set second down; ip link set second name near; ip link set near up");
        await_link("near");
        bus_process(&near);
        host_enter(p.h.there);
        await_link("far2");
        strcpy(p.config.interfaces[0], "far2");
        bus_must_open(&far2, &p.config);
        bus_say(&far2, "on the second");
        host_enter(p.h.here);
        bus_hears(&near, "on the second");
        bus_close(&far2);
        bus_close(&near);
        pair_close(&p);
}
END_TEST

/* More news than the kernel keeps. */
START_TEST(test_lost_news_are_a_change_of_every_interface)
{
        struct pair p = pair_new(false, true);
        unsigned index = if_nametoindex("near");
        struct bus near;
        struct pollfd fds[UDP_POLLFDS];
        int small = 1;

        bus_must_open(&near, &p.config);
        udp_get_pollfds(near.udp, fds);
        ck_assert_int_eq(setsockopt(fds[2].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
        run("for i in $(seq 100); do ip address add 10.9.9.$i/32 dev lo; done");
        make_again(&p, index);
        bus_process(&near);
        host_enter(p.h.there);
        bus_close(&p.far);
        bus_must_open(&p.far, &link_v4);
        host_enter(p.h.here);
        expect_talk(&p, &near, 1, "again");
        bus_close(&near);
        pair_close(&p);
}
END_TEST

static void lo_down_and_up(unsigned ip_version)
{
        struct config c = { .port = CONFIG_PORT_DEFAULT, .ip_version = ip_version };
        int host = host_new();
        struct bus a, b;

        if (ip_version == 6)
                run("ip -6 route add local ff00::/8 dev lo table local");
        bus_must_open(&a, &c);
        bus_must_open(&b, &c);
        run("ip link set lo down");
        bus_process(&a);
        bus_process(&b);
        bus_say(&a, "lost");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SENT], 1);
        run("ip link set lo up");
        if (ip_version == 6)
                run("ip -6 route replace local ff00::/8 dev lo table local");
        bus_process(&a);
        bus_process(&b);
        bus_say(&a, "again");
        bus_hears(&b, "again");
        bus_close(&a);
        bus_close(&b);
        close(host);
}

START_TEST(test_lo_may_go_down_and_come_back)
{
        lo_down_and_up(4);
        lo_down_and_up(6);
}
END_TEST

/* The next one, and no other after it. */
static void expect_notice(struct bus *b, const char *part)
{
        enum mbus_network network;
        const char *text = "nothing";

        ck_assert_msg(udp_pop_notice(b->udp, &network, &text) && strstr(text, part), "%s: %s", part,
                      text);
        ck_assert(!udp_pop_notice(b->udp, &network, &text));
}

/* One of two is gone: the other works on, and both do when it is back. */
START_TEST(test_of_several_interfaces_each_comes_and_goes_for_itself)
{
        struct pair p = pair_new(false, true);
        struct bus near, far2;
        struct config second = link_v4;

        cable("near2", p.h.there, "far2");
        plug("near2", "10.2.0.1/24");
        plug_on(p.h.there, "far2", "10.2.0.2/24");
        strcpy(second.interfaces[second.n_interfaces++], "far2");
        await_link("far2");
        bus_must_open(&far2, &second);
        host_enter(p.h.here);
        await_link("near2");
        strcpy(p.config.interfaces[p.config.n_interfaces++], "near2");
        bus_must_open(&near, &p.config);
        ck_assert_str_eq(udp_interface(near.udp), "near near2");
        run("ip link delete near2");
        for (int i = 0; i < 3; i++) {
                run("ip address add 10.9.9.%d/32 dev lo", i + 1);
                bus_process(&near);
        }
        expect_notice(&near, "the bus is not there for now: INTERFACE=near2: no interface");
        cable("near2", p.h.there, "far2");
        plug("near2", "10.2.0.1/24");
        bus_process(&near);
        expect_notice(&near, "the bus is on all its interfaces again: near near2");
        plug_on(p.h.there, "far2", "10.2.0.2/24");
        await_link("far2");
        bus_close(&far2);
        bus_must_open(&far2, &second);
        host_enter(p.h.here);
        await_link("near2");
        run("ip link delete near");
        bus_process(&near);
        host_enter(p.h.there);
        bus_say(&far2, "still here");
        host_enter(p.h.here);
        bus_hears(&near, "still here");
        run("ip link add name near type veth peer name far netns /proc/%d/fd/%d", (int)getpid(),
            p.h.there);
        plug_again(&p);
        bus_process(&near);
        host_enter(p.h.there);
        bus_close(&p.far);
        strcpy(second.interfaces[0], "far");
        bus_must_open(&p.far, &second);
        host_enter(p.h.here);
        expect_talk(&p, &near, 1, "both");
        host_enter(p.h.there);
        bus_say(&far2, "both indeed");
        host_enter(p.h.here);
        bus_hears(&near, "both indeed");
        bus_close(&near);
        bus_close(&far2);
        pair_close(&p);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_an_interface_made_anew_with_the_same_index_is_joined_again,
                test_an_interface_that_was_in_another_namespace_is_joined_again,
                test_an_interface_may_go_down_and_up_and_change_its_address,
                test_an_interface_that_lost_its_protocol_is_joined_again,
                test_another_interface_of_the_same_index_is_not_the_bus,
                test_a_name_may_pass_to_another_interface,
                test_lost_news_are_a_change_of_every_interface,
                test_lo_may_go_down_and_come_back,
                test_of_several_interfaces_each_comes_and_goes_for_itself,
        };

        return run_tests("udp-again", tests, N(tests));
}
