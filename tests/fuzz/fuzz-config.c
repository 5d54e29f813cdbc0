/*
 * fuzz-config.c - a configuration that is accepted is written and read back as the same; one that
 * is not says so in one line.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span input = fuzz_input(data, size);
        struct config config = CONFIG_INIT, again = CONFIG_INIT;
        struct buffer first = BUFFER_INIT, second = BUFFER_INIT;
        char error[256] = "";

        if (config_parse(input, "FILE", &config, error) == 0) {
                assert(config.n_warnings <= CONFIG_WARNINGS_MAX);
                assert(config.cipher_key.n == cipher_key_size(config.cipher));
                config_format(&config, &first);
                assert(config_parse(buffer_span(&first), "FILE", &again, error) == 0);
                config_format(&again, &second);
                assert(span_equal(buffer_span(&first), buffer_span(&second)));
        } else {
                assert(strncmp(error, "FILE", 4) == 0 && !strchr(error, '\n'));
                assert(memchr(error, 0, sizeof(error)));
        }
        buffer_deinit(&first);
        buffer_deinit(&second);
        fuzz_input_free(input);
        return 0;
}
