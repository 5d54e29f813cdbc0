/*
 * connection-read.c - what clients send, cut into frames, at the rate that they may send it.
 *
 * All clients are read into one shared chunk, so that an idle client costs no buffer. A frame that
 * has not come wholly moves into a chunk of its own size and is completed there with the next read,
 * which puts the rest behind it with the same system call.
 */
#include "connection-read.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/uio.h>

#include <core/frame.h>

#include "connection.h"

/* The shortest message, "mbus/1.0 0 0 U () () ()", in its frame. What is shorter is malformed. */
#define FRAME_LEAST (FRAME_HEADER_SIZE + 23)

/* Room to read into: the shared chunk from its start if nobody refers to it any more. */
static bool make_read_room(struct connections *connections, size_t n)
{
        struct iteration *it = connections->it;

        if (it->chunk && it->chunk->refs == 1)
                it->chunk->n = 0;
        if (it->chunk && chunk_room(it->chunk) < n)
                connections_flush(connections);
        return iteration_reserve(it, n);
}

/* Keeps the @n octets at @at, the beginning of a frame, for the next read. */
static void keep_partial(struct connection *c, const char *at, size_t n)
{
        assert(c->n_head == 0 && !c->partial);
        if (n < FRAME_HEADER_SIZE) {
                memcpy(c->head, at, n);
                c->n_head = (unsigned)n;
                return;
        }
        /* The mark of a copy is no part of it: whatever is promised, FRAME_MAX is the most. */
        c->partial = chunk_new(FRAME_HEADER_SIZE + frame_get_length(at));
        if (!c->partial) {
                connection_kill(c, "memory is short");
                return;
        }
        memcpy(c->partial->bytes, at, n);
        c->partial->n = n;
}

/* Only the broker marks copies: whatever this is, it is no client. */
static void close_strange(struct connection *c)
{
        struct connections *connections = c->connections;
        char name[CONNECTION_NAME_SIZE];
        uint64_t n_suppressed;

        connection_name(c, name);
        if (log_ratelimit_is_due(&connections->framing_log, connections->it->now, &n_suppressed))
                log_warning("%s sent something that is no frame, and is closed (%" PRIu64
                            " more before)",
                            name, n_suppressed);
        connection_kill(c, "its framing is broken");
}

/* Takes the frames out of @chunk from @at on. */
static void take_frames(struct connection *c, struct chunk *chunk, size_t at, size_t end)
{
        struct connections *connections = c->connections;
        struct span text;
        bool observed;
        size_t n;

        while (at < end && !c->is_dead) {
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
                connections->in.n++;
                connections->in.bytes += n;
                connections->owner->on_frame(c, chunk, at, n);
                at += n;
        }
}

/* The partial frame has got @n more octets. */
static void grow_partial(struct connection *c, size_t n)
{
        struct chunk *partial = c->partial;

        assert(n <= chunk_room(partial));
        partial->n += n;
        if (chunk_room(partial) > 0)
                return;
        c->partial = NULL;
        take_frames(c, partial, 0, partial->n);
        chunk_unref(partial);
}

/* @n octets were read: first the rest of the partial frame, then into the shared chunk, where the
 * head that was kept stands before them. */
static void on_octets(struct connection *c, size_t n)
{
        size_t rest = c->partial ? chunk_room(c->partial) : 0;
        struct chunk *chunk = chunk_ref(c->connections->it->chunk);
        size_t at = chunk->n, end;

        if (rest > n)
                rest = n;
        /* From here on the octets are the chunk's; what is made meanwhile goes behind them. */
        end = at + c->n_head + n - rest;
        assert(end <= chunk->size);
        chunk->n = end;
        c->n_head = 0;
        if (rest > 0)
                grow_partial(c, rest);
        take_frames(c, chunk, at, end);
        chunk_unref(chunk);
}

#define SIGN_NS (PAUSE_SIGN_MS * NSEC_PER_MSEC)

/* Whether the link has to wait before more of it is read, by a rate that it or its user passed. */
static bool is_paused(struct connection *c)
{
        struct connections *connections = c->connections;
        uint64_t until = c->user->paused_until, now = connections->it->now;

        if (until < c->paused_until)
                until = c->paused_until;
        if (until <= now)
                return false;
        /* One pause after the other is as silent as a long one. */
        if (c->sign_at + SIGN_NS < now)
                c->sign_at = now + SIGN_NS;
        if (until > now + SIGN_NS)
                until = now + SIGN_NS;
        deadlines_set(&connections->pauses, &c->pause, until);
        connection_poll(c);
        return true;
}

