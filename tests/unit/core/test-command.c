/*
 * test-command.c - payloads: what is a command, what separates two, and what each dialect writes
 * (RFC 3259, section 5.3).
 */
#include "core/command.h"
#include "damage.h"
#include "run.h"

/* Every kind of value, every line end, and strings that look like other things. */
#define RICH                                                                                       \
        "test.types(1 -2 3.25 -0.5 \"a \\\"q\\\" \\\\ and \\n\" sym.bol-1_x <aGVsbG8=> "           \
        "(1 (2 \"x\") ()))\r\n"                                                                    \
        "\n \t\r\nmbus.waiting (rat-ui)\nx ( \"two\r\nlines) y(\" 00012 99999999999999999999 )\n"  \
        "umlaut(\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xb5\" <> \"\")\n"

static struct payload parse(const char *text)
{
        struct payload p = PAYLOAD_INIT;
        struct parse_error error = { 0, "" };
        int r = payload_parse(&p, span_of(text), &error);

        ck_assert_msg(r == 0, "\"%s\" at %zu: %s", text, error.at, error.what);
        return p;
}

static struct span format(const struct payload *p, enum dialect dialect, struct buffer *b)
{
        buffer_clear(b);
        payload_format(p, dialect, b);
        ck_assert(!b->failed);
        return buffer_span(b);
}

static void assert_formats(const char *text, enum dialect dialect, const char *expected)
{
        struct payload p = parse(text);
        struct buffer b = BUFFER_INIT;
        struct span s = format(&p, dialect, &b);

        ck_assert_msg(span_equal_text(s, expected), "\"%s\" became \"%.*s\"", text, (int)s.n, s.at);
        buffer_deinit(&b);
        payload_deinit(&p);
}

static void assert_malformed(struct span text, size_t at)
{
        struct payload p = PAYLOAD_INIT;
        struct parse_error error = { SIZE_MAX, NULL };
        int r = payload_parse(&p, text, &error);

        ck_assert_msg(r == MBUS_E_MALFORMED, "\"%.*s\"", (int)text.n, text.at);
        ck_assert_msg(error.at == at, "\"%.*s\" at %zu", (int)text.n, text.at, error.at);
        ck_assert_ptr_nonnull(error.what);
        ck_assert_ptr_null(p.commands);
        ck_assert_ptr_null(p.values.nodes);
        ck_assert_ptr_null(p.values.arena);
        ck_assert_uint_eq(p.n, 0);
}

static bool same_value(const struct value *a, const struct value *b)
{
        if (a->type != b->type || a->nodes != b->nodes)
                return false;
        switch (a->type) {
        case MBUS_VALUE_LIST:
                return a->items == b->items;
        case MBUS_VALUE_INTEGER:
        case MBUS_VALUE_FLOAT:
                return span_equal(a->raw, b->raw) && a->overflow == b->overflow;
        default:
                return span_equal(a->text, b->text);
        }
}

static bool same_payload(const struct payload *a, const struct payload *b)
{
        size_t i;
        uint32_t k;

        if (a->n != b->n)
                return false;
        for (i = 0; i < a->n; i++) {
                const struct value *v = payload_args(a, a->commands + i);
                const struct value *w = payload_args(b, b->commands + i);

                if (!span_equal(a->commands[i].name, b->commands[i].name) || v->nodes != w->nodes)
                        return false;
                for (k = 0; k < v->nodes; k++) {
                        if (!same_value(v + k, w + k))
                                return false;
                }
        }
        return true;
}

START_TEST(test_text_without_commands_is_an_empty_payload)
{
        static const char *const texts[] = { "", "\n", "\r\n", " \t", "\n \r\n\t\n" };
        struct span rest, name;
        struct payload p;
        size_t i;

        for (i = 0; i < N(texts); i++) {
                p = parse(texts[i]);
                ck_assert_uint_eq(p.n, 0);
                payload_deinit(&p);
                rest = span_of(texts[i]);
                ck_assert(!payload_next_name(&rest, &name));
                assert_formats(texts[i], DIALECT_RFC3259, "");
                assert_formats(texts[i], DIALECT_UCL, "");
        }
        rest = SPAN_NULL;
        ck_assert(!payload_next_name(&rest, &name));
        ck_assert_int_eq(payload_parse(&p, SPAN_NULL, NULL), 0);
        ck_assert_uint_eq(p.n, 0);
        payload_deinit(&p);
}
END_TEST

