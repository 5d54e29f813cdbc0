/*
 * test-broker-storm.c - somebody on the bus who wants to make the broker busy with names: addresses of
 * its entities are used elsewhere, again and again (spec/errata.md, 27; spec/buses.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <core/header.h>
#include <core/seal.h>
#include <io/socket.h>

#include "peer.h"

#define OTHER_PORT 47500
#define ROUTES "ROUTE=to=main\nROUTE=from=main\n"
#define KEYS "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\nENCRYPTIONKEY=(NOENCR,)\n"

static union socket_address group_at(uint16_t port)
{
        union socket_address group;

        ck_assert(socket_address_parse("239.255.255.247", port, &group));
        return group;
}

/* Hears what is sent to the group at @port on lo. */
static int hear(uint16_t port)
{
        union socket_address group = group_at(port);
        int fd;

        ck_assert_int_eq(socket_open(AF_INET, &fd), 0);
        ck_assert_int_eq(socket_share_port(fd), 0);
        ck_assert_int_eq(socket_bind(fd, &group), 0);
        ck_assert_int_eq(socket_join(fd, &group, if_nametoindex("lo")), 0);
        return fd;
}

static int open_mouth(in_port_t *ret_port)
{
        union socket_address name = { .v4 = { .sin_family = AF_INET } };
        int fd;

        name.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ck_assert_int_eq(socket_open(AF_INET, &fd), 0);
        ck_assert_int_eq(socket_bind(fd, &name), 0);
        ck_assert_int_eq(socket_set_interface(fd, AF_INET, if_nametoindex("lo"), true), 0);
        ck_assert_int_eq(socket_get_name(fd, &name), 0);
        *ret_port = name.v4.sin_port;
        return fd;
}

static void say(int fd, uint16_t port, const char *at, size_t n)
{
        union socket_address group = group_at(port);

        (void)!sendto(fd, at, n, MSG_DONTWAIT, &group.any, sizeof(group.v4));
}

