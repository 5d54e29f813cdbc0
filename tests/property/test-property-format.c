/*
 * test-property-format.c - what is written by a format is read by a signature, whatever the values
 * are.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <api/api.h>
#include <core/message.h>

#include "run.h"
#include "seed.h"

#define CASES 20000

/* What a text may be made of: what ends strings, lists, commands and conversions, and longer
 * letters. */
static const char *const pieces[] = { "\"",
                                      "\\",
                                      "\n",
                                      "(",
                                      ")",
                                      " ",
                                      "%",
                                      "%s",
                                      "<",
                                      ">",
                                      "\r\n",
                                      "a",
                                      "\t",
                                      "\xc3\xa9",
                                      "\xe2\x82\xac",
                                      "mbus.hello()",
                                      "\\n",
                                      "0" };

static void make_text(struct random *r, char *text)
{
        *text = '\0';
        for (unsigned n = random_u32(r) % 12; n > 0; n--)
                strcat(text, pieces[random_u32(r) % N(pieces)]);
}

/* Of any magnitude, all bits being as likely. */
static double make_real(struct random *r)
{
        double real;

        do {
                uint64_t bits = random_u64(r);

                memcpy(&real, &bits, sizeof(real));
        } while (!isfinite(real));
        return real;
}

static struct message *send_over(const struct mbus_commands *c)
{
        struct buffer text = BUFFER_INIT;
        struct message *m = NULL;

        buffer_add_text(&text, "mbus/1.0 7 99 R (app:a id:1-1@127.0.0.1) (app:b) ()\r\n");
        buffer_add_text(&text, mbus_commands_get_text(c));
        ck_assert_int_eq(message_new(buffer_span(&text), &m, NULL), 0);
        buffer_deinit(&text);
        return m;
}

static void check_case(struct random *r, struct mbus_commands *c)
{
        char text[256], other[256];
        const char *s = NULL, *y = NULL, *t = NULL;
        int64_t integer = (int64_t)random_u64(r), i = 0, small = 0;
        short number = (short)random_u32(r);
        double real = make_real(r), f = 0;
        bool b = false;
        struct message *m;

        make_text(r, text);
        make_text(r, other);
        mbus_commands_clear(c);
        ck_assert_int_eq(mbus_commands_addf(c, "first(%s %lld SYMBOL (%g (%hd)) %s %u)", text,
                                            (long long)integer, real, number, other,
                                            (unsigned)(number != 0)),
                         0);
        m = send_over(c);
        ck_assert_uint_eq(m->payload.n, 1);
        ck_assert_int_eq(mbus_value_scan(mbus_message_get_args((struct mbus_message *)m, 0),
                                         "s i y (f (i)) s b [s]", &s, &i, &y, &f, &small, &t, &b,
                                         NULL),
                         0);
        ck_assert_str_eq(s, text);
        ck_assert_str_eq(t, other);
        ck_assert_str_eq(y, "SYMBOL");
        ck_assert(i == integer && small == number && b == (number != 0));
        ck_assert_int_eq(memcmp(&f, &real, sizeof(f)), 0);
        message_unref(m);
}

START_TEST(test_what_a_format_writes_a_signature_reads)
{
        struct random r = seeded("formats");
        struct mbus_commands *c;

        ck_assert_int_eq(mbus_commands_new(&c), 0);
        for (unsigned i = 0; i < CASES; i++)
                check_case(&r, c);
        mbus_commands_free(c);
}
END_TEST

/* Each signature of random letters, against random parameters: a mistake is told with a place that
 * is there, and nothing is written. */
START_TEST(test_a_signature_takes_or_refuses_as_a_whole)
{
        static const char letters[] = "syifbdvl()[]* ";
        static const char *const values[] = { "1 ",      "0.5 ", "\"a\" ", "y ",
                                              "<AAEC> ", "() ",  "(1 2) ", "(\"a\" (y)) " };
        struct random r = seeded("signatures");
        unsigned n_right = 0;

        for (unsigned i = 0; i < CASES; i++) {
                struct mbus_commands *c;
                char signature[16] = "", text[256] = "a(";
                size_t argument = SIZE_MAX, at = SIZE_MAX;
                const char *what = NULL;
                struct message *m;
                int result;

                for (unsigned n = random_u32(&r) % 8, k = 0; k < n; k++)
                        signature[k] = letters[random_u32(&r) % (sizeof(letters) - 1)];
                for (unsigned n = random_u32(&r) % 5; n > 0; n--)
                        strcat(text, values[random_u32(&r) % N(values)]);
                strcat(text, ")");
                ck_assert_int_eq(mbus_commands_new(&c), 0);
                ck_assert_int_eq(mbus_commands_add_text(c, text, NULL, NULL), 0);
                m = send_over(c);
                result = mbus_value_check(mbus_message_get_args((struct mbus_message *)m, 0),
                                          signature, &argument, &at, &what);
                if (result != 0)
                        ck_assert(what && at <= strlen(signature));
                n_right += result == 0;
                message_unref(m);
                mbus_commands_free(c);
        }
        ck_assert_uint_gt(n_right, 50);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = { test_what_a_format_writes_a_signature_reads,
                                       test_a_signature_takes_or_refuses_as_a_whole };

        return run_tests("property-format", tests, N(tests));
}
