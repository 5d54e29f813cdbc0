/*
 * inbound.h - a message from a link on its way through: what its header says, and whether its
 * commands may pass.
 */
#ifndef BROKER_ROUTING_INBOUND_H
#define BROKER_ROUTING_INBOUND_H

#include <core/message.h>

#include <broker/broker.h>
#include <broker/net/connection.h>
#include "fanout.h"

struct passage {
        struct broker *b;
        struct client *c;
        struct chunk *chunk; /* the frame, with its length */
        size_t at;
        size_t n;
        bool waited; /* for its destination: its SeqNum is not the latest any more */
        struct span text;
        struct header h; /* seq, timestamp, reliable, acks; the addresses are the route's */
        struct route *route;
        struct span payload;
};

enum verdict {
        VERDICT_PASS,
        VERDICT_PING, /* there is nothing but mbus.ping in it */
        VERDICT_STOP,
};

static inline bool passage_has_acks(const struct passage *p)
{
        return p->h.acks.n > 2;
}

/* Reads the header and finds the route. False if the message goes no further: it was for the broker,
 * or is answered already. */
bool passage_read(struct passage *p);
/* Whether the sender may send nothing at all there; that is answered. */
bool passage_is_forbidden(struct passage *p);
/* Whether the payload may pass; @wholly: all of it has to be well-formed. If not, it is answered. */
enum verdict passage_judge(struct passage *p, bool wholly);
/* Whether it would fit the bus main, whoever it is for; if not, the sender is told. Nearly all do so surely that
 * they need not be measured. */
bool passage_fits_by_measure(struct passage *p);
static inline bool passage_fits(struct passage *p)
{
        return p->text.n + SEQ_DIGITS <= p->b->bus.surely_fits || passage_fits_by_measure(p);
}
/* Tells the sender, if the message is reliable. */
void passage_undelivered(struct passage *p, enum mbus_reason reason, const char *why);

#endif
