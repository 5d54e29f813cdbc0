/*
 * played-broker.c - see played-broker.h. Attaches, watches, and routes between its links.
 */
#include "played-broker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/frame.h"
#include "core/message.h"

#define LINKS 8
#define PENDINGS 64
#define PATIENCE_S 2
#define BROKER "(app:mbus-broker id:1-1@127.0.0.1)"
#define NAME_MAX_SIZE 128

struct played_link {
        int fd; /* -1: free */
        char in[65536];
        size_t n;
        char name[NAME_MAX_SIZE]; /* of its entity, "" if there is none */
        bool watches;
};

/* A reliable message that nobody has acknowledged yet. */
struct pending {
        struct played_link *from; /* NULL: free */
        uint32_t seq;
        time_t until;
};

static struct played_link links[LINKS];
static struct pending pendings[PENDINGS];
static int listener = -1;
static char socket_path[64];
static unsigned next_id;

static void must(bool condition, const char *what)
{
        if (condition)
                return;
        fprintf(stderr, "played-broker.c: %s: %s\n", what, strerror(errno));
        abort();
}

/* The other end may be gone; its programs know better than we why. */
static void send_frame(struct played_link *l, struct span text)
{
        char frame[4096];

        must(text.n < sizeof(frame) - FRAME_HEADER_SIZE, "a long message");
        frame_put_length(frame, text.n, false);
        memcpy(frame + FRAME_HEADER_SIZE, text.at, text.n);
        if (l->fd >= 0)
                (void)!send(l->fd, frame, FRAME_HEADER_SIZE + text.n, MSG_NOSIGNAL);
}

