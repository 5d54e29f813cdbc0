/*
 * replies.c - what the broker says to clients (spec/attach.md).
 */
#include "replies.h"

#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>

#include <core/frame.h>

/* An answer goes to an address as it was written, unless that is so long that it must be mostly
 * white space: with that the answer might fit into no frame. */
static struct span destination(struct span dest, char room[static ADDRESS_TEXT_MAX])
{
        struct address address, plain;

        if (dest.n <= ADDRESS_TEXT_MAX || address_parse(dest, LENIENT, &address, NULL, NULL))
                return dest;
        address_put_plain(&address, room, &plain);
        return plain.text;
}

void reply_message(struct session *s, struct span src, struct span dest, const uint32_t *acks,
                   size_t n_acks, struct span payload)
{
        struct iteration *it = s->all->it;
        char room[ADDRESS_TEXT_MAX];
        struct header_spec spec = { .seq = s->seq++,
                                    .timestamp = it->wall_ms,
                                    .src = src,
                                    .dest = destination(dest, room),
                                    .acks = acks,
                                    .n_acks = n_acks };

        buffer_clear(&it->text);
        if (message_format(&spec, payload, DIALECT_RFC3259, &it->text))
                connection_kill(&s->link, "memory is short");
        else
                connection_push_text(&s->link, buffer_span(&it->text), KIND_ANSWER);
}

static const struct span everybody = { "()", 2 };

void reply_say(struct session *s, struct span payload)
{
        assert(s->all->self_address);
        reply_message(s, s->all->self_address->text, everybody, NULL, 0, payload);
}

const char *reason_symbol(enum mbus_reason reason)
{
        static const char *const names[MBUS_REASON_MAX] = {
                [MBUS_REASON_NONE] = "none",
                [MBUS_REASON_TIMEOUT] = "timeout",
                [MBUS_REASON_BYE] = "bye",
                [MBUS_REASON_RESTARTED] = "restarted",
                [MBUS_REASON_UNKNOWN] = "unknown",
                [MBUS_REASON_NOT_UNIQUE] = "not-unique",
                [MBUS_REASON_FULL] = "full",
                [MBUS_REASON_LINK_DOWN] = "link-down",
                [MBUS_REASON_DENIED] = "denied",
                [MBUS_REASON_TAKEN] = "taken",
                [MBUS_REASON_MALFORMED] = "malformed",
        };

        assert(reason < MBUS_REASON_MAX && names[reason]);
        return names[reason];
}

static void format_reason(const char *command, struct span subject, const char *reason,
                          const char *why, struct buffer *out)
{
        buffer_add_text(out, command);
        buffer_add_char(out, '(');
        buffer_add_span(out, subject);
        if (subject.n > 0)
                buffer_add_char(out, ' ');
        buffer_add_text(out, reason);
        buffer_add_char(out, ' ');
        /* A sentence about a mistake may have quotes, as where it says what is missing. */
        value_format_string(span_of(why), out);
        buffer_add_char(out, ')');
}

void reply_reason(struct session *s, struct span dest, const char *command, struct span subject,
                  const char *reason, const char *why)
{
        struct buffer payload = BUFFER_INIT;

        format_reason(command, subject, reason, why, &payload);
        if (payload.failed)
                connection_kill(&s->link, "memory is short");
        else
                reply_message(s, s->all->self_address->text, dest, NULL, 0, buffer_span(&payload));
        buffer_deinit(&payload);
}

void reply_about(struct session *s, struct span dest, const char *command, uint32_t seq,
                 const char *reason, const char *why)
{
        char digits[UINT_DIGITS_MAX];

        reply_reason(s, dest, command,
                     (struct span){ digits, (size_t)(uint_write(digits, seq) - digits) }, reason,
                     why);
}

