/*
 * acks.c - see acks.h.
 */
#include "acks.h"

#include <assert.h>

#include "output.h"

static void acks_flush_group(struct link *l, struct ack_group *group)
{
        struct header_spec spec = { .dest = group->from->header.src.text,
                                    .acks = group->seqs,
                                    .n_acks = group->n };

        assert(group->n > 0 && group->n <= ACKS_SENT_MAX);
        if (group->entity->attached.address) {
                spec.src = group->entity->attached.address->text;
                /* If it has no room, the sender hears of a time-out. */
                (void)link_push(l, &spec, SPAN_NULL, CONTROL_OUTPUT_MAX);
        }
        group->from = message_unref(group->from);
        group->n = 0;
}

void link_flush_acks(struct link *l)
{
        for (size_t i = 0; i < l->n_acks; i++)
                acks_flush_group(l, &l->acks[i]);
        l->n_acks = 0;
}

void link_owe_ack(struct link *l, struct link_entity *entity, struct message *m)
{
        struct ack_group *group = NULL;

        assert(m->header.reliable && entity->attached.address);
        for (size_t i = 0; i < l->n_acks && !group; i++)
                if (l->acks[i].entity == entity &&
                    span_equal(l->acks[i].from->header.src.text, m->header.src.text))
                        group = &l->acks[i];
        if (!group || group->n == ACKS_SENT_MAX) {
                if (group || l->n_acks == LINK_ACKS)
                        link_flush_acks(l);
                assert(l->n_acks < LINK_ACKS);
                group = &l->acks[l->n_acks++];
                *group = (struct ack_group){ .entity = entity, .from = message_ref(m) };
        }
        group->seqs[group->n++] = m->header.seq;
}

void link_drop_acks(struct link *l)
{
        while (l->n_acks > 0)
                message_unref(l->acks[--l->n_acks].from);
}
