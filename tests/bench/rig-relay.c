/*
 * rig-relay.c - the least that two hops over Unix sockets can cost: a process that passes frames on.
 *
 * A client says with one octet on which side it stands. What comes from one side goes to everybody
 * on the other, as it is. The frames are those that the library would send: a source makes them one
 * by one, and a sink takes each out by its length and keeps a copy, as every client must.
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
        struct stream *streams[1 + CLIENTS_MAX];
        char sides[1 + CLIENTS_MAX];
        nfds_t n;
        size_t frame_size; /* all are alike */
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
        struct stream *s = malloc(sizeof(*s));
        char side = 0;

        bench_check(s && c->n <= CLIENTS_MAX, "memory");
        s->at = s->n = 0;
        s->fd = accept(c->fds[0].fd, NULL, NULL);
        bench_check(s->fd >= 0 && read(s->fd, &side, 1) == 1, "accept");
        c->fds[c->n] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
        c->streams[c->n] = s;
        c->sides[c->n++] = side;
}

static void drop(struct clients *c, nfds_t i)
{
        stream_close(c->streams[i]);
        c->n--;
        c->fds[i] = c->fds[c->n];
        c->streams[i] = c->streams[c->n];
        c->sides[i] = c->sides[c->n];
}

/* Whole frames are passed on, or those of several sources would get mixed up. */
static void pass_on(struct clients *c, nfds_t from)
{
        struct stream *s = c->streams[from];
        ssize_t n = read(s->fd, s->in + s->n, STREAM_SIZE - s->n);
        size_t whole;

        if (n <= 0) {
                drop(c, from);
                return;
        }
        s->n += (size_t)n;
        whole = s->n / c->frame_size * c->frame_size;
        for (nfds_t i = 1; whole > 0 && i < c->n; i++)
                if (c->sides[i] != c->sides[from])
                        write_all(c->fds[i].fd, s->in, whole);
        s->n -= whole;
        memmove(s->in, s->in + whole, s->n);
}

static void serve(int listener)
{
        struct clients c = { .fds[0] = { .fd = listener, .events = POLLIN },
                             .n = 1,
                             .frame_size = make_frame().n };

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
