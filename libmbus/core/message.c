/*
 * message.c - headers and whole messages (RFC 3259, sections 3 and 5.2).
 *
 *      mbus/1.0 SeqNum TimeStamp MessageType SrcAddr DestAddr AckList [line end payload]
 *
 * Every datagram on the bus passes header_parse(), most of them only to be found uninteresting: one
 * pass, no allocation, each octet bounded by what is left of the text. The grammar of a header has
 * no octet beyond ASCII and none that is zero, so only payloads need their UTF-8 checked.
 */
#include "message.h"

#include <assert.h>
#include <stdlib.h>

#define IDENTIFIER "mbus/1.0"
#define IDENTIFIER_SIZE (sizeof(IDENTIFIER) - 1)
#define SEQ_DIGITS 10
#define TIMESTAMP_DIGITS 13
#define TIMESTAMP_MAX UINT64_C(9999999999999)
/* Time stamps below are in seconds: as ms they would lie before 1973-03-03, as s after 5138. */
#define TIMESTAMP_MS_MIN UINT64_C(100000000000)

static bool take_wsp(struct span *rest)
{
        size_t n = wsp_size(*rest);

        *rest = span_from(*rest, n);
        return n > 0;
}

/* Takes 1 to @digits_max digits, together at most @max, which is far below 2^60. */
static bool take_number(struct span *rest, size_t digits_max, uint64_t max, uint64_t *ret_number)
{
        uint64_t number = 0;
        size_t n = 0;

        for (; n < rest->n && is_digit(rest->at[n]); n++) {
                number = 10 * number + (uint64_t)(rest->at[n] - '0');
                if (n == digits_max || number > max)
                        return false;
        }
        if (n == 0)
                return false;
        *rest = span_from(*rest, n);
        *ret_number = number;
        return true;
}

/*
 * Takes "(" SeqNums ")". The first may have any number of digits, the others ten: the grammar has
 * it so, and it costs nothing to follow.
 */
static bool take_acks(struct span *rest, struct span *ret_acks)
{
        struct span text = *rest, r = *rest;
        uint64_t seq;
        size_t n = 0;

        if (r.n == 0 || r.at[0] != '(')
                return false;
        r = span_from(r, 1);
        take_wsp(&r);
        while (r.n > 0 && r.at[0] != ')') {
                if (n == ACKS_MAX || !take_number(&r, n ? SEQ_DIGITS : SIZE_MAX, UINT32_MAX, &seq))
                        return false;
                n++;
                take_wsp(&r);
        }
        if (r.n == 0 || r.at[0] != ')')
                return false;
        *rest = span_from(r, 1);
        *ret_acks = (struct span){ text.at, text.n - rest->n };
        return true;
}

static bool take_type(struct span *rest, bool *ret_reliable)
{
        char c = rest->n > 0 ? rest->at[0] : '\0';

        if (c != 'R' && c != 'r' && c != 'U' && c != 'u')
                return false;
        *rest = span_from(*rest, 1);
        *ret_reliable = c == 'R' || c == 'r';
        return true;
}

/* Takes "mbus/1.0": another version is one that a newer or older program might understand. */
static enum header_fault take_identifier(struct span *rest)
{
        struct span text = *rest;

        if (!span_begins(text, "mbus/"))
                return HEADER_MALFORMED;
        if (!span_begins(text, IDENTIFIER))
                return HEADER_VERSION;
        *rest = span_from(text, IDENTIFIER_SIZE);
        if (rest->n > 0 && !is_wsp(rest->at[0]) && line_end_size(*rest) == 0)
                return HEADER_VERSION;
        return HEADER_OK;
}

/* Takes what stands before the addresses; returns what is wrong, or NULL. */
static const char *take_numbers(struct span *rest, struct header *h)
{
        uint64_t seq;

        if (!take_wsp(rest) || !take_number(rest, SEQ_DIGITS, UINT32_MAX, &seq))
                return "the sequence number is no number from 0 to 4294967295";
        h->seq = (uint32_t)seq;
        if (!take_wsp(rest) || !take_number(rest, TIMESTAMP_DIGITS, TIMESTAMP_MAX, &h->timestamp))
                return "the time stamp is no number of 1 to 13 digits";
        if (!take_wsp(rest) || !take_type(rest, &h->reliable))
                return "the message type is neither R nor U";
        if (!take_wsp(rest))
                return "white space must follow the message type";
        return NULL;
}

