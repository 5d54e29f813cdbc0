/*
 * connection.c - what goes out on a link, and the entities attached to it.
 */
#include "connection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <core/frame.h>

#include <broker/bridge/bridge.h>
#include <broker/broker.h>
#include <broker/control/control.h>
#include "unix-listener.h"
#include <broker/control/lists.h>
#include <broker/routing/monitor.h>
#include <broker/routing/patience.h>
#include <broker/sessions/reliable.h>
#include <broker/routing/retain.h>

/* ---- going out ----------------------------------------------------------------------------- */

static void mark_dirty(struct client *c)
{
        if (c->dirty)
                return;
        c->dirty = true;
        c->next_dirty = c->broker->dirty;
        c->broker->dirty = c;
}

void client_kill(struct client *c, const char *why)
{
        struct broker *b = c->broker;
        char name[CLIENT_NAME_SIZE];

        if (c->dead)
                return;
        c->dead = true;
        c->next_dead = b->dead;
        b->dead = c;
        uv_poll_stop(&c->poll);
        client_name(c, name);
        log_debug("%s ends: %s", name, why);
}

/* The client does not keep up: when much is held by such clients, or by this one of what was dropped, it
 * holds no more than it has. */
static void hold_less(struct client *c)
{
        if (c->broker->it.chunks.n_out > CHUNKS_HELD_MAX || queue_is_sparse(&c->queue))
                queue_own(&c->queue);
}

/* The socket takes no more for now. */
static void block(struct client *c)
{
        c->blocked = true;
        hold_less(c);
        link_local_poll(c);
}

/* The other end was closed. Whoever reads the link finds its last words, and then its end. */
static void deafen(struct client *c)
{
        c->deaf = true;
        queue_deinit(&c->queue);
        queue_init(&c->queue, c->user);
}

/* Messages were lost right before what is to be written next: the client learns it there. This is made
 * apart, for somebody else may be making something in the shared chunk. */
static void tell_gap(struct client *c, enum kind kind)
{
        uint64_t n = queue_take_dropped(&c->queue, kind);
        struct buffer frame = BUFFER_INIT;

        c->broker->counts[kind == KIND_COPY ? COUNT_COPIES : COUNT_DROPPED] += n;
        control_format_dropped(c, n, kind == KIND_COPY ? "copies" : "full", &frame);
        if (frame.failed || queue_insert(&c->queue, buffer_span(&frame)))
                client_kill(c, "memory is short");
        c->broker->to_links.n++;
        c->broker->to_links.bytes += frame.n;
        buffer_deinit(&frame);
}

/* Writes what waits, as far as the socket takes it. The shared chunk stays as it is. */
static void write_queue(struct client *c)
{
        struct iovec iov[FLUSH_SLICES_MAX];
        struct msghdr message = { .msg_iov = iov };
        enum kind gap;
        ssize_t n;

        while (!c->dead && !c->blocked) {
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
                        block(c);
                else if (errno == EPIPE || errno == ECONNRESET)
                        deafen(c);
                else if (errno != EINTR)
                        client_kill(c, strerror(errno));
        }
}

bool client_is_owner(const struct client *c)
{
        if (!c->place && nobody_is_uid(&c->broker->nobody, c->uid))
                return false;
        return c->uid == 0 || c->uid == geteuid();
}

void client_name(const struct client *c, char ret_name[static CLIENT_NAME_SIZE])
{
        if (c->place)
                snprintf(ret_name, CLIENT_NAME_SIZE, "link %" PRIu64 " (TCP, %s)", c->number,
                         c->place);
        else
                snprintf(ret_name, CLIENT_NAME_SIZE, "link %" PRIu64 " (pid %d, uid %u)", c->number,
                         (int)c->pid, (unsigned)c->uid);
}

void client_log_limit(struct client *c, enum limit limit, const char *what)
{
        char who[CLIENT_NAME_SIZE];

        client_name(c, who);
        quota_log(&c->broker->quota, &c->user->causes[limit], limit, c->broker->it.now, who, what);
}

void client_log_fixed_limit(struct client *c, enum fixed_limit limit, const char *what)
{
        char who[CLIENT_NAME_SIZE];

        client_name(c, who);
        quota_log_fixed(c->user, limit, c->broker->it.now, who, what);
}

/* There is no room. A socket that may take more is tried first, so that nobody who reads loses
 * anything because others do not; then something is dropped, or refused. */
static int push_into_full(struct client *c, struct chunk *chunk, size_t at, size_t n,
                          enum kind kind)
{
        enum limit limit;

        if (!c->blocked)
                write_queue(c);
        limit = queue_check(&c->queue, n, kind);
        if (c->dead || c->deaf)
                return 0;
        if (limit == LIMIT_NONE)
                return queue_append(&c->queue, chunk, at, n, kind);
        if (kind == KIND_ANSWER) {
                client_log_limit(c, limit, "it does not read its answers, and is closed");
                client_kill(c, "it does not read its answers");
                return 0;
        }
        client_log_limit(c, limit, "it does not read fast enough, messages for it are lost");
        return queue_push(&c->queue, chunk, at, n, kind);
}

