/*
 * connection-read.c - what clients send, cut into frames, at the rate that they may send it.
 *
 * All clients are read into one shared chunk, so that an idle client costs no buffer. A frame that
 * has not come wholly moves into a chunk of its own size and is completed there with the next read,
 * which puts the rest behind it with the same system call.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

#include <core/frame.h>

#include <broker/broker.h>
#include <broker/control/control.h>
#include "unix-listener.h"
#include <broker/routing/router.h>

/* The shortest message, "mbus/1.0 0 0 U () () ()", in its frame. What is shorter is malformed. */
#define FRAME_LEAST (FRAME_HEADER_SIZE + 23)

/* Room to read into: the shared chunk from its start if nobody refers to it any more. */
static bool make_room(struct broker *b, size_t n)
{
        if (b->it.chunk && b->it.chunk->refs == 1)
                b->it.chunk->n = 0;
        if (b->it.chunk && chunk_room(b->it.chunk) < n) {
                broker_flush(b);
                if (b->it.chunk->refs == 1)
                        b->it.chunk->n = 0;
                else
                        b->it.chunk = chunk_unref(b->it.chunk);
        }
        if (!b->it.chunk)
                b->it.chunk = chunk_take(&b->it.chunks);
        return b->it.chunk;
}

/* Keeps the @n octets at @at, the beginning of a frame, for the next read. */
static void keep_partial(struct client *c, const char *at, size_t n)
{
        const unsigned char *u = (const unsigned char *)at;
        uint32_t size;

        if (n < FRAME_HEADER_SIZE) {
                memcpy(c->head, at, n);
                c->n_head = (unsigned)n;
                return;
        }
        size = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
        c->partial = chunk_new(FRAME_HEADER_SIZE + size);
        if (!c->partial) {
                client_kill(c, "memory is short");
                return;
        }
        memcpy(c->partial->bytes, at, n);
        c->partial->n = n;
}

/* Only the broker marks copies: whatever this is, it is no client. */
static void close_strange(struct client *c)
{
        struct broker *b = c->broker;
        char name[CLIENT_NAME_SIZE];
        uint64_t n_silent;

        client_name(c, name);
        if (log_cause_is_due(&b->framing_cause, b->it.now, &n_silent))
                log_warning("%s sent something that is no frame, and is closed (%" PRIu64
                            " more before)",
                            name, n_silent);
        client_kill(c, "its framing is broken");
}

/* Takes the frames out of @chunk from @at on. */
static void take_frames(struct client *c, struct chunk *chunk, size_t at, size_t end)
{
        struct span text;
        bool observed;
        size_t n;

        while (at < end && !c->dead) {
                struct span bytes = { chunk->bytes + at, end - at };
                enum frame_status status = frame_next(bytes, &text, &observed, &n);

                if (status == FRAME_PARTIAL) {
                        keep_partial(c, bytes.at, bytes.n);
                        return;
                }
                if (status == FRAME_BAD || observed) {
                        close_strange(c);
                        return;
                }
                router_frame(c->broker, c, chunk, at, n);
                at += n;
        }
}

/* The partial frame has got @n more octets. */
static void grow_partial(struct client *c, size_t n)
{
        struct chunk *partial = c->partial;

        partial->n += n;
        if (chunk_room(partial) > 0)
                return;
        c->partial = NULL;
        take_frames(c, partial, 0, partial->n);
        chunk_unref(partial);
}

/* @n octets were read: first the rest of the partial frame, then into the shared chunk, where the
 * head that was kept stands before them. */
static void on_octets(struct client *c, size_t n)
{
        size_t rest = c->partial ? chunk_room(c->partial) : 0;
        struct chunk *chunk = chunk_ref(c->broker->it.chunk);
        size_t at = chunk->n, end;

        if (rest > n)
                rest = n;
        /* From here on the octets are the chunk's; what is made meanwhile goes behind them. */
        end = at + c->n_head + n - rest;
        chunk->n = end;
        c->n_head = 0;
        if (rest > 0)
                grow_partial(c, rest);
        take_frames(c, chunk, at, end);
        chunk_unref(chunk);
}

#define SIGN_NS (PAUSE_SIGN_MS * NSEC_PER_MSEC)

/* Whether the link has to wait before more of it is read, by a rate that it or its user passed. */
static bool is_paused(struct client *c)
{
        struct broker *b = c->broker;
        uint64_t until = c->user->paused_until;

        if (until < c->paused_until)
                until = c->paused_until;
        if (until <= b->it.now)
                return false;
        /* One pause after the other is as silent as a long one. */
        if (c->sign_at + SIGN_NS < b->it.now)
                c->sign_at = b->it.now + SIGN_NS;
        if (until > b->it.now + SIGN_NS)
                until = b->it.now + SIGN_NS;
        deadlines_set(&b->pauses, &c->pause, until);
        link_local_poll(c);
        return true;
}

