/*
 * test-broker-tcp.c - strangers on the broker's TCP port, and what becomes of what they say
 * (spec/attach.md, "TCP").
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "../../../broker/base/limits.h"
#include <core/stream.h>
#include <io/clock.h>
#include <io/config-make.h>

#include "scene.h"

#define PORT 47111
#define CALLER "(app:c id:1-3@127.0.0.1)"

/* A stranger, or a client who seals what it says. */
struct caller {
        int fd;
        struct crypto *crypto;
        struct stream stream;
        struct buffer in;
        struct buffer out;
};

static void begin(struct scene *s)
{
        scene_init(s, "[broker]\nTCP=127.0.0.1:47111\n");
}

static int call(void)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons(PORT),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void expect_figure(struct scene *s, const char *figure)
{
        raw_send(&s->a, 'U', A, BROKER, "broker.stats()");
        ck_assert(raw_receive(&s->a));
        ck_assert_msg(strstr(s->a.text, figure) != NULL, "%s is not in: %s", figure, s->a.text);
}

/* Within twice the time that strangers have. */
static bool is_closed_soon(int fd)
{
        uint64_t end = clock_now() + 2 * TCP_PROOF_MS * NSEC_PER_MSEC;
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char octets[256];

        while (clock_now() < end) {
                if (poll(&p, 1, 100) == 1 && recv(fd, octets, sizeof(octets), 0) <= 0)
                        return true;
        }
        return false;
}

static void expect_greeting(int fd)
{
        char octets[50];

        ck_assert_int_eq(recv(fd, octets, sizeof(octets), MSG_WAITALL), 50);
        ck_assert_int_eq(memcmp(octets, "\0\0\0\056mbus-stream/1 ", 18), 0);
}

static void caller_init(struct caller *c, const struct scene *s)
{
        const uint8_t nonce[STREAM_NONCE_SIZE] = { 7 };
        char error[CONFIG_FILE_ERROR_SIZE];
        struct config config;

        *c = (struct caller){ .fd = call(), .in = BUFFER_INIT, .out = BUFFER_INIT };
        ck_assert_int_eq(config_file_read(s->broker.config, &config, error), 0);
        crypto_global_init();
        ck_assert_int_eq(crypto_new(&config, &c->crypto), 0);
        ck_assert_int_eq(stream_init(&c->stream, c->crypto, false, nonce), 0);
}

static void caller_deinit(struct caller *c)
{
        close(c->fd);
        stream_deinit(&c->stream);
        crypto_free(c->crypto);
        buffer_deinit(&c->in);
        buffer_deinit(&c->out);
}

static void flush(struct caller *c)
{
        ck_assert_int_eq(send(c->fd, c->out.at, c->out.n, 0), (ssize_t)c->out.n);
        c->out.n = 0;
}

/* Takes frames until one is a message, or the greeting is over. */
static struct span hear(struct caller *c)
{
        enum stream_status status;
        struct span text;
        bool observed;
        size_t n;

        for (;;) {
                status =
                        stream_take(&c->stream, buffer_span(&c->in), &text, &observed, &n, &c->out);
                ck_assert_int_ne(status, STREAM_STRANGE);
                ck_assert_int_ne(status, STREAM_FORGED);
                if (status == STREAM_PARTIAL) {
                        char *at = buffer_reserve(&c->in, 4096);
                        ssize_t got = recv(c->fd, at, 4096, 0);

                        ck_assert_int_gt(got, 0);
                        c->in.n += (size_t)got;
                        continue;
                }
                memmove(c->in.at, c->in.at + n, c->in.n - n);
                c->in.n -= n;
                if (c->out.n > 0)
                        flush(c);
                if (status == STREAM_TEXT)
                        return text;
                if (c->stream.state == STREAM_OPEN)
                        return SPAN_NULL;
        }
}

/* A client with the entity CALLER; returns what the broker says to that, as long as nothing else comes. */
static struct span caller_attach(struct caller *c, const struct scene *s)
{
        caller_init(c, s);
        hear(c);
        stream_put(&c->stream,
                   span_of("mbus/1.0 0 1700000000000 R " CALLER " (app:mbus-broker) "
                           "()\r\nbroker.attach(1)"),
                   false, &c->out);
        flush(c);
        return hear(c);
}

/* @n messages of 30000 octets to the caller. */
static void say_long(struct scene *s, unsigned n)
{
        static char payload[30000];

        memset(payload, 'x', sizeof(payload) - 1);
        memcpy(payload, "a.b(\"", 5);
        memcpy(payload + sizeof(payload) - 3, "\")", 2);
        for (unsigned i = 0; i < n; i++)
                raw_send(&s->a, 'U', A, CALLER, payload);
        raw_expect_nothing(&s->a);
}

