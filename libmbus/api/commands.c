/*
 * commands.c - a payload under construction (RFC 3259, section 5.3).
 *
 * The text is canonical from the start, so that sending copies it as it is. A mistake is remembered
 * and silences the rest: a caller checks once. Commands of the name space "mbus." are the library's
 * and refused here, at the one place where names of the application come in; but mbus.quit,
 * mbus.waiting and mbus.go are for applications to say, each in its own way (9.4 to 9.6).
 *
 * Invariant: a zero octet stands behind the text whenever there is memory for it.
 */
#include "commands.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include <core/bus-command.h>
#include <core/value-real.h>

#include "escapes.h"

#define NO_MEMORY "there is not enough memory"
#define TOO_DEEP "lists are nested too deeply"
#define NOT_ENDED "the command before is not ended"
#define RESERVED                                                                                   \
        "commands that begin with \"mbus.\" are the library's, but for mbus.quit, mbus.waiting "   \
        "and mbus.go"

struct mbus_commands {
        struct buffer text;
        int mistake;
        struct parse_error why; /* the mistake, if there is one */
        unsigned depth; /* lists that are open, the parameter list counts; 0: no command is */
        bool first;     /* nothing stands in the innermost open list yet */
        size_t start;   /* of the last command */
        bool waits;     /* there is mbus.waiting in it, which is never said reliably ... */
        bool goes;      /* ... and mbus.go, which always is */
};

int mbus_commands_new(struct mbus_commands **ret_commands)
{
        struct mbus_commands *c = ret_commands ? calloc(1, sizeof(*c)) : NULL;

        if (!ret_commands)
                return MBUS_E_MALFORMED;
        if (!c)
                return -ENOMEM;
        *ret_commands = c;
        return 0;
}

struct mbus_commands *mbus_commands_free(struct mbus_commands *c)
{
        if (c) {
                buffer_deinit(&c->text);
                free(c);
        }
        return NULL;
}

void mbus_commands_clear(struct mbus_commands *c)
{
        if (!c)
                return;
        buffer_clear(&c->text);
        c->mistake = 0;
        c->why = (struct parse_error){ 0, "" };
        c->depth = 0;
        c->first = false;
        c->waits = c->goes = false;
        if (c->text.at)
                c->text.at[0] = '\0';
}

void commands_fail(struct mbus_commands *c, int mistake, struct parse_error why)
{
        assert(mistake != 0 && why.what);
        if (c->mistake != 0)
                return;
        c->mistake = mistake;
        c->why = why;
}

static void commands_malformed(struct mbus_commands *c, const char *what)
{
        commands_fail(c, MBUS_E_MALFORMED, (struct parse_error){ 0, what });
}

/* Ends every call that wrote something. */
static void commands_settle(struct mbus_commands *c)
{
        char *end = buffer_reserve(&c->text, 1);

        assert(c->depth <= VALUE_DEPTH_MAX && (c->depth > 0 || !c->first));
        if (end)
                *end = '\0';
        if (c->text.failed)
                commands_fail(c, -ENOMEM, (struct parse_error){ 0, NO_MEMORY });
}

static bool is_reserved(struct span name)
{
        return bus_command_of(name) == BUS_COMMAND_RESERVED;
}

/* Notes how what was added has to be sent. */
static void note_manner(struct mbus_commands *c, const struct payload *p)
{
        for (size_t i = 0; i < p->n; i++) {
                enum bus_command command = bus_command_of(p->commands[i].name);

                c->waits |= command == BUS_COMMAND_WAITING;
                c->goes |= command == BUS_COMMAND_GO;
        }
}

/* The parameters of the commands of the bus are for us to know. *@ret_i is which is wrong. */
static const char *commands_find_mistake(const struct payload *p, size_t *ret_i)
{
        const char *what = NULL;

        for (size_t i = 0; i < p->n && !what; i++) {
                *ret_i = i;
                if (bus_command_of(p->commands[i].name) != BUS_COMMAND_NONE)
                        what = bus_command_check(p, &p->commands[i]);
        }
        return what;
}

void mbus_commands_begin(struct mbus_commands *c, const char *name)
{
        if (!c || c->mistake)
                return;
        if (c->depth > 0) {
                commands_malformed(c, NOT_ENDED);
                return;
        }
        if (!name || !value_is_symbol(span_of(name))) {
                commands_malformed(c, "the name of a command is a symbol");
                return;
        }
        if (is_reserved(span_of(name))) {
                commands_fail(c, MBUS_E_RESERVED, (struct parse_error){ 0, RESERVED });
                return;
        }
        if (c->text.n > 0)
                buffer_add_text(&c->text, "\r\n");
        c->start = c->text.n;
        buffer_add_text(&c->text, name);
        buffer_add_char(&c->text, '(');
        c->depth = 1;
        c->first = true;
        commands_settle(c);
}

/* Makes ready for an item of the innermost open list; false after a mistake. */
static bool commands_item(struct mbus_commands *c)
{
        if (!c || c->mistake)
                return false;
        if (c->depth == 0) {
                commands_malformed(c, "a value stands in a command, and none is open");
                return false;
        }
        if (!c->first)
                buffer_add_char(&c->text, ' ');
        c->first = false;
        return true;
}

