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
        /* header.src.text and header.dest.text again, each with a zero octet behind it, in `bytes`,
         * too; canonical once somebody has asked for it. */
        char *src;
        char *dest;
        bool src_canonical;
        bool dest_canonical;
        struct payload_room room;
        char bytes[];
};

/*
 * Copies and parses @text as a whole. 0, MBUS_E_MALFORMED (also for ill-formed UTF-8 and zero
 * octets) or -ENOMEM.
 */
int message_new(struct span text, struct message **ret_message, struct parse_error *error);
/*
 * The same in @memory, of message_size() octets or more, which the last message_unref() frees; it
 * is left to the caller when it fails. Headers that are @known are recognised as in
 * header_parse_known(), which says what @n and @ret_known are.
 */
int message_new_in(void *memory, struct span text, const struct header *known, size_t n,
                   struct message **ret_message, size_t *ret_known, struct parse_error *error);
/* What all of it takes, unless it has many parameters: itself, its text, the addresses again, and
 * what the parameters are decoded into. These are parts of the text, and have four zero octets. */
static inline size_t message_size(struct span text)
{
        return sizeof(struct message) + 2 * text.n + 4;
}
/* What all of it takes, whatever it has. Whoever keeps messages that others sent is to count this:
 * what two octets say may need a node, which is many times as much. */
static inline size_t message_memory(const struct message *m)
{
        const struct payload *p = &m->payload;

        return message_size(m->text) + (p->lent ? 0 : p->size * sizeof(*p->commands)) +
               (p->values.nodes_lent ? 0 : p->values.size * sizeof(*p->values.nodes)) +
               (p->values.arena_lent ? 0 : p->values.arena_size);
}
/* The canonical texts of the addresses, with a zero octet behind. Most messages are asked for
 * neither. */
const char *message_source(struct message *m);
const char *message_destination(struct message *m);
struct message *message_ref(struct message *m);
/* Drops a reference, the last one frees. Takes NULL, returns NULL. */
struct message *message_unref(struct message *m);

#endif
