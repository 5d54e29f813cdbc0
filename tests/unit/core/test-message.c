/*
 * test-message.c - whole messages: the octets we write, what a received one shows, and damage
 * (RFC 3259, sections 3 and 5.2).
 */
#include "core/message.h"
#include "damage.h"
#include "run.h"

#define SRC "(app:rat media:audio module:ui id:4711-1@192.168.1.1)"
#define DEST "(app:rat media:audio module:engine id:4712-1@192.168.1.1)"
#define RFC_TEXT                                                                                   \
        "mbus/1.0 4294967295 1006271404123 R " SRC " " DEST " (1 2 4294967295)\r\n"                \
        "audio.input.mute(1)\r\naudio.input.gain(70)"
#define UCL_TEXT                                                                                   \
        "mbus/1.0      2 1795402702021 U (media:audio module:ui app:ucl id:4712-1@127.0.0.1) "     \
        "(media:audio module:engine app:ucl id:4711-1@127.0.0.1) (     2)\n"                       \
        "test.echo (\"hi\\ there\" 42 -3.25 (1 (2 \"x\")) <aGVsbG8=> sym.bol)\n"
#define GMBUS_TEXT                                                                                 \
        "mbus/1.0 1 1795403600263 U (app:test id:24573-0@0.0.0.0 module:client ) "                 \
        "(app:test id:24531-0@0.0.0.0 module:server ) ()\n"                                        \
        "math.sum(((\"ID\" \"0\" ) (\"RPC-TYPE\" \"UNICAST\" ) ) (5 3 ) )\n"

/* MSG-13 */
START_TEST(test_message_without_payload_is_whole)
{
        static const char *const texts[] = {
                "mbus/1.0 4 1 U (a:b) (c:d) (2)",
                "mbus/1.0 4 1 U (a:b) (c:d) (2) \t",
                "mbus/1.0 4 1 U (a:b) (c:d) (2)\r\n",
                "mbus/1.0 4 1 U (a:b) (c:d) (2)\n",
        };
        struct message *m;
        size_t i;

        for (i = 0; i < N(texts); i++) {
                ck_assert_int_eq(message_new(span_of(texts[i]), &m, NULL), 0);
                ck_assert_uint_eq(m->header.payload, strlen(texts[i]));
                ck_assert_uint_eq(m->payload.n, 0);
                message_unref(m);
        }
}
END_TEST

/* What comes with a message and what has to be allocated for a larger one look alike. */
START_TEST(test_messages_of_any_number_of_commands_and_parameters_are_read)
{
        enum { MANY = 40 };

        for (unsigned n_commands = 0; n_commands < MANY; n_commands++) {
                for (unsigned n_values = 0; n_values < MANY; n_values++) {
                        struct buffer b = BUFFER_INIT;
                        struct message *m;

                        buffer_add_text(&b, "mbus/1.0 4 1 U (a:b) (c:d) ()\r\n");
                        for (unsigned i = 0; i < n_commands; i++) {
                                buffer_add_text(&b, "command(");
                                for (unsigned k = 0; k < n_values; k++)
                                        buffer_add_text(&b, "\"text\" ");
                                buffer_add_text(&b, ")\n");
                        }
                        ck_assert_int_eq(message_new(buffer_span(&b), &m, NULL), 0);
                        buffer_deinit(&b);
                        ck_assert_uint_eq(m->payload.n, n_commands);
                        for (unsigned i = 0; i < n_commands; i++) {
                                const struct value *args =
                                        payload_args(&m->payload, &m->payload.commands[i]);

                                ck_assert_str_eq(m->payload.commands[i].name.at, "command");
                                ck_assert_uint_eq(args->items, n_values);
                                ck_assert_uint_eq(args->nodes, n_values + 1);
                                for (unsigned k = 1; k <= n_values; k++)
                                        ck_assert_str_eq(args[k].text.at, "text");
                        }
                        message_unref(m);
                }
        }
}
END_TEST

