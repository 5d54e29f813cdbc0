/*
 * reload.c - the configuration is read again (SIGHUP), and no client notices.
 */
#include "reload.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

/* ---- what changed in [MBUS] ---------------------------------------------------------------- */

static struct span text_take_line(struct span *rest)
{
        const char *end = memchr(rest->at, '\n', rest->n);
        size_t n = end ? (size_t)(end - rest->at) : rest->n;
        struct span line = { rest->at, n };

        *rest = span_from(*rest, end ? n + 1 : n);
        return line;
}

static bool text_has_line(struct span text, struct span line)
{
        while (text.n > 0)
                if (span_equal(text_take_line(&text), line))
                        return true;
        return false;
}

static struct span line_key(struct span line)
{
        const char *equals = memchr(line.at, '=', line.n);

        return (struct span){ line.at, equals ? (size_t)(equals - line.at) : line.n };
}

/* Whether @names, which begin at @from in @out, hold @name. */
static bool is_named(const struct buffer *out, size_t from, struct span name)
{
        struct span rest = span_from(buffer_span(out), from);

        while (rest.n > 0) {
                const char *comma = memchr(rest.at, ',', rest.n);
                size_t n = comma ? (size_t)(comma - rest.at) : rest.n;

                if (span_equal((struct span){ rest.at, n }, name))
                        return true;
                rest = span_from(rest, comma ? n + 2 : n);
        }
        return false;
}

/* Names the keys of the lines of @a that @b does not have. */
static void name_missing(struct span a, struct span b, struct buffer *out, size_t from)
{
        while (a.n > 0) {
                struct span line = text_take_line(&a);

                if (line.n == 0 || text_has_line(b, line) || is_named(out, from, line_key(line)))
                        continue;
                if (out->n > from)
                        buffer_add_text(out, ", ");
                buffer_add_span(out, line_key(line));
        }
}

static void wipe(struct buffer *text)
{
        if (text->at)
                explicit_bzero(text->at, text->size);
        buffer_deinit(text);
}

void reload_format_changes(const struct config *a, const struct config *b, struct buffer *out)
{
        struct buffer text_a = BUFFER_INIT, text_b = BUFFER_INIT;
        size_t from = out->n;

        config_format(a, &text_a);
        config_format(b, &text_b);
        if (!text_a.failed && !text_b.failed) {
                name_missing(buffer_span(&text_a), buffer_span(&text_b), out, from);
                name_missing(buffer_span(&text_b), buffer_span(&text_a), out, from);
        }
        wipe(&text_a);
        wipe(&text_b);
}

/* ---- what needs a restart ------------------------------------------------------------------ */

static void report(const struct ops *ops, const char *section, const char *keys)
{
        log_warning("%s: %s in [%s] changed; it counts after a restart", ops->settings->path, keys,
                    section);
}

static void report_config(const struct ops *ops, const struct config *config)
{
        struct buffer names = BUFFER_INIT;

        reload_format_changes(&ops->settings->mbus, config, &names);
        buffer_add_char(&names, '\0');
        if (!names.failed && names.n > 1)
                report(ops, "MBUS", names.at);
        buffer_deinit(&names);
}

/* What the sockets were opened with stays as it is in @fresh, too. */
static void keep_sockets(const struct ops *ops, struct options *fresh)
{
        const struct options *old = &ops->settings->options;

        if (strcmp(fresh->metrics, old->metrics) != 0)
                report(ops, "broker", "METRICS");
        if (fresh->socket_mode != old->socket_mode)
                report(ops, "broker", "SOCKET_MODE");
        if (fresh->socket_group != old->socket_group)
                report(ops, "broker", "SOCKET_GROUP");
        if (!tcp_listen_addresses_equal(&fresh->tcp, &old->tcp))
                report(ops, "broker", "TCP");
        fresh->tcp = old->tcp;
        memcpy(fresh->metrics, old->metrics, sizeof(fresh->metrics));
        fresh->socket_mode = old->socket_mode;
        fresh->socket_group = old->socket_group;
}

/* ---- rights -------------------------------------------------------------------------------- */

/* Finds the rights of all clients by @policy, in their order; NULL when memory is short. */
static struct rights **judge_all(const struct ops *ops, const struct policy *policy)
{
        const struct connections *net = ops->net;
        struct rights **all = calloc(net->n + 1, sizeof(*all));
        size_t n = 0;

