/*
 * test-texts.c - sentences for errors, reasons and drops, and which error a reason is.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <api/api.h>

#include "run.h"

static void expect_sentence(const char *text)
{
        ck_assert_ptr_nonnull(text);
        ck_assert_uint_gt(strlen(text), 8);
        ck_assert_msg(text[strlen(text) - 1] != '.' && strcmp(text, mbus_error_text(INT_MAX)) != 0,
                      "%s", text);
}

START_TEST(test_every_error_reason_and_drop_has_a_sentence)
{
        for (int i = 0; i <= MBUS_E_TYPE; i++)
                expect_sentence(mbus_error_text(i));
        for (unsigned i = 0; i < MBUS_REASON_MAX; i++)
                expect_sentence(mbus_reason_text((enum mbus_reason)i));
        for (unsigned i = 0; i < MBUS_DROP_MAX; i++)
                expect_sentence(mbus_drop_text((enum mbus_drop)i));
        ck_assert_str_eq(mbus_error_text(-EPIPE), strerror(EPIPE));
        ck_assert_str_eq(mbus_error_text(INT_MIN), mbus_error_name(INT_MIN));
        ck_assert_str_eq(mbus_reason_text(MBUS_REASON_MAX), mbus_error_text(MBUS_E_TYPE + 1));
        ck_assert_str_eq(mbus_reason_text((enum mbus_reason) - 1),
                         mbus_error_text(MBUS_E_TYPE + 1));
        ck_assert_str_eq(mbus_drop_text(MBUS_DROP_MAX), mbus_error_text(MBUS_E_TYPE + 1));
}
END_TEST

START_TEST(test_a_reason_is_an_error)
{
        ck_assert_int_eq(mbus_reason_error(MBUS_REASON_NONE), 0);
        ck_assert_int_eq(mbus_reason_error(MBUS_REASON_TIMEOUT), -ETIMEDOUT);
        ck_assert_int_eq(mbus_reason_error(MBUS_REASON_BYE), -ECONNRESET);
        ck_assert_int_eq(mbus_reason_error(MBUS_REASON_RESTARTED), -ECONNRESET);
        ck_assert_int_eq(mbus_reason_error(MBUS_REASON_LINK_DOWN), MBUS_E_NOT_READY);
        for (unsigned i = 0; i < MBUS_REASON_MAX; i++) {
                int error = mbus_reason_error((enum mbus_reason)i);

                /* Those of one name are the same. */
                if (error > 0 && i != MBUS_REASON_LINK_DOWN)
                        ck_assert_str_eq(mbus_error_name(error),
                                         mbus_reason_name((enum mbus_reason)i));
        }
        ck_assert_int_eq(mbus_reason_error(MBUS_REASON_MAX), MBUS_E_MALFORMED);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = { test_every_error_reason_and_drop_has_a_sentence,
                                       test_a_reason_is_an_error };

        return run_tests("texts", tests, N(tests));
}
