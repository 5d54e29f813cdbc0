/*
 * sections.c - the sections of the configuration file beside [MBUS], line by line.
 */
#include "ini.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include <core/nearly.h>

#include <broker/base/base.h>

#define KEY_SHOWN_MAX 40

static struct span trim(struct span s)
{
        s = span_from(s, wsp_size(s));
        while (s.n > 0 && (is_wsp(s.at[s.n - 1]) || s.at[s.n - 1] == '\r'))
                s.n--;
        return s;
}

static struct span next_line(struct span *rest)
{
        const char *end = memchr(rest->at, '\n', rest->n);
        struct span line = { rest->at, end ? (size_t)(end - rest->at) : rest->n };

        *rest = span_from(*rest, line.n + (end ? 1 : 0));
        return trim(line);
}

/* ---- complaints ---------------------------------------------------------------------------- */

/* What looks like a key: nothing that may be a secret out of its place. */
static struct span key_excerpt(struct span key)
{
        size_t n = 0;

        while (n < key.n && (is_alpha(key.at[n]) || is_digit(key.at[n]) || key.at[n] == '_'))
                n++;
        if (n == 0 || n < key.n || n > KEY_SHOWN_MAX)
                return span_of("?");
        return key;
}

/* The same of the line that a section begins with. */
static struct span head_excerpt(struct span head)
{
        size_t n = 1;

        while (n < head.n && n < KEY_SHOWN_MAX &&
               (is_alpha(head.at[n]) || is_digit(head.at[n]) || is_wsp(head.at[n]) ||
                head.at[n] == '_' || head.at[n] == '-'))
                n++;
        if (n < head.n && head.at[n] == ']')
                n++;
        return (struct span){ head.at, n };
}

/* A long path shows its end, so that what is wrong still fits behind it. */
static const char *file_excerpt(const char *file)
{
        size_t n = strlen(file);

        return n > INI_ERROR_SIZE / 3 ? file + n - INI_ERROR_SIZE / 3 : file;
}

bool ini_fail(const struct ini_line *line, struct span key, const char *format, ...)
{
        struct span name = key.n > 0 && key.at[0] == '[' ? head_excerpt(key) : key_excerpt(key);
        va_list args;
        int n = snprintf(line->error, INI_ERROR_SIZE, "%s:%u: %.*s: ", file_excerpt(line->file),
                         line->number, (int)name.n, name.at);

        if (n < 0 || n >= INI_ERROR_SIZE)
                return false;
        va_start(args, format);
        vsnprintf(line->error + n, INI_ERROR_SIZE - (size_t)n, format, args);
        va_end(args);
        return false;
}

void ini_warn_unknown(const struct ini_line *line, struct span key, const char *near)
{
        struct span name = key_excerpt(key);

        log_warning("%s:%u: %.*s: it is unknown in [%.*s] and ignored%s%s%s",
                    file_excerpt(line->file), line->number, (int)name.n, name.at,
                    (int)line->section.n, line->section.at, near ? ", is " : "", near ? near : "",
                    near ? " meant?" : "");
}

bool ini_check_once(const struct ini_line *line, struct span key, unsigned first)
{
        return first == 0 ||
               ini_fail(line, key, "stands on line %u already, remove one of the two", first);
}

/* ---- names of sections --------------------------------------------------------------------- */

