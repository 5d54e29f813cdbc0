/*
 * test-property-codec.c - what holds of every address, value, command and message.
 *
 *      what we write is read, and written again it is the same text
 *      what others may write means the same when we write it
 *      damaged text is refused, or it means something that we can write
 */
#include <stdio.h>

#include "core/message.h"
#include "damage.h"
#include "generate.h"
#include "run.h"
#include "seed.h"

#define CASES 20000

static struct generator generator_of(const char *what, bool sloppy)
{
        return (struct generator){ .random = seeded(what), .sloppy = sloppy };
}

static void say(const char *what, struct span text)
{
        printf("%s: %.*s\n", what, (int)text.n, text.at);
}

/* ---- addresses ---- */

static struct address parse_address(struct span text, enum strictness strictness)
{
        struct parse_error error = { 0, "" };
        struct address a;
        int r = address_parse(text, strictness, &a, NULL, &error);

        if (r != 0)
                say("refused", text);
        ck_assert_msg(r == 0, "at %zu: %s", error.at, error.what);
        return a;
}

static void check_address(struct span text, bool canonical)
{
        struct address a = parse_address(text, STRICT), b;
        struct buffer out = BUFFER_INIT, sorted = BUFFER_INIT;

        address_format(&a, &out);
        if (canonical)
                ck_assert(span_equal(buffer_span(&out), text));
        b = parse_address(buffer_span(&out), STRICT);
        ck_assert(address_equal(&a, &b) && address_is_subset(&a, &b) && address_is_subset(&b, &a));
        ck_assert(address_hash(&a, 1) == address_hash(&b, 1));
        address_format_canonical(&a, &sorted);
        b = parse_address(buffer_span(&sorted), STRICT);
        ck_assert(address_equal(&a, &b) && address_hash(&a, 2) == address_hash(&b, 2));
        buffer_clear(&out);
        address_format_canonical(&b, &out);
        ck_assert(span_equal(buffer_span(&out), buffer_span(&sorted)));
        buffer_deinit(&sorted);
        buffer_deinit(&out);
}

static void check_addresses(const char *what, bool sloppy)
{
        struct generator g = generator_of(what, sloppy);
        struct buffer text = BUFFER_INIT;

        for (unsigned i = 0; i < CASES; ++i) {
                buffer_clear(&text);
                generate_address(&g, &text);
                check_address(buffer_span(&text), !sloppy);
        }
        buffer_deinit(&text);
}

START_TEST(test_addresses_survive_reading_and_writing)
{
        check_addresses("addresses", false);
        check_addresses("sloppy addresses", true);
}
END_TEST

/* ---- payloads ---- */

static bool value_equal(const struct value *a, const struct value *b)
{
        if (a->type != b->type || a->nodes != b->nodes || a->items != b->items ||
            a->overflow != b->overflow)
                return false;
        switch (a->type) {
        case MBUS_VALUE_INTEGER:
                return a->integer == b->integer && span_equal(a->raw, b->raw);
        case MBUS_VALUE_FLOAT:
                return memcmp(&a->real, &b->real, sizeof(a->real)) == 0 &&
                       span_equal(a->raw, b->raw);
        case MBUS_VALUE_LIST:
                return true;
        default:
                return span_equal(a->text, b->text) && a->text.at[a->text.n] == '\0';
        }
}

static bool payload_equal(const struct payload *a, const struct payload *b)
{
        if (a->n != b->n || a->values.n != b->values.n)
                return false;
        for (size_t i = 0; i < a->n; ++i)
                if (!span_equal(a->commands[i].name, b->commands[i].name) ||
                    a->commands[i].args != b->commands[i].args)
                        return false;
        for (size_t i = 0; i < a->values.n; ++i)
                if (!value_equal(&a->values.nodes[i], &b->values.nodes[i]))
                        return false;
        return true;
}

/* Written in either dialect, @p means the same. */
static void check_payload(const struct payload *p)
{
        struct buffer out = BUFFER_INIT, again = BUFFER_INIT;

        for (enum dialect dialect = DIALECT_RFC3259; dialect <= DIALECT_UCL; ++dialect) {
                struct payload back = PAYLOAD_INIT;
                struct parse_error error = { 0, "" };
                int r;

                buffer_clear(&out);
                buffer_clear(&again);
                payload_format(p, dialect, &out);
                r = payload_parse(&back, buffer_span(&out), &error);
                if (r != 0)
                        say("written", buffer_span(&out));
                ck_assert_msg(r == 0, "at %zu: %s", error.at, error.what);
                ck_assert(payload_equal(p, &back));
                payload_format(&back, dialect, &again);
                ck_assert(span_equal(buffer_span(&again), buffer_span(&out)));
                payload_deinit(&back);
        }
        buffer_deinit(&again);
        buffer_deinit(&out);
}

static void check_commands(const char *what, bool sloppy)
{
        struct generator g = generator_of(what, sloppy);
        struct buffer text = BUFFER_INIT, out = BUFFER_INIT;

        for (unsigned i = 0; i < CASES; ++i) {
                struct payload p = PAYLOAD_INIT;
                struct parse_error error = { 0, "" };
                int r;

                buffer_clear(&text);
                buffer_clear(&out);
                generate_commands(&g, 4, &text);
                r = payload_parse(&p, buffer_span(&text), &error);
                if (r != 0)
                        say("refused", buffer_span(&text));
                ck_assert_msg(r == 0, "at %zu: %s", error.at, error.what);
                payload_format(&p, DIALECT_RFC3259, &out);
                ck_assert(sloppy || span_equal(buffer_span(&out), buffer_span(&text)));
                check_payload(&p);
                payload_deinit(&p);
        }
        buffer_deinit(&out);
        buffer_deinit(&text);
}

