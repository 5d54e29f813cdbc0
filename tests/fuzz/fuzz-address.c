/*
 * fuzz-address.c - whatever parses as an address formats to an equal one, and hashes alike.
 */
#include "fuzz.h"

#include "core/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span input = fuzz_input(data, size);
        struct parse_error error = { SIZE_MAX, NULL };
        struct buffer text = BUFFER_INIT;
        struct address a, b, *copy;
        size_t n;

        if (address_parse(input, LENIENT, &a, &n, &error) == 0) {
                assert(n <= input.n);
                address_format_canonical(&a, &text);
                assert(address_parse(buffer_span(&text), LENIENT, &b, NULL, NULL) == 0);
                assert(address_equal(&a, &b) && address_is_subset(&a, &b));
                assert(address_hash(&a, 7) == address_hash(&b, 7));
                copy = address_dup(&a);
                assert(copy && copy->text.n <= a.text.n && copy->text.n <= ADDRESS_TEXT_MAX);
                assert(address_parse(copy->text, LENIENT, &b, NULL, NULL) == 0 && b.n == copy->n);
                assert(memcmp(b.elements, copy->elements, b.n * sizeof(*b.elements)) == 0);
                free(copy);
        } else {
                assert(error.what && error.at <= input.n);
        }
        if (address_parse(input, STRICT, &a, NULL, NULL) == 0)
                assert(address_parse(input, LENIENT, &b, NULL, NULL) == 0);
        buffer_deinit(&text);
        fuzz_input_free(input);
        return 0;
}