/* Finds the section of "[NAME]" or "[NAME WORD]". *@ret_section is NULL if it is to be skipped. */
static bool find_section(struct ini_line *line, struct span head,
                         const struct ini_section *sections, size_t n,
                         const struct ini_section **ret_section)
{
        const char *end = memchr(head.at, ']', head.n);
        struct span inner;
        size_t name_n = 0;

        if (!end)
                return ini_fail(line, head, "a section begins with [NAME], add the ]");
        if (end != head.at + head.n - 1)
                return ini_fail(line, head,
                                "nothing may stand behind the ], put it on a line of its own");
        inner = trim((struct span){ head.at + 1, head.n - 2 });
        if (inner.n == 0)
                return ini_fail(line, head, "a section has a name, write [NAME]");
        while (name_n < inner.n && !is_wsp(inner.at[name_n]))
                name_n++;
        line->section = (struct span){ inner.at, name_n };
        line->word = trim(span_from(inner, name_n));
        *ret_section = NULL;
        for (size_t i = 0; i < n; i++) {
                if (!span_equal_nocase(line->section, sections[i].name))
                        continue;
                if (line->word.n > 0 && !sections[i].has_word)
                        return ini_fail(line, head, "there is only one of it, write [%s]",
                                        sections[i].name);
                *ret_section = &sections[i];
                return true;
        }
        for (size_t i = 0; i < n; i++)
                if (is_nearly(line->section, sections[i].name))
                        return ini_fail(line, head,
                                        "there is no such section, write [%s%s] or remove it",
                                        sections[i].name, sections[i].has_word ? " NAME" : "");
        log_info("%s:%u: [%.*s] is no section of the broker and skipped", file_excerpt(line->file),
                 line->number, (int)(name_n < KEY_SHOWN_MAX ? name_n : KEY_SHOWN_MAX), inner.at);
        return true;
}

bool ini_read(struct span text, const char *file, const struct ini_section *sections, size_t n,
              char ret_error[static INI_ERROR_SIZE])
{
        struct ini_line line = { .file = file, .error = ret_error };
        const struct ini_section *section = NULL;

        if (span_begins(text, "\xef\xbb\xbf"))
                text = span_from(text, 3);
        while (text.n > 0) {
                struct span s = next_line(&text);

                line.number++;
                if (s.n == 0 || s.at[0] == '#')
                        continue;
                line.text = s;
                if (s.at[0] == '[') {
                        if (!find_section(&line, s, sections, n, &section))
                                return false;
                        line.text = SPAN_NULL;
                }
                if (section && section->on_line && !section->on_line(section->data, &line))
                        return false;
        }
        return true;
}

/* ---- lines --------------------------------------------------------------------------------- */

bool ini_split(const struct ini_line *line, struct span *ret_key, struct span *ret_value)
{
        const char *equals = memchr(line->text.at, '=', line->text.n);

        if (!equals)
                return ini_fail(line, line->text, "is no entry of [%.*s], write KEY=VALUE",
                                (int)line->section.n, line->section.at);
        *ret_key = trim((struct span){ line->text.at, (size_t)(equals - line->text.at) });
        *ret_value = trim(span_from(line->text, (size_t)(equals + 1 - line->text.at)));
        return true;
}

bool ini_read_key(const struct ini_line *line, const struct ini_key *keys, size_t n, void *data)
{
        const char *near = NULL;
        struct span key, value;

        if (line->text.n == 0)
                return true;
        if (!ini_split(line, &key, &value))
                return false;
        for (size_t i = 0; i < n; i++) {
                if (!near && is_nearly(key, keys[i].name))
                        near = keys[i].name;
                if (!span_equal_nocase(key, keys[i].name))
                        continue;
                if (!ini_check_once(line, key, keys[i].repeats ? 0 : *keys[i].line))
                        return false;
                *keys[i].line = line->number;
                if (value.n > 0 && keys[i].set(data, value))
                        return true;
                return ini_fail(line, key, "\"%.*s\" is no value for it, %s",
                                (int)(value.n < KEY_SHOWN_MAX ? value.n : KEY_SHOWN_MAX), value.at,
                                keys[i].wants);
        }
        ini_warn_unknown(line, key, near);
        return true;
}

bool ini_next_word(struct span *rest, struct span *ret_word)
{
        struct span s = span_from(*rest, wsp_size(*rest));
        unsigned depth = 0;
        size_t n = 0;

        for (; n < s.n && (depth > 0 || !is_wsp(s.at[n])); n++) {
                if (s.at[n] == '(')
                        depth++;
                else if (s.at[n] == ')' && depth > 0)
                        depth--;
        }
        *rest = span_from(s, n);
        *ret_word = (struct span){ s.at, n };
        return n > 0;
}
