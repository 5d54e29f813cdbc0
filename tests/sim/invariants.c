/*
 * invariants.c - the checks that look at a whole node or the whole world.
 */
#include "invariants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine-state.h"
#include "core/engine.h"
#include "memory.h"
#include "node.h"

/* Hellos a second on the bus: 1 / c_hello_factor is five; the dither with reconsideration makes that
 * 4.8 on the average. Below five members, c_hello_min makes it fewer. Those of the others alone are
 * (n - 1) / n of that: 4.1 with seven members, and no longer in the band with fewer. */
#define RATE_MIN 4.0
#define RATE_MAX 6.5
#define RATE_MEMBERS_MIN 5
#define RATE_OTHERS_MIN 7

/* engine_memory() is at most this: so much for each of what it depends on. */
#define BYTES_ENGINE 16384
#define BYTES_ENTITY 2560  /* a known, departed or local entity, all indexes included */
#define BYTES_STAMPS 4096  /* a peer that sends more than WINDOW_STAMPS in six seconds */
#define BYTES_RELIABLE 512 /* an outstanding message, beside its datagram */
#define BYTES_PAIR 26624   /* a peer and a local entity that exchange reliable messages */
#define BYTES_EVENT 1024   /* a queued event, beside the text of its message ... */
#define EVENT_FACTOR 64    /* ... of which an octet costs at most so many */

void fail(struct world *w, const char *claim, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        failure_note(&w->failure, w->now, claim, format, args);
        va_end(args);
}

/* ---- awareness ---- */

/* Whether the place had another life not so long ago, which may be the one that was given up. */
static bool lived_before(const struct world *w, const struct member *member)
{
        for (uint32_t i = 0; i < member->index; ++i) {
                const struct member *m = w->members[i];

                if (m->node == member->node && m->slot == member->slot &&
                    w->now - m->died < world_bound(w, CHANGE_SILENCE))
                        return true;
        }
        return false;
}

/* A node that has not been there for a hello interval does not know how large the bus is. If the hellos
 * of all happen to come close together, it knows next to nobody for so long (errata.md, 7). */
static bool is_newcomer(const struct world *w, const struct node *node)
{
        uint64_t hello = hello_interval(w->n_places) * (w->network.rules.loss > 0 ? 3 : 2);

        return w->now - node->started < hello + network_latency(&w->network);
}

void check_left(struct world *w, const struct node *node, const struct event *event)
{
        const struct member *member = find_member(w, event->address);

        if (!w->options.steady || !member || event->reason != MBUS_REASON_TIMEOUT ||
            lived_before(w, member) || is_newcomer(w, node))
                return;
        /* Who has seen no loss before goes by section 8.2 to the letter. */
        if (w->network.rules.loss > 0 && !node->engine->peers.lossy)
                return;
        fail(w, "nobody-flaps", "node %u gave %u-%u up, which lives", node->index, member->node,
             member->slot);
}

static size_t count_own(const struct node *node)
{
        size_t n = 0;

        for (uint32_t slot = 0; slot < SLOTS_MAX; ++slot)
                n += node->slots[slot] != NULL;
        return n;
}

static void check_node_awareness(struct world *w, const struct node *node)
{
        struct address all = ADDRESS_ALL;
        size_t cursor = 0, expected = w->n_living - count_own(node);
        struct peer_info info;

        while (engine_next_peer(node->engine, &all, &cursor, &info)) {
                if (!find_member(w, info.address))
                        fail(w, "knows-the-living", "node %u still knows %.*s, heard %llu ms ago",
                             node->index, (int)info.address->text.n, info.address->text.at,
                             (unsigned long long)((w->now - info.heard) / NSEC_PER_MSEC));
        }
        if (engine_n_peers(node->engine) != expected)
                fail(w, "knows-the-living", "node %u knows %zu entities instead of %zu",
                     node->index, engine_n_peers(node->engine), expected);
}

void check_awareness(struct world *w)
{
        if (w->now < w->aware_at || w->network.is_divided || w->network.n_cuts)
                return;
        ++w->n_checks;
        for (uint32_t i = 0; i < w->options.n_nodes; ++i) {
                if (w->nodes[i].engine)
                        check_node_awareness(w, &w->nodes[i]);
        }
}