/* Takes the AckList and the end of the header; returns what is wrong, or NULL. */
static const char *take_end(struct span *rest, struct header *h)
{
        size_t n;

        if (!take_acks(rest, &h->acks))
                return "the acknowledgements are no list of sequence numbers";
        take_wsp(rest);
        n = line_end_size(*rest);
        if (n == 0 && rest->n > 0)
                return "only a line end may follow the acknowledgements";
        *rest = span_from(*rest, n);
        return NULL;
}

static enum header_fault malformed(struct span text, struct span rest, const char *what,
                                   struct parse_error *error)
{
        parse_fail(error, text.n - rest.n, what);
        return HEADER_MALFORMED;
}

/* Takes an address and the white space behind it. */
static enum header_fault take_address(struct span text, struct span *rest,
                                      struct address *ret_address, struct parse_error *error)
{
        size_t n;

        if (address_parse(*rest, LENIENT, ret_address, &n, error)) {
                if (error)
                        error->at += text.n - rest->n;
                return HEADER_MALFORMED;
        }
        *rest = span_from(*rest, n);
        if (!take_wsp(rest))
                return malformed(text, *rest, "white space must follow an address", error);
        return HEADER_OK;
}

/* Takes both addresses if they are written as those of @known. */
static bool take_known(struct span *rest, const struct header *known, struct header *h)
{
        const char *from = known->src.text.at;
        size_t dest = (size_t)(known->dest.text.at - from), n = dest + known->dest.text.n;

        if (rest->n <= n || !is_wsp(rest->at[n]) || memcmp(rest->at, from, n) != 0)
                return false;
        address_copy(&h->src, &known->src);
        h->src.text.at = rest->at;
        address_copy(&h->dest, &known->dest);
        h->dest.text.at = rest->at + dest;
        *rest = span_from(*rest, n);
        take_wsp(rest);
        return true;
}

static size_t find_known(struct span *rest, const struct header *known, size_t n, struct header *h)
{
        size_t i = 0;

        while (i < n && !take_known(rest, &known[i], h))
                i++;
        return i;
}

enum header_fault header_parse(struct span text, struct header *ret_header,
                               struct parse_error *error)
{
        size_t none;

        return header_parse_known(text, NULL, 0, ret_header, &none, error);
}

enum header_fault header_parse_known(struct span text, const struct header *known, size_t n,
                                     struct header *ret_header, size_t *ret_known,
                                     struct parse_error *error)
{
        struct header *h = ret_header;
        struct span rest = text;
        enum header_fault fault;
        const char *what;

        fault = take_identifier(&rest);
        if (fault) {
                parse_fail(error, 0, "a message begins with mbus/1.0");
                return fault;
        }
        what = take_numbers(&rest, h);
        if (what)
                return malformed(text, rest, what, error);
        *ret_known = find_known(&rest, known, n, h);
        if (*ret_known == n && (take_address(text, &rest, &h->src, error) ||
                                take_address(text, &rest, &h->dest, error)))
                return HEADER_MALFORMED;
        what = take_end(&rest, h);
        if (what)
                return malformed(text, rest, what, error);
        h->payload = text.n - rest.n;
        return HEADER_OK;
}

void header_copy(struct header *to, const struct header *from)
{
        to->seq = from->seq;
        to->timestamp = from->timestamp;
        to->reliable = from->reliable;
        address_copy(&to->src, &from->src);
        address_copy(&to->dest, &from->dest);
        to->acks = from->acks;
        to->payload = from->payload;
}

uint64_t header_timestamp_ms(const struct header *h)
{
        return h->timestamp < TIMESTAMP_MS_MIN ? 1000 * h->timestamp : h->timestamp;
}

bool acks_next(struct span *rest, uint32_t *ret_seq)
{
        struct span r = *rest;
        uint64_t seq;

        if (r.n > 0 && r.at[0] == '(')
                r = span_from(r, 1);
        take_wsp(&r);
        if (!take_number(&r, SIZE_MAX, UINT32_MAX, &seq))
                return false;
        *rest = r;
        *ret_seq = (uint32_t)seq;
        return true;
}

