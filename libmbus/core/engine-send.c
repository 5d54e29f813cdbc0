/*
 * engine-send.c - see engine-send.h.
 */
#include "engine-send.h"

#include <assert.h>
#include <stdlib.h>

#include "engine-acks.h"
#include "engine-delivery.h"
#include "engine-hello.h"
#include "engine-local.h"
#include "engine-query.h"
#include "engine-search.h"

/* Sends @out, and with it what @acks owes if both fit into one message. */
static int send_with_acks(struct engine *e, uint64_t now, uint64_t wall_ms,
                          const struct outbound *out, struct acks *acks)
{
        struct outbound both = *out;
        int r;

        if (!acks || acks->n_owed == 0)
                return outbound_send(e, wall_ms, out);
        both.acks = acks->owed;
        both.n_acks = acks_batch(acks);
        r = outbound_send(e, wall_ms, &both);
        if (r == 0)
                acks_sent(acks, now, both.n_acks);
        return r == MBUS_E_TOO_LARGE ? outbound_send(e, wall_ms, out) : r;
}

int send_unreliable(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                    const struct address *dest, struct span payload)
{
        struct peer *peer = dest->n ? peers_find(&e->peers, dest) : NULL;
        struct outbound out = { .from = entity, .dest = dest, .payload = payload };
        struct acks *acks = peer ? find_acks(peer, entity) : NULL;
        struct entity **recipients = NULL;
        size_t n = 0;
        int r = 0;

        if (!e->options.owner_routes)
                r = match_locals(e, dest, entity, &recipients, &n);
        if (r == 0)
                r = send_with_acks(e, now, wall_ms, &out, acks);
        if (r != 0) {
                free(recipients);
                return r;
        }
        /* The bus has it: that local entities miss it is counted, there if their queue is full. */
        if (deliver_locally(e, recipients, n) < 0)
                ++e->dropped[MBUS_DROP_EVENTS];
        return 0;
}

int send_ping(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
              const struct address *dest)
{
        struct outbound out = { .from = entity, .dest = dest, .payload = span_of("mbus.ping()") };
        int r = 0;

        /* RAT dies of it, no old program answers it, and all say hello within the second anyway. */
        if (e->options.dialect != DIALECT_UCL)
                r = outbound_send(e, wall_ms, &out);
        if (r == 0)
                answer_ping(e, now, dest);
        return r;
}

/* What would be too large even to the destination as it is given need not wait for another. */
static int hold(struct engine *e, uint64_t now, uint64_t wall_ms, const struct outbound *out)
{
        int r = outbound_seal(e, wall_ms, out);

        return r ? r : await_destination(e, now, out, e->next_ticket);
}

int send_reliable(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                  const struct address *dest, struct span payload, uint64_t *ret_ticket)
{
        struct outbound out = {
                .from = entity, .dest = dest, .reliable = true, .payload = payload
        };
        const struct address *address = NULL;
        struct entity *local = NULL;
        unsigned n = engine_resolve(e, dest, &local, &address);
        bool waits = must_search(e, now, dest, n, address);
        int r;

        if (n != 1 && !waits)
                return n ? MBUS_E_NOT_UNIQUE : MBUS_E_UNKNOWN;
        if (entity->n_reliable >= RELIABLE_OUTSTANDING_MAX)
                return MBUS_E_FULL;
        assert(waits || !local || !e->options.owner_routes);
        r = events_reserve(&e->events);
        if (r < 0)
                return r;
        if (waits) {
                r = hold(e, now, wall_ms, &out);
        } else {
                out.dest = address;
                r = send_reliable_to(e, now, wall_ms, &out, local, e->next_ticket);
        }
        if (r != 0) {
                events_release(&e->events);
                return r;
        }
        ++entity->n_reliable;
        *ret_ticket = e->next_ticket++;
        return 0;
}
