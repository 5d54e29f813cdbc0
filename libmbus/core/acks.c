/*
 * acks.c - the books of the reliable exchange, receiving side.
 */
#include "acks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../mbus.h"

/* T_k = N_r (N_r + 1) / 2 T_r: as long as a conforming sender may repeat itself. */
#define T_K_NS ((uint64_t)(RELIABLE_N_R * (RELIABLE_N_R + 1) / 2 * RELIABLE_T_R_MS) * NSEC_PER_MSEC)

struct acks *acks_new(struct entity *entity, struct peer *peer)
{
        struct acks *acks = malloc(sizeof(*acks));

        if (acks)
                *acks = (struct acks){ .entity = entity, .peer = peer };
        return acks;
}

void acks_forget_copies(struct acks *acks)
{
        while (acks->copies) {
                struct ack_copy *copy = acks->copies;

                acks->copies = copy->next;
                free(copy);
        }
        acks->n_copies = 0;
}

struct acks *acks_free(struct acks *acks)
{
        if (!acks)
                return NULL;
        acks_forget_copies(acks);
        free(acks->owed);
        free(acks->withheld);
        free(acks);
        return NULL;
}

static bool contains(const uint32_t *seqs, size_t n, uint32_t seq)
{
        for (size_t i = 0; i < n; ++i) {
                if (seqs[i] == seq)
                        return true;
        }
        return false;
}

static int append(uint32_t **seqs, size_t *n, size_t *size, size_t max, uint32_t seq)
{
        assert(*n <= *size && *n <= max);
        if (*n >= max)
                return MBUS_E_FULL;
        if (*n == *size) {
                size_t new_size = *size ? *size * 2 : 8;
                uint32_t *grown = realloc(*seqs, new_size * sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                *seqs = grown;
                *size = new_size;
        }
        (*seqs)[(*n)++] = seq;
        return 0;
}

bool acks_owe(struct acks *acks, uint32_t seq)
{
        return contains(acks->owed, acks->n_owed, seq) ||
               append(&acks->owed, &acks->n_owed, &acks->owed_size, ACKS_MAX, seq) == 0;
}

int acks_withhold(struct acks *acks, uint32_t seq)
{
        return append(&acks->withheld, &acks->n_withheld, &acks->withheld_size, WITHHELD_MAX, seq);
}

bool acks_release(struct acks *acks, uint32_t seq)
{
        for (size_t i = 0; i < acks->n_withheld; ++i) {
                if (acks->withheld[i] == seq) {
                        --acks->n_withheld;
                        memmove(acks->withheld + i, acks->withheld + i + 1,
                                (acks->n_withheld - i) * sizeof(seq));
                        return true;
                }
        }
        return false;
}

static void drop_old_copies(struct acks *acks, uint64_t now)
{
        struct ack_copy **link = &acks->copies;
        size_t n = 0;

        while (*link && n < ACK_COPIES_MAX && (*link)->until > now) {
                link = &(*link)->next;
                ++n;
        }
        acks->n_copies = n;
        while (*link) {
                struct ack_copy *copy = *link;

                *link = copy->next;
                free(copy);
        }
}

static const struct ack_copy *find_copy(const struct acks *acks, uint32_t seq)
{
        const struct ack_copy *copy = acks->copies;

        while (copy && !contains(copy->seqs, copy->n, seq))
                copy = copy->next;
        return copy;
}

void acks_repeat(struct acks *acks, uint64_t now, uint32_t seq)
{
        const struct ack_copy *copy;

        if (contains(acks->withheld, acks->n_withheld, seq))
                return;
        drop_old_copies(acks, now);
        acks_owe(acks, seq);
        copy = find_copy(acks, seq);
        for (size_t i = 0; copy && i < copy->n; ++i)
                acks_owe(acks, copy->seqs[i]);
}

size_t acks_batch(const struct acks *acks)
{
        return acks->n_owed < ACKS_SENT_MAX ? acks->n_owed : ACKS_SENT_MAX;
}

void acks_sent(struct acks *acks, uint64_t now, size_t n)
{
        struct ack_copy *copy;

        assert(n > 0 && n <= acks->n_owed && n <= ACKS_SENT_MAX);
        copy = malloc(sizeof(*copy) + n * sizeof(*copy->seqs));
        if (copy) {
                copy->next = acks->copies;
                copy->until = now + T_K_NS;
                copy->n = n;
                memcpy(copy->seqs, acks->owed, n * sizeof(*copy->seqs));
                acks->copies = copy;
        }
        acks->n_owed -= n;
        memmove(acks->owed, acks->owed + n, acks->n_owed * sizeof(*acks->owed));
        drop_old_copies(acks, now);
        assert(acks->n_copies <= ACK_COPIES_MAX);
}

size_t acks_bytes(const struct acks *acks)
{
        return sizeof(*acks) + (acks->owed_size + acks->withheld_size) * sizeof(*acks->owed) +
               acks->n_copies * (sizeof(struct ack_copy) + ACKS_SENT_MAX * sizeof(*acks->owed));
}