/* CMD-01 */
START_TEST(test_command_is_a_symbol_and_a_parameter_list)
{
        struct payload p = parse("audio.input-2.gain_x(70 \"left\")");
        const struct value *args;

        ck_assert_uint_eq(p.n, 1);
        ck_assert_str_eq(p.commands[0].name.at, "audio.input-2.gain_x");
        ck_assert_uint_eq(p.commands[0].name.n, strlen("audio.input-2.gain_x"));
        ck_assert(span_equal_text(p.commands[0].text, "audio.input-2.gain_x(70 \"left\")"));
        args = payload_args(&p, p.commands);
        ck_assert_int_eq(args->type, MBUS_VALUE_LIST);
        ck_assert_uint_eq(args->items, 2);
        ck_assert_int_eq(args[1].type, MBUS_VALUE_INTEGER);
        ck_assert_int_eq(args[1].integer, 70);
        ck_assert_int_eq(args[2].type, MBUS_VALUE_STRING);
        ck_assert(span_equal_text(args[2].text, "left"));
        payload_deinit(&p);
}
END_TEST

/* CMD-01 */
START_TEST(test_white_space_around_the_name_is_accepted)
{
        static const char *const texts[] = {
                "a.b(1)", "a.b (1)", "a.b \t (1)", "  a.b(1)", "\ta.b\t( 1\t)", "a.b(1) \t ",
        };
        size_t i;

        for (i = 0; i < N(texts); i++)
                assert_formats(texts[i], DIALECT_RFC3259, "a.b(1)");
}
END_TEST

/* CMD-01 */
START_TEST(test_what_is_no_command_is_malformed_and_its_place_told)
{
        static const struct {
                const char *text;
                size_t at;
        } cases[] = {
                { "1a()", 0 },  { ".a()", 0 },       { "-a()", 0 },          { "_()", 0 },
                { "()", 0 },    { "a", 1 },          { "a.b", 3 },           { "a ", 2 },
                { "a b()", 2 }, { "a\n()", 1 },      { "a\r\n()", 1 },       { "a\"x\"", 1 },
                { "a,()", 1 },  { "a()\n\"x\"", 4 }, { "ok(1)\n  b[1]", 9 }, { "\xc3\xa4()", 0 },
        };
        size_t i;

        for (i = 0; i < N(cases); i++)
                assert_malformed(span_of(cases[i].text), cases[i].at);
}
END_TEST

/* CMD-01 */
START_TEST(test_place_of_a_bad_parameter_counts_from_the_start_of_the_payload)
{
        struct payload p = PAYLOAD_INIT;
        struct parse_error error;
        const char *text = "ok(1 2)\r\nbad (1 %)";

        ck_assert_int_eq(payload_parse(&p, span_of(text), &error), MBUS_E_MALFORMED);
        ck_assert_uint_eq(error.at, (size_t)(strchr(text, '%') - text));
        ck_assert_int_eq(payload_parse(&p, span_of(text), NULL), MBUS_E_MALFORMED);
}
END_TEST

/* MSG-14 */
START_TEST(test_line_ends_separate_commands_and_may_trail)
{
        static const char *const texts[] = {
                "a(1)\r\nb(2)",
                "a(1)\nb(2)",
                "a(1)\r\nb(2)\r\n",
                "a(1)\nb(2)\n",
                "a(1)\n\n\nb(2)",
                "\r\na(1)\nb(2)",
                "a(1) \n \t\n b(2) \r\n \n",
                "\n\n  a(1)\n\r\n\tb (2)",
        };
        size_t i;

        for (i = 0; i < N(texts); i++) {
                assert_formats(texts[i], DIALECT_RFC3259, "a(1)\r\nb(2)");
                assert_formats(texts[i], DIALECT_UCL, "a (1 )\nb (2 )\n");
        }
}
END_TEST

/* MSG-14 */
START_TEST(test_commands_without_a_line_end_between_them_are_malformed)
{
        static const struct {
                const char *text;
                size_t at;
        } cases[] = {
                { "a()b()", 3 },  { "a() b()", 4 },    { "a()\rb()", 3 },
                { "a())", 3 },    { "a()\r", 3 },      { "\ra()", 0 },
                { "a();b()", 3 }, { "a()\n\rb()", 4 }, { "a()\r\r\n", 3 },
        };
        size_t i;

        for (i = 0; i < N(cases); i++)
                assert_malformed(span_of(cases[i].text), cases[i].at);
}
END_TEST