void begin_rate(struct world *w)
{
        w->rate_from = w->now;
        w->rate_hellos = w->n_hellos;
        w->rate_members = w->n_living;
        for (uint32_t i = 0; i < w->options.n_nodes; ++i)
                w->nodes[i].rate_hellos = w->nodes[i].n_hellos;
}

/* What an entity of @node hears of all the others, where nothing is lost. */
static void check_rate_at(struct world *w, const struct node *node, uint64_t n_all, double seconds)
{
        double own = (double)(node->n_hellos - node->rate_hellos) / (double)count_own(node);
        double rate = ((double)n_all - own) / seconds;

        if (rate < RATE_MIN || rate > RATE_MAX)
                fail(w, "hello-rate", "node %u hears %.2f hellos a second of %u others in %.1f s",
                     node->index, rate, w->n_living - 1, seconds);
}

void check_rate(struct world *w)
{
        double seconds = (double)(w->now - w->rate_from) / (double)NSEC_PER_SEC;
        uint64_t n_all = w->n_hellos - w->rate_hellos;
        double rate = (double)n_all / seconds;

        if (w->rate_members != w->n_living || w->n_living < RATE_MEMBERS_MIN || w->rate_from == 0)
                return;
        ++w->n_checks;
        if (rate < RATE_MIN || rate > RATE_MAX)
                fail(w, "hello-rate", "%.2f hellos a second of %u members in %.1f s", rate,
                     w->n_living, seconds);
        for (uint32_t i = 0; i < w->options.n_nodes && w->n_living >= RATE_OTHERS_MIN; ++i) {
                if (w->nodes[i].engine)
                        check_rate_at(w, &w->nodes[i], n_all, seconds);
        }
}

/* ---- bounds ---- */

/* Tickets that are open, or whose end was not popped, as the engine counts them and by the books. */
static size_t count_tickets(const struct node *node)
{
        size_t n = 0;

        for (uint32_t slot = 0; slot < SLOTS_MAX; ++slot) {
                if (node->slots[slot])
                        n += node->slots[slot]->entity->n_reliable;
        }
        return n;
}

static size_t count_letters(const struct world *w, const struct node *node)
{
        size_t n = 0;

        for (size_t i = w->ledger.first_open; i < w->ledger.n; ++i) {
                const struct letter *letter = &w->ledger.letters[i];

                n += !letter->ended && w->members[letter->from]->node == node->index;
        }
        return n;
}

static size_t count_pairs(const struct engine *e)
{
        size_t n = 0;

        for (size_t i = 0; i < e->peers.known.n; ++i) {
                const struct acks *acks = peer_of_entry(e->peers.known.all[i])->acks;

                for (; acks; acks = acks->next)
                        ++n;
        }
        return n;
}

/* Peers whose window has room for all time stamps. */
static size_t count_rooms(const struct engine *e)
{
        size_t n = 0;

        for (size_t i = 0; i < e->peers.known.n; ++i)
                n += peer_of_entry(e->peers.known.all[i])->window.all_stamps != NULL;
        return n;
}

void check_bounds(struct world *w, const struct node *node)
{
        const struct engine *e = node->engine;
        size_t own = engine_n_entities(e), known = engine_n_peers(e);
        size_t departed = e->peers.departed.n, tickets = count_tickets(node),
               pairs = count_pairs(e);
        size_t events_max = node->slow ? w->options.events_max : EVENTS_MAX;
        size_t memory = engine_memory(e), bound = BYTES_ENGINE;

        bound += (known + departed + own) * BYTES_ENTITY + pairs * BYTES_PAIR;
        bound += e->peers.n_stamped * BYTES_STAMPS;
        bound += tickets * (BYTES_RELIABLE + BYTES_EVENT) + e->retransmitter.bytes;
        bound += e->events.n * BYTES_EVENT + EVENT_FACTOR * e->events.bytes + e->outgoing.size;
        if (memory > bound)
                fail(w, "bounded-memory",
                     "node %u uses %zu octets, more than %zu, for %zu peers, %zu departed, %zu "
                     "tickets, %zu events",
                     node->index, memory, bound, known, departed, tickets, e->events.n);
        if (tickets != count_letters(w, node))
                fail(w, "bounded-memory", "node %u counts %zu tickets instead of %zu", node->index,
                     tickets, count_letters(w, node));
        if (e->peers.n_stamped != count_rooms(e) || e->peers.n_stamped > PEERS_STAMPED_MAX)
                fail(w, "bounded-memory", "node %u keeps all time stamps of %zu peers, or of %zu",
                     node->index, e->peers.n_stamped, count_rooms(e));
        if (pairs > known * own)
                fail(w, "bounded-memory", "node %u keeps acknowledgements of %zu pairs",
                     node->index, pairs);
        if (w->options.peers_max && known > w->options.peers_max)
                fail(w, "bounded-memory", "node %u knows %zu entities", node->index, known);
        if (e->events.n > 2 * events_max + tickets + known + departed + 1)
                fail(w, "bounded-memory", "node %u holds %zu events", node->index, e->events.n);
}