START_TEST(test_who_proves_himself_is_a_client_like_any_other)
{
        struct caller c;
        struct scene s;
        struct span text;

        begin(&s);
        text = caller_attach(&c, &s);
        ck_assert_ptr_nonnull(memmem(text.at, text.n, "broker.attached(0 1 ", 20));
        raw_send(&s.a, 'U', A, "(app:c)", "hello.there()");
        text = hear(&c);
        ck_assert_ptr_nonnull(memmem(text.at, text.n, "hello.there()", 13));
        caller_deinit(&c);
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_stranger_who_says_nothing_is_sent_away)
{
        uint64_t start = clock_now();
        struct scene s;
        int fd;

        begin(&s);
        fd = call();
        expect_greeting(fd);
        ck_assert(is_closed_soon(fd));
        ck_assert_uint_ge(clock_now() - start, TCP_PROOF_MS * NSEC_PER_MSEC);
        close(fd);
        ck_assert_uint_eq(count_in_log(&s.broker,
                                       " is closed: TCP_PROOF_MS=5000 is reached: it has "
                                       "not proved itself (0 more before)"),
                          1);
        expect_figure(&s, "(tcp-rejected-too-late 1)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_strangers_who_speak_something_else_are_sent_away_at_once)
{
        static const struct {
                const char *said;
                size_t n;
        } cases[] = {
                { "GET / HTTP/1.1\r\n\r\n", 18 },
                { "\0\0\0\0", 4 },
                { "\200\0\0\001x", 5 },
                { "\0\0\0\056mbus-stream/1 0123456789abcdef0123456789abcdex", 50 },
                { "\0\0\0\056mbus-stream/1 0123456789abcdef0123456789abcdef"
                  "\0\0\0\022AAAAAAAAAAAAAAAA\r\n",
                  72 },
        };
        struct scene s;
        unsigned before;

        begin(&s);
        before = daemon_open_files(&s.broker);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                int fd = call();

                expect_greeting(fd);
                ck_assert_int_eq(send(fd, cases[i].said, cases[i].n, 0), (ssize_t)cases[i].n);
                ck_assert_msg(is_closed_soon(fd), "case %zu", i);
                close(fd);
        }
        raw_expect_nothing(&s.a);
        ck_assert_uint_eq(daemon_open_files(&s.broker), before);
        expect_figure(&s, "(tcp-rejected-wrong-protocol 4)");
        expect_figure(&s, "(tcp-rejected-wrong-key 1)");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_of_many_strangers_the_oldest_gives_way)
{
        int fds[TCP_STRANGERS_MAX + 2];
        struct caller c;
        struct scene s;

        begin(&s);
        for (unsigned i = 0; i < TCP_STRANGERS_MAX + 2; i++) {
                fds[i] = call();
                expect_greeting(fds[i]);
        }
        for (unsigned i = 0; i < 2; i++)
                ck_assert(is_closed_soon(fds[i]));
        ck_assert_uint_eq(count_in_log(&s.broker, " is closed: TCP_STRANGERS_MAX=64 is reached: it "
                                                  "has not proved itself yet, and newer ones came "
                                                  "(0 more before)"),
                          1);
        ck_assert_uint_eq(count_in_log(&s.broker, "TCP link from 127.0.0.1:"), 1);
        expect_figure(&s, "(tcp-rejected-too-many 2)");
        /* A client gets through all the same. */
        caller_init(&c, &s);
        hear(&c);
        ck_assert_int_eq(c.stream.state, STREAM_OPEN);
        caller_deinit(&c);
        for (unsigned i = 0; i < TCP_STRANGERS_MAX + 2; i++)
                close(fds[i]);
        raw_expect_nothing(&s.a);
        scene_deinit(&s);
}
END_TEST

/* A monitor that tries whether somebody listens does no harm, so the log is spared. */
START_TEST(test_a_stranger_who_hangs_up_is_counted_and_not_logged)
{
        struct caller c;
        struct scene s;

        begin(&s);
        for (unsigned i = 0; i < 3; i++) {
                int fd = call();

                expect_greeting(fd);
                ck_assert_int_eq(send(fd, "\0\0", i, MSG_NOSIGNAL), i);
                close(fd);
        }
        /* One who came later is let in, so these are gone. */
        caller_init(&c, &s);
        hear(&c);
        ck_assert_int_eq(c.stream.state, STREAM_OPEN);
        caller_deinit(&c);
        expect_figure(&s, "(tcp-rejected-hung-up 3)");
        ck_assert_uint_eq(count_in_log(&s.broker, "TCP link from"), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_a_client_once_said_is_of_no_use_to_a_stranger)
{
        struct buffer said = BUFFER_INIT;
        struct caller c;
        struct scene s;
        int fd;

        begin(&s);
        caller_init(&c, &s);
        /* As hear() does, but what goes out is kept. */
        while (c.out.n == 0) {
                char octets[50];
                struct span text;
                bool observed;
                size_t n;

                ck_assert_int_eq(recv(c.fd, octets, 50, MSG_WAITALL), 50);
                ck_assert_int_eq(stream_take(&c.stream, (struct span){ octets, 50 }, &text,
                                             &observed, &n, &c.out),
                                 STREAM_DONE);
        }
        buffer_add_span(&said, buffer_span(&c.out));
        flush(&c);
        hear(&c);
        fd = call();
        expect_greeting(fd);
        ck_assert_int_eq(send(fd, said.at, said.n, 0), (ssize_t)said.n);
        ck_assert(is_closed_soon(fd));
        close(fd);
        buffer_deinit(&said);
        caller_deinit(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_client_that_does_not_read_loses_messages_as_on_any_link)
{
        struct caller c;
        struct scene s;
        struct span text;

        begin(&s);
        caller_attach(&c, &s);
        say_long(&s, 1000);
        do
                text = hear(&c);
        while (!memmem(text.at, text.n, "broker.dropped(", 15));
        caller_deinit(&c);
        scene_deinit(&s);
}
END_TEST

/* How many of what comes until the link ends have @command. */
static unsigned hear_until_the_end(struct caller *c, const char *command)
{
        unsigned n = 0;
        ssize_t got;

        do {
                char *at = buffer_reserve(&c->in, 65536);
                struct span text;
                bool observed;
                size_t size;

                got = recv(c->fd, at, 65536, 0);
                c->in.n += got > 0 ? (size_t)got : 0;
                while (stream_take(&c->stream, buffer_span(&c->in), &text, &observed, &size,
                                   &c->out) == STREAM_TEXT) {
                        n += memmem(text.at, text.n, command, strlen(command)) != NULL;
                        memmove(c->in.at, c->in.at + size, c->in.n - size);
                        c->in.n -= size;
                }
        } while (got > 0);
        return n;
}

/* It still talks: what it says must not make the system forget what it has not got yet. */
START_TEST(test_who_reads_gets_all_that_waited_when_the_broker_ends)
{
        struct caller c;
        struct scene s;

        begin(&s);
        caller_attach(&c, &s);
        say_long(&s, 250);
        ck_assert_int_eq(kill(s.broker.pid, SIGTERM), 0);
        stream_put(&c.stream,
                   span_of("mbus/1.0 1 1700000000000 U (app:c id:1-3@127.0.0.1) (app:a) ()\r\nx()"),
                   false, &c.out);
        flush(&c);
        ck_assert_uint_eq(hear_until_the_end(&c, "a.b("), 250);
        ck_assert_int_eq(daemon_await(&s.broker), 0);
        caller_deinit(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_links_over_tcp_count_as_those_of_the_brokers_user_and_bear_their_place)
{
        struct caller c, d;
        struct scene s;
        struct span text;

        scene_init(&s, "[broker]\nTCP=127.0.0.1:47111\n[limits]\nLINKS_PER_USER=3\n");
        caller_init(&c, &s);
        hear(&c);
        caller_init(&d, &s);
        hear(&d);
        text = hear(&d);
        ck_assert_ptr_nonnull(memmem(text.at, text.n, "broker.refused(0 full ", 22));
        ck_assert(is_closed_soon(d.fd));
        caller_deinit(&d);
        raw_send(&s.a, 'U', A, BROKER, "broker.clients()");
        ck_assert(raw_receive(&s.a));
        ck_assert_ptr_nonnull(strstr(s.a.text, "(tcp \"127.0.0.1:"));
        caller_deinit(&c);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_without_descriptors_nobody_is_taken_and_that_is_said_once)
{
        struct rlimit before, few;
        struct caller c;
        struct scene s;
        int fds[60];

        begin(&s);
        getrlimit(RLIMIT_NOFILE, &before);
        few = (struct rlimit){ daemon_open_files(&s.broker) + 20, before.rlim_max };
        ck_assert_int_eq(prlimit(s.broker.pid, RLIMIT_NOFILE, &few, NULL), 0);
        for (unsigned i = 0; i < N(fds); i++)
                fds[i] = call();
        while (count_in_log(&s.broker, "TCP=127.0.0.1:47111: no more clients for now") == 0) {
                raw_send(&s.a, 'U', A, B, "still()");
                raw_expect(&s.b, "still()");
        }
        for (unsigned i = 0; i < N(fds); i++)
                close(fds[i]);
        caller_init(&c, &s);
        hear(&c);
        ck_assert_int_eq(c.stream.state, STREAM_OPEN);
        ck_assert_uint_eq(count_in_log(&s.broker, "no more clients for now"), 1);
        ck_assert_uint_eq(count_in_log(&s.broker, "TCP=127.0.0.1:47111: clients are taken again"),
                          1);
        caller_deinit(&c);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_who_proves_himself_is_a_client_like_any_other,
                test_a_stranger_who_says_nothing_is_sent_away,
                test_strangers_who_speak_something_else_are_sent_away_at_once,
                test_of_many_strangers_the_oldest_gives_way,
                test_a_stranger_who_hangs_up_is_counted_and_not_logged,
                test_what_a_client_once_said_is_of_no_use_to_a_stranger,
                test_a_client_that_does_not_read_loses_messages_as_on_any_link,
                test_who_reads_gets_all_that_waited_when_the_broker_ends,
                test_links_over_tcp_count_as_those_of_the_brokers_user_and_bear_their_place,
                test_without_descriptors_nobody_is_taken_and_that_is_said_once,
        };

        return run_tests("broker-tcp", tests, N(tests));
}