/* Ends the innermost open list, if that is what the call may end. */
static void commands_end_list(struct mbus_commands *c, bool allowed)
{
        if (!c || c->mistake)
                return;
        if (!allowed) {
                commands_malformed(c, "this is not what is to be ended here");
                return;
        }
        buffer_add_char(&c->text, ')');
        c->depth--;
        c->first = false;
        commands_settle(c);
}

/* Checks the command that was ended, one of the bus, and writes it anew as it is usual. */
static int finish_bus_command(struct mbus_commands *c, const char **ret_what)
{
        struct buffer text = BUFFER_INIT;
        struct payload p = PAYLOAD_INIT;
        int r = payload_parse(&p, span_from(buffer_span(&c->text), c->start), NULL);
        const char *what;
        size_t i;

        if (r != 0)
                return r;
        what = commands_find_mistake(&p, &i);
        if (what) {
                payload_deinit(&p);
                *ret_what = what;
                return MBUS_E_MALFORMED;
        }
        note_manner(c, &p);
        payload_format(&p, DIALECT_RFC3259, &text);
        payload_deinit(&p);
        assert(c->start < c->text.n && c->depth == 0);
        c->text.n = c->start;
        buffer_add_span(&c->text, buffer_span(&text));
        r = text.failed ? -ENOMEM : 0;
        buffer_deinit(&text);
        return r;
}

void mbus_commands_end(struct mbus_commands *c)
{
        const char *what = NO_MEMORY;
        int r;

        commands_end_list(c, c && c->depth == 1);
        if (!c || c->mistake || !span_begins(span_from(buffer_span(&c->text), c->start), "mbus."))
                return;
        r = finish_bus_command(c, &what);
        if (r != 0)
                commands_fail(c, r, (struct parse_error){ 0, what });
        else
                commands_settle(c);
}

void mbus_commands_begin_list(struct mbus_commands *c)
{
        if (!commands_item(c))
                return;
        if (c->depth >= VALUE_DEPTH_MAX) {
                commands_malformed(c, TOO_DEEP);
                return;
        }
        buffer_add_char(&c->text, '(');
        c->depth++;
        c->first = true;
        commands_settle(c);
}

void mbus_commands_end_list(struct mbus_commands *c)
{
        commands_end_list(c, c && c->depth > 1);
}

void mbus_commands_add_integer(struct mbus_commands *c, int64_t integer)
{
        if (!commands_item(c))
                return;
        buffer_add_int(&c->text, integer);
        commands_settle(c);
}

void mbus_commands_add_float(struct mbus_commands *c, double real)
{
        if (!commands_item(c))
                return;
        if (!isfinite(real)) {
                commands_malformed(c, "a float is a finite number");
                return;
        }
        value_format_real(real, &c->text);
        commands_settle(c);
}

void mbus_commands_add_string(struct mbus_commands *c, const char *text)
{
        if (!commands_item(c))
                return;
        if (!text || !span_is_utf8(span_of(text), NULL)) {
                commands_malformed(c, "a string is a text of UTF-8");
                return;
        }
        value_format_string(span_of(text), &c->text);
        commands_settle(c);
}

void mbus_commands_add_symbol(struct mbus_commands *c, const char *symbol)
{
        if (!commands_item(c))
                return;
        if (!symbol || !value_is_symbol(span_of(symbol))) {
                commands_malformed(c, "this is no symbol");
                return;
        }
        buffer_add_text(&c->text, symbol);
        commands_settle(c);
}

void mbus_commands_add_data(struct mbus_commands *c, const void *bytes, size_t n)
{
        if (!commands_item(c))
                return;
        if (!bytes && n > 0) {
                commands_malformed(c, "there are no octets");
                return;
        }
        value_format_data((struct span){ bytes, n }, &c->text);
        commands_settle(c);
}

/* How many lists are open inside @v at most; the recursion ends where the parser's nesting did. */
static unsigned value_depth(const struct value *v)
{
        const struct value *item = v + 1, *end = v + v->nodes;
        unsigned depth = 0, most = 0;

        if (v->type != MBUS_VALUE_LIST)
                return 0;
        for (; item < end; item += item->nodes) {
                depth = value_depth(item);
                most = depth > most ? depth : most;
        }
        return most + 1;
}

void mbus_commands_add_value(struct mbus_commands *c, const struct mbus_value *value)
{
        if (!commands_item(c))
                return;
        if (!value) {
                commands_malformed(c, "there is no value");
                return;
        }
        if (c->depth + value_depth((const struct value *)value) > VALUE_DEPTH_MAX) {
                commands_malformed(c, TOO_DEEP);
                return;
        }
        value_format((const struct value *)value, &c->text);
        commands_settle(c);
}

static int check_commands(const struct payload *p, struct span text, struct parse_error *error)
{
        const char *what;
        size_t i;

        for (i = 0; i < p->n; i++) {
                if (!is_reserved(p->commands[i].name))
                        continue;
                error->at = (size_t)(p->commands[i].text.at - text.at);
                error->what = RESERVED;
                return MBUS_E_RESERVED;
        }
        what = commands_find_mistake(p, &i);
        if (!what)
                return 0;
        return parse_fail(error, (size_t)(p->commands[i].text.at - text.at), what);
}

