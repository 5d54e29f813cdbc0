/*
 * presence.c - sessions that watch entities come and go.
 */
#include "presence.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct watch {
        struct watch *next;
        struct address *address;
};

static bool is_watching(const struct session *s, const struct address *address)
{
        for (const struct watch *w = s->routing->watches; w; w = w->next)
                if (address_is_subset(w->address, address))
                        return true;
        return false;
}

bool presence_has_watch(const struct session *s, const struct address *address)
{
        for (const struct watch *w = s->routing->watches; w; w = w->next)
                if (address_equal(w->address, address))
                        return true;
        return false;
}

int presence_watch(struct routing *routing, struct session *s, const struct address *address,
                   enum limit *ret_limit)
{
        struct watch *w;

        assert(!s->routing->watches == (s->routing->n_watches == 0));
        if (presence_has_watch(s, address))
                return 0;
        *ret_limit = quota_check(s->link.user, QUOTA_WATCHES, s->routing->n_watches, 1, 1);
        if (*ret_limit != LIMIT_NONE)
                return MBUS_E_FULL;
        w = malloc(sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->address = address_dup(address);
        if (!w->address) {
                free(w);
                return -ENOMEM;
        }
        w->next = s->routing->watches;
        s->routing->watches = w;
        routing->n_watchers += s->routing->n_watches++ == 0;
        quota_take(s->link.user, QUOTA_WATCHES, 1);
        return 0;
}

/* A broker.joined under construction. */
struct joined {
        struct session *s;
        struct buffer text;
};

static void joined_finish(struct joined *j)
{
        if (j->text.failed) {
                connection_kill(&j->s->link, "memory is short");
        } else if (j->text.n > 0) {
                buffer_add_char(&j->text, ')');
                reply_say(j->s, buffer_span(&j->text));
        }
        buffer_clear(&j->text);
}

static void joined_add(struct joined *j, const struct address *address, uint64_t age_ms)
{
        buffer_add_text(&j->text, j->text.n > 0 ? " " : "broker.joined(");
        value_format_string(address->text, &j->text);
        buffer_add_char(&j->text, ' ');
        buffer_add_uint(&j->text, age_ms);
}

/* Those of other hosts, then those of this one. */
enum {
        STAGE_PEERS,
        STAGE_ENTITIES,
};

/* The next that matches, and since when it is there; NULL behind the last. */
static const struct address *next_known(struct routing *routing, const struct session *s,
                                        const struct address *address,
                                        struct list_position *position, uint64_t *ret_joined)
{
        const struct local_entity *e;
        struct entity *entity;
        struct peer_info peer;

        if (position->stage == STAGE_PEERS) {
                if (engine_walk_peers(routing->engine, address, &position->walk, &peer)) {
                        *ret_joined = peer.joined;
                        return peer.address;
                }
                position->stage = STAGE_ENTITIES;
                position->walk = INDEX_WALK_INIT;
        }
        while ((entity = engine_walk_entities(routing->engine, address, &position->walk))) {
                e = entity_data(entity);
                /* A session is not told of what it attaches itself while it watches. */
                if (e->session == s && e->number > position->begun)
                        continue;
                *ret_joined = e->joined;
                return entity_address(entity);
        }
        return NULL;
}

bool presence_tell(struct routing *routing, struct session *s, const struct address *address,
                   struct list_position *position)
{
        struct joined j = { s, BUFFER_INIT };
        const struct address *known = address;
        uint64_t joined;

        while (known && !j.text.failed && j.text.n <= JOINED_BYTES_MAX) {
                known = next_known(routing, s, address, position, &joined);
                if (known)
                        joined_add(&j, known, (routing->it->now - joined) / NSEC_PER_MSEC);
        }
        joined_finish(&j);
        buffer_deinit(&j.text);
        return !known;
}

void presence_joined(struct routing *routing, const struct session *own,
                     const struct address *address)
{
        struct joined j = { NULL, BUFFER_INIT };

        if (routing->n_watchers == 0)
                return;
        for (j.s = sessions_first(routing->sessions); j.s; j.s = session_next(j.s)) {
                if (j.s == own || !is_watching(j.s, address))
                        continue;
                joined_add(&j, address, 0);
                joined_finish(&j);
        }
        buffer_deinit(&j.text);
}

void presence_left(struct routing *routing, const struct address *address, enum mbus_reason reason)
{
        struct buffer text = BUFFER_INIT;

        if (routing->n_watchers == 0)
                return;
        buffer_add_text(&text, "broker.left(");
        value_format_string(address->text, &text);
        buffer_add_char(&text, ' ');
        buffer_add_text(&text, reason_symbol(reason));
        buffer_add_char(&text, ')');
        for (struct session *s = sessions_first(routing->sessions); s; s = session_next(s)) {
                if (!is_watching(s, address))
                        continue;
                if (text.failed)
                        connection_kill(&s->link, "memory is short");
                else
                        reply_say(s, buffer_span(&text));
        }
        buffer_deinit(&text);
}

/* ---- what ends ----------------------------------------------------------------------------- */

void presence_forget(struct routing *routing, struct session *s)
{
        struct watch *next;

        assert(routing->n_watchers >= (s->routing->n_watches > 0));
        routing->n_watchers -= s->routing->n_watches > 0;
        for (struct watch *w = s->routing->watches; w; w = next) {
                next = w->next;
                free(w->address);
                free(w);
        }
        s->routing->watches = NULL;
        quota_give_back(s->link.user, QUOTA_WATCHES, s->routing->n_watches);
        s->routing->n_watches = 0;
}

void presence_restrict(struct routing *routing, struct session *s)
{
        if (s->routing->n_watches == 0 || rights_may_watch(s->rights))
                return;
        presence_forget(routing, s);
        reply_reason(s, span_of("()"), "broker.unwatched", SPAN_NULL,
                     reason_symbol(MBUS_REASON_DENIED),
                     "[policy] of the broker has changed and does not let this user do that");
}
