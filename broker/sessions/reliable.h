/*
 * reliable.h - who waits for whose acknowledgement (RFC 3259, section 7, on links).
 *
 * A wait lasts from when a reliable message was passed on until its acknowledgement is passed back
 * or its sender is told why there will be none; there is always exactly one of the two. Between two
 * local entities the broker has the time-out; to a remote one the engine has it and all else.
 */
#ifndef BROKER_SESSIONS_RELIABLE_H
#define BROKER_SESSIONS_RELIABLE_H

#include <broker/net/connection.h>

struct name *name_new(struct span text);
struct name *name_ref(struct name *name);
/* Takes NULL, returns NULL. */
struct name *name_unref(struct name *name);

/* Octets that are kept of a message until it is acknowledged on a bus, nearly: all that a client can
 * make long. */
static inline size_t reliable_size(struct span src, struct span dest, struct span payload)
{
        return src.n + dest.n + payload.n;
}

/* Whether @c may have one more under way, of which @bytes are kept. 0, or with a line in the log
 * MBUS_E_FULL (they are too many) or MBUS_E_TOO_LARGE (their octets are). */
int reliable_check(struct client *c, size_t bytes);
/* It has, and has no more. */
void reliable_charge(struct client *c, size_t bytes);
void reliable_discharge(struct client *c, size_t bytes);

/* Whether @src may have one more wait with @seq, or to a bus, where @bytes are kept. As
 * reliable_check(), and -ENOMEM, or MBUS_E_MALFORMED: the SeqNum does not rise. After 0 the next
 * reliable_wait_...() cannot fail. */
int reliable_prepare_local(struct attachment *src, uint32_t seq);
int reliable_prepare_remote(struct attachment *src, size_t bytes);
/* The same for one that waited for its destination, while others with later SeqNums passed. */
int reliable_prepare_late(struct attachment *src);
void reliable_wait_late(struct broker *b, struct attachment *src, uint32_t seq,
                        struct attachment *target);
/* @target is to acknowledge @seq of @src. */
void reliable_wait_local(struct broker *b, struct attachment *src, uint32_t seq,
                         struct attachment *target);
/* The engine will end @ticket; the entity there is called @name. */
void reliable_wait_remote(struct attachment *src, uint32_t seq, uint64_t ticket, struct name *name,
                          size_t bytes);

/* @by acknowledges @seq of @src. False if that is not waited for. */
bool reliable_acknowledge(struct broker *b, struct attachment *src, uint32_t seq,
                          const struct attachment *by);
/* The engine ended @ticket of @src; MBUS_REASON_NONE: it was delivered. */
void reliable_finish(struct broker *b, struct attachment *src, uint64_t ticket,
                     enum mbus_reason reason);
/* @a goes away: who waits for it is told, its own waits are forgotten. */
void reliable_forget(struct broker *b, struct attachment *a);
/* Ends the waits whose time is over. */
void reliable_expire(struct broker *b);

#endif
