/*
 * value-format.c - the parameters of commands, written (RFC 3259, section 5.3).
 *
 * What is written here is read back to the same value, and written anew to the same octets.
 */
#include "value-format.h"

#include "base64.h"

void value_format_string(struct span text, struct buffer *out)
{
        size_t i, from = 0;

        buffer_add_char(out, '"');
        for (i = 0; i < text.n; i++) {
                char c = text.at[i];

                if (c != '"' && c != '\\' && c != '\n')
                        continue;
                buffer_add(out, text.at + from, i - from);
                buffer_add_text(out, c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\");
                from = i + 1;
        }
        if (from < text.n)
                buffer_add(out, text.at + from, text.n - from);
        buffer_add_char(out, '"');
}

void value_format_data(struct span bytes, struct buffer *out)
{
        size_t n = base64_encoded_size(bytes.n);
        char *to;

        buffer_add_char(out, '<');
        to = buffer_reserve(out, n);
        if (to) {
                base64_encode(bytes.at, bytes.n, to);
                out->n += n;
        }
        buffer_add_char(out, '>');
}

/* The recursion ends where the parser's nesting did, at VALUE_DEPTH_MAX. */
static void format_list(const struct value *list, bool spaced, struct buffer *out)
{
        const struct value *v = list + 1, *end = list + list->nodes;

        buffer_add_char(out, '(');
        for (; v < end; v += v->nodes) {
                if (v > list + 1)
                        buffer_add_char(out, ' ');
                if (v->type == MBUS_VALUE_LIST)
                        format_list(v, spaced, out);
                else
                        value_format(v, out);
        }
        if (spaced && list->nodes > 1)
                buffer_add_char(out, ' ');
        buffer_add_char(out, ')');
}

void value_format_spaced(const struct value *list, struct buffer *out)
{
        format_list(list, true, out);
}

void value_format(const struct value *v, struct buffer *out)
{
        switch (v->type) {
        case MBUS_VALUE_LIST:
                format_list(v, false, out);
                break;
        case MBUS_VALUE_STRING:
                value_format_string(v->text, out);
                break;
        case MBUS_VALUE_DATA:
                value_format_data(v->text, out);
                break;
        default:
                buffer_add_span(out, v->raw);
        }
}
