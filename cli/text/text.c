/*
 * text.c - error messages with a caret, and foreign text on a terminal.
 *
 * A line format promises one line a message, and nobody wants a peer, or the name of a file, to
 * move the cursor: see programs/visible.h.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <programs/visible.h>

#include "text.h"

void text_error(const char *format, ...)
{
        va_list args;
        char *line;

        va_start(args, format);
        if (vasprintf(&line, format, args) < 0)
                line = NULL;
        va_end(args);
        /* Without memory the beginning of it must do. */
        fputs("mbus-cli: ", stderr);
        text_print(stderr, line ? line : format);
        fputc('\n', stderr);
        free(line);
}

size_t text_width(const char *text, size_t n)
{
        size_t width = 0;

        while (n) {
                char visible[VISIBLE_SIZE];
                size_t visible_n, length = visible_next(text, n, visible, &visible_n);

                width += visible_width(visible, visible_n);
                text += length;
                n -= length;
        }
        return width;
}

void text_print_visible(FILE *file, const char *text, size_t n)
{
        while (n) {
                char visible[VISIBLE_SIZE];
                size_t visible_n, length = visible_next(text, n, visible, &visible_n);

                fwrite(visible, 1, visible_n, file);
                text += length;
                n -= length;
        }
}

void text_print(FILE *file, const char *text)
{
        text_print_visible(file, text, strlen(text));
}

void text_error_at(FILE *file, const char *where, const char *what, const char *text, size_t at)
{
        size_t n = strlen(text), begin, end;

        if (at > n)
                at = n;
        for (begin = at; begin && text[begin - 1] != '\n'; begin--)
                ;
        for (end = at; end < n && text[end] != '\n'; end++)
                ;
        fprintf(file, "mbus-cli: ");
        text_print(file, where);
        fprintf(file, ": %s\n", what);
        /* A tab would move the caret: it is shown as a space. */
        for (size_t i = begin, next; i < end; i = next) {
                for (next = i; next < end && text[next] != '\t'; next++)
                        ;
                text_print_visible(file, text + i, next - i);
                if (next < end) {
                        fputc(' ', file);
                        next++;
                }
        }
        fprintf(file, "\n%*s^\n", (int)text_width(text + begin, at - begin), "");
}

/* Octets of white space at @i that a ")" follows; 0: none. */
static size_t blank_before_end(const char *text, size_t n, size_t i)
{
        size_t k = i;

        while (k < n && (text[k] == ' ' || text[k] == '\t'))
                k++;
        return k > i && k < n && text[k] == ')' ? k - i : 0;
}

size_t text_next_piece(const char **text, size_t *n, const char **ret_piece)
{
        const char *at = *text;
        size_t i = 0, blank = 0;
        bool quoted = false;

        for (; i < *n; i++) {
                if (at[i] == '"')
                        quoted = !quoted;
                else if (quoted && at[i] == '\\')
                        i++;
                else if (!quoted && i > 0 && (blank = blank_before_end(at, *n, i)) > 0)
                        break;
        }
        if (i > *n)
                i = *n;
        /* No piece but the last is empty, else callers would not come to the end. */
        assert(i > 0 || *n == 0);
        *ret_piece = at;
        *text = at + i + blank;
        *n -= i + blank;
        return i;
}
