/*
 * command.h - the payload of a message: commands, each a name and a parameter list (section 5.3).
 *
 * Line ends, blank lines, the space before "(" and a line end after the last command are all
 * accepted; what is written follows the dialect.
 */
#ifndef MBUS_CORE_COMMAND_H
#define MBUS_CORE_COMMAND_H

#include "value-format.h"
#include "value.h"

/* How a bus writes its messages; what is received may be either, always. */
enum dialect {
        DIALECT_RFC3259, /* CRLF, name(args), no line end after the last command */
        DIALECT_UCL,     /* LF, name (args ), a line end after the last command */
};

struct command {
        struct span name; /* in the arena of the values, a zero octet behind it */
        struct span text; /* from the name to the closing ")" */
        uint32_t args;    /* index of the parameter list, a list node, in payload.values */
};

struct payload {
        struct command *commands;
        size_t n;
        size_t size;
        bool lent; /* somebody else frees the commands, as with payload_lend() */
        struct values values;
};

#define PAYLOAD_INIT ((struct payload){ 0 })

/* What most payloads parse into. */
struct payload_room {
        struct command commands[2];
        struct value nodes[8];
};

/* Lends @p, PAYLOAD_INIT, room for what it parses a text of @n octets into, so that a short one
 * needs no allocation: @arena has @n + 1 octets. Both outlive @p. */
void payload_lend(struct payload *p, struct payload_room *room, char *arena, size_t n);
void payload_deinit(struct payload *p);
/* Whether payload_deinit() would have nothing to free. */
static inline bool payload_is_lent(const struct payload *p)
{
        return p->lent && p->values.nodes_lent && p->values.arena_lent;
}

/*
 * Parses all of @text, which must outlive *@p (PAYLOAD_INIT before). An empty text is no command.
 * 0, MBUS_E_MALFORMED or -ENOMEM; *@p is PAYLOAD_INIT again when it failed.
 */
int payload_parse(struct payload *p, struct span text, struct parse_error *error);

static inline const struct value *payload_args(const struct payload *p, const struct command *c)
{
        return p->values.nodes + c->args;
}

/* Appends the commands as @dialect writes them. The conditions of mbus.waiting and mbus.go become
 * symbols where they can be such (spec/errata.md, 14). In DIALECT_UCL they become strings, whatever
 * they were, and mbus.ping is left out, of which old programs die (81). */
void payload_format(const struct payload *p, enum dialect dialect, struct buffer *out);

/* Finds the name of the next command in a payload that is known to be well-formed, without
 * allocating. Advances *@rest; false at the end. */
bool payload_next_name(struct span *rest, struct span *ret_name);

#endif