int client_push(struct client *c, struct chunk *chunk, size_t at, size_t n, enum kind kind)
{
        int r;

        if (c->dead || c->deaf)
                return 0;
        if (queue_check(&c->queue, n, kind) == LIMIT_NONE)
                r = queue_append(&c->queue, chunk, at, n, kind);
        else
                r = push_into_full(c, chunk, at, n, kind);
        if (r && kind == KIND_ANSWER) {
                client_kill(c, "memory is short");
                return 0;
        }
        if (r && kind == KIND_RELIABLE)
                return MBUS_E_FULL;
        if (r)
                c->queue.n_dropped[kind]++;
        c->broker->to_links.n++;
        c->broker->to_links.bytes += n;
        mark_dirty(c);
        return 0;
}

/* What fits into no frame is lost, but not silently. */
static int push_too_large(struct client *c, size_t n, enum kind kind)
{
        struct broker *b = c->broker;
        char name[CLIENT_NAME_SIZE];
        uint64_t n_silent;

        if (kind == KIND_RELIABLE || c->dead || c->deaf)
                return MBUS_E_FULL;
        client_name(c, name);
        if (log_cause_is_due(&b->too_large_cause, b->it.now, &n_silent))
                log_warning("a message of %zu octets for %s fits into no frame, and is lost "
                            "(%" PRIu64 " more before)",
                            n, name, n_silent);
        if (kind != KIND_ANSWER) {
                c->queue.n_dropped[kind]++;
                mark_dirty(c);
        }
        return MBUS_E_FULL;
}

int client_push_text(struct client *c, struct span text, enum kind kind)
{
        struct broker *b = c->broker;
        char *at;
        size_t n = FRAME_HEADER_SIZE + text.n;

        if (text.n > FRAME_MAX)
                return push_too_large(c, text.n, kind);
        at = iteration_reserve(&b->it, n);
        if (!at) {
                if (kind == KIND_ANSWER)
                        client_kill(c, "memory is short");
                return MBUS_E_FULL;
        }
        frame_put_length(at, text.n, false);
        memcpy(at + FRAME_HEADER_SIZE, text.at, text.n);
        b->it.chunk->n += n;
        return client_push(c, b->it.chunk, b->it.chunk->n - n, n, kind);
}

void client_flush(struct client *c)
{
        write_queue(c);
        if (!c->blocked)
                lists_wake(c);
}

void client_settle(struct client *c)
{
        if (c->blocked)
                hold_less(c);
        else
                client_flush(c);
}

/* ---- attachments --------------------------------------------------------------------------- */

static void link_attachment(struct client *c, struct attachment *a)
{
        a->next = c->attachments;
        if (a->next)
                a->next->previous = a;
        c->attachments = a;
        c->n_attachments++;
        quota_take(c->user, QUOTA_ENTITIES, 1);
}

static void unlink_attachment(struct client *c, struct attachment *a)
{
        if (a->previous)
                a->previous->next = a->next;
        else
                c->attachments = a->next;
        if (a->next)
                a->next->previous = a->previous;
        c->n_attachments--;
        quota_give_back(c->user, QUOTA_ENTITIES, 1);
}

int attachment_new(struct broker *b, struct client *c, const struct address *address,
                   struct attachment **ret_attachment)
{
        struct attachment *a = malloc(sizeof(*a));
        int r;

        if (!a)
                return -ENOMEM;
        *a = (struct attachment){ .deadline = DEADLINE_INIT, .client = c, .joined = b->it.now };
        r = deadlines_reserve(&b->deadlines);
        if (r == 0) {
                r = engine_add_entity(b->engine, b->it.now, address, a, &a->entity);
                if (r)
                        deadlines_release(&b->deadlines);
        }
        if (r) {
                free(a);
                return r;
        }
        if (c)
                link_attachment(c, a);
        a->generation = ++b->generation;
        monitor_joined(b, c, entity_address(a->entity), 0);
        if (c)
                bridge_joined(&b->bus, entity_address(a->entity));
        patience_note(b, entity_address(a->entity));
        *ret_attachment = a;
        return 0;
}

int attachment_rename(struct broker *b, struct attachment *a, const struct address *address)
{
        struct address *old = address_dup(entity_address(a->entity));
        int r = old ? engine_rename_entity(b->engine, b->it.now, b->it.wall_ms, a->entity, address)
                    : -ENOMEM;

        if (r == 0) {
                b->generation++;
                control_renamed(a->client, old, address);
                bridge_left(&b->bus, old, MBUS_REASON_BYE);
                monitor_left(b, old, MBUS_REASON_BYE);
                monitor_joined(b, a->client, address, 0);
                bridge_joined(&b->bus, address);
                patience_note(b, address);
        }
        free(old);
        return r;
}

struct attachment *attachment_free(struct broker *b, struct attachment *a)
{
        if (!a)
                return NULL;
        b->generation++;
        if (a->client)
                bridge_left(&b->bus, entity_address(a->entity), MBUS_REASON_BYE);
        monitor_left(b, entity_address(a->entity), MBUS_REASON_BYE);
        patience_forget(b, a);
        reliable_forget(b, a);
        retain_forget(b, a);
        if (a->client)
                unlink_attachment(a->client, a);
        deadlines_release(&b->deadlines);
        if (a->silent)
                engine_withdraw_entity(b->engine, b->it.now, b->it.wall_ms, a->entity);
        else
                engine_remove_entity(b->engine, b->it.now, b->it.wall_ms, a->entity);
        free(a);
        return NULL;
}

struct attachment *attachment_find(struct broker *b, const struct address *address)
{
        struct entity *entity = engine_find(b->engine, address);

        return entity ? entity_data(entity) : NULL;
}
