/*
 * connection-write.c - what goes out on a connection.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include <core/frame.h>

#include "connection.h"

static void await_flush(struct connection *c)
{
        if (c->flush_pending)
                return;
        c->flush_pending = true;
        list_push_first(&c->connections->unflushed, &c->unflushed_node);
}

/* The client does not keep up: when much is held by such clients, or by this one of what was
 * dropped, it holds no more than it has. */
static void hold_less(struct connection *c)
{
        if (c->connections->it->chunks.n_out > CHUNKS_HELD_MAX || queue_is_sparse(&c->queue))
                queue_compact(&c->queue);
}

/* The socket takes no more for now. */
static void block_connection(struct connection *c)
{
        assert(!c->is_blocked && !c->is_dead);
        c->is_blocked = true;
        hold_less(c);
        connection_poll(c);
}

/* The other end was closed. Whoever reads finds its last words, and then its end. */
static void half_close(struct connection *c)
{
        assert(!c->is_half_closed);
        c->is_half_closed = true;
        queue_deinit(&c->queue);
        queue_init(&c->queue, c->user);
}

static void count_out(struct connection *c, size_t n)
{
        c->connections->out.n++;
        c->connections->out.bytes += n;
}

/* Messages were lost right before what is to be written next: the client learns it there. This is
 * made apart, for somebody else may be making something in the shared chunk. */
static void tell_gap(struct connection *c, enum kind kind)
{
        uint64_t n = queue_take_dropped(&c->queue, kind);
        struct buffer frame = BUFFER_INIT;

        assert(n > 0);
        c->connections->quota->drops[kind == KIND_COPY ? DROP_COPIES : DROP_DROPPED] += n;
        c->connections->owner->on_gap(c, kind, n, &frame);
        if (frame.failed || queue_insert(&c->queue, buffer_span(&frame)))
                connection_kill(c, "memory is short");
        count_out(c, frame.n);
        buffer_deinit(&frame);
}

/* Writes what waits, as far as the socket takes it. The shared chunk stays as it is. */
static void write_queue(struct connection *c)
{
        struct iovec iov[FLUSH_SLICES_MAX];
        struct msghdr message = { .msg_iov = iov };
        enum kind gap;
        ssize_t n;

        while (!c->is_dead && !c->is_blocked) {
                gap = queue_gap(&c->queue);
                if (gap != KIND_MAX) {
                        tell_gap(c, gap);
                        continue;
                }
                if (queue_is_empty(&c->queue))
                        return;
                message.msg_iovlen = queue_peek(&c->queue, iov, FLUSH_SLICES_MAX);
                n = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n >= 0)
                        queue_pop(&c->queue, (size_t)n);
                else if (errno == EAGAIN || errno == ENOBUFS)
                        block_connection(c);
                else if (errno == EPIPE || errno == ECONNRESET)
                        half_close(c);
                else if (errno != EINTR)
                        connection_kill(c, strerror(errno));
        }
}

/* There is no room. A socket that may take more is tried first, so that nobody who reads loses
 * anything because others do not; then something is dropped, or refused. */
static int push_into_full(struct connection *c, struct chunk *chunk, size_t at, size_t n,
                          enum kind kind)
{
        enum limit limit;

        assert(!c->is_dead && !c->is_half_closed);
        if (!c->is_blocked)
                write_queue(c);
        limit = queue_check(&c->queue, n, kind);
        if (c->is_dead || c->is_half_closed)
                return 0;
        if (limit == LIMIT_NONE)
                return queue_append(&c->queue, chunk, at, n, kind);
        if (kind == KIND_ANSWER) {
                connection_log_limit(c, limit, "it does not read its answers, and is closed");
                connection_kill(c, "it does not read its answers");
                return 0;
        }
        connection_log_limit(c, limit, "it does not read fast enough, messages for it are lost");
        return queue_push(&c->queue, chunk, at, n, kind);
}

int connection_push(struct connection *c, struct chunk *chunk, size_t at, size_t n, enum kind kind)
{
        int r;

        if (c->is_dead || c->is_half_closed)
                return 0;
        if (queue_check(&c->queue, n, kind) == LIMIT_NONE)
                r = queue_append(&c->queue, chunk, at, n, kind);
        else
                r = push_into_full(c, chunk, at, n, kind);
        if (r && kind == KIND_ANSWER) {
                connection_kill(c, "memory is short");
                return 0;
        }
        if (r && kind == KIND_RELIABLE)
                return MBUS_E_FULL;
        if (r)
                connection_lose(c, kind);
        count_out(c, n);
        await_flush(c);
        return 0;
}

void connection_lose(struct connection *c, enum kind kind)
{
        assert(kind == KIND_UNRELIABLE || kind == KIND_COPY);
        if (!c->is_dead && !c->is_half_closed)
                c->queue.n_dropped[kind]++;
}

/* What fits into no frame is lost, but not silently. */
static int push_too_large(struct connection *c, size_t n, enum kind kind)
{
        struct connections *connections = c->connections;
        char name[CONNECTION_NAME_SIZE];
        uint64_t n_suppressed;

        if (kind == KIND_RELIABLE || c->is_dead || c->is_half_closed)
                return MBUS_E_FULL;
        connection_name(c, name);
        if (log_ratelimit_is_due(&connections->too_large_log, connections->it->now, &n_suppressed))
                log_warning("a message of %zu octets for %s fits into no frame, and is lost "
                            "(%" PRIu64 " more before)",
                            n, name, n_suppressed);
        if (kind != KIND_ANSWER) {
                connection_lose(c, kind);
                await_flush(c);
        }
        return MBUS_E_FULL;
}

int connection_push_text(struct connection *c, struct span text, enum kind kind)
{
        struct frame_slice frame;

        if (text.n > FRAME_MAX)
                return push_too_large(c, text.n, kind);
        if (!iteration_put_frame(c->connections->it, text, false, &frame)) {
                if (kind == KIND_ANSWER)
                        connection_kill(c, "memory is short");
                return MBUS_E_FULL;
        }
        return connection_push(c, frame.chunk, frame.at, frame.n, kind);
}

void connection_flush(struct connection *c)
{
        write_queue(c);
        if (!c->is_blocked)
                c->connections->owner->on_room(c);
}

void connections_flush(struct connections *connections)
{
        struct list_node *node;

        while ((node = list_pop(&connections->unflushed))) {
                struct connection *c = container_of(node, struct connection, unflushed_node);

                assert(c->flush_pending);
                c->flush_pending = false;
                if (c->is_blocked)
                        hold_less(c);
                else
                        connection_flush(c);
        }
}