/* CMD-03 */
START_TEST(test_nothing_inside_a_string_ends_a_command)
{
        struct payload p = parse("a(\"x\r\ny)(\nb()\")\r\nc(\"\\\")\\\\\" \"\\\\\")\nd(\"(\")");

        ck_assert_uint_eq(p.n, 3);
        ck_assert(span_equal_text(payload_args(&p, p.commands)[1].text, "x\r\ny)(\nb()"));
        ck_assert_str_eq(p.commands[1].name.at, "c");
        ck_assert(span_equal_text(payload_args(&p, p.commands + 1)[1].text, "\")\\"));
        ck_assert(span_equal_text(payload_args(&p, p.commands + 1)[2].text, "\\"));
        ck_assert_str_eq(p.commands[2].name.at, "d");
        ck_assert(span_equal_text(payload_args(&p, p.commands + 2)[1].text, "("));
        payload_deinit(&p);
}
END_TEST

/* CMD-03 */
START_TEST(test_escapes_of_strings_are_read_and_written)
{
        struct payload p = parse("a(\"\\\\ \\\" \\n\")");

        ck_assert(span_equal_text(payload_args(&p, p.commands)[1].text, "\\ \" \n"));
        payload_deinit(&p);
        assert_formats("a(\"\\\\ \\\" \\n\")", DIALECT_RFC3259, "a(\"\\\\ \\\" \\n\")");
        assert_formats("a(\"x\ny\")\n", DIALECT_RFC3259, "a(\"x\\ny\")");
        assert_formats("a(\"hi\\ there\")\n", DIALECT_RFC3259, "a(\"hi there\")");
}
END_TEST

/* MSG-11 */
START_TEST(test_ill_formed_utf8_and_zero_octets_are_malformed)
{
        static const struct {
                struct span text;
                size_t at;
        } cases[] = {
                { { "a(\"\xff\")", 6 }, 3 },             /* never an octet of UTF-8 */
                { { "a(\"\xc3\")", 6 }, 3 },             /* its continuation is missing */
                { { "a(\"\xc0\xaf\")", 7 }, 3 },         /* longer than needed */
                { { "a(\"\xed\xa0\x80\")", 8 }, 3 },     /* a surrogate */
                { { "a(\"\xf4\x90\x80\x80\")", 9 }, 3 }, /* beyond U+10FFFF */
                { { "a(\"\xe2\x82", 5 }, 3 },            /* cut off */
                { { "a(\"x\0y\")", 8 }, 4 },
                { { "a()\0", 4 }, 3 },
                { { "a()\n\0", 5 }, 4 },
                { { "\0", 1 }, 0 },
        };
        size_t i;

        for (i = 0; i < N(cases); i++)
                assert_malformed(cases[i].text, cases[i].at);
        assert_formats("a(\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xb5\")", DIALECT_RFC3259,
                       "a(\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xb5\")");
}
END_TEST

/* MSG-10 */
START_TEST(test_many_commands_keep_their_order)
{
        struct buffer b = BUFFER_INIT;
        struct payload p = PAYLOAD_INIT;
        unsigned i;

        for (i = 0; i < 1000; i++) {
                buffer_add_text(&b, "n(");
                buffer_add_uint(&b, i);
                buffer_add_text(&b, ")\n");
        }
        ck_assert(!b.failed);
        ck_assert_int_eq(payload_parse(&p, buffer_span(&b), NULL), 0);
        ck_assert_uint_eq(p.n, 1000);
        for (i = 0; i < 1000; i++)
                ck_assert_int_eq(payload_args(&p, p.commands + i)[1].integer, i);
        payload_deinit(&p);
        buffer_deinit(&b);
}
END_TEST

/* CMD-05 */
START_TEST(test_number_of_commands_is_bounded_by_that_of_values)
{
        struct buffer b = BUFFER_INIT;
        struct payload p = PAYLOAD_INIT;
        unsigned i;

        for (i = 0; i < VALUES_MAX; i++)
                buffer_add_text(&b, "a()\n");
        ck_assert_int_eq(payload_parse(&p, buffer_span(&b), NULL), 0);
        ck_assert_uint_eq(p.n, VALUES_MAX);
        payload_deinit(&p);
        buffer_add_text(&b, "a()");
        ck_assert_int_eq(payload_parse(&p, buffer_span(&b), NULL), MBUS_E_MALFORMED);
        buffer_deinit(&b);
}
END_TEST

START_TEST(test_each_dialect_is_written_as_its_programs_do)
{
        const char *text = "a(1 00012 -0 2.50)\nb ( x (\"y\"  <aGVsbG8=> ) )";

        assert_formats(text, DIALECT_RFC3259, "a(1 00012 -0 2.50)\r\nb(x (\"y\" <aGVsbG8=>))");
        assert_formats(text, DIALECT_UCL, "a (1 00012 -0 2.50 )\nb (x (\"y\" <aGVsbG8=> ) )\n");
}
END_TEST

