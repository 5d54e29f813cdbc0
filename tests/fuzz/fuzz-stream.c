/*
 * fuzz-stream.c - both ends of a TCP link, and somebody in between who does not have the key: whatever
 * is changed, left out, repeated, swapped or sent back on the way, each end takes the messages that
 * the other gave it, in their order, and no others.
 *
 * The first octet chooses the cipher. Then come steps of one octet, with their operands behind them.
 */
#include "fuzz.h"

#include "core/stream.h"

#define WAY_MAX (1u << 16)
#define MESSAGES_MAX 64

enum step { SAY, TAKE, CHANGE, LEAVE_OUT, INSERT, REPEAT, SEND_BACK, STEPS };

/* One end, what is on its way to it, and what the other end has given for it. */
struct end {
        struct stream stream;
        struct buffer way;
        struct buffer given[MESSAGES_MAX];
        size_t n_given;
        size_t n_taken;
        bool broken;
};

struct input {
        struct span left;
};

static unsigned next(struct input *in)
{
        unsigned octet = in->left.n ? (unsigned char)in->left.at[0] : 0;

        in->left = span_from(in->left, in->left.n ? 1 : 0);
        return octet;
}

static struct span next_bytes(struct input *in, size_t n)
{
        struct span bytes = { in->left.at, n < in->left.n ? n : in->left.n };

        in->left = span_from(in->left, bytes.n);
        return bytes;
}

static void end_init(struct end *e, struct crypto *crypto, bool server)
{
        uint8_t nonce[STREAM_NONCE_SIZE] = { server };

        memset(e, 0, sizeof(*e));
        if (stream_init(&e->stream, crypto, server, nonce) < 0)
                abort();
}

static void end_deinit(struct end *e)
{
        for (size_t i = 0; i < e->n_given; i++)
                buffer_deinit(&e->given[i]);
        buffer_deinit(&e->way);
        stream_deinit(&e->stream);
}

static void say(struct end *from, struct end *to, struct span text)
{
        if (from->broken || from->stream.state != STREAM_OPEN || text.n == 0 ||
            to->n_given == MESSAGES_MAX)
                return;
        buffer_add(&to->given[to->n_given++], text.at, text.n);
        stream_put(&from->stream, text, from->stream.server && text.n % 2, &to->way);
}

/* A message is what it was when it was given. A cipher pads with zeros, which no message ends with. */
static void check(struct end *e, struct span text)
{
        struct span given;

        assert(e->n_taken < e->n_given);
        given = buffer_span(&e->given[e->n_taken++]);
        while (crypto_encrypts(e->stream.crypto) && given.n > 0 && given.at[given.n - 1] == 0)
                given.n--;
        assert(span_equal(text, given));
}

static void take(struct end *e, struct end *other, size_t max)
{
        struct span exact = fuzz_input((const uint8_t *)e->way.at, e->way.n < max ? e->way.n : max);
        struct span text = SPAN_NULL;
        bool observed = false;
        size_t n = 0;

        if (e->broken) {
                fuzz_input_free(exact);
                return;
        }
        switch (stream_take(&e->stream, exact, &text, &observed, &n, &other->way)) {
        case STREAM_TEXT:
                assert(!observed || !e->stream.server);
                check(e, text);
                break;
        case STREAM_STRANGE:
        case STREAM_FORGED:
                e->broken = true;
                break;
        case STREAM_DONE:
        case STREAM_PARTIAL:
                break;
        }
        assert(n <= exact.n);
        if (n > 0)
                memmove(e->way.at, e->way.at + n, e->way.n - n);
        e->way.n -= n;
        fuzz_input_free(exact);
}

/* The octets of the first frame on @way, as far as it is there. */
static struct span first_frame(const struct buffer *way)
{
        struct span bytes = buffer_span(way), text;
        bool observed;
        size_t n;

        return frame_next(bytes, &text, &observed, &n) == FRAME_OK ? (struct span){ bytes.at, n }
                                                                   : bytes;
}

static void insert(struct buffer *way, size_t at, struct span bytes)
{
        struct buffer whole = BUFFER_INIT;

        if (way->n + bytes.n > WAY_MAX)
                return;
        at %= way->n + 1;
        if (way->n > 0)
                buffer_add(&whole, way->at, at);
        buffer_add(&whole, bytes.at, bytes.n);
        if (way->n > 0)
                buffer_add(&whole, way->at + at, way->n - at);
        assert(!whole.failed);
        buffer_deinit(way);
        *way = whole;
}

static void leave_out(struct buffer *way, size_t at, size_t n)
{
        if (way->n == 0)
                return;
        at %= way->n;
        n = n < way->n - at ? n : way->n - at;
        memmove(way->at + at, way->at + at + n, way->n - at - n);
        way->n -= n;
}

static void take_step(struct input *in, struct end ends[2])
{
        unsigned octet = next(in), operand = next(in);
        struct end *e = &ends[octet / STEPS % 2], *other = &ends[1 - octet / STEPS % 2];

        switch ((enum step)(octet % STEPS)) {
        case SAY:
                say(e, other, next_bytes(in, operand));
                break;
        case TAKE:
                take(e, other, operand & 128 ? operand & 127 : SIZE_MAX);
                break;
        case CHANGE:
                if (e->way.n > 0)
                        e->way.at[operand % e->way.n] ^= (char)next(in);
                break;
        case LEAVE_OUT:
                leave_out(&e->way, operand, next(in));
                break;
        case INSERT:
                insert(&e->way, operand, next_bytes(in, next(in)));
                break;
        case REPEAT:
                insert(&e->way, 0, first_frame(&e->way));
                break;
        case SEND_BACK:
                insert(&e->way, e->way.n, first_frame(&other->way));
                break;
        case STEPS:
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct crypto *all[CIPHER_MAX];
        struct input in = { { (const char *)data, size } };
        enum cipher cipher = (enum cipher)(next(&in) % CIPHER_MAX);
        struct end ends[2];

        if (!all[cipher])
                all[cipher] = fuzz_crypto(cipher);
        end_init(&ends[0], all[cipher], false);
        end_init(&ends[1], all[cipher], true);
        stream_begin(&ends[1].stream, &ends[0].way);
        while (in.left.n > 0)
                take_step(&in, ends);
        end_deinit(&ends[0]);
        end_deinit(&ends[1]);
        return 0;
}
