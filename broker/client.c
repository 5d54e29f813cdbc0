/*
 * client.c - what goes out on a link, and the entities attached to it.
 */
#include "client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <core/frame.h>

#include "broker.h"
#include "control.h"
#include "link-local.h"
#include "monitor.h"
#include "reliable.h"

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

        if (c->dead)
                return;
        c->dead = true;
        c->next_dead = b->dead;
        b->dead = c;
        uv_poll_stop(&c->poll);
        log_debug("link %" PRIu64 " (pid %d) ends: %s", c->number, (int)c->pid, why);
}

static void log_full(struct client *c)
{
        uint64_t n_silent;

        if (!log_cause_is_due(&c->full, c->broker->now, &n_silent))
                return;
        log_warning("link %" PRIu64 " (pid %d, uid %d) does not read fast enough: %zu octets and "
                    "%zu messages wait, of %u and %u allowed; messages for it are lost",
                    c->number, (int)c->pid, (int)c->uid, c->queue.bytes, c->queue.n_messages,
                    QUEUE_BYTES_MAX, QUEUE_MESSAGES_MAX);
}

int client_push(struct client *c, struct chunk *chunk, size_t at, size_t n, enum kind kind)
{
        uint64_t n_dropped = c->queue.n_dropped;
        int r;

        if (c->dead)
                return 0;
        r = queue_push(&c->queue, chunk, at, n, kind);
        if (r && kind == KIND_ANSWER) {
                client_kill(c, "it does not read its answers");
                return 0;
        }
        if (r || n_dropped != c->queue.n_dropped)
                log_full(c);
        if (r && kind == KIND_RELIABLE)
                return MBUS_E_FULL;
        if (r)
                c->queue.n_dropped++;
        c->broker->to_links.n++;
        c->broker->to_links.bytes += n;
        mark_dirty(c);
        return 0;
}

int client_push_text(struct client *c, struct span text, enum kind kind)
{
        struct broker *b = c->broker;
        char *at;
        size_t n = FRAME_HEADER_SIZE + text.n;

        if (text.n == 0 || text.n > FRAME_MAX)
                return MBUS_E_FULL;
        at = broker_reserve(b, n);
        if (!at) {
                if (kind == KIND_ANSWER)
                        client_kill(c, "memory is short");
                return MBUS_E_FULL;
        }
        frame_put_length(at, text.n, false);
        memcpy(at + FRAME_HEADER_SIZE, text.at, text.n);
        b->chunk->n += n;
        return client_push(c, b->chunk, b->chunk->n - n, n, kind);
}

/* The socket takes no more for now. */
static void block(struct client *c)
{
        c->blocked = true;
        queue_own(&c->queue);
        link_local_poll(c);
}

/* Everything is out: the client learns what it missed. */
static bool report_dropped(struct client *c)
{
        uint64_t n = queue_take_dropped(&c->queue);

        if (n == 0)
                return false;
        c->broker->counts[COUNT_DROPPED] += n;
        control_dropped(c, n);
        return true;
}

void client_flush(struct client *c)
{
        struct iovec iov[FLUSH_SLICES_MAX];
        struct msghdr message = { .msg_iov = iov };
        ssize_t n;

        while (!c->dead) {
                if (queue_is_empty(&c->queue) && !report_dropped(c))
                        return;
                message.msg_iovlen = queue_peek(&c->queue, iov, FLUSH_SLICES_MAX);
                n = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n >= 0) {
                        queue_pop(&c->queue, (size_t)n);
                } else if (errno == EAGAIN || errno == ENOBUFS) {
                        block(c);
                        return;
                } else if (errno != EINTR) {
                        client_kill(c, strerror(errno));
                }
        }
}

void client_settle(struct client *c)
{
        if (c->blocked)
                queue_own(&c->queue);
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
}

int attachment_new(struct broker *b, struct client *c, const struct address *address,
                   struct attachment **ret_attachment)
{
        struct attachment *a = malloc(sizeof(*a));
        int r;

        if (!a)
                return -ENOMEM;
        *a = (struct attachment){ .deadline = DEADLINE_INIT, .client = c, .joined = b->now };
        r = deadlines_reserve(&b->deadlines);
        if (r == 0) {
                r = engine_add_entity(b->engine, b->now, address, a, &a->entity);
                if (r)
                        deadlines_release(&b->deadlines);
        }
        if (r) {
                free(a);
                return r;
        }
        if (c)
                link_attachment(c, a);
        b->generation++;
        monitor_joined(b, entity_address(a->entity), 0);
        *ret_attachment = a;
        return 0;
}

struct attachment *attachment_free(struct broker *b, struct attachment *a)
{
        if (!a)
                return NULL;
        b->generation++;
        monitor_left(b, entity_address(a->entity), MBUS_REASON_BYE);
        reliable_forget(b, a);
        if (a->client)
                unlink_attachment(a->client, a);
        deadlines_release(&b->deadlines);
        engine_remove_entity(b->engine, b->now, b->wall_ms, a->entity);
        free(a);
        return NULL;
}

struct attachment *attachment_find(struct broker *b, const struct address *address)
{
        struct entity *entity = engine_find(b->engine, address);

        return entity ? entity_data(entity) : NULL;
}
