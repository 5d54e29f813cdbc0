/*
 * inbound.h - a message from a session on its way through: what its header says, and whether its
 * commands may pass.
 */
#ifndef BROKER_ROUTING_INBOUND_H
#define BROKER_ROUTING_INBOUND_H

#include "fanout.h"

struct inbound {
        struct routing *routing;
        struct session *s;
        struct chunk *chunk; /* the frame, with its length */
        size_t at;
        size_t n;
        bool waited; /* for its destination: its SeqNum is not the latest any more */
        struct span text;
        struct header h; /* seq, timestamp, reliable, acks; the addresses are the fanout's */
        struct fanout *fanout;
        struct span payload;
};

enum verdict {
        VERDICT_PASS,
        VERDICT_PING, /* there is nothing but mbus.ping in it */
        VERDICT_STOP,
};

static inline bool inbound_has_acks(const struct inbound *in)
{
        return in->h.acks.n > 2;
}

/* Reads the header and finds the fanout. False if the message goes no further: it was for the
 * broker, or is answered already. */
bool inbound_read(struct inbound *in);
/* Whether the sender may send nothing at all there; that is answered. */
bool inbound_is_forbidden(struct inbound *in);
/* Whether the payload may pass; @wholly: all of it has to be well-formed. If not, it is
 * answered. */
enum verdict inbound_judge(struct inbound *in, bool wholly);
/* Whether it would fit the bus main, whoever it is for; if not, the sender is told. Nearly all
 * do so surely that they need not be measured. */
bool inbound_fits_by_measure(struct inbound *in);
static inline bool inbound_fits(struct inbound *in)
{
        return in->text.n + SEQ_DIGITS <= in->routing->buses->main.surely_fits ||
               inbound_fits_by_measure(in);
}
/* Says what reliable_check() or reliable_prepare_...() said: it is the sender's own fault, and no
 * queue's. */
void inbound_refuse_more(struct inbound *in, int result);
/* Tells the sender, if the message is reliable. */
void inbound_undelivered(struct inbound *in, enum mbus_reason reason, const char *why);

#endif
