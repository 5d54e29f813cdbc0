/*
 * answer.c - an answer that is lists of names and values.
 */
#include "answer.h"

#include <assert.h>

#include "figure.h"

struct answer answer_to(struct request *request, const char *name)
{
        return (struct answer){ .request = request, .name = name, .items = BUFFER_INIT };
}

static void answer_say(struct answer *a, bool more)
{
        struct buffer text = BUFFER_INIT;

        buffer_add_text(&text, a->name);
        buffer_add_text(&text, more ? "(1" : "(0");
        buffer_add_span(&text, buffer_span(&a->items));
        buffer_add_char(&text, ')');
        if (text.failed || a->items.failed)
                connection_kill(&a->request->s->link, "memory is short");
        else
                request_answer(a->request, buffer_span(&text));
        buffer_deinit(&text);
        buffer_clear(&a->items);
}

void answer_end(struct answer *a)
{
        answer_say(a, false);
        buffer_deinit(&a->items);
}

void answer_end_item(struct answer *a)
{
        buffer_add_char(&a->items, ')');
        if (a->items.n > JOINED_BYTES_MAX)
                answer_say(a, true);
}

static void answer_add_name(struct answer *a, const char *name)
{
        bool first = a->items.n > 0 && a->items.at[a->items.n - 1] == '(';

        buffer_add_text(&a->items, first ? "(" : " (");
        buffer_add_text(&a->items, name);
        buffer_add_char(&a->items, ' ');
}

void answer_add_number(struct answer *a, const char *name, uint64_t number)
{
        answer_add_name(a, name);
        buffer_add_uint(&a->items, number);
        buffer_add_char(&a->items, ')');
}

void answer_add_seconds(struct answer *a, const char *name, uint64_t ns)
{
        struct figure f = { .value = ns / NSEC_PER_MSEC, .in_ms = true };

        answer_add_name(a, name);
        figure_format_value(&f, &a->items);
        buffer_add_char(&a->items, ')');
}

/* The name of a file may be anything; a message is UTF-8. */
void answer_add_string(struct answer *a, const char *name, struct span text)
{
        answer_add_name(a, name);
        value_format_string(span_is_utf8(text, NULL) ? text : span_of("?"), &a->items);
        buffer_add_char(&a->items, ')');
}

/* The text that applications know it by. */
void answer_add_address(struct answer *a, const struct address *address)
{
        struct buffer text = BUFFER_INIT;

        address_format_canonical(address, &text);
        if (text.failed)
                a->items.failed = true;
        else
                answer_add_string(a, "address", buffer_span(&text));
        buffer_deinit(&text);
}

void answer_begin_list(struct answer *a, const char *name)
{
        answer_add_name(a, name);
        buffer_add_char(&a->items, '(');
}

void answer_add_item(struct answer *a, struct span text)
{
        if (a->items.n > 0 && a->items.at[a->items.n - 1] != '(')
                buffer_add_char(&a->items, ' ');
        value_format_string(text, &a->items);
}

bool answer_add_item_that_fits(struct answer *a, struct span text)
{
        size_t before = a->items.n;

        answer_add_item(a, text);
        if (a->items.n <= ANSWER_BYTES_MAX)
                return true;
        a->items.n = before;
        return false;
}

void answer_end_list(struct answer *a)
{
        assert(a->items.failed || a->items.n > 0);
        buffer_add_text(&a->items, "))");
}

void answer_end_piece(struct answer *a, bool more)
{
        answer_say(a, more);
        buffer_deinit(&a->items);
}

bool answer_is_full(const struct answer *a)
{
        return a->items.failed || a->items.n > JOINED_BYTES_MAX;
}
