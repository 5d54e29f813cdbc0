/*
 * engine-inbound.h - a message that came in: whom it is for, and what is in it.
 */
#ifndef MBUS_CORE_ENGINE_INBOUND_H
#define MBUS_CORE_ENGINE_INBOUND_H

#include "engine-state.h"

/* One message on its way through. */
struct inbound {
        uint64_t now;
        uint64_t wall_ms;
        const struct endpoint *from;
        struct span text;
        struct header header;
        uint64_t timestamp;      /* ms */
        struct message *message; /* parsed as a whole, if anybody wants it */
        struct entity *exact;    /* whom it is addressed to in full */
        bool matched;            /* it is addressed to somebody here */
        bool hello, bye, ping;   /* commands of the bus in it */
        bool has_payload;        /* commands for applications in it */
        bool is_old;             /* an old program wrote it, or one that writes for those */
};

/* Whether the owner carries it on, whoever it is for. */
bool inbound_is_relayed(const struct engine *e, const struct inbound *in);
/* Whether its commands are for anybody here. What is said to all is for us even without an
 * entity. */
bool inbound_is_for_us(const struct inbound *in);
/*
 * Who is meant. A reliable message is for the one entity whose full address it bears (7); only the
 * old programs, which send it to a subset, are still understood on their own buses.
 */
void inbound_find_recipients(const struct engine *e, struct inbound *in);
/* Reads the payload if anybody wants it. False: it is no message. */
bool inbound_read_payload(struct engine *e, struct inbound *in);

#endif
