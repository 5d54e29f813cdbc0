/*
 * header.h - the header of a message, read (RFC 3259, section 5.2).
 *
 * header_parse() allocates nothing and looks only at the header, so that a message for others costs
 * no more than that.
 */
#ifndef MBUS_CORE_HEADER_H
#define MBUS_CORE_HEADER_H

#include "address.h"

#define HEADER_IDENTIFIER "mbus/1.0"
#define SEQ_DIGITS 10
#define TIMESTAMP_DIGITS 13
#define TIMESTAMP_MAX UINT64_C(9999999999999)

struct header {
        uint32_t seq;
        uint64_t timestamp; /* ms since 1970 as it stands in the message; see header_timestamp_ms */
        bool reliable;
        struct address src;
        struct address dest;
        struct span acks; /* from "(" to ")", well-formed */
        size_t payload; /* offset of the payload in the text, the text's length if there is none */
};

/* Why a header cannot be used. */
enum header_fault {
        HEADER_OK,
        HEADER_VERSION, /* it begins with "mbus/" but not with "mbus/1.0" (MSG-01) */
        HEADER_MALFORMED,
};

/* Parses the header of @text, which must outlive *@ret_header. Nothing is promised about
 * *@ret_header when it failed. */
enum header_fault header_parse(struct span text, struct header *ret_header,
                               struct parse_error *error);
/*
 * The same at less cost when the addresses are written as in one of the @n headers @known, whose
 * addresses stand one behind the other in one text. *@ret_known is which, or @n.
 */
enum header_fault header_parse_known(struct span text, const struct header *known, size_t n,
                                     struct header *ret_header, size_t *ret_known,
                                     struct parse_error *error);

/*
 * In pieces, for those who recognise the addresses by themselves: header_begin() reads what stands
 * before them, header_end() all that stands behind. *@ret_rest is what is left of @text. False if
 * it is malformed. What is between them, and where the payload begins, is not in @h.
 */
bool header_begin(struct span text, struct header *h, struct span *ret_rest);
bool header_end(struct span text, struct header *h, struct span *ret_rest);

/* Copies no more than there is. */
void header_copy(struct header *to, const struct header *from);

/* The time stamp in ms, also of a sender that stamps in seconds (spec/errata.md, 34). */
uint64_t header_timestamp_ms(const struct header *h);

/* Takes the next SeqNum out of a well-formed AckList; begin with *@rest = h->acks. */
bool acks_next(struct span *rest, uint32_t *ret_seq);

#endif