/* Takes the next datagram that was not sent from @own; false if there is none. */
static bool take(int fd, in_port_t own, char bytes[static 65536], size_t *ret_n)
{
        struct sockaddr_in from;
        socklen_t size;
        ssize_t n;

        do {
                size = sizeof(from);
                n = recvfrom(fd, bytes, 65536, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        } while (n >= 0 && from.sin_port == own);
        *ret_n = (size_t)n;
        return n >= 0;
}

/* How often the client is told of another address of its own; *@address is the newest. All else is passed
 * over. */
static unsigned count_renamed(struct raw_client *c, char address[static 128])
{
        struct pollfd fd = { .fd = c->fd, .events = POLLIN };
        unsigned n = 0;
        char *at;

        while (c->n >= 4 || poll(&fd, 1, 0) == 1) {
                ck_assert(raw_receive(c));
                at = strstr(c->text, "broker.renamed(");
                if (at && sscanf(at, "broker.renamed(\"%*[^\"]\" \"%127[^\"]\")", address) == 1)
                        n++;
        }
        return n;
}

/* A reliable message of @c, whose receiver is another entity of the link, is acknowledged. */
static void expect_delivery(struct raw_client *c, const char *from, const char *to)
{
        uint32_t seq = raw_send(c, 'R', from, to, "honest.r(1)");
        char acks[16];

        snprintf(acks, sizeof(acks), " (%u)", seq);
        do
                ck_assert(raw_receive(c));
        while (!strstr(c->text, "honest.r(1)"));
        raw_acknowledge(c, to, from, seq);
        do
                ck_assert(raw_receive(c));
        while (!strstr(c->text, acks));
}

struct storm {
        int host;
        struct daemon broker;
        struct raw_client victim; /* with an id that the broker makes */
        struct raw_client honest;
        char *victim_address;
        char *from;
        char *to;
};

static void storm_init(struct storm *s, const char *lines)
{
        s->host = host_new();
        daemon_prepare(&s->broker);
        daemon_configure(&s->broker, lines);
        daemon_start(&s->broker);
        raw_open(&s->victim, s->broker.socket);
        s->victim_address = raw_attach(&s->victim, "(app:victim)");
}

/* Who is not to be disturbed: out of the reach of the attacker, who knows the victim alone. */
static void storm_add_honest(struct storm *s)
{
        raw_open(&s->honest, s->broker.socket);
        s->from = raw_attach(&s->honest, "(app:honest part:from)");
        s->to = raw_attach(&s->honest, "(app:honest part:to)");
}

static void storm_deinit(struct storm *s)
{
        raw_close(&s->victim);
        free(s->victim_address);
        daemon_free(&s->broker);
        close(s->host);
}

static unsigned log_lines(const struct daemon *d)
{
        return count_in_log(d, "\n");
}

/* Two buses that some program, or a cable, makes one, which no configuration shows. */
START_TEST(test_two_buses_that_are_one_do_not_rename_and_log_without_end)
{
        static char bytes[65536];
        unsigned renamed = 0, before;
        char address[128] = "";
        struct pollfd fds[2];
        in_port_t own;
        struct storm s;
        uint64_t end;
        size_t n;
        int mouth;

        storm_init(&s, "[bus other]\n" KEYS "PORT=47500\n" ROUTES);
        fds[0] = (struct pollfd){ .fd = hear(CONFIG_PORT_DEFAULT), .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = hear(OTHER_PORT), .events = POLLIN };
        mouth = open_mouth(&own);
        before = log_lines(&s.broker);
        /* Who comes from now on is seen on the other bus at once. */
        while (count_in_log(&s.broker, " are joined") == 0)
                usleep(10000);
        free(raw_attach(&s.victim, "(app:victim module:late)"));
        end = clock_now() + 5 * NSEC_PER_SEC;
        while (clock_now() < end) {
                poll(fds, 2, 10);
                while (take(fds[0].fd, own, bytes, &n))
                        say(mouth, OTHER_PORT, bytes, n);
                while (take(fds[1].fd, own, bytes, &n))
                        say(mouth, CONFIG_PORT_DEFAULT, bytes, n);
                renamed += count_renamed(&s.victim, address);
        }
        /* At once, and after 1, 2, 4 seconds. */
        ck_assert_uint_le(renamed, 4);
        ck_assert_uint_le(log_lines(&s.broker) - before, 10);
        close(mouth);
        close(fds[0].fd);
        close(fds[1].fd);
        storm_deinit(&s);
}
END_TEST

/* Says hello from a socket of its own as whoever is in @datagram. */
static void echo(struct crypto *crypto, int mouth, struct span datagram, uint32_t seq)
{
        static char scratch[65536];
        struct buffer out = BUFFER_INIT;
        char text[512];
        struct header h;
        struct span in;
        int n;

        if (seal_open(crypto, datagram, scratch, &in) != SEAL_OK ||
            header_parse(in, &h, NULL) != HEADER_OK)
                return;
        n = snprintf(text, sizeof(text), "mbus/1.0 %u %llu U %.*s () ()\r\nmbus.hello()", seq,
                     (unsigned long long)clock_wall_ms(), (int)h.src.text.n, h.src.text.at);
        seal_message(crypto, DIALECT_RFC3259, (struct span){ text, (size_t)n }, &out);
        say(mouth, CONFIG_PORT_DEFAULT, out.at, out.n);
        buffer_deinit(&out);
}

START_TEST(test_who_uses_each_address_that_he_hears_renames_it_seldom_and_hurts_nobody_else)
{
        static char bytes[65536], last[65536];
        unsigned renamed = 0, before, delivered = 0;
        char address[128] = "", mine[128];
        size_t n, last_n = 0;
        in_port_t own;
        struct storm s;
        struct peer p;
        uint64_t end;
        uint32_t seq;
        int mouth, ear;

        storm_init(&s, "");
        peer_init(&p, &s.broker); /* for its keys */
        ear = hear(CONFIG_PORT_DEFAULT);
        mouth = open_mouth(&own);
        raw_send(&s.victim, 'U', s.victim_address, "()", "here.am.i()");
        while (last_n == 0)
                if (take(ear, own, bytes, &n)) {
                        memcpy(last, bytes, n);
                        last_n = n;
                }
        storm_add_honest(&s);
        before = log_lines(&s.broker);
        end = clock_now() + 5 * NSEC_PER_SEC;
        for (seq = 0; clock_now() < end; seq++) {
                snprintf(mine, sizeof(mine), "%s", address[0] ? address : s.victim_address);
                echo(p.crypto, mouth, (struct span){ last, last_n }, 100000 + 7 * seq);
                usleep(1000);
                renamed += count_renamed(&s.victim, address);
                if (address[0] && strcmp(mine, address) != 0) {
                        /* The attacker has heard that, too. */
                        raw_send(&s.victim, 'U', address, "()", "here.am.i()");
                        for (last_n = 0; last_n == 0;)
                                while (take(ear, own, bytes, &n))
                                        if (memmem(bytes, n, "here.am.i", 9)) {
                                                memcpy(last, bytes, n);
                                                last_n = n;
                                        }
                }
                while (take(ear, own, bytes, &n))
                        ;
                if (seq % 100 == 0) {
                        expect_delivery(&s.honest, s.from, s.to);
                        delivered++;
                }
        }
        ck_assert_uint_ge(renamed, 2);
        ck_assert_uint_le(renamed, 4);
        ck_assert_uint_ge(delivered, 5);
        ck_assert_uint_le(log_lines(&s.broker) - before, 3);
        peer_deinit(&p);
        close(ear);
        close(mouth);
        raw_close(&s.honest);
        free(s.from);
        free(s.to);
        storm_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_two_buses_that_are_one_do_not_rename_and_log_without_end,
                test_who_uses_each_address_that_he_hears_renames_it_seldom_and_hurts_nobody_else,
        };

        return run_tests("broker-storm", tests, N(tests));
}
