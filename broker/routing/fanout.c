/*
 * fanout.c - who gets what one entity sends to one destination, remembered.
 *
 * Of a session FANOUTS_MAX are remembered, of up to FANOUT_CLIENTS_MAX recipients. Larger ones
 * would cost the product of senders and recipients in memory; of them the broker remembers the last
 * one, which is what one busy sender to everybody needs.
 */
#include "fanout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_LOOKED_AT 16

struct fanout *fanout_free(struct fanout *fanout)
{
        if (!fanout)
                return NULL;
        remote_address_unref(fanout->remote);
        free(fanout->sessions);
        free(fanout);
        return NULL;
}

/* The addresses in front of an AckList, if they are those of @fanout. */
static bool is_at(const struct fanout *fanout, struct span rest)
{
        return rest.n > fanout->pattern_n && rest.at[fanout->pattern_n] == '(' &&
               memcmp(rest.at, fanout->pattern, fanout->pattern_n) == 0;
}

struct fanout *fanout_recall(struct routing *routing, struct session *s, struct span *rest)
{
        struct fanout *fanout;

        for (unsigned i = 0; i <= FANOUTS_MAX; i++) {
                fanout = i < FANOUTS_MAX ? s->routing->fanouts[i] : routing->wide;
                if (!fanout || fanout->generation != routing->generation ||
                    fanout->src->session != s || !is_at(fanout, *rest))
                        continue;
                *rest = span_from(*rest, fanout->pattern_n);
                return fanout;
        }
        return NULL;
}

/* ---- making one ---------------------------------------------------------------------------- */

bool match_entities(struct routing *routing, const struct address *dest, size_t *ret_n)
{
        size_t n = engine_match(routing->engine, dest, routing->matches, routing->matches_size);
        struct entity **matches;

        if (n > routing->matches_size) {
                matches = realloc(routing->matches, 2 * n * sizeof(*matches));
                if (!matches)
                        return false;
                routing->matches = matches;
                routing->matches_size = 2 * n;
                n = engine_match(routing->engine, dest, routing->matches, routing->matches_size);
                assert(n <= routing->matches_size);
        }
        *ret_n = n;
        return true;
}

/* An entity gets nothing of what it sends itself, as on the bus. */
static bool gather_sessions(struct routing *routing, struct fanout *fanout)
{
        size_t n;

        if (!match_entities(routing, &fanout->dest, &n))
                return false;
        sessions_visit(routing->sessions);
        for (size_t i = 0; i < n; i++) {
                struct local_entity *e = matches_at(routing, i);

                if (entity_address(e->entity)->n == fanout->dest.n)
                        fanout->only = e;
        }
        if (n > 0 && fanout->only != fanout->src)
                fanout->sessions = malloc((fanout->only ? 1 : n) * sizeof(*fanout->sessions));
        else
                return true;
        if (!fanout->sessions)
                return false;
        for (size_t i = 0; i < n; i++) {
                struct local_entity *e = matches_at(routing, i);

                if (e == fanout->src || !e->session || (fanout->only && e != fanout->only) ||
                    !session_is_new(e->session))
                        continue;
                fanout->sessions[fanout->n++] = e->session;
        }
        return true;
}

static void look_for_peers(struct routing *routing, struct fanout *fanout)
{
        struct peer_info peer;
        size_t cursor = 0;

        /* One with the very same elements need not be the first, but it is not far: whatever
         * matches, too, has its id. */
        for (unsigned n = 0; n < PEERS_LOOKED_AT; n++) {
                if (!engine_next_peer(routing->engine, &fanout->dest, &cursor, &peer))
                        return;
                fanout->has_peers = true;
                if (fanout->dest.n > 0 && peer.address->n == fanout->dest.n) {
                        fanout->is_peer = true;
                        return;
                }
        }
}

static void permit(struct fanout *fanout, const struct rights *rights)
{
        fanout->lines = rights_to(rights, &fanout->dest);
        if (fanout->lines == 0)
                fanout->permission = PERMIT_NONE;
        else if (!rights_for_all_commands(rights, fanout->lines))
                fanout->permission = PERMIT_SOME;
}

static struct fanout *fanout_new(struct routing *routing, struct local_entity *src,
                                 const struct header *h)
{
        size_t n = address_plain_size(&h->src) + 1 + address_plain_size(&h->dest) + 1;
        struct fanout *fanout = malloc(sizeof(*fanout) + n);
        struct address view;
        char *at;

        if (!fanout)
                return NULL;
        *fanout = (struct fanout){ .generation = routing->generation, .src = src, .pattern_n = n };
        at = address_put_plain(&h->src, fanout->pattern, &view);
        *at++ = ' ';
        at = address_put_plain(&h->dest, at, &fanout->dest);
        *at = ' ';
        assert(at + 1 == fanout->pattern + n);
        if (src->session->rights)
                permit(fanout, src->session->rights);
        if (!gather_sessions(routing, fanout))
                return fanout_free(fanout);
        look_for_peers(routing, fanout);
        fanout->exported = routing->others->exports(routing->others, entity_address(src->entity));
        return fanout;
}

struct fanout *fanout_get(struct routing *routing, struct session *s, struct local_entity *src,
                          const struct header *h)
{
        struct fanout *fanout, **place;

        assert(src->session == s && s->routing->all == routing);
        for (unsigned i = 0; i <= FANOUTS_MAX; i++) {
                fanout = i < FANOUTS_MAX ? s->routing->fanouts[i] : routing->wide;
                if (fanout && fanout->generation == routing->generation && fanout->src == src &&
                    address_equal(&fanout->dest, &h->dest))
                        return fanout;
        }
        fanout = fanout_new(routing, src, h);
        if (!fanout)
                return NULL;
        place = &routing->wide;
        if (fanout->n <= FANOUT_CLIENTS_MAX)
                place = &s->routing->fanouts[s->routing->next_fanout++ % FANOUTS_MAX];
        fanout_free(*place);
        *place = fanout;
        return fanout;
}

static void resolve_target(struct routing *routing, struct fanout *fanout)
{
        struct entity *entity = NULL;
        const struct address *address = NULL;

        if (fanout->only) {
                fanout->resolution = FANOUT_LOCAL;
                fanout->target = fanout->only;
                return;
        }
        switch (engine_resolve(routing->engine, &fanout->dest, &entity, &address)) {
        case 0:
                fanout->resolution = FANOUT_NOBODY;
                break;
        case 1:
                if (entity) {
                        fanout->resolution = FANOUT_LOCAL;
                        fanout->target = entity_data(entity);
                        break;
                }
                fanout->remote = remote_address_new(address->text);
                if (fanout->remote)
                        fanout->resolution = FANOUT_PEER;
                break;
        default:
                fanout->resolution = FANOUT_SEVERAL;
        }
        assert(!fanout->target == (fanout->resolution != FANOUT_LOCAL));
        assert(!fanout->remote == (fanout->resolution != FANOUT_PEER));
}

enum resolution fanout_resolve(struct routing *routing, struct fanout *fanout,
                               struct local_entity **ret_target, struct remote_address **ret_remote)
{
        if (fanout->resolution == FANOUT_UNRESOLVED)
                resolve_target(routing, fanout);
        assert(fanout->generation == routing->generation);
        *ret_target = fanout->target;
        *ret_remote = fanout->remote;
        return fanout->resolution;
}

void fanouts_forget(struct session *s)
{
        for (unsigned i = 0; i < FANOUTS_MAX; i++)
                s->routing->fanouts[i] = fanout_free(s->routing->fanouts[i]);
}
