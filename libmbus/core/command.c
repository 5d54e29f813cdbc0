/*
 * command.c - parses and writes the commands of a message (RFC 3259, section 5.3).
 *
 * Commands are found by parsing their parameters, never by splitting at line ends: a string may
 * hold one. Every command brings a list node, so VALUES_MAX bounds the commands of a payload, too.
 */
#include "command.h"

#include <assert.h>
#include <stdlib.h>

#define COMMANDS_AT_FIRST 4

void payload_lend(struct payload *p, struct payload_room *room, char *arena, size_t n)
{
        p->commands = room->commands;
        p->n = 0;
        p->size = sizeof(room->commands) / sizeof(*room->commands);
        p->lent = true;
        values_lend(&p->values, room->nodes, sizeof(room->nodes) / sizeof(*room->nodes), arena, n);
}

void payload_deinit(struct payload *p)
{
        if (!p->lent)
                free(p->commands);
        values_deinit(&p->values);
        *p = PAYLOAD_INIT;
}

/* Octets of white space and line ends at the start of @text. */
static size_t blank_size(struct span text)
{
        size_t n = 0, step;

        do {
                n += wsp_size(span_from(text, n));
                step = line_end_size(span_from(text, n));
                n += step;
        } while (step > 0);
        return n;
}

static int grow(struct payload *p)
{
        size_t size = p->size ? 2 * p->size : COMMANDS_AT_FIRST;
        struct command *commands = realloc(p->lent ? NULL : p->commands, size * sizeof(*commands));

        if (!commands)
                return -ENOMEM;
        if (p->lent)
                memcpy(commands, p->commands, p->n * sizeof(*commands));
        p->commands = commands;
        p->size = size;
        p->lent = false;
        return 0;
}

static int push_command(struct payload *p, struct command command)
{
        if (p->n == p->size && grow(p) < 0)
                return -ENOMEM;
        p->commands[p->n++] = command;
        return 0;
}

/* Parses the command at @at in @whole and appends it; *@ret_n is what it occupies. */
static int parse_command(struct payload *p, struct span whole, size_t at, size_t *ret_n,
                         struct parse_error *error)
{
        struct span text = span_from(whole, at), name;
        struct command command = { .args = (uint32_t)p->values.n };
        size_t name_n, open, args_n;
        int r;

        name_n = value_symbol_size(text);
        if (name_n == 0)
                return parse_fail(error, at, "a command begins with its name, a symbol");
        open = name_n + wsp_size(span_from(text, name_n));
        if (open == text.n || text.at[open] != '(')
                return parse_fail(error, at + open,
                                  "parameters in parentheses must follow the name of a command");
        r = value_parse_list(&p->values, whole, span_from(text, open), &args_n, error);
        if (r) {
                if (r == MBUS_E_MALFORMED && error)
                        error->at += at + open;
                return r;
        }
        name = values_keep(&p->values, whole, (struct span){ text.at, name_n });
        if (!name.at)
                return -ENOMEM;
        command.name = name;
        command.text = (struct span){ text.at, open + args_n };
        r = push_command(p, command);
        if (r)
                return r;
        *ret_n = open + args_n;
        return 0;
}

static int parse_commands(struct payload *p, struct span text, struct parse_error *error)
{
        size_t at = blank_size(text), n;
        int r;

        while (at < text.n) {
                r = parse_command(p, text, at, &n, error);
                if (r)
                        return r;
                at += n;
                at += wsp_size(span_from(text, at));
                if (at < text.n && line_end_size(span_from(text, at)) == 0)
                        return parse_fail(error, at, "only a line end may follow a command");
                at += blank_size(span_from(text, at));
        }
        return 0;
}

int payload_parse(struct payload *p, struct span text, struct parse_error *error)
{
        size_t at;
        int r;

        assert(p->n == 0 && p->values.n == 0);
        if (!span_is_utf8(text, &at))
                return parse_fail(error, at, "not well-formed UTF-8, or a zero octet");
        r = parse_commands(p, text, error);
        if (r)
                payload_deinit(p);
        return r;
}

static bool has_conditions(const struct command *c)
{
        return span_equal_text(c->name, "mbus.waiting") || span_equal_text(c->name, "mbus.go");
}

/* The parameters of mbus.waiting or mbus.go are symbols in the RFC (9.5, 9.6): what can be one
 * is. */
static void format_condition(const struct value *item, struct buffer *out)
{
        if (item->type == MBUS_VALUE_STRING && value_is_symbol(item->text))
                buffer_add_span(out, item->text);
        else
                value_format(item, out);
}

/* Old programs know only strings there. */
static void format_condition_ucl(const struct value *item, struct buffer *out)
{
        value_format_string(item->type == MBUS_VALUE_STRING ? item->text : item->raw, out);
}

static void format_conditions(const struct value *list, enum dialect dialect, struct buffer *out)
{
        const struct value *item = list + 1;
        uint32_t i;

        buffer_add_char(out, '(');
        for (i = 0; i < list->items; i++, item += item->nodes) {
                if (i > 0)
                        buffer_add_char(out, ' ');
                if (dialect == DIALECT_UCL)
                        format_condition_ucl(item, out);
                else
                        format_condition(item, out);
        }
        buffer_add_text(out, dialect == DIALECT_UCL && list->items > 0 ? " )" : ")");
}

static void format_command_ucl(const struct payload *p, const struct command *c, struct buffer *out)
{
        buffer_add_span(out, c->name);
        buffer_add_char(out, ' ');
        if (has_conditions(c))
                format_conditions(payload_args(p, c), DIALECT_UCL, out);
        else
                value_format_spaced(payload_args(p, c), out);
        buffer_add_char(out, '\n');
}

void payload_format(const struct payload *p, enum dialect dialect, struct buffer *out)
{
        size_t i;

        for (i = 0; i < p->n; i++) {
                const struct command *c = p->commands + i;

                if (dialect == DIALECT_UCL) {
                        if (!span_equal_text(c->name, "mbus.ping"))
                                format_command_ucl(p, c, out);
                        continue;
                }
                if (i > 0)
                        buffer_add(out, "\r\n", 2);
                buffer_add_span(out, c->name);
                if (has_conditions(c))
                        format_conditions(payload_args(p, c), dialect, out);
                else
                        value_format(payload_args(p, c), out);
        }
}

/* Octets up to and with the ")" that closes the first list in @text. */
static size_t list_end(struct span text)
{
        unsigned depth = 0;
        bool quoted = false;
        size_t i;

        for (i = 0; i < text.n; i++) {
                char c = text.at[i];

                if (c == '"') {
                        quoted = !quoted;
                } else if (quoted) {
                        if (c == '\\')
                                i++;
                } else if (c == '(') {
                        depth++;
                } else if (c == ')' && --depth == 0) {
                        return i + 1;
                }
        }
        return text.n;
}

bool payload_next_name(struct span *rest, struct span *ret_name)
{
        struct span text = span_from(*rest, blank_size(*rest));
        size_t n = value_symbol_size(text);

        *rest = span_from(text, n + list_end(span_from(text, n)));
        if (n == 0)
                return false;
        *ret_name = (struct span){ text.at, n };
        return true;
}
