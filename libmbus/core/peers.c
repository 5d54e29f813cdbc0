/*
 * peers.c - two indexes, one queue of tombstones, and a heap of deadlines that are computed lazily:
 * hearing a peer costs no heap operation, its deadline is looked at when the old one comes.
 */
#include "peers.h"

#include <assert.h>
#include <stdlib.h>

#include "hello.h"

/* A newcomer does not know yet how many entities there are, and so not how long they may be silent:
 * three of the gaps it saw are always allowed (errata.md, 7). */
#define GAPS_ALLOWED 3
/* On a network that loses messages, five hellos in a row are lost too easily: a tenth of loss would
 * drop one of a hundred entities every few minutes. A gap in anybody's SeqNums tells; for so many
 * messages after the last one, silence is allowed for twice as long (errata.md, 7). */
#define LOSSLESS_MESSAGES 128
#define LOSSY_FACTOR 2

void peers_init(struct peers *ps, uint64_t seed, size_t max)
{
        *ps = (struct peers){ .deadlines = DEADLINES_INIT, .max = max, .n_at_reset = 1 };
        index_init(&ps->known, seed);
        index_init(&ps->departed, seed);
}

static struct peer *oldest_tombstone(const struct peers *ps)
{
        return container_of(ps->tombstones.first, struct peer, node);
}

static void unlink_tombstone(struct peers *ps, struct peer *peer)
{
        assert(peer->departed && !peer->window.all_stamps);
        list_remove(&ps->tombstones, &peer->node);
        peer->departed = false;
        index_remove(&ps->departed, &peer->entry);
}

static void take_stamps(struct peers *ps, struct peer *peer)
{
        uint32_t *room = replay_window_take_stamps(&peer->window);

        if (room)
                --ps->n_stamped;
        free(room);
}

static void give_stamps(struct peers *ps, struct peer *peer)
{
        uint32_t *room = NULL;

        if (ps->n_stamped < PEERS_STAMPED_MAX)
                room = malloc(WINDOW_BITS * sizeof(*room));
        if (!room)
                return;
        replay_window_give_stamps(&peer->window, room);
        ++ps->n_stamped;
}

static void forget_tombstone(struct peers *ps, struct peer *peer)
{
        unlink_tombstone(ps, peer);
        free(peer);
}

void peers_deinit(struct peers *ps)
{
        while (!list_is_empty(&ps->tombstones))
                forget_tombstone(ps, oldest_tombstone(ps));
        while (ps->known.n) {
                struct peer *peer = peer_of_entry(ps->known.all[0]);

                assert(!peer->acks && !send_queue_oldest(&peer->queue));
                index_remove(&ps->known, &peer->entry);
                take_stamps(ps, peer);
                free(peer);
        }
        index_deinit(&ps->known);
        index_deinit(&ps->departed);
        deadlines_deinit(&ps->deadlines);
}

struct peer *peers_find(const struct peers *ps, const struct address *address)
{
        return peer_of_entry(index_find(&ps->known, address));
}

struct peer *peers_find_departed(const struct peers *ps, const struct address *address)
{
        return peer_of_entry(index_find(&ps->departed, address));
}

void peers_watch_loss(struct peers *ps, bool gap)
{
        if (gap) {
                ps->n_whole = 0;
                ps->lossy = true;
        } else if (ps->lossy && ++ps->n_whole >= LOSSLESS_MESSAGES) {
                ps->lossy = false;
        }
}

/* Whether @peer says hello every second, as the old programs do however many there are. */
static bool is_brisk(const struct peers *ps, const struct peer *peer)
{
        return ps->brisk && peer->hello_gap > 0 &&
               peer->hello_gap <= HELLO_BRISK_MS * NSEC_PER_MSEC;
}

uint64_t peers_deadline(const struct peers *ps, const struct peer *peer, size_t entities)
{
        uint64_t silence = hello_dead_after(entities) * (ps->lossy ? LOSSY_FACTOR : 1);

        if (GAPS_ALLOWED * peer->hello_gap > silence)
                silence = GAPS_ALLOWED * peer->hello_gap;
        if (is_brisk(ps, peer))
                silence = hello_dead_after(1) * (ps->lossy ? LOSSY_FACTOR : 1);
        return peer->heard + silence;
}

/* Puts @peer, which is in no index, among the known. */
static int enter(struct peers *ps, uint64_t now, const struct address *address, struct peer *peer,
                 size_t entities)
{
        int r;

        if (ps->known.n >= ps->max)
                return MBUS_E_FULL;
        r = deadlines_reserve(&ps->deadlines);
        if (r < 0)
                return r;
        r = index_add(&ps->known, &peer->entry, address);
        if (r < 0) {
                deadlines_release(&ps->deadlines);
                return r;
        }
        peer->joined = peer->heard = now;
        peer->hello = peer->hello_gap = 0;
        deadlines_set(&ps->deadlines, &peer->deadline, peers_deadline(ps, peer, entities));
        assert(ps->deadlines.reserved == ps->known.n);
        return 0;
}

static struct peer *peer_new(const struct address *address)
{
        struct peer *peer = malloc(sizeof(*peer));

        if (peer)
                *peer = (struct peer){ .deadline = DEADLINE_INIT,
                                       .window = REPLAY_WINDOW_INIT,
                                       .queue = SEND_QUEUE_INIT,
                                       .legacy = !address_has_proper_id(address) };
        return peer;
}

int peers_join(struct peers *ps, uint64_t now, const struct address *address, size_t entities,
               struct peer **ret_peer)
{
        struct peer *peer = peer_new(address);
        int r;

