/*
 * header.c - reads headers (RFC 3259, sections 3 and 5.2).
 *
 *      mbus/1.0 SeqNum TimeStamp MessageType SrcAddr DestAddr AckList [line end payload]
 *
 * Every datagram on the bus passes header_parse(), most of them only to be found uninteresting: one
 * pass, no allocation, each octet bounded by what is left of the text. The grammar of a header has
 * no octet beyond ASCII and none that is zero, so only payloads need their UTF-8 checked.
 */
#include "header.h"

#include <assert.h>

/* Time stamps below are in seconds: as ms they would lie before 1973-03-03, as s after 5138. */
#define TIMESTAMP_MS_MIN UINT64_C(100000000000)

struct parser {
        const char *at;
        const char *end;
};

/* What is left. */
static struct span rest(const struct parser *p)
{
        return (struct span){ p->at, (size_t)(p->end - p->at) };
}

/* Whether what is left begins with @c. */
static inline bool begins(const struct parser *p, char c)
{
        return p->at < p->end && *p->at == c;
}

static inline bool take_wsp(struct parser *p)
{
        const char *from = p->at;

        while (p->at < p->end && is_wsp(*p->at))
                p->at++;
        return p->at > from;
}

/* Takes 1 to @digits_max digits, 18 at most, so that no number runs over. */
static inline bool take_digits(struct parser *p, size_t digits_max, uint64_t *ret_number)
{
        const char *from = p->at, *at = from;
        const char *end = (size_t)(p->end - at) > digits_max ? at + digits_max : p->end;
        uint64_t number = 0;

        for (; at < end; at++) {
                unsigned digit = (unsigned)(unsigned char)*at - '0';

                if (digit > 9)
                        break;
                number = 10 * number + digit;
        }
        if (at == from || (at < p->end && is_digit(*at)))
                return false;
        p->at = at;
        *ret_number = number;
        return true;
}

static inline bool take_seq(struct parser *p, uint32_t *ret_seq)
{
        uint64_t number;

        if (!take_digits(p, SEQ_DIGITS, &number) || number > UINT32_MAX)
                return false;
        *ret_seq = (uint32_t)number;
        return true;
}

/* The first SeqNum of an AckList may have any number of digits, the others ten: the grammar has it
 * so, and it costs nothing to follow. */
static bool take_first_ack(struct parser *p, uint32_t *ret_seq)
{
        while (p->end - p->at > 1 && p->at[0] == '0' && is_digit(p->at[1]))
                p->at++;
        return take_seq(p, ret_seq);
}

/* Takes "(" SeqNums ")". */
static bool take_acks(struct parser *p, struct span *ret_acks)
{
        const char *from = p->at;
        uint32_t seq;
        size_t n = 0;

        if (!begins(p, '('))
                return false;
        p->at++;
        take_wsp(p);
        while (p->at < p->end && *p->at != ')') {
                if (n == ACKS_MAX || !(n ? take_seq(p, &seq) : take_first_ack(p, &seq)))
                        return false;
                n++;
                take_wsp(p);
        }
        if (!begins(p, ')'))
                return false;
        p->at++;
        *ret_acks = (struct span){ from, (size_t)(p->at - from) };
        return true;
}

static inline bool take_type(struct parser *p, bool *ret_reliable)
{
        char c = p->at < p->end ? *p->at : '\0';

        if (c != 'R' && c != 'r' && c != 'U' && c != 'u')
                return false;
        *ret_reliable = c == 'R' || c == 'r';
        p->at++;
        return true;
}

/* Takes "mbus/1.0": another version is one that a newer or older program might understand. */
static enum header_fault take_identifier(struct parser *p)
{
        if (!span_begins(rest(p), HEADER_IDENTIFIER))
                return span_begins(rest(p), "mbus/") ? HEADER_VERSION : HEADER_MALFORMED;
        p->at += sizeof(HEADER_IDENTIFIER) - 1;
        if (p->at < p->end && !is_wsp(*p->at) && line_end_size(rest(p)) == 0)
                return HEADER_VERSION;
        return HEADER_OK;
}

