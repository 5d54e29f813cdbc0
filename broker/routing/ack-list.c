/*
 * ack-list.c - the acknowledgements in a message from a session (RFC 3259, 7).
 */
#include "ack-list.h"

#include <assert.h>
#include <string.h>

#include <core/frame.h>

#include "monitor.h"

/* What of an AckList is passed on: what the recipient waited for from this sender. */
struct true_acks {
        uint32_t seqs[ACKS_MAX];
        size_t n;
        bool all; /* nothing else is in the list */
};

/*
 * Strikes off what its AckList acknowledges, and finds out what of that a session waits for.
 *
 * RFC 3259, 7: an AckList holds SeqNums that the source got from the destination, and that is one
 * entity. So they are looked for among what this destination waits for from this source, and nobody
 * can acknowledge what is another's to acknowledge.
 */
static void ack_list_take(struct inbound *in, struct true_acks *ret_acks)
{
        struct local_entity *to = in->fanout->only;
        struct span rest = in->h.acks;
        uint32_t seq;

        ret_acks->n = 0;
        ret_acks->all = true;
        while (acks_next(&rest, &seq)) {
                if (to && !to->proxy && reliable_acknowledge(to, seq, in->fanout->src)) {
                        /* Longer lists are malformed. */
                        assert(ret_acks->n < ACKS_MAX);
                        ret_acks->seqs[ret_acks->n++] = seq;
                        continue;
                }
                ret_acks->all = false;
                if (!to)
                        engine_acknowledge(in->routing->engine, in->routing->it->now,
                                           in->fanout->src->entity, &in->fanout->dest, seq);
                else if (!to->proxy ||
                         !in->routing->others->acknowledge(to->proxy, seq, in->fanout->src))
                        in->routing->quota->drops[DROP_ACK]++;
        }
}

/* The message is not passed on as it is, but its acknowledgements must be. */
static void ack_list_pass(struct inbound *in, const struct true_acks *acks)
{
        if (acks->n == 0)
                return;
        assert(in->fanout->only->session);
        reply_acknowledge(in->fanout->only->session, local_entity_text(in->fanout->src),
                          local_entity_text(in->fanout->only), acks->seqs, acks->n);
}

/* The same message without acknowledgements, in the shared chunk: clients believe those that
 * they get. False if memory is short. */
static bool ack_list_strip(struct inbound *in)
{
        size_t before = (size_t)(in->h.acks.at - in->text.at);
        size_t n = in->n - in->h.acks.n + 2;
        char *at = iteration_reserve(in->routing->it, n), *to = at;

        if (!at)
                return false;
        frame_put_length(to, n - FRAME_HEADER_SIZE, false);
        to += FRAME_HEADER_SIZE;
        memcpy(to, in->text.at, before);
        memcpy(to + before, "()", 2);
        memcpy(to + before + 2, in->h.acks.at + in->h.acks.n, in->text.n - before - in->h.acks.n);
        in->text = (struct span){ to, n - FRAME_HEADER_SIZE };
        in->payload = span_from(in->text, in->text.n - in->payload.n);
        in->h.acks = (struct span){ to + before, 2 };
        in->chunk = in->routing->it->chunk;
        in->at = in->routing->it->chunk->n;
        in->n = n;
        in->routing->it->chunk->n += n;
        return true;
}

/* Acknowledgements alone, which nearly all are. */
static void ack_list_pass_bare(struct inbound *in, const struct true_acks *acks)
{
        if (acks->n == 0)
                return;
        if (acks->all)
                connection_push(&in->fanout->only->session->link, in->chunk, in->at, in->n,
                                KIND_ANSWER);
        else
                ack_list_pass(in, acks);
        monitor_copy_main(in->routing, in->text, true);
}

/* There is no memory for what is left. */
static void give_up(struct inbound *in)
{
        for (size_t i = 0; i < in->fanout->n && !in->h.reliable; i++)
                connection_lose(&in->fanout->sessions[i]->link, KIND_UNRELIABLE);
        inbound_undelivered(in, MBUS_REASON_FULL, "the broker's memory is short");
}

bool ack_list_separate(struct inbound *in)
{
        struct true_acks acks;

        ack_list_take(in, &acks);
        if (!in->h.reliable && in->payload.n == 0) {
                ack_list_pass_bare(in, &acks);
                return false;
        }
        ack_list_pass(in, &acks);
        if ((acks.n == 0 && acks.all) || ack_list_strip(in))
                return true;
        give_up(in);
        return false;
}
