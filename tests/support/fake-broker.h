/*
 * fake-broker.h - a broker played by the test, frame by frame (spec/attach.md), and a bus that is
 * linked to it.
 */
#ifndef MBUS_SUPPORT_FAKE_BROKER_H
#define MBUS_SUPPORT_FAKE_BROKER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "buses.h"
#include "core/frame.h"
#include "core/message.h"

#define BROKER "(app:mbus-broker id:1-1@127.0.0.1)"
#define ME "(app:x id:2-1@127.0.0.1)"
#define PEER "(app:peer id:3-1@127.0.0.1)"
/* What the library says of an entity, and there may be more. */
#define ATTACH "broker.attach(1 (patience 2500)"

struct world {
        char directory[32];
        char path[64];
        char url[80];
        int listener;
        int fd; /* the broker's end */
        char bytes[1 << 20];
        size_t n;
        struct mbus_bus *bus;
        struct mbus_entity *me;
};

static inline void listen_at(struct world *w)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        strcpy(address.sun_path, w->path);
        w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(w->listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(w->listener, 1), 0);
}

static inline struct world *world_new(void)
{
        struct world *w = calloc(1, sizeof(*w));

        strcpy(w->directory, "/tmp/mbus-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(w->directory));
        snprintf(w->path, sizeof(w->path), "%s/broker.sock", w->directory);
        snprintf(w->url, sizeof(w->url), "unix:%s", w->path);
        listen_at(w);
        w->bus = bus_open(w->url, NULL);
        w->fd = accept(w->listener, NULL, NULL);
        ck_assert_int_ge(w->fd, 0);
        return w;
}

static inline void broker_stop(struct world *w)
{
        close(w->fd);
        close(w->listener);
        unlink(w->path);
        w->fd = w->listener = -1;
        w->n = 0;
}

static inline void world_free(struct world *w)
{
        mbus_bus_close(w->bus);
        if (w->fd >= 0)
                broker_stop(w);
        rmdir(w->directory);
        free(w);
}

static inline void turn(struct world *w)
{
        struct mbus_bus *buses[2] = { w->bus, NULL };

        buses_settle(buses);
}

/* The next message from the library; NULL if there is none. To be unreffed. */
static inline struct message *next(struct world *w)
{
        struct message *m = NULL;
        struct span text;
        bool observed;
        ssize_t got;
        size_t n;

        turn(w);
        got = recv(w->fd, w->bytes + w->n, sizeof(w->bytes) - w->n, MSG_DONTWAIT);
        w->n += got > 0 ? (size_t)got : 0;
        if (frame_next((struct span){ w->bytes, w->n }, &text, &observed, &n) != FRAME_OK)
                return NULL;
        ck_assert(!observed);
        ck_assert_int_eq(message_new(text, &m, NULL), 0);
        memmove(w->bytes, w->bytes + n, w->n - n);
        w->n -= n;
        return m;
}

/* The next message must have this in its text; returns its SeqNum. */
static inline uint32_t expect(struct world *w, const char *text)
{
        struct message *m = next(w);
        uint32_t seq;

        ck_assert_msg(m != NULL, "nothing sent, want %s", text);
        ck_assert_msg(memmem(m->text.at, m->text.n, text, strlen(text)) != NULL, "sent %.*s",
                      (int)m->text.n, m->text.at);
        seq = m->header.seq;
        message_unref(m);
        return seq;
}

static inline void say_frame(struct world *w, bool observed, const char *message)
{
        char frame[4096];
        size_t n = strlen(message);

        frame_put_length(frame, n, observed);
        memcpy(frame + FRAME_HEADER_SIZE, message, n);
        ck_assert_int_eq(send(w->fd, frame, FRAME_HEADER_SIZE + n, MSG_NOSIGNAL),
                         (ssize_t)(FRAME_HEADER_SIZE + n));
}

__attribute__((format(printf, 2, 3))) static inline void say(struct world *w, const char *format,
                                                             ...)
{
        char message[2048];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        say_frame(w, false, message);
        turn(w);
}

/* An attached entity, with READY popped. */
static inline struct world *world_with_entity(void)
{
        struct world *w = world_new();
        uint32_t seq;

        w->me = entity_add(w->bus, "(app:x)");
        seq = expect(w, "(app:x) (app:mbus-broker) ()\r\n" ATTACH);
        say(w, "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"" ME "\")", seq, seq);
        ck_assert_str_eq(event_expect(w->bus, MBUS_EVENT_READY)->address, ME);
        return w;
}

static inline uint64_t send_reliable(struct world *w)
{
        struct mbus_commands *c;
        uint64_t ticket = 0;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        ck_assert_int_eq(mbus_commands_add_text(c, "a()", NULL, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_reliable(w->me, "(app:peer)", c, &ticket), 0);
        mbus_commands_free(c);
        return ticket;
}

#endif
