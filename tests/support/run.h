/*
 * run.h - the main() of a unit test: runs a row of tests as one suite.
 */
#ifndef MBUS_TESTS_RUN_H
#define MBUS_TESTS_RUN_H

#include <check.h>
#include <stdlib.h>

#define N(array) (sizeof(array) / sizeof(*(array)))

/* @setup and @teardown, which may be NULL, go around each test. */
static inline int run_fixture_tests(const char *name, const TTest *const *tests, size_t n,
                                    void (*setup)(void), void (*teardown)(void))
{
        TCase *tc = tcase_create(name);
        Suite *suite = suite_create(name);
        SRunner *runner;
        size_t i;
        int failed;

        suite_add_tcase(suite, tc);
        if (setup)
                tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 120); /* sanitizers and valgrind are slow */
        for (i = 0; i < n; i++)
                tcase_add_test(tc, tests[i]);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int run_tests(const char *name, const TTest *const *tests, size_t n)
{
        return run_fixture_tests(name, tests, n, NULL, NULL);
}

#endif