/* Appends @text, which may hold no command at all, to whole commands. */
int commands_add(struct mbus_commands *c, struct span text, struct parse_error *error)
{
        struct payload p = PAYLOAD_INIT;
        int r;

        *error = (struct parse_error){ 0, NO_MEMORY };
        if (c->depth > 0)
                return parse_fail(error, 0, NOT_ENDED);
        if (!span_is_utf8(text, &error->at))
                return parse_fail(error, error->at, "this is not UTF-8");
        r = payload_parse(&p, text, error);
        if (r != 0)
                return r;
        r = check_commands(&p, text, error);
        if (r == 0)
                r = escapes_check(&p, text, error);
        if (r == 0 && p.n > 0) {
                note_manner(c, &p);
                if (c->text.n > 0)
                        buffer_add_text(&c->text, "\r\n");
                payload_format(&p, DIALECT_RFC3259, &c->text);
        }
        payload_deinit(&p);
        if (r == 0)
                commands_settle(c);
        return r == 0 ? c->mistake : r;
}

/* Appends the items of @list, parsed from @text, to the innermost open list. */
static int add_items(struct mbus_commands *c, const struct value *list, struct span text,
                     struct parse_error *error)
{
        const struct value *v = list + 1, *end = list + list->nodes;

        for (; v < end; v += v->nodes) {
                if (c->depth + value_depth(v) > VALUE_DEPTH_MAX)
                        return parse_fail(error, (size_t)(v->raw.at - text.at), TOO_DEEP);
                commands_item(c);
                value_format(v, &c->text);
        }
        commands_settle(c);
        return c->mistake;
}

int commands_add_values(struct mbus_commands *c, struct span text, struct parse_error *error)
{
        struct buffer command = BUFFER_INIT;
        struct payload p = PAYLOAD_INIT;
        int r;

        *error = (struct parse_error){ 0, NO_MEMORY };
        if (!span_is_utf8(text, &error->at))
                return parse_fail(error, error->at, "this is not UTF-8");
        buffer_add_text(&command, "x(");
        buffer_add_span(&command, text);
        buffer_add_char(&command, ')');
        r = command.failed ? -ENOMEM : payload_parse(&p, buffer_span(&command), error);
        if (r == 0 && p.n != 1)
                r = parse_fail(error, 0, "these are commands, and one is open");
        if (r == 0)
                r = escapes_check(&p, buffer_span(&command), error);
        if (r == 0)
                r = add_items(c, payload_args(&p, &p.commands[0]), buffer_span(&command), error);
        /* Offsets are those of @text. */
        error->at = error->at < 2 ? 0 : error->at - 2 < text.n ? error->at - 2 : text.n;
        payload_deinit(&p);
        buffer_deinit(&command);
        return r;
}

int mbus_commands_add_text(struct mbus_commands *c, const char *text, size_t *ret_at,
                           const char **ret_what)
{
        struct parse_error error = { 0, "a call before was a mistake" };
        int r = !c || !text ? MBUS_E_MALFORMED : c->mistake;

        if (!c || !text)
                error.what = "there is nothing to add, or nothing to add it to";
        if (c && !text)
                commands_fail(c, r, error);
        if (r == 0) {
                r = commands_add(c, span_of(text), &error);
                if (r != 0)
                        commands_fail(c, r, error);
        }
        if (r == 0)
                return 0;
        if (ret_at)
                *ret_at = error.at;
        if (ret_what)
                *ret_what = error.what;
        return r;
}

int mbus_commands_check(const struct mbus_commands *c)
{
        if (!c || c->mistake)
                return c ? c->mistake : MBUS_E_MALFORMED;
        return c->depth > 0 ? MBUS_E_MALFORMED : 0;
}

const char *mbus_commands_get_error(const struct mbus_commands *c, size_t *ret_at)
{
        struct parse_error why = { 0, "" };

        if (c && c->mistake)
                why = c->why;
        else if (c && c->depth > 0)
                why = (struct parse_error){ c->text.n, "a command or list is not ended" };
        if (ret_at)
                *ret_at = why.at;
        return why.what;
}

int commands_mistake(const struct mbus_commands *c)
{
        return c->mistake;
}

bool commands_are_open(const struct mbus_commands *c)
{
        return c->depth > 0;
}

const char *mbus_commands_get_text(const struct mbus_commands *c)
{
        return !c || c->mistake || !c->text.at ? "" : c->text.at;
}

int commands_payload(const struct mbus_commands *c, bool reliable, struct span *ret_payload)
{
        int r = mbus_commands_check(c);

        if (r != 0)
                return r;
        if (c->text.n == 0)
                return MBUS_E_MALFORMED;
        if (reliable ? c->waits : c->goes)
                return MBUS_E_RESERVED;
        assert(c->text.at[c->text.n] == '\0');
        *ret_payload = buffer_span(&c->text);
        return 0;
}
