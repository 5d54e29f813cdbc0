/*
 * loss.c - what the bus brought and nobody saw: clients are told, as they would be without a broker.
 *
 * Nobody knows whom it was for, so all with an entity are told how many datagrams or messages it was. That
 * is work for as many as there are, at a moment when there is too much of it: they are told once in
 * LOSS_PAUSE_MS at most.
 */
#include "loss.h"

#include "broker.h"
#include "control.h"

void loss_note(struct broker *b, enum mbus_drop reason, uint64_t n)
{
        if (reason == MBUS_DROP_SOCKET)
                b->loss.n_datagrams += n;
        else
                b->loss.n_messages += n;
}

uint64_t loss_deadline(const struct broker *b)
{
        const struct loss *l = &b->loss;

        if (l->n_datagrams + l->n_messages == 0)
                return TIME_NEVER;
        return l->told_at ? l->told_at + LOSS_PAUSE_MS * NSEC_PER_MSEC : 0;
}

void loss_tell(struct broker *b)
{
        struct loss *l = &b->loss;

        if (loss_deadline(b) > b->now)
                return;
        for (struct client *c = b->clients; c; c = c->next) {
                if (!c->attachments)
                        continue;
                if (l->n_datagrams > 0)
                        control_dropped(c, l->n_datagrams, "socket");
                if (l->n_messages > 0)
                        control_dropped(c, l->n_messages, "events");
        }
        *l = (struct loss){ .told_at = b->now };
}
