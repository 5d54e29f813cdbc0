/*
 * signature.c - what parameters a command has, as a small text.
 *
 *      signature = *item [*group] ["*"]        items that must be there, then those that may be
 *      item      = "s" / "y" / "i" / "f" / "b" / "d" / "v" / "l" / "(" signature ")"
 *      group     = "[" signature "]"
 *
 * with spaces anywhere. The items of a group are all there or none, and what stands behind it only
 * if it is; so nothing has to be tried twice, and the one way to read parameters is from left to
 * right.
 */
#include "signature.h"

#include <assert.h>

#include <core/limits.h>

#define LETTERS "syifbdvl"

/* ---- the text ------------------------------------------------------------------------------ */

struct parser {
        const char *text;
        const char *at;
        struct parse_error *error;
};

static void skip_spaces(const char **at)
{
        while (**at == ' ')
                ++*at;
}

static int parser_fail(const struct parser *p, const char *what)
{
        return parse_fail(p->error, (size_t)(p->at - p->text), what);
}

static int parse_until(struct parser *p, char end, unsigned depth);

/* What is in brackets, which stand at p->at. */
static int parse_inside(struct parser *p, unsigned depth)
{
        char end = *p->at == '(' ? ')' : ']';
        int r;

        if (depth >= VALUE_DEPTH_MAX)
                return parser_fail(p, "this is nested too deeply");
        p->at++;
        r = parse_until(p, end, depth + 1);
        if (r == 0)
                p->at++;
        return r;
}

/* Items until @end, which is left there. */
static int parse_until(struct parser *p, char end, unsigned depth)
{
        bool groups = false, rest = false;
        int r = 0;

        for (skip_spaces(&p->at); r == 0 && *p->at != end; skip_spaces(&p->at)) {
                if (*p->at == '\0')
                        return parser_fail(p, "a bracket is not closed");
                if (rest)
                        return parser_fail(p, "nothing stands behind the rest");
                if (*p->at == '[') {
                        groups = true;
                        r = parse_inside(p, depth);
                } else if (*p->at == '*') {
                        rest = true;
                        p->at++;
                } else if (groups) {
                        return parser_fail(p, "behind what may be left out all may be");
                } else if (*p->at == '(') {
                        r = parse_inside(p, depth);
                } else if (strchr(LETTERS, *p->at)) {
                        p->at++;
                } else {
                        return parser_fail(p, "known are s y i f b d v l ( ) [ ] and *");
                }
        }
        if (r == 0 && end == ']' && rest)
                return parser_fail(p, "the rest stands outside of brackets [ ]");
        return r;
}

int signature_parse(const char *signature, struct parse_error *error)
{
        struct parser p = { .text = signature, .at = signature, .error = error };

        return parse_until(&p, '\0', 0);
}

/* ---- parameters ---------------------------------------------------------------------------- */

struct matcher {
        const char *text;
        const char *at;
        size_t argument;
        struct signature_error *error;
};

static int matcher_fail(const struct matcher *m, int error, const char *what)
{
        *m->error = (struct signature_error){ m->argument, (size_t)(m->at - m->text), what };
        return error;
}

/* The letters, what values they are for, and what is said of others. */
static const struct {
        char letter;
        unsigned types;
        const char *what;
} letters[] = {
        { 's', 1u << MBUS_VALUE_STRING, "a string is wanted here" },
        { 'y', 1u << MBUS_VALUE_SYMBOL, "a symbol is wanted here" },
        { 'i', 1u << MBUS_VALUE_INTEGER, "an integer is wanted here" },
        { 'f', 1u << MBUS_VALUE_FLOAT | 1u << MBUS_VALUE_INTEGER, "a number is wanted here" },
        { 'b', 1u << MBUS_VALUE_INTEGER, "a boolean is wanted here, an integer that is 0 or not" },
        { 'd', 1u << MBUS_VALUE_DATA, "data is wanted here" },
        { 'l', 1u << MBUS_VALUE_LIST, "a list is wanted here" },
        { '(', 1u << MBUS_VALUE_LIST, "a list is wanted here" },
        { 'v', ~0u, "" },
};

static int match_one(const struct matcher *m, const struct mbus_value *value)
{
        size_t i = 0;
        int64_t integer;

        while (letters[i].letter != *m->at)
                i++;
        assert(i < sizeof(letters) / sizeof(*letters));
        if (!value)
                return matcher_fail(m, MBUS_E_TYPE, "this parameter is missing");
        if (!(letters[i].types & 1u << mbus_value_get_type(value)))
                return matcher_fail(m, MBUS_E_TYPE, letters[i].what);
        if (*m->at == 'i' && mbus_value_get_integer(value, &integer) == MBUS_E_TOO_LARGE)
                return matcher_fail(m, MBUS_E_TOO_LARGE, "this integer has more than 64 bits");
        return 0;
}

/* Behind the bracket that closes the one at @at. */
static const char *behind_brackets(const char *at)
{
        unsigned depth = 0;

        do {
                depth += *at == '(' || *at == '[';
                depth -= *at == ')' || *at == ']';
                at++;
        } while (depth > 0);
        return at;
}

/* The items of @list from *@item on, those of the argument that is being looked at if it is not
 * @outer. The recursion ends where that of the parser did. */
static int match_until(struct matcher *m, char end, const struct mbus_value *list,
                       const struct mbus_value **item, bool outer)
{
        int r = 0;

        for (skip_spaces(&m->at); r == 0 && *m->at != end; skip_spaces(&m->at)) {
                const struct mbus_value *inside;

                if (*m->at == '[' && !*item) {
                        m->at = behind_brackets(m->at);
                } else if (*m->at == '[') {
                        m->at++;
                        r = match_until(m, ']', list, item, outer);
                        m->at += r == 0;
                } else if (*m->at == '*') {
                        *item = NULL;
                        m->at++;
                } else {
                        r = match_one(m, *item);
                        inside = mbus_value_first(*item);
                        if (r == 0 && *m->at++ == '(') {
                                r = match_until(m, ')', *item, &inside, false);
                                m->at += r == 0;
                        }
                        *item = mbus_value_next(list, *item);
                        m->argument += outer && r == 0;
                }
        }
        if (r == 0 && end != ']' && *item)
                r = matcher_fail(m, MBUS_E_TYPE, "there are more parameters than are wanted");
        return r;
}

int signature_match(const char *signature, const struct mbus_value *args,
                    struct signature_error *error)
{
        struct matcher m = { .text = signature, .at = signature, .error = error };
        const struct mbus_value *first = mbus_value_first(args);

        return match_until(&m, '\0', args, &first, true);
}
