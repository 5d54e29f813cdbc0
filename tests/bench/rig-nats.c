/*
 * rig-nats.c - nats-server with a client of its text protocol that does nothing but what it must.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "flow.h"
#include "io/clock.h"
#include "server.h"
#include "stream.h"

#define PORT 4223

static struct server nats;

static bool start(void)
{
        if (access("/usr/sbin/nats-server", X_OK) < 0)
                return false;
        server_prepare(&nats);
        server_exec(&nats, (const char *const[]){ "/usr/sbin/nats-server", "-a", "127.0.0.1", "-p",
                                                  "4223", NULL });
        return true;
}

static double stop(void)
{
        return server_stop(&nats);
}

/* Takes one message, or something else that the server says. False if it is not all there. */
static bool take_one(struct stream *s, uint64_t *n_messages)
{
        const char *line = s->in + s->at, *size;
        const char *end = memchr(line, '\n', s->n - s->at);
        size_t n;

        if (!end)
                return false;
        n = (size_t)(end + 1 - line);
        if (strncmp(line, "MSG ", 4) == 0) {
                for (size = end; size[-1] != ' '; size--)
                        ;
                n += strtoul(size, NULL, 10) + 2;
                if (n > s->n - s->at)
                        return false;
                ++*n_messages;
        } else if (strncmp(line, "PING", 4) == 0) {
                stream_write(s, "PONG\r\n", 6);
        } else {
                bench_check(strncmp(line, "-ERR", 4) != 0, line);
        }
        s->at += n;
        return true;
}

static uint64_t take(struct stream *s)
{
        uint64_t n = 0;

        while (take_one(s, &n))
                ;
        return n;
}

/* Waits for the answer to a PING: the server has done all that was asked before. */
static void synchronise(struct stream *s)
{
        stream_write(s, "PING\r\n", 6);
        for (;;) {
                stream_read(s);
                if (s->n - s->at >= 6 && strncmp(s->in + s->n - 6, "PONG\r\n", 6) == 0)
                        break;
        }
        s->at = s->n;
}

static struct stream *join(struct flow *f, const char *subject)
{
        static const char connect[] = "CONNECT {\"verbose\":false,\"pedantic\":false,"
                                      "\"tls_required\":false,\"name\":\"bench\"}\r\n";
        struct stream *s = stream_open_tcp(PORT);
        char line[64];

        stream_write(s, connect, sizeof(connect) - 1);
        if (subject) {
                snprintf(line, sizeof(line), "SUB %s 1\r\n", subject);
                stream_write(s, line, strlen(line));
        }
        synchronise(s);
        flow_ready(f);
        return s;
}

struct publish {
        char at[512];
        size_t n;
};

static struct publish make_publish(const char *subject)
{
        struct publish p;

        p.n = (size_t)snprintf(p.at, sizeof(p.at), "PUB %s %d\r\n%s\r\n", subject, PAYLOAD_SIZE,
                               flow_payload());
        return p;
}

static void sink(struct flow *f, unsigned i)
{
        struct stream *s = join(f, "sink");

        while (!flow_is_over(f)) {
                stream_read(s);
                flow_count_received(f, i, take(s));
        }
        stream_close(s);
}

static void source(struct flow *f, unsigned i)
{
        static char batch[FLOW_BATCH * sizeof(struct publish)];
        struct publish p = make_publish("sink");
        struct stream *s = join(f, NULL);
        uint64_t n;

        for (n = 0; n < FLOW_BATCH; n++)
                memcpy(batch + n * p.n, p.at, p.n);
        while ((n = flow_next_batch(f, i, NULL, NULL)) > 0) {
                stream_write(s, batch, n * p.n);
                flow_count_sent(f, i, n);
        }
        while (!flow_is_over(f))
                usleep(1000);
        stream_close(s);
}

static bool await_message(struct flow *f, struct stream *s)
{
        while (take(s) == 0) {
                if (flow_is_over(f))
                        return false;
                stream_read(s);
        }
        return true;
}

static void echo(struct flow *f, unsigned i)
{
        struct publish p = make_publish("ask");
        struct stream *s = join(f, "echo");

        (void)i;
        while (await_message(f, s))
                stream_write(s, p.at, p.n);
        stream_close(s);
}

static void ask(struct flow *f, unsigned i)
{
        struct publish p = make_publish("echo");
        struct stream *s = join(f, "ask");

        for (unsigned n = 0; n < TRIPS_N; n++) {
                uint64_t begin = clock_now();

                stream_write(s, p.at, p.n);
                if (!await_message(f, s))
                        break;
                f->times[n] = (double)(clock_now() - begin);
                flow_count_received(f, i, 1);
        }
        stream_close(s);
}

const struct rig rig_nats = {
        .name = "nats-server",
        .start = start,
        .stop = stop,
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
};
