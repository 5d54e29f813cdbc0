/*
 * rig-relay.c - the least that two hops over Unix sockets can cost: a process that passes octets on.
 *
 * A client says with one octet on which side it stands. What comes from one side goes to everybody
 * on the other, as it is. The octets are the frames that the library would send: a source makes them
 * one by one, and a sink takes each out by its length and keeps a copy, as every client must.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "core/frame.h"
#include "core/message.h"
#include "flow.h"
#include "io/clock.h"
#include "server.h"
#include "stream.h"

#define CLIENTS_MAX (2 * ENDS_MAX)
#define FRAME_SIZE_MAX 512

static struct server relay;

struct frame {
        char at[FRAME_SIZE_MAX];
        size_t n;
};

static struct frame make_frame(void)
{
        struct header_spec spec = {
                .seq = 1000000,
                .timestamp = UINT64_C(1795402769005),
                .src = span_of("(app:bench module:source id:12345678-12345@127.0.0.1)"),
                .dest = span_of("(app:bench module:sink id:12345678-12346@127.0.0.1)"),
        };
        struct buffer text = BUFFER_INIT;
        struct frame frame;

        bench_check(message_format(&spec, span_of(flow_payload()), DIALECT_RFC3259, &text) == 0,
                    "message_format");
        frame.n = FRAME_HEADER_SIZE + text.n;
        bench_check(frame.n <= sizeof(frame.at), "a frame that fits");
        frame_put_length(frame.at, text.n, false);
        memcpy(frame.at + FRAME_HEADER_SIZE, text.at, text.n);
        buffer_deinit(&text);
        return frame;
}

/* ---- the server ---------------------------------------------------------------------------- */

struct clients {
        struct pollfd fds[1 + CLIENTS_MAX]; /* the listener first */
        char sides[1 + CLIENTS_MAX];
        nfds_t n;
};

static void write_all(int fd, const char *at, size_t n)
{
        while (n > 0) {
                ssize_t written = send(fd, at, n, MSG_NOSIGNAL);

                if (written <= 0)
                        return;
                at += written;
                n -= (size_t)written;
        }
}

static void accept_one(struct clients *c)
{
        int fd = accept(c->fds[0].fd, NULL, NULL);
        char side = 0;

        bench_check(fd >= 0 && c->n <= CLIENTS_MAX && read(fd, &side, 1) == 1, "accept");
        c->fds[c->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
        c->sides[c->n++] = side;
}

static void pass_on(struct clients *c, nfds_t from)
{
        static char octets[STREAM_SIZE];
        ssize_t n = read(c->fds[from].fd, octets, sizeof(octets));

        if (n <= 0) {
                close(c->fds[from].fd);
                c->n--;
                c->fds[from] = c->fds[c->n];
                c->sides[from] = c->sides[c->n];
                return;
        }
        for (nfds_t i = 1; i < c->n; i++)
                if (c->sides[i] != c->sides[from])
                        write_all(c->fds[i].fd, octets, (size_t)n);
}

static void serve(int listener)
{
        struct clients c = { .fds[0] = { .fd = listener, .events = POLLIN }, .n = 1 };

        for (;;) {
                if (poll(c.fds, c.n, -1) <= 0)
                        continue;
                for (nfds_t i = c.n - 1; i > 0; i--)
                        if (c.fds[i].revents)
                                pass_on(&c, i);
                if (c.fds[0].revents)
                        accept_one(&c);
        }
}

static bool start(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        server_prepare(&relay);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", relay.socket);
        bench_check(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                            listen(fd, CLIENTS_MAX) == 0,
                    "the relay listens");
        relay.pid = server_fork();
        if (relay.pid == 0)
                serve(fd);
        close(fd);
        return true;
}

static double stop(void)
{
        return server_stop(&relay);
}

/* ---- the ends ------------------------------------------------------------------------------ */

static struct stream *join(struct flow *f, char side)
{
        struct stream *s = stream_open_unix(relay.socket);

        stream_write(s, &side, 1);
        flow_ready(f);
        return s;
}

/* Takes the frames that are wholly there. */
static uint64_t take(struct stream *s)
{
        static char copy[FRAME_SIZE_MAX];
        struct span text;
        bool observed;
        uint64_t n = 0;
        size_t size;

        while (frame_next((struct span){ s->in + s->at, s->n - s->at }, &text, &observed, &size) ==
               FRAME_OK) {
                memcpy(copy, text.at, text.n);
                /* The copy is wanted, whatever a compiler thinks. */
                __asm__ volatile("" : : "r"(copy) : "memory");
                s->at += size;
                n++;
        }
        return n;
}

static void sink(struct flow *f, unsigned i)
{
        struct stream *s = join(f, 'b');

        while (!flow_is_over(f)) {
                stream_read(s);
                flow_count_received(f, i, take(s));
        }
        stream_close(s);
}

static void source(struct flow *f, unsigned i)
{
        static char batch[FLOW_BATCH * FRAME_SIZE_MAX];
        struct stream *s = join(f, 'a');
        struct frame frame = make_frame();
        uint64_t n;

        while ((n = flow_next_batch(f, i, NULL, NULL)) > 0) {
                for (uint64_t k = 0; k < n; k++)
                        memcpy(batch + k * frame.n, frame.at, frame.n);
                stream_write(s, batch, n * frame.n);
                flow_count_sent(f, i, n);
        }
        while (!flow_is_over(f))
                usleep(1000);
        stream_close(s);
}

static bool read_frame(struct flow *f, struct stream *s, size_t size)
{
        while (s->n - s->at < size && !flow_is_over(f))
                stream_read(s);
        s->at = s->n;
        return !flow_is_over(f);
}

static void echo(struct flow *f, unsigned i)
{
        struct stream *s = join(f, 'b');
        struct frame frame = make_frame();

        (void)i;
        while (read_frame(f, s, frame.n))
                stream_write(s, frame.at, frame.n);
        stream_close(s);
}

static void ask(struct flow *f, unsigned i)
{
        struct stream *s = join(f, 'a');
        struct frame frame = make_frame();

        for (unsigned n = 0; n < TRIPS_N; n++) {
                uint64_t begin = clock_now();

                stream_write(s, frame.at, frame.n);
                if (!read_frame(f, s, frame.n))
                        break;
                f->times[n] = (double)(clock_now() - begin);
                flow_count_received(f, i, 1);
        }
        stream_close(s);
}

const struct rig rig_relay = {
        .name = "bare relay, Unix sockets",
        .start = start,
        .stop = stop,
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
};