/* Of messages those of a second may come at once. */
void connection_charge(struct connection *c, uint64_t n_messages)
{
        const struct limits *limits = &c->connections->quota->limits;
        uint64_t rate = limits->of[LIMIT_SEND_RATE], now = c->connections->it->now;
        uint64_t user_rate = limits->of[LIMIT_SEND_RATE_PER_USER], until;

        if (rate != LIMIT_OFF) {
                c->paused_until = bucket_spend(&c->sends, rate, rate, n_messages, now);
                if (c->paused_until > now)
                        connection_log_limit(c, LIMIT_SEND_RATE, "it is read more slowly");
        }
        if (user_rate != LIMIT_OFF) {
                until = bucket_spend(&c->user->sends, user_rate, user_rate, n_messages, now);
                if (until > now)
                        connection_log_limit(c, LIMIT_SEND_RATE_PER_USER, "it is read more slowly");
                if (until > c->user->paused_until)
                        c->user->paused_until = until;
        }
}

void connections_resume(struct connections *connections)
{
        uint64_t now = connections->it->now;
        struct deadline *d;

        while ((d = deadlines_pop(&connections->pauses, now))) {
                struct connection *c = container_of(d, struct connection, pause);

                if (c->is_dead)
                        continue;
                if (now >= c->sign_at) {
                        connections->owner->on_silence(c);
                        c->sign_at = now + SIGN_NS;
                }
                if (!is_paused(c))
                        connection_poll(c);
        }
}

/* How many messages may be read now, by the rates of the link and of its user. */
static uint64_t messages_left(const struct connection *c)
{
        const struct limits *limits = &c->connections->quota->limits;
        uint64_t rate = limits->of[LIMIT_SEND_RATE], now = c->connections->it->now;
        uint64_t user_rate = limits->of[LIMIT_SEND_RATE_PER_USER];
        uint64_t left = bucket_left(&c->sends, rate, rate, now);
        uint64_t user_left = bucket_left(&c->user->sends, user_rate, user_rate, now);

        return left < user_left ? left : user_left;
}

/* Where to read to, and how much: the rest of the partial frame, and into the shared chunk no more
 * than may be messages that are left, since they are charged only when they are there. */
static int get_iov(const struct connection *c, struct iovec ret_iov[static 2])
{
        struct chunk *chunk = c->connections->it->chunk;
        size_t room = chunk_room(chunk) - c->n_head;
        uint64_t left = messages_left(c);
        int n = 0;

        assert(chunk_room(chunk) >= READ_MIN && left > 0);
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
static bool on_readable(struct connection *c)
{
        struct connections *connections = c->connections;
        uint64_t n_before = connections->in.n;
        struct chunk *chunk;
        struct iovec iov[2];
        ssize_t n;

        if (is_paused(c))
                return false;
        if (!make_read_room(connections, READ_MIN)) {
                connection_kill(c, "memory is short");
                return false;
        }
        assert(c->n_head == 0 || !c->partial);
        chunk = connections->it->chunk;
        memcpy(chunk->bytes + chunk->n, c->head, c->n_head);
        n = readv(c->fd, iov, get_iov(c, iov));
        if (n > 0)
                on_octets(c, (size_t)n);
        else if (n == 0)
                connection_kill(c, "it was closed");
        else if (errno != EAGAIN && errno != EINTR)
                connection_kill(c, strerror(errno));
        connection_charge(c, connections->in.n - n_before);
        return n > 0;
}

void connection_on_ready(uv_poll_t *poll, int status, int events)
{
        struct connection *c = poll->data;

        if (c->is_dead)
                return;
        iteration_wake(c->connections->it);
        if (status < 0) {
                /* The other end is gone, but what it sent before counts; then comes the error. */
                while (!c->is_dead && on_readable(c))
                        ;
                connection_kill(c, "it was closed");
                return;
        }
        if (events & UV_WRITABLE) {
                c->is_blocked = false;
                connection_poll(c);
                connection_flush(c);
        }
        if (events & UV_DISCONNECT)
                connection_kill(c, "it was closed while it had to wait");
        if ((events & UV_READABLE) && !c->is_dead)
                on_readable(c);
}
