/*
 * connections.c - connections of clients come and go.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admission.h"
#include "connection-read.h"
#include "connection.h"

static void find_nobody(struct nobody *nobody)
{
        nobody_read(nobody);
        if (nobody_is_uid(nobody, geteuid()))
                log_warning("in this user namespace uid %u is everybody who has no number here, so "
                            "the broker's own user may do no more than [policy] lets user=*; run "
                            "it as a uid that is mapped",
                            (unsigned)nobody->uid);
}

void connections_init(struct connections *connections, struct iteration *it, struct quota *quota,
                      struct connection_owner *owner)
{
        *connections = (struct connections){ .it = it,
                                             .quota = quota,
                                             .owner = owner,
                                             .on_ready = connection_on_ready,
                                             .pauses = DEADLINES_INIT };
        find_nobody(&connections->nobody);
}

void connections_deinit(struct connections *connections)
{
        assert(connections->n == 0 && list_is_empty(&connections->all));
        deadlines_deinit(&connections->pauses);
}

/* With all that it has but its memory, which its owner allocates. */
static int connection_begin(struct connections *connections, struct admission *a, int fd,
                            char *peer)
{
        struct connection *c = connections->owner->on_new(connections->owner, a->rights);
        char name[CONNECTION_NAME_SIZE];

        assert(a->user);
        if (!c)
                return -ENOMEM;
        a->rights = NULL;
        *c = (struct connection){ .connections = connections,
                                  .fd = fd,
                                  .number = ++connections->last_number,
                                  .pid = a->pid,
                                  .uid = a->uid,
                                  .peer = peer,
                                  .user = a->user,
                                  .pause = DEADLINE_INIT };
        queue_init(&c->queue, c->user);
        if (uv_poll_init(&connections->it->loop, &c->poll, fd) < 0) {
                connections->owner->on_end(c);
                free(c);
                return -ENOMEM;
        }
        c->poll.data = c;
        list_push_first(&connections->all, &c->node);
        connections->n++;
        connection_poll(c);
        connection_name(c, name);
        log_debug("%s begins", name);
        return 0;
}

int connections_add(struct connections *connections, int fd, char *peer)
{
        struct admission admission;
        int r = deadlines_reserve(&connections->pauses);

        assert(fd >= 0 && connections->policy);
        if (r)
                return r;
        if (!admit(connections, fd, peer != NULL, &admission)) {
                deadlines_release(&connections->pauses);
                return -EACCES;
        }
        r = connection_begin(connections, &admission, fd, peer);
        if (r) {
                deadlines_release(&connections->pauses);
                admit_undo(&admission);
        }
        return r;
}

static void on_connection_closed(uv_handle_t *handle)
{
        free(handle->data);
}

static void connection_reap(struct connection *c)
{
        struct connections *connections = c->connections;

        assert(c->is_dead && connections->n > 0);
        if (c->flush_pending)
                list_remove(&connections->unflushed, &c->unflushed_node);
        connections->owner->on_end(c);
        queue_deinit(&c->queue);
        deadlines_set(&connections->pauses, &c->pause, TIME_NEVER);
        deadlines_release(&connections->pauses);
        quota_remove_link(c->user);
        chunk_unref(c->partial);
        free(c->peer);
        list_remove(&connections->all, &c->node);
        connections->n--;
        uv_close((uv_handle_t *)&c->poll, on_connection_closed);
        close(c->fd);
}

void connections_reap(struct connections *connections)
{
        struct list_node *node;

        while ((node = list_pop(&connections->dead)))
                connection_reap(container_of(node, struct connection, dead_node));
}

void connections_end(struct connections *connections, const char *why)
{
        for (struct connection *c = connections_first(connections); c; c = connection_next(c))
                connection_kill(c, why);
        connections_reap(connections);
        assert(connections->n == 0);
}

uint64_t connections_deadline(const struct connections *connections)
{
        return deadlines_next(&connections->pauses);
}

struct connection *connections_first(const struct connections *connections)
{
        return container_of(connections->all.first, struct connection, node);
}

struct connection *connection_next(const struct connection *c)
{
        return container_of(c->node.next, struct connection, node);
}