/* libgmbus needs it, and JMbus and the UCL library do not mind. Strings and data stay as they are. */
START_TEST(test_a_space_stands_before_the_end_of_each_list_that_is_not_empty_for_ucl)
{
        static const char *const cases[][2] = {
                { "a()", "a ()\n" },
                { "a(())", "a (() )\n" },
                { "a((()))", "a ((() ) )\n" },
                { "a(1)", "a (1 )\n" },
                { "a( 1 )", "a (1 )\n" },
                { "a((1) (2 (3)))", "a ((1 ) (2 (3 ) ) )\n" },
                { "a(\"(1)\" <KDEp>)", "a (\"(1)\" <KDEp> )\n" },
                { "math.sum.return(((\"ID\" \"45\") (\"RPC-STATUS\" \"OK\")) ((OK OK \"\") (8)))",
                  "math.sum.return (((\"ID\" \"45\" ) (\"RPC-STATUS\" \"OK\" ) ) ((OK OK \"\" ) (8 "
                  ") ) )\n" },
        };

        for (size_t i = 0; i < N(cases); i++) {
                assert_formats(cases[i][0], DIALECT_UCL, cases[i][1]);
                assert_formats(cases[i][1], DIALECT_UCL, cases[i][1]);
        }
        assert_formats(cases[7][1], DIALECT_RFC3259,
                       "math.sum.return(((\"ID\" \"45\") (\"RPC-STATUS\" \"OK\")) ((OK OK \"\") "
                       "(8)))");
}
END_TEST

START_TEST(test_no_old_program_is_pinged)
{
        assert_formats("mbus.ping()\r\na(1)\r\nmbus.ping()", DIALECT_UCL, "a (1 )\n");
        assert_formats("mbus.ping()", DIALECT_UCL, "");
        assert_formats("mbus.pings()", DIALECT_UCL, "mbus.pings ()\n");
}
END_TEST

START_TEST(test_conditions_are_strings_for_ucl_and_untouched_otherwise)
{
        static const char *const cases[][2] = {
                { "mbus.waiting(rat-ui)", "mbus.waiting (\"rat-ui\" )\n" },
                { "mbus.waiting(\"not one\")", "mbus.waiting (\"not one\" )\n" },
                { "mbus.go(rat-ui)", "mbus.go (\"rat-ui\" )\n" },
                { "mbus.go(\"a\\\"b\")", "mbus.go (\"a\\\"b\" )\n" },
                { "mbus.go(007)", "mbus.go (\"007\" )\n" },
                { "mbus.go(-1.50)", "mbus.go (\"-1.50\" )\n" },
                { "mbus.go(<aGVsbG8=>)", "mbus.go (\"<aGVsbG8=>\" )\n" },
                { "mbus.go((a \"b\") c)", "mbus.go (\"(a \\\"b\\\")\" \"c\" )\n" },
                { "mbus.go()", "mbus.go ()\n" },
                { "mbus.goes(x)", "mbus.goes (x )\n" },
                { "mbus.g(x)", "mbus.g (x )\n" },
                { "mbus.hello()", "mbus.hello ()\n" },
        };
        size_t i;

        for (i = 0; i < N(cases); i++) {
                assert_formats(cases[i][0], DIALECT_UCL, cases[i][1]);
                assert_formats(cases[i][1], DIALECT_UCL, cases[i][1]);
                assert_formats(cases[i][0], DIALECT_RFC3259, cases[i][0]);
        }
        /* In the RFC they are symbols, where they can be. */
        assert_formats("mbus.waiting (\"rat-ui\" )\n", DIALECT_RFC3259, "mbus.waiting(rat-ui)");
        assert_formats("x(\"rat-ui\")", DIALECT_RFC3259, "x(\"rat-ui\")");
}
END_TEST

static void assert_names_are_found(struct span text, const struct payload *p)
{
        struct span rest = text, name;
        size_t i;

        for (i = 0; i < p->n; i++) {
                ck_assert(payload_next_name(&rest, &name));
                ck_assert(span_equal(name, p->commands[i].name));
                ck_assert_ptr_eq(name.at, p->commands[i].text.at);
        }
        ck_assert(!payload_next_name(&rest, &name));
        ck_assert_uint_eq(rest.n, 0);
}

/* CMD-03 */
START_TEST(test_names_are_found_without_parsing)
{
        static const char *const texts[] = {
                RICH,
                "a()",
                "a (1)\nb(2)\n",
                "a(\")\\\")\n(\" \"\\\\\")\r\n\r\n b(((1) \")\"))\nc()",
        };
        size_t i;

        for (i = 0; i < N(texts); i++) {
                struct payload p = parse(texts[i]);

                assert_names_are_found(span_of(texts[i]), &p);
                payload_deinit(&p);
        }
}
END_TEST

