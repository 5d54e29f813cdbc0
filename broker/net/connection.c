/*
 * connection.c - a client's connection: what its reading and its writing need.
 */
#include "connection.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void connection_kill(struct connection *c, const char *why)
{
        char name[CONNECTION_NAME_SIZE];

        if (c->is_dead)
                return;
        c->is_dead = true;
        list_push_first(&c->connections->dead, &c->dead_node);
        uv_poll_stop(&c->poll);
        connection_name(c, name);
        log_debug("%s ends: %s", name, why);
}

void connection_poll(struct connection *c)
{
        int in = c->pause.slot ? UV_DISCONNECT : UV_READABLE;

        if (!c->is_dead)
                uv_poll_start(&c->poll, in | (c->is_blocked ? UV_WRITABLE : 0),
                              c->connections->on_ready);
}

bool connection_is_owner(const struct connection *c)
{
        if (!c->peer && nobody_is_uid(&c->connections->nobody, c->uid))
                return false;
        return c->uid == 0 || c->uid == geteuid();
}

void connection_name(const struct connection *c, char ret_name[static CONNECTION_NAME_SIZE])
{
        if (c->peer)
                snprintf(ret_name, CONNECTION_NAME_SIZE, "link %" PRIu64 " (TCP, %s)", c->number,
                         c->peer);
        else
                snprintf(ret_name, CONNECTION_NAME_SIZE, "link %" PRIu64 " (pid %d, uid %u)",
                         c->number, (int)c->pid, (unsigned)c->uid);
}

void connection_log_limit(struct connection *c, enum limit limit, const char *what)
{
        char who[CONNECTION_NAME_SIZE];

        connection_name(c, who);
        quota_log(c->connections->quota, &c->user->limit_logs[limit], limit,
                  c->connections->it->now, who, what);
}

void connection_log_fixed_limit(struct connection *c, enum fixed_limit limit, const char *what)
{
        char who[CONNECTION_NAME_SIZE];

        connection_name(c, who);
        quota_log_fixed(c->user, limit, c->connections->it->now, who, what);
}

void connection_count(struct connection *c, enum drop_cause cause, const char *format, ...)
{
        char name[CONNECTION_NAME_SIZE];
        va_list args;

        connection_name(c, name);
        va_start(args, format);
        quota_vcount(c->connections->quota, c->user, cause, c->connections->it->now, name, format,
                     args);
        va_end(args);
}