        if (!peer)
                return -ENOMEM;
        r = enter(ps, now, address, peer, entities);
        if (r != 0) {
                free(peer);
                return r;
        }
        *ret_peer = peer;
        return 0;
}

int peers_revive(struct peers *ps, uint64_t now, struct peer *peer, size_t entities)
{
        struct address *address = address_dup(peer->entry.address);
        int r;

        if (!address)
                return -ENOMEM;
        unlink_tombstone(ps, peer);
        r = enter(ps, now, address, peer, entities);
        free(address);
        if (r != 0)
                free(peer);
        return r;
}

void peers_accept(struct peers *ps, struct peer *peer, uint32_t seq, uint64_t timestamp,
                  enum window_verdict verdict)
{
        struct replay_window *w = &peer->window;

        if (replay_window_has_spare_stamps(w, timestamp))
                take_stamps(ps, peer);
        else if (verdict == WINDOW_NEW && replay_window_needs_stamps(w, seq, timestamp))
                give_stamps(ps, peer);
        replay_window_accept(w, seq, timestamp, verdict);
}

void peers_heard(struct peers *ps, struct peer *peer, uint64_t now, const struct endpoint *from,
                 bool hello)
{
        assert(!peer->departed);
        peer->heard = now;
        peer->endpoint = *from;
        if (!hello)
                return;
        if (peer->hello) {
                uint64_t gap = now > peer->hello ? now - peer->hello : 1;

                /* Of those who say hello every second one has not come. */
                if (is_brisk(ps, peer) && gap > HELLO_BRISK_MS * NSEC_PER_MSEC)
                        peers_watch_loss(ps, true);
                peer->hello_gap -= peer->hello_gap / 4;
                if (gap > peer->hello_gap)
                        peer->hello_gap = gap;
        }
        peer->hello = now;
        /* Deadlines are looked at when they come: this one came nearer. */
        if (is_brisk(ps, peer) && peer->deadline.at > now + hello_dead_after(1))
                deadlines_set(&ps->deadlines, &peer->deadline, now + hello_dead_after(1));
}

void peers_forget_old(struct peers *ps, uint64_t now)
{
        struct peer *oldest;

        while ((oldest = oldest_tombstone(ps)) &&
               now - oldest->heard > TOMBSTONE_MS * NSEC_PER_MSEC)
                forget_tombstone(ps, oldest);
}

/* @peer, which is in no index, becomes a tombstone or is freed. */
static void bury(struct peers *ps, uint64_t now, const struct address *address, struct peer *peer)
{
        peers_forget_old(ps, now);
        assert(!peer->window.all_stamps && peer->deadline.slot == 0);
        if (ps->departed.n >= TOMBSTONES_MAX)
                forget_tombstone(ps, oldest_tombstone(ps));
        if (index_add(&ps->departed, &peer->entry, address) < 0) {
                free(peer);
                return;
        }
        peer->departed = true;
        peer->heard = now;
        list_push(&ps->tombstones, &peer->node);
}

struct address *peers_leave(struct peers *ps, uint64_t now, struct peer *peer)
{
        struct address *address;

        assert(!peer->departed && !peer->acks && !send_queue_oldest(&peer->queue));
        deadlines_set(&ps->deadlines, &peer->deadline, TIME_NEVER);
        deadlines_release(&ps->deadlines);
        address = index_take(&ps->known, &peer->entry);
        take_stamps(ps, peer);
        bury(ps, now, address, peer);
        return address;
}

void peers_bury(struct peers *ps, uint64_t now, const struct address *address,
                const struct replay_window *sent)
{
        struct peer *before = peers_find_departed(ps, address);
        struct peer *peer = peer_new(address);

        if (before)
                forget_tombstone(ps, before);
        if (!peer)
                return;
        peer->window = *sent;
        bury(ps, now, address, peer);
}

struct peer *peers_due(struct peers *ps, uint64_t now, size_t entities)
{
        struct deadline *d;

        while ((d = deadlines_pop(&ps->deadlines, now))) {
                struct peer *peer = container_of(d, struct peer, deadline);
                uint64_t deadline = peers_deadline(ps, peer, entities);

                if (deadline <= now)
                        return peer;
                deadlines_set(&ps->deadlines, d, deadline);
        }
        return NULL;
}

void peers_shrink(struct peers *ps, size_t entities)
{
        if (entities > ps->n_at_reset)
                ps->n_at_reset = entities;
        if (entities > ps->n_at_reset / 2)
                return;
        ps->n_at_reset = entities;
        for (size_t i = 0; i < ps->known.n; ++i) {
                struct peer *peer = peer_of_entry(ps->known.all[i]);

                deadlines_set(&ps->deadlines, &peer->deadline, peers_deadline(ps, peer, entities));
        }
}

size_t peers_bytes(const struct peers *ps)
{
        size_t n = ps->known.n + ps->departed.n;
        size_t bytes = n * sizeof(struct peer) + index_bytes(&ps->known) +
                       index_bytes(&ps->departed) +
                       ps->deadlines.size * sizeof(*ps->deadlines.heap) +
                       ps->n_stamped * WINDOW_BITS * sizeof(uint32_t);

        for (size_t i = 0; i < ps->known.n; ++i) {
                const struct acks *acks = peer_of_entry(ps->known.all[i])->acks;

                for (; acks; acks = acks->next)
                        bytes += acks_bytes(acks);
        }
        return bytes;
}
