/*
 * test-entity-id.c - the form of ids (RFC 3259, section 4.1).
 */
#include "core/entity-id.h"
#include "run.h"

/* ADR-08, ADR-09 */
START_TEST(test_id_is_two_numbers_and_a_host)
{
        static const char *const good[] = {
                "4711-99@192.168.1.1",
                "0-0@127.0.0.1",
                "4294967295-99999@10.0.0.1",
                "1-1@211:22ff:fe33:4455",
                "1-1@::1",
                "1-1@::",
                "1-1@fe80::1",
                "1-1@1::",
                "1-1@::ffff:1.2.3.4",
                "1-1@1:2:3:4:5:6:1.2.3.4",
                "1-1@ABCD:abcd:0:1",
        };
        static const char *const bad[] = {
                "",
                "4711",
                "4711-99",
                "4711@1.2.3.4",
                "-1@1.2.3.4",
                "1-@1.2.3.4",
                "1-1@",
                "12345678901-1@1.2.3.4",
                "1-123456@1.2.3.4",
                "a-1@1.2.3.4",
                "1-1@1.2.3",
                "1-1@1.2.3.4.5",
                "1-1@1.2.3.1234",
                "1-1@host",
                "1-1@1.2.3.",
                "1-1@:1",
                "1-1@1:",
                "1-1@1::2::3",
                "1-1@:::",
                "1-1@12345::",
                "1-1@1.2.3.4 ",
                "1-1@::g",
                "1-1@:",
                "1-1@::1::",
                "+1-1@1.2.3.4",
        };
        size_t i;

        for (i = 0; i < N(good); i++)
                ck_assert_msg(entity_id_is_proper(span_of(good[i])), "%s", good[i]);
        for (i = 0; i < N(bad); i++)
                ck_assert_msg(!entity_id_is_proper(span_of(bad[i])), "%s", bad[i]);
        ck_assert(!entity_id_is_proper(SPAN_NULL));
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_id_is_two_numbers_and_a_host,
        };

        return run_tests("entity-id", tests, N(tests));
}
