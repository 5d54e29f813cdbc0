/*
 * fuzz-datagram.c - datagrams: as they are, and sealed with the right key so that the fuzzer gets
 * behind the digest. The first octet chooses the cipher and which of the two.
 */
#include "fuzz.h"

#include "core/message.h"
#include "core/seal.h"

static struct crypto *crypto_of(unsigned choice)
{
        static struct crypto *all[CIPHER_MAX];
        enum cipher cipher = (enum cipher)(choice % CIPHER_MAX);

        if (!all[cipher])
                all[cipher] = fuzz_crypto(cipher);
        return all[cipher];
}

static void open_datagram(struct crypto *crypto, struct span datagram)
{
        char *scratch = malloc(datagram.n ? datagram.n : 1);
        struct span text;
        struct message *m;

        assert(scratch);
        if (seal_open(crypto, datagram, scratch, &text) == SEAL_OK) {
                assert(span_begins(text, "mbus/"));
                if (message_new(text, &m, NULL) == 0)
                        message_unref(m);
        }
        free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span input;
        struct buffer sealed = BUFFER_INIT;
        struct crypto *crypto;

        if (size < 1 || size > DATAGRAM_BUFFER_SIZE)
                return 0;
        crypto = crypto_of(data[0] >> 1);
        input = fuzz_input(data + 1, size - 1);
        if (data[0] & 1) {
                seal_message(crypto, DIALECT_RFC3259, input, &sealed);
                assert(!sealed.failed);
                open_datagram(crypto, buffer_span(&sealed));
        } else {
                open_datagram(crypto, input);
        }
        buffer_deinit(&sealed);
        fuzz_input_free(input);
        return 0;
}