/* How long a ticket may be open after its first transmission: T_r (1 + 2 + ... + N_r). */
static uint64_t longest_ticket(const struct world *w, const struct node *node)
{
        const struct retransmitter *sender = &node->engine->retransmitter;

        return (uint64_t)sender->n_r * (sender->n_r + 1) / 2 * sender->t_r +
               (node->slow ? w->options.pop_gap : 0);
}

static void check_open(struct world *w, size_t serial)
{
        const struct letter *letter = &w->ledger.letters[serial];
        const struct member *from = w->members[letter->from];
        uint64_t age;

        if (letter->ended || !letter->first)
                return;
        age = w->now - letter->first;
        if (age > longest_ticket(w, &w->nodes[from->node]))
                fail(w, "ticket-in-time", "message %zu of %u-%u is open %llu ms after it went out",
                     serial, from->node, from->slot, (unsigned long long)(age / NSEC_PER_MSEC));
}

void check_overdue(struct world *w)
{
        struct ledger *ledger = &w->ledger;

        while (ledger->first_open < ledger->n && ledger->letters[ledger->first_open].ended)
                ++ledger->first_open;
        for (size_t i = ledger->first_open; i < ledger->n; ++i)
                check_open(w, i);
}

/* ---- the end ---- */

/* Whether the member lived long enough for all that was sent at @sent, to it or by it: its bye may
 * overtake what it sent just before. */
static bool outlived(const struct world *w, const struct member *m, uint64_t sent)
{
        return m->died == TIME_NEVER || m->died > sent + network_latency(&w->network);
}

static bool has_arrived(const struct world *w, const struct letter *letter)
{
        for (uint32_t i = 0; i < letter->seen.n_words * 64; ++i) {
                if (members_has(&letter->seen, i) && w->members[i]->node == letter->node &&
                    w->members[i]->slot == letter->slot)
                        return true;
        }
        return false;
}

static void check_reliable(struct world *w, size_t serial)
{
        const struct letter *letter = &w->ledger.letters[serial];

        if (!letter->ended)
                fail(w, "ends-once", "message %zu has not ended", serial);
        else if (!letter->orphaned && !letter->reason && !has_arrived(w, letter))
                fail(w, "delivered-is-delivered",
                     "message %zu of %u-%u to %u-%u was called delivered and never arrived", serial,
                     w->members[letter->from]->node, w->members[letter->from]->slot, letter->node,
                     letter->slot);
}

static void check_unreliable(struct world *w, size_t serial)
{
        const struct letter *letter = &w->ledger.letters[serial];

        if (!outlived(w, w->members[letter->from], letter->sent))
                return;
        for (uint32_t i = 0; i < letter->expected.n_words * 64; ++i) {
                if (members_has(&letter->expected, i) && !members_has(&letter->seen, i) &&
                    outlived(w, w->members[i], letter->sent))
                        fail(w, "arrives-without-loss",
                             "message %zu of %u-%u, sent at %.6f s, did not reach %u-%u", serial,
                             w->members[letter->from]->node, w->members[letter->from]->slot,
                             (double)letter->sent / 1e9, w->members[i]->node, w->members[i]->slot);
        }
}

void check_letters(struct world *w)
{
        for (size_t serial = 0; serial < w->ledger.n; ++serial) {
                if (w->ledger.letters[serial].reliable)
                        check_reliable(w, serial);
                else
                        check_unreliable(w, serial);
        }
}
