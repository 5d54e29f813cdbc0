/*
 * replies.h - what the broker says to clients (spec/attach.md). The vocabulary; who says it, and
 * when, is for others.
 *
 * All of it is in the broker's own name, but for acknowledgements. What cannot be said for want of
 * memory ends the connection, since the client would wait for it.
 */
#ifndef BROKER_SESSIONS_REPLIES_H
#define BROKER_SESSIONS_REPLIES_H

#include <core/message.h>

#include "session.h"

/* A message of @src to @dest. */
void reply_message(struct session *s, struct span src, struct span dest, const uint32_t *acks,
                   size_t n_acks, struct span payload);
/* A payload to (). */
void reply_say(struct session *s, struct span payload);
/* COMMAND(SUBJECT REASON "WHY") to @dest, for the reader to see what is wrong, where, and how to
 * mend it; @subject is the text of a value, or empty. */
void reply_reason(struct session *s, struct span dest, const char *command, struct span subject,
                  const char *reason, const char *why);
/* The same about the message @seq: COMMAND(SEQ REASON "WHY") */
void reply_about(struct session *s, struct span dest, const char *command, uint32_t seq,
                 const char *reason, const char *why);
/* The symbol for a reason. */
const char *reason_symbol(enum mbus_reason reason);

/* broker.undelivered(SEQ REASON "WHY") to @dest. */
void reply_undelivered(struct session *s, struct span dest, uint32_t seq, enum mbus_reason reason,
                       const char *why);
/* An acknowledgement of @n SeqNums from @src to @dest. */
void reply_acknowledge(struct session *s, struct span src, struct span dest, const uint32_t *seqs,
                       size_t n);
/* The message @seq of @dest ended at @src, which is no entity of a session: with MBUS_REASON_NONE
 * an acknowledgement, else broker.undelivered. */
void reply_ended(struct session *s, struct span src, struct span dest, uint32_t seq,
                 enum mbus_reason reason);
/* broker.dropped(COUNT REASON): datagrams ("socket") or messages ("events") of the bus */
void reply_dropped(struct session *s, uint64_t n, const char *reason);
/* broker.dropped(COUNT denied SEQ "WHY"): unreliable messages of its own, the first of which was
 * @seq */
void reply_denied(struct session *s, uint64_t n, uint32_t seq, const char *why);
/* The frame of the same for messages ("full") or copies ("copies") of its own, which stands
 * where they are missing, into @ret_frame, BUFFER_INIT before. */
void reply_format_dropped(struct session *s, uint64_t n, const char *reason,
                          struct buffer *ret_frame);
/* broker.refused(0 full "WHY") to a connection that has no session and never will have. */
void reply_refuse_connection(struct sessions *all, int fd, const char *why);
/* broker.renamed("FROM" "TO") */
void reply_renamed(struct session *s, const struct address *from, const struct address *to);

#endif