        for (const struct connection *c = connections_first(net); all && c;
             c = connection_next(c)) {
                if (admit_again(c, policy, &all[n]) == 0) {
                        n++;
                        continue;
                }
                while (n > 0)
                        free(all[--n]);
                free(all);
                return NULL;
        }
        assert(!all || n == net->n);
        return all;
}

/* What it may not have any more leaves the bus: to stay would be to go on hearing. */
static void restrict_entities(struct session *s)
{
        struct local_entity *e, *next;
        char name[CONNECTION_NAME_SIZE];

        for (e = session_entity(s); e; e = next) {
                struct span text = local_entity_text(e);

                next = local_entity_next(e);
                if (rights_may_attach(s->rights, entity_address(e->entity)))
                        continue;
                connection_name(&s->link, name);
                log_info("%s: [policy] does not let it have %.*s any more, which leaves", name,
                         (int)text.n, text.at);
                local_entity_detach(
                        e, MBUS_REASON_DENIED,
                        "[policy] of the broker has changed and does not let this user have it");
        }
}

static void restrict_session(struct routing *routing, struct session *s, struct rights *rights)
{
        free(s->rights);
        s->rights = rights;
        if (!rights)
                return;
        presence_restrict(routing, s);
        monitor_restrict(routing, s);
        restrict_entities(s);
}

/* ---- all of it ----------------------------------------------------------------------------- */

/*
 * Prepare, then cannot fail: the file is read, its buses are opened and the rights of everybody are
 * found before anything changes. From apply() on nothing asks for memory or for the system, but for
 * what clients are told.
 */

static void apply(struct ops *ops, const struct options *fresh, struct rights **rights,
                  struct bridges_plan *plan)
{
        struct bus_configs *old_buses = ops->settings->options.buses;
        struct policy *old = ops->settings->options.policy;
        struct routing *routing = ops->routing;
        size_t n = 0;

        ops->settings->options = *fresh;
        ops->quota->limits = fresh->limits;
        ops->net->policy = fresh->policy;
        for (struct session *s = sessions_first(ops->sessions); s; s = session_next(s))
                restrict_session(routing, s, rights[n++]);
        assert(n == ops->net->n);
        free(rights);
        policy_free(old);
        bridges_commit(plan);
        bus_configs_free(old_buses);
        /* Fanouts remember what the policy said. */
        fanouts_invalidate(routing);
}

/* What [MBUS] says now counts after a restart: until then the buses are beside the one that it said
 * before. */
static bool differ_from_main(const struct ops *ops, const struct bus_configs *buses)
{
        char error[INI_ERROR_SIZE];

        if (twins_check(&ops->settings->mbus, 0, buses, ops->settings->path, error))
                return true;
        log_error("%s", error);
        return false;
}

static bool read_again(struct ops *ops)
{
        struct options fresh = ops->settings->given;
        struct config config = CONFIG_INIT;
        struct bridges_plan *plan = NULL;
        struct rights **rights = NULL;
        bool ok = settings_reload(&fresh, ops->settings->path, &config) == 0 &&
                  differ_from_main(ops, fresh.buses) &&
                  bridges_prepare(ops->bridges, fresh.buses, &plan) == 0;

        if (ok) {
                rights = judge_all(ops, fresh.policy);
                ok = rights != NULL;
                if (!ok)
                        log_error("memory is short");
        }
        if (ok) {
                report_config(ops, &config);
                keep_sockets(ops, &fresh);
                apply(ops, &fresh, rights, plan);
        } else {
                bridges_discard(plan);
                policy_free(fresh.policy);
                bus_configs_free(fresh.buses);
        }
        explicit_bzero(&config, sizeof(config));
        return ok;
}

void reload(struct ops *ops)
{
        char state[64];

        snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, ops->it->now / 1000);
        service_manager_say(state);
        if (read_again(ops)) {
                ops->n_reloads++;
                log_info("%s was read again and counts from now on", ops->settings->path);
        } else {
                ops->n_reloads_refused++;
                log_error("%s is not used; all stays as it was", ops->settings->path);
        }
        status_ready(ops);
}
