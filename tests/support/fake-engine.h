/*
 * fake-engine.h - stands in for the engine behind the sockets, and a bus to try them with: what
 * comes in is kept, what is to go out is text. To be included by one file of a test program.
 */
#ifndef MBUS_TESTS_FAKE_ENGINE_H
#define MBUS_TESTS_FAKE_ENGINE_H

#include <check.h>
#include <stdlib.h>

#include "io/udp.h"
#include "namespace.h"

#define HEARD_MAX 256
/* Far longer than anything takes: a test that waits for it fails. */
#define PATIENCE_MS 10000

struct engine {
        struct outgoing out;
        uint64_t dropped[MBUS_DROP_MAX];
        struct engine_heard reported; /* what engine_heard() says */
        size_t n;                     /* received; the last HEARD_MAX of them are kept */
        struct {
                char text[64];
                size_t size;
                struct endpoint from;
        } heard[HEARD_MAX];
};

struct bus {
        struct udp *udp;
        struct engine engine;
        char error[512];
};

void engine_receive(struct engine *e, uint64_t now, uint64_t wall_ms, const struct endpoint *from,
                    struct span datagram)
{
        size_t i = e->n++ % HEARD_MAX;
        size_t n =
                datagram.n < sizeof(e->heard[i].text) ? datagram.n : sizeof(e->heard[i].text) - 1;

        ck_assert_uint_eq(now, 1);
        ck_assert_uint_eq(wall_ms, 2);
        memcpy(e->heard[i].text, datagram.at, n);
        e->heard[i].text[n] = 0;
        e->heard[i].size = datagram.n;
        e->heard[i].from = *from;
}

void engine_count_drop(struct engine *e, enum mbus_drop reason, uint64_t n)
{
        e->dropped[reason] += n;
}

struct engine_heard engine_heard(const struct engine *e)
{
        return e->reported;
}

size_t engine_n_datagrams(const struct engine *e)
{
        return e->out.n;
}

bool engine_peek_datagram(const struct engine *e, size_t *cursor, struct datagram *ret_datagram)
{
        return outgoing_peek(&e->out, cursor, ret_datagram);
}

void engine_pop_datagrams(struct engine *e, size_t n)
{
        outgoing_pop(&e->out, n);
}

static inline int bus_open(struct bus *b, const struct config *config)
{
        *b = (struct bus){ .engine = { .out = OUTGOING_INIT } };
        return udp_open(config, &b->udp, b->error);
}

static inline void bus_must_open(struct bus *b, const struct config *config)
{
        int r = bus_open(b, config);

        ck_assert_msg(r == 0, "%s", b->error);
}

/* Opens it on another host, and goes there. */
static inline void bus_open_on(int host, struct bus *b, const struct config *config)
{
        host_enter(host);
        bus_must_open(b, config);
}

static inline void bus_close(struct bus *b)
{
        ck_assert_ptr_null(udp_close(b->udp));
        outgoing_deinit(&b->engine.out);
}

/* The port that the bus sends from. */
static inline unsigned own_port(const struct bus *b)
{
        struct sockaddr_storage name;
        struct pollfd fds[UDP_POLLFDS];
        socklen_t n = sizeof(name);

        udp_get_pollfds(b->udp, fds);
        ck_assert_int_eq(getsockname(fds[1].fd, (struct sockaddr *)&name, &n), 0);
        return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

/* What is there, once and without waiting. */
static inline int bus_process(struct bus *b)
{
        int r = udp_receive(b->udp, &b->engine, 1, 2, NULL);

        ck_assert_int_ge(r, 0);
        return r;
}

static inline void bus_queue(struct bus *b, const struct endpoint *to, const char *text)
{
        ck_assert_int_eq(outgoing_push(&b->engine.out, span_of(text), to), 0);
}

static inline void bus_tell(struct bus *b, const struct endpoint *to, const char *text)
{
        bus_queue(b, to, text);
        ck_assert_int_eq(udp_send(b->udp, &b->engine), 0);
}

static inline void bus_say(struct bus *b, const char *text)
{
        bus_tell(b, &ENDPOINT_GROUP, text);
}

static inline void bus_wait(struct bus *b)
{
        struct pollfd fds[UDP_POLLFDS];

        ck_assert_int_gt(poll(fds, udp_get_pollfds(b->udp, fds), PATIENCE_MS), 0);
        bus_process(b);
}

/* Waits until @text is the last that was heard. */
static inline void bus_hears(struct bus *b, const char *text)
{
        while (b->engine.n == 0 ||
               strcmp(b->engine.heard[(b->engine.n - 1) % HEARD_MAX].text, text) != 0)
                bus_wait(b);
}

static inline const struct endpoint *bus_last_from(const struct bus *b)
{
        return &b->engine.heard[(b->engine.n - 1) % HEARD_MAX].from;
}

static inline void bus_waits_for_drops(struct bus *b, enum mbus_drop reason, uint64_t n)
{
        while (b->engine.dropped[reason] < n)
                bus_wait(b);
        ck_assert_uint_eq(b->engine.dropped[reason], n);
}

/* The bus has news of @network next, whose text has @part in it; or has none. */
static inline void bus_expect_notice(struct bus *b, enum mbus_network network, const char *part)
{
        enum mbus_network got;
        const char *text = "nothing";

        ck_assert_msg(udp_pop_notice(b->udp, &got, &text), "%s was not told", part);
        ck_assert_msg(got == network && strstr(text, part), "%s: %d %s", part, got, text);
}

static inline void bus_expect_no_notice(struct bus *b)
{
        enum mbus_network got;
        const char *text = "";

        ck_assert_msg(!udp_pop_notice(b->udp, &got, &text), "%s", text);
}

#endif
