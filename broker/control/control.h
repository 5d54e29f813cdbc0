/*
 * control.h - broker.* commands, and what the broker itself says on a link (spec/attach.md).
 */
#ifndef BROKER_CONTROL_CONTROL_H
#define BROKER_CONTROL_CONTROL_H

#include <core/message.h>

#include <broker/net/connection.h>

/* Whether @dest is this broker and nobody else: its full address or (app:mbus-broker). */
bool control_is_for(const struct broker *b, const struct address *dest);
/* A message for the broker from a link; @src is NULL if SrcAddr is not attached to it. */
void control_message(struct broker *b, struct client *c, const struct header *h,
                     struct attachment *src, struct span payload);
/* A message for the broker from the bus, from where nothing can be asked for (spec/attach.md). */
void control_from_bus(struct broker *b, const struct message *m);

/* broker.undelivered(SEQ REASON "WHY") to @dest. */
void control_undelivered(struct broker *b, struct client *c, struct span dest, uint32_t seq,
                         enum mbus_reason reason, const char *why);
/* An acknowledgement of @seq from the remote entity @from to @dest. */
void control_delivered(struct broker *b, struct client *c, const struct name *from,
                       struct span dest, uint32_t seq);
/* An acknowledgement of @n SeqNums from @src to @dest. */
void control_acknowledge(struct broker *b, struct client *c, struct span src, struct span dest,
                         const uint32_t *seqs, size_t n);
/* broker.dropped(COUNT REASON): datagrams ("socket") or messages ("events") of the bus */
void control_dropped(struct client *c, uint64_t n, const char *reason);
/* broker.dropped(COUNT denied SEQ "WHY"): unreliable messages of its own, the first of which was @seq */
void control_denied(struct client *c, uint64_t n, uint32_t seq, const char *why);
/* The frame of the same for messages ("full") or copies ("copies") of its own, which stands where they
 * are missing, into @ret_frame, BUFFER_INIT before. */
void control_format_dropped(struct client *c, uint64_t n, const char *reason,
                            struct buffer *ret_frame);
/* broker.refused(0 full "WHY") to a link that is no client and never will be. */
void control_refuse_link(struct broker *b, int fd, const char *why);
/* broker.renamed("FROM" "TO") */
void control_renamed(struct client *c, const struct address *from, const struct address *to);
/* Takes @a, an entity of a client, off the bus, without a bye if that would be somebody else's:
 * broker.detached("ADDRESS" REASON "WHY") */
void control_detach(struct broker *b, struct attachment *a, enum mbus_reason reason,
                    const char *why);
/* A payload of the broker's to (). */
void control_say(struct client *c, struct span payload);
/* COMMAND(SUBJECT REASON "WHY") to @dest, for the reader to see what is wrong, where, and how to mend
 * it; @subject is the text of a value, or empty. */
void control_say_reason(struct client *c, struct span dest, const char *command,
                        struct span subject, const char *reason, const char *why);
/* The symbol for a reason. */
const char *control_reason(enum mbus_reason reason);

#endif
