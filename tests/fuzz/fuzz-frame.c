/*
 * fuzz-frame.c - frames of a broker link, attach and all: whatever the cuts, the same frames come
 * out.
 */
#include "fuzz.h"

#include "core/frame.h"
#include "core/message.h"

/* Takes the frames out of @bytes; returns what they occupy together. */
static size_t take(struct span bytes, size_t *n_frames)
{
        struct span text;
        size_t done = 0, n;
        bool observed;

        while (frame_next((struct span){ bytes.at + done, bytes.n - done }, &text, &observed, &n) ==
               FRAME_OK) {
                struct message *m;

                assert(n == FRAME_HEADER_SIZE + text.n && n <= bytes.n - done);
                assert(text.n >= 1 && text.n <= FRAME_MAX);
                if (message_new(text, &m, NULL) == 0)
                        message_unref(m);
                done += n;
                ++*n_frames;
        }
        return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span input = fuzz_input(data, size);
        size_t whole = 0, parts = 0, used, cut = size ? data[0] % (size + 1) : 0;

        take(input, &whole);
        used = take((struct span){ input.at, cut }, &parts);
        take((struct span){ input.at + used, input.n - used }, &parts);
        assert(whole == parts);
        fuzz_input_free(input);
        return 0;
}
