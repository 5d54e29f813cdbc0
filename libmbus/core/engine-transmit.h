/*
 * engine-transmit.h - one message goes out: numbered, sealed, queued, and shown to observers.
 */
#ifndef MBUS_CORE_ENGINE_TRANSMIT_H
#define MBUS_CORE_ENGINE_TRANSMIT_H

#include "engine-state.h"

/* What there is to say in one message. */
struct outbound {
        struct entity *from;
        const struct address *dest;
        bool reliable;
        const uint32_t *acks;
        size_t n_acks;
        struct span payload;
};

/* The largest message, header included, that the bus takes, in octets. */
size_t largest_message(const struct engine *e);
/* Where a message to @dest goes. */
struct endpoint endpoint_for(const struct engine *e, const struct address *dest);
/*
 * Formats and seals @out with the next SeqNum of its entity, leaving message and datagram in
 * e->text and e->sealed. 0, MBUS_E_TOO_LARGE or -ENOMEM. The SeqNum is used up by outbound_sent().
 */
int outbound_seal(struct engine *e, uint64_t wall_ms, const struct outbound *out);
/* What outbound_seal() made goes out: the SeqNum is used up, observers see it. */
void outbound_sent(struct engine *e, uint64_t wall_ms, const struct outbound *out);
/* Seals, queues and books @out. As outbound_seal(), and MBUS_E_FULL. */
int outbound_send(struct engine *e, uint64_t wall_ms, const struct outbound *out);
/* mbus.hello or mbus.bye to everybody; what cannot be queued is counted. */
void say_to_all(struct engine *e, uint64_t wall_ms, struct entity *from, const char *command);
/* Observers see @message, whose reference is taken over, if it passes; or the loss is counted. */
void observe_message(struct engine *e, struct message *message);

#endif