/* Writes @number in decimal and @behind at @at, and returns where that ends. */
static char *put_uint(char *at, uint64_t number, char behind)
{
        char digits[20];
        size_t n = 0;

        do {
                digits[n++] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        while (n > 0)
                *at++ = digits[--n];
        *at++ = behind;
        return at;
}

static char *put_span(char *at, struct span s, char behind)
{
        memcpy(at, s.at, s.n);
        at[s.n] = behind;
        return at + s.n + 1;
}

/* Appends the header without its line end. */
static void format_header(const struct header_spec *spec, struct buffer *out)
{
        uint64_t timestamp = spec->timestamp < TIMESTAMP_MAX ? spec->timestamp : TIMESTAMP_MAX;
        char *start, *at;
        size_t i;

        start = buffer_reserve(out, IDENTIFIER_SIZE + SEQ_DIGITS + TIMESTAMP_DIGITS +
                                            sizeof("   U   ()") + spec->src.n + spec->dest.n +
                                            spec->n_acks * (SEQ_DIGITS + 1));
        if (!start)
                return;
        at = put_span(start, (struct span){ IDENTIFIER, IDENTIFIER_SIZE }, ' ');
        at = put_uint(at, spec->seq, ' ');
        at = put_uint(at, timestamp, ' ');
        *at++ = spec->reliable ? 'R' : 'U';
        *at++ = ' ';
        at = put_span(at, spec->src, ' ');
        at = put_span(at, spec->dest, ' ');
        *at++ = '(';
        for (i = 0; i < spec->n_acks; i++)
                at = put_uint(at, spec->acks[i], i + 1 < spec->n_acks ? ' ' : ')');
        if (spec->n_acks == 0)
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
        format_header(spec, out);
        if (dialect == DIALECT_UCL) {
                buffer_add_char(out, '\n');
                r = format_payload_ucl(payload, out);
        } else if (payload.n > 0) {
                buffer_add(out, "\r\n", 2);
                buffer_add_span(out, payload);
        }
        return out->failed ? (r ? r : -ENOMEM) : 0;
}

/* Copies @text behind what is at @at and returns where it went, with a zero octet behind it. */
static char *keep(char **at, struct span text)
{
        char *copy = *at;

        *at = put_span(copy, text, '\0');
        return copy;
}

int message_new(struct span text, struct message **ret_message, struct parse_error *error)
{
        struct header h;
        void *memory;
        int r;

        if (header_parse(text, &h, error))
                return MBUS_E_MALFORMED;
        memory = malloc(message_size(text, &h));
        if (!memory)
                return -ENOMEM;
        r = message_new_in(memory, text, &h, ret_message, error);
        if (r)
                free(memory);
        return r;
}

/* All of it is one piece of memory, unless it has many parameters. */
size_t message_size(struct span text, const struct header *header)
{
        return sizeof(struct message) + text.n + 1 + header->src.text.n + 1 + header->dest.text.n +
               1 + (text.n - header->payload) + 1;
}

int message_new_in(void *memory, struct span text, const struct header *header,
                   struct message **ret_message, struct parse_error *error)
{
        struct message *m = memory;
        struct header *h = &m->header;
        char *at = m->bytes;
        int r;

        m->refs = 1;
        m->text = (struct span){ keep(&at, text), text.n };
        m->src = keep(&at, header->src.text);
        m->dest = keep(&at, header->dest.text);
        /* Positions stay what they are, only the text they are positions in moves. */
        header_copy(h, header);
        h->src.text.at = m->bytes + (h->src.text.at - text.at);
        h->dest.text.at = m->bytes + (h->dest.text.at - text.at);
        h->acks.at = m->bytes + (h->acks.at - text.at);
        payload_lend(&m->payload, &m->room, at, text.n - h->payload);
        r = payload_parse(&m->payload, span_from(m->text, h->payload), error);
        if (r == MBUS_E_MALFORMED && error)
                error->at += h->payload;
        if (r == 0)
                *ret_message = m;
        return r;
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