static void say(struct played_link *l, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static void say(struct played_link *l, const char *format, ...)
{
        char text[2048];
        va_list ap;
        int n = snprintf(text, sizeof(text), "mbus/1.0 1 1 U " BROKER " () ()\r\n");

        va_start(ap, format);
        n += vsnprintf(text + n, sizeof(text) - (size_t)n, format, ap);
        va_end(ap);
        send_frame(l, (struct span){ text, (size_t)n });
}

/* ---- entities ---- */

static void tell_watchers(const struct played_link *about, const char *what, const char *more)
{
        for (struct played_link *l = links; l < links + LINKS; ++l)
                if (l != about && l->fd >= 0 && l->watches)
                        say(l, "broker.%s(\"%s\" %s)", what, about->name, more);
}

static void attach(struct played_link *l, struct span name, uint32_t seq)
{
        if (memmem(name.at, name.n, " id:", 4))
                snprintf(l->name, sizeof(l->name), "%.*s", (int)name.n, name.at);
        else
                snprintf(l->name, sizeof(l->name), "%.*s id:%u-1@127.0.0.1)", (int)name.n - 1,
                         name.at, ++next_id);
        say(l, "broker.attached(%u 1 \"%s\")", seq, l->name);
        tell_watchers(l, "joined", "0");
}

static void detach(struct played_link *l)
{
        if (l->name[0])
                tell_watchers(l, "left", "bye");
        l->name[0] = '\0';
}

static void watch(struct played_link *l, uint32_t seq)
{
        l->watches = true;
        for (const struct played_link *other = links; other < links + LINKS; ++other)
                if (other != l && other->fd >= 0 && other->name[0])
                        say(l, "broker.joined(\"%s\" 0)", other->name);
        say(l, "broker.watching(%u)", seq);
}

/* ---- tickets ---- */

static time_t now(void)
{
        struct timespec t;

        must(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "clock_gettime");
        return t.tv_sec;
}

static void wait_for_ack(struct played_link *from, uint32_t seq)
{
        struct pending *p = pendings;

        while (p < pendings + PENDINGS && p->from)
                ++p;
        must(p < pendings + PENDINGS, "too many tickets");
        *p = (struct pending){ from, seq, now() + PATIENCE_S };
}

static void on_ack(const struct address *to, uint32_t seq)
{
        for (struct pending *p = pendings; p < pendings + PENDINGS; ++p) {
                struct address name;

                if (p->from && p->seq == seq &&
                    address_parse(span_of(p->from->name), LENIENT, &name, NULL, NULL) == 0 &&
                    address_equal(&name, to))
                        p->from = NULL;
        }
}

static bool time_out(void)
{
        bool any = false;

        for (struct pending *p = pendings; p < pendings + PENDINGS; ++p) {
                if (!p->from || p->until > now())
                        continue;
                say(p->from, "broker.undelivered(%u timeout \"no answer\")", p->seq);
                p->from = NULL;
                any = true;
        }
        return any;
}

/* ---- messages ---- */

static bool matches(const struct played_link *l, const struct address *dest)
{
        struct address name;

        return l->fd >= 0 && address_parse(span_of(l->name), LENIENT, &name, NULL, NULL) == 0 &&
               address_is_subset(dest, &name);
}

static void route(struct played_link *from, const struct header *h, struct span text)
{
        char full[4096];
        unsigned n = 0;
        struct span acks = h->acks;
        uint32_t seq;
        int size;

        while (acks_next(&acks, &seq))
                on_ack(&h->dest, seq);
        for (struct played_link *l = links; l < links + LINKS; ++l) {
                if (l == from || !matches(l, &h->dest))
                        continue;
                ++n;
                /* The receiver is the one with the full address. */
                size = snprintf(full, sizeof(full), "mbus/1.0 %u %llu %c %.*s %s %.*s\r\n%.*s",
                                h->seq, (unsigned long long)h->timestamp, h->reliable ? 'R' : 'U',
                                (int)h->src.text.n, h->src.text.at, h->reliable ? l->name : "()",
                                (int)h->acks.n, h->acks.at, (int)(text.n - h->payload),
                                text.at + h->payload);
                if (h->reliable)
                        send_frame(l, (struct span){ full, (size_t)size });
                else
                        send_frame(l, text);
                if (h->reliable)
                        wait_for_ack(from, h->seq);
        }
        if (n == 0 && h->reliable)
                say(from, "broker.undelivered(%u unknown \"nobody\")", h->seq);
}

static void on_message(struct played_link *l, struct span text)
{
        struct span payload;
        struct header h;

        must(header_parse(text, &h, NULL) == HEADER_OK, "a malformed message");
        payload = span_from(text, h.payload);
        if (!span_begins(payload, "broker."))
                route(l, &h, text);
        else if (span_begins(payload, "broker.attach"))
                attach(l, h.src.text, h.seq);
        else if (span_begins(payload, "broker.detach"))
                detach(l);
        else if (span_begins(payload, "broker.watch"))
                watch(l, h.seq);
}

/* ---- links ---- */

static void hang_up(struct played_link *l)
{
        for (struct pending *p = pendings; p < pendings + PENDINGS; ++p)
                if (p->from == l)
                        p->from = NULL;
        close(l->fd);
        l->fd = -1;
        detach(l);
        l->n = 0;
        l->watches = false;
}

static bool read_link(struct played_link *l)
{
        ssize_t got = read(l->fd, l->in + l->n, sizeof(l->in) - l->n);
        struct span text;
        bool observed;
        size_t n;

        if (got < 0 && errno == EAGAIN)
                return false;
        if (got <= 0) {
                hang_up(l);
                return true;
        }
        l->n += (size_t)got;
        while (frame_next((struct span){ l->in, l->n }, &text, &observed, &n) == FRAME_OK) {
                on_message(l, text);
                memmove(l->in, l->in + n, l->n - n);
                l->n -= n;
        }
        return true;
}

bool broker_turn(void)
{
        bool moved = time_out();
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct played_link *l = links;

                while (l < links + LINKS && l->fd >= 0)
                        ++l;
                must(l < links + LINKS, "too many links");
                l->fd = fd;
                moved = true;
        }
        for (struct played_link *l = links; l < links + LINKS; ++l)
                while (l->fd >= 0 && read_link(l))
                        moved = true;
        return moved;
}

void broker_start(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        for (struct played_link *l = links; l < links + LINKS; ++l)
                l->fd = -1;
        next_id = 1;
        snprintf(socket_path, sizeof(socket_path), "%s", path);
        memcpy(address.sun_path, socket_path, sizeof(socket_path));
        unlink(path);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        must(listener >= 0, "socket");
        must(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
        must(listen(listener, LINKS) == 0, "listen");
}

void broker_hang_up(void)
{
        for (struct played_link *l = links; l < links + LINKS; ++l)
                if (l->fd >= 0)
                        hang_up(l);
}

void broker_stop(void)
{
        broker_hang_up();
        close(listener);
        listener = -1;
        unlink(socket_path);
}