/* Takes what stands before the addresses; returns what is wrong, or NULL. */
static const char *take_numbers(struct parser *whole, struct header *h)
{
        /* A copy, which need not be in memory. */
        struct parser p = *whole;
        const char *what = NULL;

        if (!take_wsp(&p) || !take_seq(&p, &h->seq))
                what = "the sequence number is no number from 0 to 4294967295";
        else if (!take_wsp(&p) || !take_digits(&p, TIMESTAMP_DIGITS, &h->timestamp))
                what = "the time stamp is no number of 1 to 13 digits";
        else if (!take_wsp(&p) || !take_type(&p, &h->reliable))
                what = "the message type is neither R nor U";
        else if (!take_wsp(&p))
                what = "white space must follow the message type";
        *whole = p;
        return what;
}

/* Takes the AckList and the end of the header; returns what is wrong, or NULL. */
static const char *take_end(struct parser *p, struct header *h)
{
        static const char usual[] = "()\r\n";
        size_t n;

        if (span_begins(rest(p), usual)) {
                h->acks = (struct span){ p->at, 2 };
                p->at += sizeof(usual) - 1;
                return NULL;
        }
        if (!take_acks(p, &h->acks))
                return "the acknowledgements are no list of sequence numbers";
        take_wsp(p);
        n = line_end_size(rest(p));
        if (n == 0 && p->at < p->end)
                return "only a line end may follow the acknowledgements";
        p->at += n;
        return NULL;
}

static enum header_fault malformed(struct span text, const struct parser *p, const char *what,
                                   struct parse_error *error)
{
        parse_fail(error, (size_t)(p->at - text.at), what);
        return HEADER_MALFORMED;
}

/* Takes an address and the white space behind it. */
static enum header_fault take_address(struct span text, struct parser *p,
                                      struct address *ret_address, struct parse_error *error)
{
        size_t n;

        if (address_parse(rest(p), LENIENT, ret_address, &n, error)) {
                if (error)
                        error->at += (size_t)(p->at - text.at);
                return HEADER_MALFORMED;
        }
        p->at += n;
        if (!take_wsp(p))
                return malformed(text, p, "white space must follow an address", error);
        return HEADER_OK;
}

/* Takes both addresses if they are written as those of @known. */
static bool take_known(struct parser *p, const struct header *known, struct header *h)
{
        const char *from = known->src.text.at;
        size_t dest = (size_t)(known->dest.text.at - from), n = dest + known->dest.text.n;

        if ((size_t)(p->end - p->at) <= n || !is_wsp(p->at[n]) || memcmp(p->at, from, n) != 0)
                return false;
        address_copy(&h->src, &known->src);
        h->src.text.at = p->at;
        address_copy(&h->dest, &known->dest);
        h->dest.text.at = p->at + dest;
        p->at += n;
        take_wsp(p);
        return true;
}

static size_t find_known(struct parser *p, const struct header *known, size_t n, struct header *h)
{
        size_t i = 0;

        while (i < n && !take_known(p, &known[i], h))
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
        struct parser p = { text.at, text.at + text.n };
        struct header *h = ret_header;
        enum header_fault fault;
        const char *what;

        fault = take_identifier(&p);
        if (fault) {
                parse_fail(error, 0, "a message begins with mbus/1.0");
                return fault;
        }
        what = take_numbers(&p, h);
        if (what)
                return malformed(text, &p, what, error);
        *ret_known = find_known(&p, known, n, h);
        if (*ret_known == n &&
            (take_address(text, &p, &h->src, error) || take_address(text, &p, &h->dest, error)))
                return HEADER_MALFORMED;
        what = take_end(&p, h);
        if (what)
                return malformed(text, &p, what, error);
        h->payload = (size_t)(p.at - text.at);
        assert(h->payload <= text.n);
        return HEADER_OK;
}

bool header_begin(struct span text, struct header *h, struct span *ret_rest)
{
        struct parser p = { text.at, text.at + text.n };

        if (take_identifier(&p) != HEADER_OK || take_numbers(&p, h))
                return false;
        *ret_rest = rest(&p);
        return true;
}

bool header_end(struct span text, struct header *h, struct span *ret_rest)
{
        struct parser p = { text.at, text.at + text.n };

        if (take_end(&p, h))
                return false;
        *ret_rest = rest(&p);
        return true;
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

bool acks_next(struct span *acks, uint32_t *ret_seq)
{
        struct parser p = { acks->at, acks->at + acks->n };

        if (begins(&p, '('))
                p.at++;
        take_wsp(&p);
        if (!take_first_ack(&p, ret_seq))
                return false;
        *acks = rest(&p);
        return true;
}