void reply_refuse_connection(struct sessions *all, int fd, const char *why)
{
        struct iteration *it = all->it;
        struct buffer payload = BUFFER_INIT;
        char frame[FRAME_HEADER_SIZE + 512];
        struct header_spec spec = { .timestamp = it->wall_ms,
                                    .src = all->self_address->text,
                                    .dest = everybody };

        format_reason("broker.refused", span_of("0"), "full", why, &payload);
        buffer_clear(&it->text);
        if (!payload.failed &&
            message_format(&spec, buffer_span(&payload), DIALECT_RFC3259, &it->text) == 0 &&
            it->text.n <= sizeof(frame) - FRAME_HEADER_SIZE) {
                frame_put_length(frame, it->text.n, false);
                memcpy(frame + FRAME_HEADER_SIZE, it->text.at, it->text.n);
                (void)!send(fd, frame, FRAME_HEADER_SIZE + it->text.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        buffer_deinit(&payload);
}

void reply_undelivered(struct session *s, struct span dest, uint32_t seq, enum mbus_reason reason,
                       const char *why)
{
        assert(reason != MBUS_REASON_NONE);
        /* A ticket that the peer's restart ended is, for its sender, one that the peer left. */
        if (reason == MBUS_REASON_RESTARTED)
                reason = MBUS_REASON_BYE;
        reply_about(s, dest, "broker.undelivered", seq, reason_symbol(reason), why);
}

void reply_acknowledge(struct session *s, struct span src, struct span dest, const uint32_t *seqs,
                       size_t n)
{
        assert(n > 0 && n <= ACKS_MAX);
        reply_message(s, src, dest, seqs, n, SPAN_NULL);
}

void reply_ended(struct session *s, struct span src, struct span dest, uint32_t seq,
                 enum mbus_reason reason)
{
        if (reason == MBUS_REASON_NONE)
                reply_acknowledge(s, src, dest, &seq, 1);
        else
                reply_undelivered(s, dest, seq, reason,
                                  reason == MBUS_REASON_BYE ? "the entity left the bus"
                                                            : "the entity did not acknowledge it");
}

#define DROPPED_SIZE 64

static struct span format_dropped(uint64_t n, const char *reason, char room[static DROPPED_SIZE])
{
        int size = snprintf(room, DROPPED_SIZE, "broker.dropped(%llu %s)", (unsigned long long)n,
                            reason);

        assert(size < DROPPED_SIZE);
        return (struct span){ room, (size_t)size };
}

void reply_dropped(struct session *s, uint64_t n, const char *reason)
{
        char room[DROPPED_SIZE];

        reply_say(s, format_dropped(n, reason, room));
}

void reply_denied(struct session *s, uint64_t n, uint32_t seq, const char *why)
{
        char subject[64], reason[32];
        int size = snprintf(subject, sizeof(subject), "%llu denied", (unsigned long long)n);

        snprintf(reason, sizeof(reason), "%u", seq);
        reply_reason(s, everybody, "broker.dropped", (struct span){ subject, (size_t)size }, reason,
                     why);
}

void reply_format_dropped(struct session *s, uint64_t n, const char *reason,
                          struct buffer *ret_frame)
{
        char room[DROPPED_SIZE];
        struct header_spec spec = { .seq = s->seq++,
                                    .timestamp = s->all->it->wall_ms,
                                    .src = s->all->self_address->text,
                                    .dest = everybody };

        if (buffer_reserve(ret_frame, FRAME_HEADER_SIZE))
                ret_frame->n += FRAME_HEADER_SIZE;
        message_format(&spec, format_dropped(n, reason, room), DIALECT_RFC3259, ret_frame);
        if (!ret_frame->failed)
                frame_put_length(ret_frame->at, ret_frame->n - FRAME_HEADER_SIZE, false);
}

void reply_renamed(struct session *s, const struct address *from, const struct address *to)
{
        struct buffer payload = BUFFER_INIT;

        buffer_add_text(&payload, "broker.renamed(");
        value_format_string(from->text, &payload);
        buffer_add_char(&payload, ' ');
        value_format_string(to->text, &payload);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                connection_kill(&s->link, "memory is short");
        else
                reply_say(s, buffer_span(&payload));
        buffer_deinit(&payload);
}
