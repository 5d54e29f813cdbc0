/*
 * fanout.c - who gets what one entity sends to one destination, remembered.
 *
 * A client remembers ROUTES_MAX routes of up to ROUTE_CLIENTS_MAX recipients. Larger ones would cost
 * the product of senders and recipients in memory; of them the broker remembers the last one, which
 * is what one busy sender to everybody needs.
 */
#include "fanout.h"

#include <stdlib.h>
#include <string.h>

#include <broker/bridge/bridge.h>
#include <broker/broker.h>
#include <broker/sessions/reliable.h>

#define PEERS_LOOKED_AT 16

struct route *route_free(struct route *route)
{
        if (!route)
                return NULL;
        name_unref(route->name);
        free(route->clients);
        free(route);
        return NULL;
}

/* The addresses in front of an AckList, if they are those of @route. */
static bool is_at(const struct route *route, struct span rest)
{
        return rest.n > route->pattern_n && rest.at[route->pattern_n] == '(' &&
               memcmp(rest.at, route->pattern, route->pattern_n) == 0;
}

struct route *route_recall(struct broker *b, struct client *c, struct span *rest)
{
        struct route *route;

        for (unsigned i = 0; i <= ROUTES_MAX; i++) {
                route = i < ROUTES_MAX ? c->routes[i] : b->wide;
                if (!route || route->generation != b->generation || route->src->client != c ||
                    !is_at(route, *rest))
                        continue;
                *rest = span_from(*rest, route->pattern_n);
                return route;
        }
        return NULL;
}

/* ---- making one ---------------------------------------------------------------------------- */

bool route_match(struct broker *b, const struct address *dest, size_t *ret_n)
{
        size_t n = engine_match(b->engine, dest, b->matches, b->matches_size);
        struct entity **matches;

        if (n > b->matches_size) {
                matches = realloc(b->matches, 2 * n * sizeof(*matches));
                if (!matches)
                        return false;
                b->matches = matches;
                b->matches_size = 2 * n;
                n = engine_match(b->engine, dest, b->matches, b->matches_size);
        }
        *ret_n = n;
        return true;
}

/* An entity gets nothing of what it sends itself, as on the bus. */
static bool gather_clients(struct broker *b, struct route *route)
{
        size_t n;

        if (!route_match(b, &route->dest, &n))
                return false;
        b->mark++;
        for (size_t i = 0; i < n; i++) {
                struct attachment *a = entity_data(b->matches[i]);

                if (entity_address(a->entity)->n == route->dest.n)
                        route->only = a;
        }
        if (n > 0 && route->only != route->src)
                route->clients = malloc((route->only ? 1 : n) * sizeof(*route->clients));
        else
                return true;
        if (!route->clients)
                return false;
        for (size_t i = 0; i < n; i++) {
                struct attachment *a = entity_data(b->matches[i]);

                if (a == route->src || !a->client || a->client->mark == b->mark ||
                    (route->only && a != route->only))
                        continue;
                a->client->mark = b->mark;
                route->clients[route->n++] = a->client;
        }
        return true;
}

static void look_for_peers(struct broker *b, struct route *route)
{
        struct peer_info peer;
        size_t cursor = 0;

        /* One with the very same elements need not be the first, but it is not far: whatever
         * matches, too, has its id. */
        for (unsigned n = 0; n < PEERS_LOOKED_AT; n++) {
                if (!engine_next_peer(b->engine, &route->dest, &cursor, &peer))
                        return;
                route->has_peers = true;
                if (route->dest.n > 0 && peer.address->n == route->dest.n) {
                        route->is_peer = true;
                        return;
                }
        }
}

static void permit(struct route *route, const struct rights *rights)
{
        route->lines = rights_to(rights, &route->dest);
        if (route->lines == 0)
                route->permission = PERMIT_NONE;
        else if (!rights_for_all_commands(rights, route->lines))
                route->permission = PERMIT_SOME;
}

static struct route *route_new(struct broker *b, struct attachment *src, const struct header *h)
{
        size_t n = address_plain_size(&h->src) + 1 + address_plain_size(&h->dest) + 1;
        struct route *route = malloc(sizeof(*route) + n);
        struct address view;
        char *at;

        if (!route)
                return NULL;
        *route = (struct route){ .generation = b->generation, .src = src, .pattern_n = n };
        at = address_put_plain(&h->src, route->pattern, &view);
        *at++ = ' ';
        at = address_put_plain(&h->dest, at, &route->dest);
        *at = ' ';
        if (src->client->rights)
                permit(route, src->client->rights);
        if (!gather_clients(b, route))
                return route_free(route);
        look_for_peers(b, route);
        route->exported = bridge_exports(b, entity_address(src->entity));
        return route;
}

struct route *route_get(struct broker *b, struct client *c, struct attachment *src,
                        const struct header *h)
{
        struct route *route, **place;

        for (unsigned i = 0; i <= ROUTES_MAX; i++) {
                route = i < ROUTES_MAX ? c->routes[i] : b->wide;
                if (route && route->generation == b->generation && route->src == src &&
                    address_equal(&route->dest, &h->dest))
                        return route;
        }
        route = route_new(b, src, h);
        if (!route)
                return NULL;
        place = &b->wide;
        if (route->n <= ROUTE_CLIENTS_MAX)
                place = &c->routes[c->next_route++ % ROUTES_MAX];
        route_free(*place);
        *place = route;
        return route;
}

enum resolution route_resolve(struct broker *b, struct route *route, struct attachment **ret_target,
                              struct name **ret_name)
{
        struct entity *entity = NULL;
        const struct address *address = NULL;

        if (route->resolution == ROUTE_UNRESOLVED && route->only) {
                route->resolution = ROUTE_LOCAL;
                route->target = route->only;
        } else if (route->resolution == ROUTE_UNRESOLVED) {
                switch (engine_resolve(b->engine, &route->dest, &entity, &address)) {
                case 0:
                        route->resolution = ROUTE_NOBODY;
                        break;
                case 1:
                        if (entity) {
                                route->resolution = ROUTE_LOCAL;
                                route->target = entity_data(entity);
                                break;
                        }
                        route->name = name_new(address->text);
                        if (route->name)
                                route->resolution = ROUTE_PEER;
                        break;
                default:
                        route->resolution = ROUTE_SEVERAL;
                }
        }
        *ret_target = route->target;
        *ret_name = route->name;
        return route->resolution;
}
