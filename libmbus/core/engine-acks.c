/*
 * engine-acks.c - see engine-acks.h. RFC 3259, section 7, "Receiver".
 */
#include "engine-acks.h"

#include "engine-transmit.h"

struct acks *find_acks(const struct peer *peer, const struct entity *entity)
{
        struct acks *acks = peer->acks;

        while (acks && acks->entity != entity)
                acks = acks->next;
        return acks;
}

struct acks *get_acks(struct peer *peer, struct entity *entity, uint32_t seq)
{
        struct acks *acks = find_acks(peer, entity);

        if (acks)
                return acks;
        acks = acks_new(entity, peer);
        if (acks) {
                acks->before = replay_window_get_past(&peer->window, seq);
                acks->next = peer->acks;
                peer->acks = acks;
                ++entity->n_acks;
        }
        return acks;
}

static void mark_acks_due(struct engine *e, struct acks *acks)
{
        if (acks->due || acks->n_owed == 0)
                return;
        assert(!acks->next_due);
        acks->due = true;
        acks->next_due = e->acks_due;
        e->acks_due = acks;
}

void owe_ack(struct engine *e, struct acks *acks, uint32_t seq)
{
        /* What does not fit any more is acknowledged when the peer repeats it. */
        acks_owe(acks, seq);
        mark_acks_due(e, acks);
}

void repeat_acks(struct engine *e, uint64_t now, struct peer *peer, struct entity *entity,
                 uint32_t seq)
{
        struct acks *acks = find_acks(peer, entity);

        /* What came before the entity was here is not acknowledged in its name. */
        if (!acks || replay_window_past_has(&acks->before, seq))
                return;
        acks_repeat(acks, now, seq);
        mark_acks_due(e, acks);
}

void forget_ack_copies(struct peer *peer)
{
        for (struct acks *acks = peer->acks; acks; acks = acks->next)
                acks_forget_copies(acks);
}

static void drop_acks(struct engine *e, struct acks *acks)
{
        struct acks **link = &e->acks_due;

        while (acks->due && *link != acks)
                link = &(*link)->next_due;
        if (acks->due)
                *link = acks->next_due;
        assert(acks->entity->n_acks > 0);
        --acks->entity->n_acks;
        acks_free(acks);
}

void drop_all_acks(struct engine *e, struct peer *peer)
{
        while (peer->acks) {
                struct acks *acks = peer->acks;

                peer->acks = acks->next;
                drop_acks(e, acks);
        }
}

void drop_acks_of(struct engine *e, struct peer *peer, const struct entity *entity)
{
        struct acks **link = &peer->acks;

        while (*link && (*link)->entity != entity)
                link = &(*link)->next;
        if (*link) {
                struct acks *acks = *link;

                *link = acks->next;
                drop_acks(e, acks);
        }
}

void acknowledge(struct engine *e, struct entity *entity, const struct address *src, uint32_t seq)
{
        struct peer *peer = peers_find(&e->peers, src);
        struct acks *acks = peer ? find_acks(peer, entity) : NULL;

        if (acks && acks_release(acks, seq))
                owe_ack(e, acks, seq);
}

void refuse_message(struct engine *e, struct entity *entity, const struct address *src,
                    uint32_t seq)
{
        struct peer *peer = peers_find(&e->peers, src);
        struct acks *acks = peer ? find_acks(peer, entity) : NULL;

        if (acks && acks_release(acks, seq))
                replay_window_forget(&peer->window, seq);
}

static int send_acks(struct engine *e, uint64_t now, uint64_t wall_ms, struct acks *acks)
{
        struct outbound out = { .from = acks->entity,
                                .dest = acks->peer->entry.address,
                                .acks = acks->owed,
                                .n_acks = acks_batch(acks) };
        int r = outbound_send(e, wall_ms, &out);

        if (r == 0)
                acks_sent(acks, now, out.n_acks);
        return r;
}

void flush_acks(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        while (e->acks_due) {
                struct acks *acks = e->acks_due;

                assert(acks->due);
                e->acks_due = acks->next_due;
                acks->due = false;
                acks->next_due = NULL;
                while (acks->n_owed) {
                        if (send_acks(e, now, wall_ms, acks) == 0)
                                continue;
                        /* The peer repeats its messages, and they are acknowledged then. */
                        ++e->dropped[MBUS_DROP_SENT];
                        acks->n_owed = 0;
                }
        }
}
