/*
 * reliable.h - who waits for whose acknowledgement (RFC 3259, section 7, on links).
 *
 * An acknowledgement is pending from when a reliable message was passed on until it is passed back
 * or the sender is told why there will be none; there is always exactly one of the two. Between two
 * local entities the broker has the time-out; to a remote one the engine has it and all else.
 *
 * What is pending is charged to the session that sent it: as one ticket, and, if a bus is to
 * acknowledge it, with the octets that are kept for its repetition. All of that is given back when
 * it ends.
 */
#ifndef BROKER_SESSIONS_RELIABLE_H
#define BROKER_SESSIONS_RELIABLE_H

#include "local-entity.h"

/* T_k of the RFC (section 7): three transmissions, then as long again. */
#define RELIABLE_TIMEOUT_NS (RELIABLE_T_R_MS * 6 * NSEC_PER_MSEC)

/* Octets that are kept of a message until it is acknowledged on a bus, nearly: all that a client
 * can make long. */
static inline size_t reliable_size(struct span src, struct span dest, struct span payload)
{
        return src.n + dest.n + payload.n;
}

/* Whether @s may have one more under way, of which @bytes are kept. 0, or with a line in the log
 * MBUS_E_FULL (they are too many) or MBUS_E_TOO_LARGE (their octets are). */
int reliable_check(struct session *s, size_t bytes);
/* It has, and has no more. */
void reliable_charge(struct session *s, size_t bytes);
void reliable_discharge(struct session *s, size_t bytes);

/* Whether @src may have one more under way, with @seq, or to a bus, where @bytes are kept. As
 * reliable_check(), and -ENOMEM, or MBUS_E_MALFORMED: the SeqNum does not rise. After 0 the next
 * reliable_await_...() cannot fail. */
int reliable_prepare_local(struct local_entity *src, uint32_t seq);
int reliable_prepare_remote(struct local_entity *src, size_t bytes);
/* The same for one that waited for its destination, while others with later SeqNums passed. */
int reliable_prepare_late(struct local_entity *src);
void reliable_await_late(struct local_entity *src, uint32_t seq, struct local_entity *target);
/* @target is to acknowledge @seq of @src. */
void reliable_await_local(struct local_entity *src, uint32_t seq, struct local_entity *target);
/* The engine will end @ticket; the entity there has the address @remote. */
void reliable_await_remote(struct local_entity *src, uint32_t seq, uint64_t ticket,
                           struct remote_address *remote, size_t bytes);

/* @by acknowledges @seq of @src. False if that is not waited for. */
bool reliable_acknowledge(struct local_entity *src, uint32_t seq, const struct local_entity *by);
/* The engine ended @ticket of @src; MBUS_REASON_NONE: it was delivered. */
void reliable_finish(struct local_entity *src, uint64_t ticket, enum mbus_reason reason);
/* Ends those whose time is over. */
void reliable_expire(struct sessions *all);
/* When that of the next is. */
uint64_t reliable_deadline(const struct sessions *all);

/* Sees to it that an entity that goes is waited for no more: who waits is told, what it waits
 * for itself is forgotten. */
void reliable_init(struct sessions *all);

#endif
