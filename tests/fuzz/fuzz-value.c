/*
 * fuzz-value.c - what parses as a value formats to text that parses to the same text again.
 */
#include "fuzz.h"

#include "core/value-format.h"

static void format(struct span text, struct buffer *out)
{
        struct values values = VALUES_INIT;
        size_t n;

        assert(value_parse(&values, text, text, &n, NULL) == 0);
        assert(n == text.n);
        value_format(&values.nodes[0], out);
        values_deinit(&values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span input = fuzz_input(data, size);
        struct buffer first = BUFFER_INIT, second = BUFFER_INIT;
        struct values values = VALUES_INIT;
        struct parse_error error = { SIZE_MAX, NULL };
        size_t n;

        if (value_parse(&values, input, input, &n, &error) == 0) {
                assert(n <= input.n && values.n > 0 && values.nodes[0].nodes == values.n);
                value_format(&values.nodes[0], &first);
                format(buffer_span(&first), &second);
                assert(span_equal(buffer_span(&first), buffer_span(&second)));
        } else {
                assert(error.what && error.at <= input.n);
        }
        values_deinit(&values);
        buffer_deinit(&first);
        buffer_deinit(&second);
        fuzz_input_free(input);
        return 0;
}
