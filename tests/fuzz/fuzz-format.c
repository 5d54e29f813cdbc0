/*
 * fuzz-format.c - what a format and a signature may be, and that what is written by one is read by
 * the other.
 *
 * The first octet says what the rest is: values that go out and come back, a format, or a signature
 * and behind a zero octet the parameters.
 */
#include "fuzz.h"

#include <math.h>

#include "core/message.h"
#include "mbus.h"

/* Arguments for whatever the format makes of them: each is a pointer to a text. Conversions of
 * numbers read its octets, and those of floats what happens to be where floats are. */
#define TEXTS_4 text, text, text, text
#define TEXTS_16 TEXTS_4, TEXTS_4, TEXTS_4, TEXTS_4
#define FORMAT_MAX 90
/* A letter of a signature has two variables at most. */
#define NULLS_4 NULL, NULL, NULL, NULL
#define NULLS_16 NULLS_4, NULLS_4, NULLS_4, NULLS_4
#define SIGNATURE_MAX 32

/* The commands as they come out of a message. */
static struct message *send_over(const char *commands)
{
        struct buffer text = BUFFER_INIT;
        struct message *m = NULL;

        buffer_add_text(&text, "mbus/1.0 7 99 R (app:a id:1-1@127.0.0.1) (app:b) ()\r\n");
        buffer_add_text(&text, commands);
        (void)message_new(buffer_span(&text), &m, NULL);
        buffer_deinit(&text);
        return m;
}

static const struct mbus_value *args_of(struct message *m)
{
        return mbus_message_get_args((struct mbus_message *)m, 0);
}

static void check_values(struct mbus_commands *c, struct span input)
{
        struct {
                int64_t integer;
                double real;
        } in = { 0, 0 }, out = { 1, 1 };
        const char *first = NULL, *second = NULL;
        char *text = malloc(input.n + 1);
        struct message *m;
        int r;

        assert(text);
        if (input.n >= sizeof(in)) {
                memcpy(&in, input.at, sizeof(in));
                input = span_from(input, sizeof(in));
        }
        if (input.n)
                memcpy(text, input.at, input.n);
        text[input.n] = '\0';
        r = mbus_commands_addf(c, "x(%s (%lld %g) %s)", text, (long long)in.integer, in.real, "");
        assert((r == 0) == (isfinite(in.real) && span_is_utf8(span_of(text), NULL)));
        if (r == 0) {
                m = send_over(mbus_commands_get_text(c));
                assert(m && m->payload.n == 1);
                r = mbus_value_scan(args_of(m), "s (i f) s", &first, &out.integer, &out.real,
                                    &second);
                assert(r == 0 && strcmp(first, text) == 0 && *second == '\0');
                assert(memcmp(&in, &out, sizeof(in)) == 0);
                message_unref(m);
        }
        free(text);
}

static int add(struct mbus_commands *c, const char *format, ...)
{
        va_list list;
        int r;

        va_start(list, format);
        r = mbus_commands_vaddf(c, format, list);
        va_end(list);
        return r;
}

static void check_format(struct mbus_commands *c, const char *format)
{
        static const char text[] = "a text (with \"a quote\" and \\) in it";
        struct payload parsed = PAYLOAD_INIT;
        const char *canonical;
        size_t at = SIZE_MAX;
        int r = add(c, format, TEXTS_16, TEXTS_16, TEXTS_16, TEXTS_16);

        assert(r == mbus_commands_check(c) && r >= 0);
        if (r == 0) {
                canonical = mbus_commands_get_text(c);
                assert(payload_parse(&parsed, span_of(canonical), NULL) == 0);
                payload_deinit(&parsed);
        } else {
                assert(*mbus_commands_get_error(c, &at) != '\0' && at <= strlen(format));
        }
}

static void check_signature(const char *signature, const char *args)
{
        size_t at = SIZE_MAX, argument = SIZE_MAX;
        const char *what = NULL;
        struct message *m;
        int r;

        m = send_over(args);
        if (!m)
                return;
        r = mbus_value_check(args_of(m), signature, &argument, &at, &what);
        if (r != 0)
                assert(what && (m->payload.n == 0 || at <= strlen(signature)));
        if (r == MBUS_E_TYPE || r == MBUS_E_TOO_LARGE)
                assert(argument <= mbus_value_get_n(args_of(m)));
        assert(r == mbus_value_scan(args_of(m), signature, NULLS_16, NULLS_16, NULLS_16, NULLS_16));
        message_unref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct mbus_commands *commands;
        char *text = malloc(size + 1);
        size_t n;

        assert(text && mbus_commands_new(&commands) == 0);
        if (size)
                memcpy(text, data, size);
        text[size] = '\0';
        n = size ? strlen(text + 1) : 0;
        if (size && text[0] == 'v')
                check_values(commands, (struct span){ text + 1, size - 1 });
        else if (size && text[0] == 'f' && n <= FORMAT_MAX)
                check_format(commands, text + 1);
        else if (size && text[0] == 's' && n <= SIGNATURE_MAX && n + 2 <= size)
                check_signature(text + 1, text + n + 2);
        mbus_commands_free(commands);
        free(text);
        return 0;
}
