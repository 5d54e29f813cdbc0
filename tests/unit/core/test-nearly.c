/*
 * test-nearly.c - slips of the pen.
 */
#include <core/nearly.h>

#include "run.h"

START_TEST(test_slips_of_the_pen_are_near_and_other_names_are_not)
{
        static const struct {
                const char *name;
                const char *known;
                bool near;
        } cases[] = {
                { "HASHKEY", "HASHKEY", true },
                { "hashkey", "HASHKEY", true },
                { "HASHKY", "HASHKEY", true },
                { "HSAHKEY", "HASHKEY", true },
                { "HASHKEYYY", "HASHKEY", true },
                { "HASHKEYYYY", "HASHKEY", false },
                { "HASH", "HASHKEY", false },
                { "PRT", "PORT", true },
                { "PART", "PORT", true },
                { "RT", "PORT", false },
                { "OPRT", "PORT", true },
                { "", "PORT", false },
                { "TO", "TCP", false },
                { "TPC", "TCP", true },
                { "SOCKETMOD", "SOCKET_MODE", true },
        };

        for (size_t i = 0; i < N(cases); i++)
                ck_assert_msg(is_nearly(span_of(cases[i].name), cases[i].known) == cases[i].near,
                              "%s and %s", cases[i].name, cases[i].known);
}
END_TEST

START_TEST(test_long_names_are_near_to_nothing)
{
        char name[NEARLY_MAX + 2];

        memset(name, 'a', sizeof(name));
        name[NEARLY_MAX] = '\0';
        ck_assert(is_nearly(span_of(name), name));
        name[NEARLY_MAX] = 'a';
        name[NEARLY_MAX + 1] = '\0';
        ck_assert(!is_nearly(span_of(name), name));
        ck_assert(!is_nearly(span_of("PORT"), name));
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_slips_of_the_pen_are_near_and_other_names_are_not,
                test_long_names_are_near_to_nothing,
        };

        return run_tests("nearly", tests, N(tests));
}