/* Of messages those of a second may come at once. */
void link_local_charge(struct client *c, uint64_t n_messages)
{
        struct broker *b = c->broker;
        uint64_t rate = b->quota.limits.of[LIMIT_SEND_RATE];
        uint64_t user_rate = b->quota.limits.of[LIMIT_SEND_RATE_PER_USER];
        uint64_t until;

        if (rate != LIMIT_OFF) {
                c->paused_until = bucket_spend(&c->sends, rate, rate, n_messages, b->it.now);
                if (c->paused_until > b->it.now)
                        client_log_limit(c, LIMIT_SEND_RATE, "it is read more slowly");
        }
        if (user_rate != LIMIT_OFF) {
                until = bucket_spend(&c->user->sends, user_rate, user_rate, n_messages, b->it.now);
                if (until > b->it.now)
                        client_log_limit(c, LIMIT_SEND_RATE_PER_USER, "it is read more slowly");
                if (until > c->user->paused_until)
                        c->user->paused_until = until;
        }
}

void link_local_resume(struct broker *b)
{
        struct deadline *d;

        while ((d = deadlines_pop(&b->pauses, b->it.now))) {
                struct client *c =
                        (struct client *)(void *)((char *)d - offsetof(struct client, pause));

                if (c->dead)
                        continue;
                if (b->it.now >= c->sign_at) {
                        control_say(c, SPAN_NULL);
                        c->sign_at = b->it.now + SIGN_NS;
                }
                if (!is_paused(c))
                        link_local_poll(c);
        }
}

/* How many messages may be read now, by the rates of the link and of its user. */
static uint64_t messages_left(const struct client *c)
{
        const struct broker *b = c->broker;
        uint64_t rate = b->quota.limits.of[LIMIT_SEND_RATE];
        uint64_t user_rate = b->quota.limits.of[LIMIT_SEND_RATE_PER_USER];
        uint64_t left = READ_MAX, user_left;

        if (rate != LIMIT_OFF)
                left = bucket_left(&c->sends, rate, rate, b->it.now);
        if (user_rate != LIMIT_OFF) {
                user_left = bucket_left(&c->user->sends, user_rate, user_rate, b->it.now);
                if (left > user_left)
                        left = user_left;
        }
        return left;
}

/* Where to read to, and how much: the rest of the partial frame, and into the shared chunk no more than
 * may be messages that are left, since they are charged only when they are there. */
static int get_iov(const struct client *c, struct iovec ret_iov[static 2])
{
        struct chunk *chunk = c->broker->it.chunk;
        size_t room = chunk_room(chunk) - c->n_head;
        uint64_t left = messages_left(c);
        int n = 0;

        if (c->partial) {
                ret_iov[n++] =
                        (struct iovec){ c->partial->bytes + c->partial->n, chunk_room(c->partial) };
                left--;
        }
        if (room > READ_MAX)
                room = READ_MAX;
        if (left < room / FRAME_LEAST)
                room = (size_t)left * FRAME_LEAST;
        if (room > 0)
                ret_iov[n++] = (struct iovec){ chunk->bytes + chunk->n + c->n_head, room };
        return n;
}

/* Reads once. False if there was nothing to read, or not yet. */
static bool on_readable(struct client *c)
{
        struct broker *b = c->broker;
        uint64_t n_before = b->from_links.n;
        struct iovec iov[2];
        ssize_t n;

        if (is_paused(c))
                return false;
        if (!make_room(b, READ_MIN)) {
                client_kill(c, "memory is short");
                return false;
        }
        memcpy(b->it.chunk->bytes + b->it.chunk->n, c->head, c->n_head);
        n = readv(c->fd, iov, get_iov(c, iov));
        if (n > 0)
                on_octets(c, (size_t)n);
        else if (n == 0)
                client_kill(c, "it was closed");
        else if (errno != EAGAIN && errno != EINTR)
                client_kill(c, strerror(errno));
        link_local_charge(c, b->from_links.n - n_before);
        return n > 0;
}

static void on_client(uv_poll_t *poll, int status, int events)
{
        struct client *c = poll->data;

        if (c->dead)
                return;
        iteration_wake(&c->broker->it);
        if (status < 0) {
                /* The other end is gone, but what it sent before counts; then comes the error. */
                while (!c->dead && on_readable(c))
                        ;
                client_kill(c, "it was closed");
                return;
        }
        if (events & UV_WRITABLE) {
                c->blocked = false;
                link_local_poll(c);
                client_flush(c);
        }
        if (events & UV_DISCONNECT)
                client_kill(c, "it was closed while it had to wait");
        if ((events & UV_READABLE) && !c->dead)
                on_readable(c);
}

void link_local_poll(struct client *c)
{
        if (c->dead)
                return;
        uv_poll_start(&c->poll,
                      (c->pause.slot ? UV_DISCONNECT : UV_READABLE) |
                              (c->blocked ? UV_WRITABLE : 0),
                      on_client);
}
