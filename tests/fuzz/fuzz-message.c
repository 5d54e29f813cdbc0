/*
 * fuzz-message.c - what parses as a message, formatted in either dialect, parses to the same again.
 */
#include "fuzz.h"

#include "core/filter.h"
#include "core/message.h"

static void check_dialect(const struct message *m, enum dialect dialect)
{
        struct buffer payload = BUFFER_INIT, text = BUFFER_INIT, again = BUFFER_INIT;
        struct header_spec spec = { .seq = m->header.seq,
                                    .timestamp = m->header.timestamp,
                                    .reliable = m->header.reliable,
                                    .src = m->header.src.text,
                                    .dest = m->header.dest.text };
        struct message *copy;

        payload_format(&m->payload, DIALECT_RFC3259, &payload);
        assert(message_format(&spec, buffer_span(&payload), dialect, &text) == 0);
        assert(message_new(buffer_span(&text), &copy, NULL) == 0);
        assert(copy->payload.n == m->payload.n && copy->header.seq == m->header.seq);
        assert(address_equal(&copy->header.src, &m->header.src));
        if (dialect == DIALECT_RFC3259) {
                payload_format(&copy->payload, DIALECT_RFC3259, &again);
                assert(span_equal(buffer_span(&payload), buffer_span(&again)));
        }
        message_unref(copy);
        buffer_deinit(&payload);
        buffer_deinit(&text);
        buffer_deinit(&again);
}

static void check_names(const struct message *m)
{
        struct span rest = { m->text.at + m->header.payload, m->text.n - m->header.payload };
        struct span name;

        for (size_t i = 0; i < m->payload.n; ++i)
                assert(payload_next_name(&rest, &name) &&
                       span_equal(name, m->payload.commands[i].name));
        assert(!payload_next_name(&rest, &name));
}

/* The parameters of a command may be filters of an observer, which then copy and ask the same. */
static void check_filters(const struct message *m)
{
        struct span payload = span_from(m->text, m->header.payload);

        for (size_t i = 0; i < m->payload.n; ++i) {
                const struct value *args = payload_args(&m->payload, &m->payload.commands[i]);
                struct filter *filters = NULL, *copy = NULL;

                if (filters_parse(args + 1, args->items, &filters))
                        continue;
                assert(filters_copy(filters, &copy) == 0);
                assert(filters_pass(filters, BUS_MAIN, &m->header, payload) ==
                       filters_pass(copy, BUS_MAIN, &m->header, payload));
                filters_free(filters);
                filters_free(copy);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span input = fuzz_input(data, size);
        struct parse_error error = { SIZE_MAX, NULL };
        struct message *m;
        uint32_t seq;

        if (message_new(input, &m, &error) == 0) {
                struct span rest = m->header.acks;

                for (size_t n = 0; acks_next(&rest, &seq); ++n)
                        assert(n < ACKS_MAX);
                assert(span_is_utf8(m->text, NULL));
                check_names(m);
                check_filters(m);
                check_dialect(m, DIALECT_RFC3259);
                check_dialect(m, DIALECT_UCL);
                message_unref(m);
        } else {
                assert(error.what && error.at <= input.n);
        }
        fuzz_input_free(input);
        return 0;
}
