/*
 * config-report.c - the small things that the parts of the configuration reader share: messages and
 * cutting up lines.
 */
#include "config-report.h"

/* A text of limited size that always ends in a zero octet; what does not fit is cut off. */
struct note {
        char *at;
        size_t size;
        size_t n;
};

static void note_add_span(struct note *note, struct span s)
{
        for (size_t i = 0; i < s.n && note->n + 1 < note->size; i++)
                note->at[note->n++] = s.at[i];
        note->at[note->n] = 0;
}

static void note_add(struct note *note, const char *text)
{
        note_add_span(note, span_of(text));
}

static void note_add_uint(struct note *note, uint64_t number)
{
        char digits[20];
        size_t i = sizeof(digits);

        do {
                digits[--i] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        note_add_span(note, (struct span){ digits + i, sizeof(digits) - i });
}

/* A long path shows its end, so that what is wrong still fits behind it. */
static void note_add_name(struct note *note, const char *text)
{
        struct span name = span_of(text);
        size_t max = note->size * 3 / 8;

        if (name.n > max) {
                note_add(note, "...");
                name = (struct span){ name.at + name.n - (max - 3), max - 3 };
        }
        note_add_span(note, name);
}

static struct note note_begin(const struct config_reader *reader, char *at, size_t size)
{
        struct note note = { .at = at, .size = size };

        note_add_name(&note, reader->name);
        note_add(&note, ":");
        note_add_uint(&note, reader->line);
        note_add(&note, ": ");
        note_add_span(&note, reader->key);
        note_add(&note, ": ");
        return note;
}

int config_fail(struct config_reader *reader, const char *what)
{
        struct note note = note_begin(reader, reader->error, CONFIG_ERROR_SIZE);

        note_add(&note, what);
        return MBUS_E_CONFIG;
}

int config_fail_number(struct config_reader *reader, const char *what, uint64_t number,
                       const char *behind)
{
        struct note note = note_begin(reader, reader->error, CONFIG_ERROR_SIZE);

        note_add(&note, what);
        note_add_uint(&note, number);
        note_add(&note, behind);
        return MBUS_E_CONFIG;
}

int config_fail_section(struct config_reader *reader, const char *what, const char *behind)
{
        struct note note = note_begin(reader, reader->error, CONFIG_ERROR_SIZE);

        note_add(&note, what);
        note_add(&note, "[");
        note_add(&note, reader->section ? reader->section : "MBUS");
        note_add(&note, "]");
        note_add(&note, behind);
        return MBUS_E_CONFIG;
}

/* The next free warning, or NULL. */
static char *next_warning(struct config *c)
{
        return c->n_warnings < CONFIG_WARNINGS_MAX ? c->warnings[c->n_warnings++] : NULL;
}

void config_warn(struct config_reader *reader, const char *what)
{
        char *at = next_warning(&reader->config);
        struct note note;

        if (!at)
                return;
        note = note_begin(reader, at, sizeof(reader->config.warnings[0]));
        note_add(&note, what);
}

void config_warn_unknown(struct config_reader *reader, const char *near)
{
        char *at = next_warning(&reader->config);
        struct note note;

        if (!at)
                return;
        note = note_begin(reader, at, sizeof(reader->config.warnings[0]));
        note_add(&note, "The key is unknown and ignored");
        if (near) {
                note_add(&note, ", is ");
                note_add(&note, near);
                note_add(&note, " meant?");
        } else {
                note_add(&note, ".");
        }
}

void config_warn_number(struct config_reader *reader, const char *what, uint64_t number,
                        const char *behind)
{
        char *at = next_warning(&reader->config);
        struct note note;

        if (!at)
                return;
        note = note_begin(reader, at, sizeof(reader->config.warnings[0]));
        note_add(&note, what);
        note_add_uint(&note, number);
        note_add(&note, behind);
}

struct span config_trim(struct span s)
{
        while (s.n > 0 && is_wsp(s.at[0]))
                s = (struct span){ s.at + 1, s.n - 1 };
        while (s.n > 0 && is_wsp(s.at[s.n - 1]))
                s.n--;
        return s;
}

bool config_split(struct span s, char c, struct span *ret_before, struct span *ret_behind)
{
        const char *at = s.n > 0 ? memchr(s.at, c, s.n) : NULL;

        if (!at) {
                *ret_before = config_trim(s);
                *ret_behind = SPAN_NULL;
                return false;
        }
        *ret_before = config_trim((struct span){ s.at, (size_t)(at - s.at) });
        *ret_behind = config_trim((struct span){ at + 1, s.n - (size_t)(at - s.at) - 1 });
        return true;
}

bool config_next_line(struct span *rest, struct span *ret_line)
{
        const char *end;

        if (rest->n == 0)
                return false;
        end = memchr(rest->at, '\n', rest->n);
        *ret_line = (struct span){ rest->at, end ? (size_t)(end - rest->at) : rest->n };
        *rest = (struct span){ rest->at + ret_line->n, rest->n - ret_line->n };
        if (end)
                *rest = (struct span){ rest->at + 1, rest->n - 1 };
        if (ret_line->n > 0 && ret_line->at[ret_line->n - 1] == '\r')
                ret_line->n--;
        return true;
}
