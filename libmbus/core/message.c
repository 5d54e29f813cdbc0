/*
 * message.c - whole messages (RFC 3259, section 5.2): written, and kept as long as somebody looks
 * at them.
 */
#include "message.h"

#include <assert.h>
#include <stdlib.h>

static char *put_uint(char *at, uint64_t number, char behind)
{
        at = uint_write(at, number);
        *at++ = behind;
        return at;
}

static char *put_span(char *at, struct span s, char behind)
{
        memcpy(at, s.at, s.n);
        at[s.n] = behind;
        return at + s.n + 1;
}

/* Appends the header without its line end. libgmbus reads no number with ")" right behind it. */
static void format_header(const struct header_spec *spec, enum dialect dialect, struct buffer *out)
{
        const struct span identifier = { HEADER_IDENTIFIER, sizeof(HEADER_IDENTIFIER) - 1 };
        uint64_t timestamp = spec->timestamp < TIMESTAMP_MAX ? spec->timestamp : TIMESTAMP_MAX;
        char *start, *at;
        size_t i;

        start = buffer_reserve(out, identifier.n + SEQ_DIGITS + TIMESTAMP_DIGITS +
                                            sizeof("   U   ( )") + spec->src.n + spec->dest.n +
                                            spec->n_acks * (SEQ_DIGITS + 1));
        if (!start)
                return;
        at = put_span(start, identifier, ' ');
        at = put_uint(at, spec->seq, ' ');
        at = put_uint(at, timestamp, ' ');
        *at++ = spec->reliable ? 'R' : 'U';
        *at++ = ' ';
        at = put_span(at, spec->src, ' ');
        at = put_span(at, spec->dest, ' ');
        *at++ = '(';
        for (i = 0; i < spec->n_acks; i++)
                at = put_uint(at, spec->acks[i], ' ');
        if (spec->n_acks > 0 && dialect == DIALECT_RFC3259)
                at--;
        *at++ = ')';
        out->n += (size_t)(at - start);
}

/* Appends the commands of @text in the dialect of UCL. */
static int format_payload_ucl(struct span text, struct buffer *out)
{
        struct payload payload = PAYLOAD_INIT;
        int r;

        r = payload_parse(&payload, text, NULL);
        assert(r <= 0);
        if (r) {
                out->failed = true;
                return r;
        }
        payload_format(&payload, DIALECT_UCL, out);
        payload_deinit(&payload);
        return 0;
}

int message_format(const struct header_spec *spec, struct span payload, enum dialect dialect,
                   struct buffer *out)
{
        int r = 0;

        assert(spec->src.n > 0 && spec->dest.n > 0 && spec->n_acks <= ACKS_MAX);
        format_header(spec, dialect, out);
        if (dialect == DIALECT_UCL) {
                buffer_add_char(out, '\n');
                r = format_payload_ucl(payload, out);
        } else if (payload.n > 0) {
                buffer_add(out, "\r\n", 2);
                buffer_add_span(out, payload);
        }
        return out->failed ? (r ? r : -ENOMEM) : 0;
}

int message_new(struct span text, struct message **ret_message, struct parse_error *error)
{
        void *memory = malloc(message_size(text));
        size_t none;
        int r;

        if (!memory)
                return -ENOMEM;
        r = message_new_in(memory, text, NULL, 0, ret_message, &none, error);
        if (r)
                free(memory);
        return r;
}

/* Writes both addresses to @at, as texts of their own, and returns where that ends. */
static char *keep_addresses(struct message *m, char *at)
{
        const struct span src = m->header.src.text, dest = m->header.dest.text;
        size_t dest_at = (size_t)(dest.at - src.at);

        /* White space stands between them, and something follows. */
        memcpy(at, src.at, dest_at + dest.n);
        at[src.n] = at[dest_at + dest.n] = '\0';
        m->src = at;
        m->dest = at + dest_at;
        m->src_canonical = m->dest_canonical = false;
        return at + dest_at + dest.n + 1;
}

int message_new_in(void *memory, struct span text, const struct header *known, size_t n,
                   struct message **ret_message, size_t *ret_known, struct parse_error *error)
{
        struct message *m = memory;
        struct span payload;
        char *at;
        int r;

        m->refs = 1;
        m->text = (struct span){ m->bytes, text.n };
        at = put_span(m->bytes, text, '\0');
        if (header_parse_known(m->text, known, n, &m->header, ret_known, error))
                return MBUS_E_MALFORMED;
        at = keep_addresses(m, at);
        payload = span_from(m->text, m->header.payload);
        payload_lend(&m->payload, &m->room, at, payload.n);
        r = payload_parse(&m->payload, payload, error);
        if (r == MBUS_E_MALFORMED && error)
                error->at += m->header.payload;
        if (r == 0)
                *ret_message = m;
        return r;
}

/* @text holds what @a looks at, in a place of its own. */
static void make_canonical(const struct address *a, char *text)
{
        if (!address_is_canonical(a))
                *address_put_canonical(a, text) = '\0';
}

const char *message_source(struct message *m)
{
        if (!m->src_canonical)
                make_canonical(&m->header.src, m->src);
        m->src_canonical = true;
        return m->src;
}

const char *message_destination(struct message *m)
{
        if (!m->dest_canonical)
                make_canonical(&m->header.dest, m->dest);
        m->dest_canonical = true;
        return m->dest;
}

struct message *message_ref(struct message *m)
{
        assert(m->refs > 0);
        m->refs++;
        return m;
}

struct message *message_unref(struct message *m)
{
        if (!m)
                return NULL;
        assert(m->refs > 0);
        if (--m->refs == 0) {
                payload_deinit(&m->payload);
                free(m);
        }
        return NULL;
}