/* What parsed must say the same when it is written and parsed again, in every dialect. */
static void assert_stable(struct span text, const struct payload *p)
{
        struct payload again = PAYLOAD_INIT;
        struct buffer b = BUFFER_INIT, c = BUFFER_INIT;
        struct span s = format(p, DIALECT_RFC3259, &b);

        ck_assert_msg(payload_parse(&again, s, NULL) == 0 && same_payload(p, &again),
                      "\"%.*s\" became \"%.*s\"", (int)text.n, text.at, (int)s.n, s.at);
        payload_deinit(&again);
        s = format(p, DIALECT_UCL, &b);
        ck_assert_msg(payload_parse(&again, s, NULL) == 0, "\"%.*s\"", (int)s.n, s.at);
        ck_assert(span_equal(format(&again, DIALECT_UCL, &c), s));
        payload_deinit(&again);
        buffer_deinit(&c);
        buffer_deinit(&b);
}

START_TEST(test_damaged_payloads_are_refused_or_stable)
{
        uint64_t state = DAMAGE_SEED;
        unsigned round, parsed = 0;

        for (round = 0; round < 20000; round++) {
                char *at = copy_exactly(RICH, sizeof(RICH) - 1);
                struct span text = { at, sizeof(RICH) - 1 };
                struct payload p = PAYLOAD_INIT;
                struct parse_error error = { SIZE_MAX, NULL };
                int r;

                if (round > 0)
                        damage(at, text.n, &state);
                r = payload_parse(&p, text, &error);
                if (r == 0) {
                        parsed++;
                        assert_stable(text, &p);
                        assert_names_are_found(text, &p);
                } else {
                        ck_assert_uint_gt(round, 0);
                        ck_assert_int_eq(r, MBUS_E_MALFORMED);
                        ck_assert_msg(error.at <= text.n && error.what, "round %u", round);
                }
                payload_deinit(&p);
                free(at);
        }
        /* Most octets of strings may be others: a test that refuses all has lost its sense. */
        ck_assert_uint_gt(parsed, 2000);
        ck_assert_uint_lt(parsed, 18000);
}
END_TEST

START_TEST(test_payload_cut_anywhere_is_refused_or_loses_whole_commands)
{
        struct payload whole = parse(RICH), p = PAYLOAD_INIT;
        size_t n, i, end;

        for (n = 0; n < sizeof(RICH); n++) {
                char *at = copy_exactly(RICH, n);
                struct span text = { at, n }, rest = text, name;
                int r = payload_parse(&p, text, NULL);

                for (i = 0; i < whole.n; i++) {
                        end = (size_t)(whole.commands[i].text.at - whole.commands[0].text.at) +
                              whole.commands[i].text.n;
                        if (n < end)
                                break;
                }
                if (r == 0)
                        ck_assert_uint_eq(p.n, i);
                else
                        ck_assert_int_eq(r, MBUS_E_MALFORMED);
                payload_deinit(&p);
                /* Not well-formed: the names may be nonsense, but reading must end in bounds. */
                while (payload_next_name(&rest, &name))
                        ck_assert_uint_gt(name.n, 0);
                free(at);
        }
        payload_deinit(&whole);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_text_without_commands_is_an_empty_payload,
                test_command_is_a_symbol_and_a_parameter_list,
                test_white_space_around_the_name_is_accepted,
                test_what_is_no_command_is_malformed_and_its_place_told,
                test_place_of_a_bad_parameter_counts_from_the_start_of_the_payload,
                test_line_ends_separate_commands_and_may_trail,
                test_commands_without_a_line_end_between_them_are_malformed,
                test_nothing_inside_a_string_ends_a_command,
                test_escapes_of_strings_are_read_and_written,
                test_ill_formed_utf8_and_zero_octets_are_malformed,
                test_many_commands_keep_their_order,
                test_number_of_commands_is_bounded_by_that_of_values,
                test_each_dialect_is_written_as_its_programs_do,
                test_a_space_stands_before_the_end_of_each_list_that_is_not_empty_for_ucl,
                test_no_old_program_is_pinged,
                test_conditions_are_strings_for_ucl_and_untouched_otherwise,
                test_names_are_found_without_parsing,
                test_damaged_payloads_are_refused_or_stable,
                test_payload_cut_anywhere_is_refused_or_loses_whole_commands,
        };

        return run_tests("command", tests, N(tests));
}