START_TEST(test_commands_survive_reading_and_writing)
{
        check_commands("commands", false);
        check_commands("sloppy commands", true);
}
END_TEST

/* payload_next_name() finds what payload_parse() found. */
START_TEST(test_names_are_found_without_parsing)
{
        struct generator g = generator_of("names", true);
        struct buffer text = BUFFER_INIT;

        for (unsigned i = 0; i < CASES; ++i) {
                struct payload p = PAYLOAD_INIT;
                struct span rest, name;
                size_t n = 0;

                buffer_clear(&text);
                generate_commands(&g, 6, &text);
                ck_assert_int_eq(payload_parse(&p, buffer_span(&text), NULL), 0);
                for (rest = buffer_span(&text); payload_next_name(&rest, &name); ++n)
                        ck_assert(n < p.n && span_equal(name, p.commands[n].name));
                ck_assert_uint_eq(n, p.n);
                payload_deinit(&p);
        }
        buffer_deinit(&text);
}
END_TEST

/* ---- messages ---- */

/* The text of @m as we would write it. */
static void write_message(const struct message *m, struct buffer *out)
{
        struct buffer src = BUFFER_INIT, dest = BUFFER_INIT, payload = BUFFER_INIT;
        struct span rest = m->header.acks;
        struct header_spec spec = { .seq = m->header.seq,
                                    .timestamp = m->header.timestamp,
                                    .reliable = m->header.reliable };
        uint32_t acks[ACKS_MAX];

        while (acks_next(&rest, &acks[spec.n_acks]))
                ck_assert_uint_lt(++spec.n_acks, ACKS_MAX);
        address_format(&m->header.src, &src);
        address_format(&m->header.dest, &dest);
        payload_format(&m->payload, DIALECT_RFC3259, &payload);
        spec.src = buffer_span(&src);
        spec.dest = buffer_span(&dest);
        spec.acks = acks;
        ck_assert_int_eq(message_format(&spec, buffer_span(&payload), DIALECT_RFC3259, out), 0);
        buffer_deinit(&payload);
        buffer_deinit(&dest);
        buffer_deinit(&src);
}

static bool message_equal(const struct message *a, const struct message *b)
{
        struct span rest_a = a->header.acks, rest_b = b->header.acks;
        uint32_t seq_a = 0, seq_b = 0;
        bool more;

        do {
                more = acks_next(&rest_a, &seq_a);
                if (acks_next(&rest_b, &seq_b) != more || seq_a != seq_b)
                        return false;
        } while (more);
        return a->header.seq == b->header.seq && a->header.timestamp == b->header.timestamp &&
               a->header.reliable == b->header.reliable &&
               address_equal(&a->header.src, &b->header.src) &&
               address_equal(&a->header.dest, &b->header.dest) &&
               payload_equal(&a->payload, &b->payload);
}

/* What @text means, if it means anything, can be written and read. */
static bool check_message(struct span text, bool must_be, bool canonical)
{
        struct message *m = NULL, *back = NULL;
        struct parse_error error = { 0, "" };
        struct buffer out = BUFFER_INIT;
        int r = message_new(text, &m, &error);

        if (r != 0 && must_be)
                say("refused", text);
        ck_assert_msg(r == 0 || !must_be, "at %zu: %s", error.at, error.what);
        ck_assert(r == 0 || (r == MBUS_E_MALFORMED && error.at <= text.n && error.what[0]));
        if (r != 0)
                return false;
        ck_assert(span_equal(m->text, text) && span_equal_text(m->header.src.text, m->src));
        write_message(m, &out);
        ck_assert(!canonical || span_equal(buffer_span(&out), text));
        r = message_new(buffer_span(&out), &back, &error);
        if (r != 0) {
                say("read", text);
                say("written", buffer_span(&out));
        }
        ck_assert_msg(r == 0, "at %zu: %s", error.at, error.what);
        ck_assert(message_equal(m, back));
        check_payload(&m->payload);
        message_unref(back);
        message_unref(m);
        buffer_deinit(&out);
        return true;
}

static void check_messages(const char *what, bool sloppy)
{
        struct generator g = generator_of(what, sloppy);
        struct buffer text = BUFFER_INIT;

        for (unsigned i = 0; i < CASES / 2; ++i) {
                buffer_clear(&text);
                generate_message(&g, &text);
                check_message(buffer_span(&text), true, !sloppy);
        }
        buffer_deinit(&text);
}

START_TEST(test_messages_survive_reading_and_writing)
{
        check_messages("messages", false);
        check_messages("sloppy messages", true);
}
END_TEST

START_TEST(test_damaged_messages_are_refused_or_mean_what_can_be_written)
{
        struct generator g = generator_of("damaged messages", true);
        uint64_t state = random_u64(&g.random) | 1;
        struct buffer text = BUFFER_INIT;
        unsigned n = 0;

        for (unsigned i = 0; i < CASES; ++i) {
                char *copy;

                buffer_clear(&text);
                generate_message(&g, &text);
                damage(text.at, text.n, &state);
                if (generate_chance(&g, 4))
                        text.n = (size_t)random_below(&g.random, text.n);
                copy = copy_exactly(text.at, text.n);
                n += check_message((struct span){ copy, text.n }, false, false);
                free(copy);
        }
        printf("damaged messages: %u of %u were still well-formed\n", n, CASES);
        /* Neither outcome is a rare one. */
        ck_assert(n > CASES / 20 && n < CASES / 20 * 19);
        buffer_deinit(&text);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_addresses_survive_reading_and_writing,
                test_commands_survive_reading_and_writing,
                test_names_are_found_without_parsing,
                test_messages_survive_reading_and_writing,
                test_damaged_messages_are_refused_or_mean_what_can_be_written,
        };

        return run_tests("property-codec", tests, N(tests));
}