/* MSG-01, MSG-05, MSG-07, MSG-12, MSG-14 */
START_TEST(test_message_is_written_octet_by_octet)
{
        static const uint32_t acks[] = { 1, 2, 4294967295u };
        struct header_spec spec = {
                .seq = 4294967295u,
                .timestamp = 1006271404123,
                .reliable = true,
                .src = span_of(SRC),
                .dest = span_of(DEST),
                .acks = acks,
                .n_acks = 3,
        };
        struct span payload = span_of("audio.input.mute(1)\r\naudio.input.gain(70)");
        struct buffer b = BUFFER_INIT;

        buffer_add_text(&b, "before");
        ck_assert_int_eq(message_format(&spec, payload, DIALECT_RFC3259, &b), 0);
        ck_assert(span_equal_text(buffer_span(&b), "before" RFC_TEXT));
        buffer_clear(&b);
        spec = (struct header_spec){
                .seq = 0, .timestamp = UINT64_MAX, .src = span_of("(a:b)"), .dest = span_of("()")
        };
        ck_assert_int_eq(message_format(&spec, SPAN_NULL, DIALECT_RFC3259, &b), 0);
        ck_assert(span_equal_text(buffer_span(&b), "mbus/1.0 0 9999999999999 U (a:b) () ()"));
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_ucl_messages_have_lf_and_their_own_commands)
{
        static const uint32_t acks[] = { 7, UINT32_MAX };
        struct header_spec spec = { .seq = 9,
                                    .timestamp = 1795403104512,
                                    .reliable = true,
                                    .src = span_of("(a:b)"),
                                    .dest = span_of("(c:d)") };
        struct buffer b = BUFFER_INIT;

        ck_assert_int_eq(message_format(&spec, span_of("mbus.go(rat-ui)\r\naudio.query(1 x)"),
                                        DIALECT_UCL, &b),
                         0);
        ck_assert(span_equal_text(buffer_span(&b), "mbus/1.0 9 1795403104512 R (a:b) (c:d) ()\n"
                                                   "mbus.go (\"rat-ui\" )\naudio.query (1 x )\n"));
        buffer_clear(&b);
        ck_assert_int_eq(message_format(&spec, SPAN_NULL, DIALECT_UCL, &b), 0);
        ck_assert(span_equal_text(buffer_span(&b), "mbus/1.0 9 1795403104512 R (a:b) (c:d) ()\n"));
        buffer_clear(&b);
        spec.acks = acks;
        spec.n_acks = N(acks);
        ck_assert_int_eq(message_format(&spec, SPAN_NULL, DIALECT_UCL, &b), 0);
        ck_assert(span_equal_text(buffer_span(&b),
                                  "mbus/1.0 9 1795403104512 R (a:b) (c:d) (7 4294967295 )\n"));
        buffer_clear(&b);
        ck_assert_int_eq(message_format(&spec, SPAN_NULL, DIALECT_RFC3259, &b), 0);
        ck_assert(span_equal_text(buffer_span(&b),
                                  "mbus/1.0 9 1795403104512 R (a:b) (c:d) (7 4294967295)"));
        buffer_deinit(&b);
}
END_TEST

static bool inside(const struct message *m, const char *at, size_t n)
{
        return at >= m->bytes && n <= (size_t)(m->bytes + m->text.n - at);
}

/* MSG-10 */
START_TEST(test_message_owns_all_it_shows_until_its_last_reference)
{
        char *at = copy_exactly(RFC_TEXT, sizeof(RFC_TEXT) - 1);
        struct message *m;

        ck_assert_int_eq(message_new((struct span){ at, sizeof(RFC_TEXT) - 1 }, &m, NULL), 0);
        free(at);
        ck_assert_ptr_eq(message_ref(m), m);
        ck_assert_ptr_null(message_unref(m));
        ck_assert(span_equal_text(m->text, RFC_TEXT));
        ck_assert_str_eq(message_source(m), SRC);
        ck_assert_str_eq(message_destination(m), DEST);
        ck_assert(span_equal_text(m->header.src.text, SRC));
        ck_assert(span_equal_text(m->header.dest.text, DEST));
        ck_assert(span_equal_text(m->header.acks, "(1 2 4294967295)"));
        ck_assert(span_equal_text(address_get(&m->header.dest, "id"), "4712-1@192.168.1.1"));
        ck_assert(inside(m, m->header.src.text.at, m->header.src.text.n));
        ck_assert(inside(m, m->header.dest.text.at, m->header.dest.text.n));
        ck_assert(inside(m, m->header.acks.at, m->header.acks.n));
        ck_assert_uint_eq(m->payload.n, 2);
        ck_assert_str_eq(m->payload.commands[0].name.at, "audio.input.mute");
        ck_assert_str_eq(m->payload.commands[1].name.at, "audio.input.gain");
        ck_assert(inside(m, m->payload.commands[1].text.at, m->payload.commands[1].text.n));
        ck_assert_int_eq(payload_args(&m->payload, m->payload.commands + 1)[1].integer, 70);
        ck_assert_ptr_null(message_unref(m));
        ck_assert_ptr_null(message_unref(NULL));
}
END_TEST

