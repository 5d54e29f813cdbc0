/*
 * message.h - a message: header (section 5.2), payload, and the text both are views into.
 *
 * header_parse() allocates nothing and looks only at the header, so that a message for others costs
 * no more than that. A struct message owns its text, never changes, and is counted by reference.
 */
#ifndef MBUS_CORE_MESSAGE_H
#define MBUS_CORE_MESSAGE_H

#include "address.h"
#include "command.h"

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

/* Copies no more than there is. */
void header_copy(struct header *to, const struct header *from);

/* The time stamp in ms, also of a sender that stamps in seconds (spec/errata.md, 34). */
uint64_t header_timestamp_ms(const struct header *h);

/* Takes the next SeqNum out of a well-formed AckList; begin with *@rest = h->acks. */
bool acks_next(struct span *rest, uint32_t *ret_seq);

/* What a header is written from. */
struct header_spec {
        uint32_t seq;
        uint64_t timestamp;
        bool reliable;
        struct span src;
        struct span dest;
        const uint32_t *acks;
        size_t n_acks;
};

/*
 * Appends a message: the header and @payload, which is well-formed text in the RFC's dialect or
 * empty. In DIALECT_UCL the payload is written anew. 0 or -ENOMEM (out->failed too).
 */
int message_format(const struct header_spec *spec, struct span payload, enum dialect dialect,
                   struct buffer *out);

struct message {
        unsigned long refs;
        struct header header;
        struct payload payload;
        struct span text; /* header and payload, without digest, in `bytes` */
        const char *src;  /* header.src.text and header.dest.text again, each with a zero octet */
        const char *dest; /* behind it, in `bytes`, too */
        struct payload_room room;
        char bytes[];
};

/*
 * Copies and parses @text as a whole. 0, MBUS_E_MALFORMED (also for ill-formed UTF-8 and zero
 * octets) or -ENOMEM.
 */
int message_new(struct span text, struct message **ret_message, struct parse_error *error);
/*
 * The same with what header_parse() or header_parse_known() said of @text, in @memory, of
 * message_size() octets or more, which the last message_unref() frees. It is left to the caller when
 * it fails.
 */
int message_new_in(void *memory, struct span text, const struct header *header,
                   struct message **ret_message, struct parse_error *error);
size_t message_size(struct span text, const struct header *header);
struct message *message_ref(struct message *m);
/* Drops a reference, the last one frees. Takes NULL, returns NULL. */
struct message *message_unref(struct message *m);

#endif
