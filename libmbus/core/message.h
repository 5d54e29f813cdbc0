/*
 * message.h - a message: header (section 5.2), payload, and the text both are views into.
 *
 * A struct message owns its text, never changes, and is counted by reference.
 */
#ifndef MBUS_CORE_MESSAGE_H
#define MBUS_CORE_MESSAGE_H

#include "command.h"
#include "header.h"

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
 * The same in @memory, of message_size() octets or more, which the last message_unref() frees; it is
 * left to the caller when it fails. Headers that are @known are recognised as in
 * header_parse_known(), which says what @n and @ret_known are.
 */
int message_new_in(void *memory, struct span text, const struct header *known, size_t n,
                   struct message **ret_message, size_t *ret_known, struct parse_error *error);
size_t message_size(struct span text);
struct message *message_ref(struct message *m);
/* Drops a reference, the last one frees. Takes NULL, returns NULL. */
struct message *message_unref(struct message *m);

#endif