/* MSG-11 */
START_TEST(test_bad_octets_anywhere_make_a_message_malformed)
{
        static const char bad[] = { '\0', '\x80', '\xc3', '\xff' };
        struct message *m = NULL;
        struct parse_error error;
        size_t i, k;

        for (i = 0; i < sizeof(RFC_TEXT) - 1; i++) {
                for (k = 0; k < sizeof(bad); k++) {
                        char text[] = RFC_TEXT;

                        text[i] = bad[k];
                        ck_assert_int_eq(
                                message_new((struct span){ text, sizeof(text) - 1 }, &m, &error),
                                MBUS_E_MALFORMED);
                        ck_assert_uint_le(error.at, i);
                        ck_assert_ptr_null(m);
                }
        }
        ck_assert_int_eq(
                message_new(span_of("mbus/1.0 0 1 U (a:b) () ()\r\nx(\"\xff\")"), &m, &error),
                MBUS_E_MALFORMED);
        ck_assert_uint_eq(error.at, 31);
}
END_TEST

static void assert_repeats(struct message *m)
{
        uint32_t acks[8];
        struct header_spec spec = {
                .seq = m->header.seq,
                .timestamp = m->header.timestamp,
                .reliable = m->header.reliable,
                .src = m->header.src.text,
                .dest = m->header.dest.text,
                .acks = acks,
        };
        struct span rest = m->header.acks;
        struct buffer b = BUFFER_INIT;
        struct message *again;

        while (acks_next(&rest, acks + spec.n_acks))
                ck_assert_uint_lt(++spec.n_acks, N(acks));
        ck_assert_int_eq(
                message_format(&spec, span_from(m->text, m->header.payload), DIALECT_RFC3259, &b),
                0);
        ck_assert_int_eq(message_new(buffer_span(&b), &again, NULL), 0);
        ck_assert_uint_eq(again->header.seq, m->header.seq);
        ck_assert_uint_eq(again->header.timestamp, m->header.timestamp);
        ck_assert_int_eq(again->header.reliable, m->header.reliable);
        ck_assert_str_eq(message_source(again), message_source(m));
        ck_assert(address_equal(&again->header.src, &m->header.src));
        ck_assert(address_equal(&again->header.dest, &m->header.dest));
        ck_assert_uint_eq(again->payload.n, m->payload.n);
        ck_assert(span_equal(span_from(again->text, again->header.payload),
                             span_from(m->text, m->header.payload)));
        message_unref(again);
        buffer_clear(&b);
        ck_assert_int_eq(
                message_format(&spec, span_from(m->text, m->header.payload), DIALECT_UCL, &b), 0);
        ck_assert_int_eq(message_new(buffer_span(&b), &again, NULL), 0);
        ck_assert_uint_eq(again->payload.n, m->payload.n);
        message_unref(again);
        buffer_deinit(&b);
}

static const char *const samples[] = { RFC_TEXT, UCL_TEXT, GMBUS_TEXT };

START_TEST(test_damaged_messages_are_refused_or_repeated)
{
        uint64_t state = DAMAGE_SEED;
        unsigned round, parsed = 0;

        for (round = 0; round < 30000; round++) {
                const char *sample = samples[round % N(samples)];
                size_t n = strlen(sample);
                char *at = copy_exactly(sample, n);
                struct parse_error error = { SIZE_MAX, NULL };
                struct message *m = NULL;
                int r;

                if (round >= N(samples))
                        damage(at, n, &state);
                r = message_new((struct span){ at, n }, &m, &error);
                free(at);
                if (r == 0) {
                        parsed++;
                        assert_repeats(m);
                        message_unref(m);
                        continue;
                }
                ck_assert_uint_ge(round, N(samples));
                ck_assert_int_eq(r, MBUS_E_MALFORMED);
                ck_assert_msg(error.at <= n && error.what, "round %u", round);
        }
        ck_assert_uint_gt(parsed, 3000);
        ck_assert_uint_lt(parsed, 27000);
}
END_TEST

START_TEST(test_messages_cut_anywhere_are_read_within_bounds)
{
        size_t i, n;

        for (i = 0; i < N(samples); i++) {
                size_t header_n = strcspn(samples[i], "\r\n");

                for (n = 0; n < strlen(samples[i]); n++) {
                        char *at = copy_exactly(samples[i], n);
                        struct span text = { at, n };
                        struct header h;
                        enum header_fault fault = header_parse(text, &h, NULL);

                        if (n < header_n)
                                ck_assert_int_ne(fault, HEADER_OK);
                        else if (n == header_n || at[n - 1] != '\r')
                                ck_assert_int_eq(fault, HEADER_OK);
                        free(at);
                }
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_message_without_payload_is_whole,
                test_messages_of_any_number_of_commands_and_parameters_are_read,
                test_message_is_written_octet_by_octet,
                test_ucl_messages_have_lf_and_their_own_commands,
                test_message_owns_all_it_shows_until_its_last_reference,
                test_bad_octets_anywhere_make_a_message_malformed,
                test_damaged_messages_are_refused_or_repeated,
                test_messages_cut_anywhere_are_read_within_bounds,
        };

        return run_tests("message", tests, N(tests));
}
