/*
 * test-directory.c - directories where nobody but us and root can replace a socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <broker/base/directory.h>
#include <broker/base/exit.h>
#include <broker/base/log.h>

#include "run.h"

static char top[64], directory[96], file[128];

static void setup(void)
{
        log_set_held(true);
        snprintf(top, sizeof(top), "/tmp/test-directory-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(top));
        snprintf(directory, sizeof(directory), "%s/inner", top);
        snprintf(file, sizeof(file), "%s/broker.sock", directory);
        ck_assert_int_eq(mkdir(directory, 0700), 0);
}

static void teardown(void)
{
        rmdir(directory);
        ck_assert_int_eq(rmdir(top), 0);
        log_set_held(false);
}

static int check(mode_t mode)
{
        ck_assert_int_eq(chmod(directory, mode), 0);
        return directory_check(file, directory);
}

START_TEST(test_a_directory_of_ours_is_safe)
{
        ck_assert_int_eq(check(0700), 0);
        ck_assert_int_eq(check(0755), 0);
}
END_TEST

START_TEST(test_where_everybody_writes_only_the_sticky_bit_makes_it_safe)
{
        ck_assert_int_eq(check(0777), EXIT_NO_BUS);
        ck_assert_int_eq(check(01777), 0);
}
END_TEST

START_TEST(test_a_directory_above_counts_too)
{
        ck_assert_int_eq(chmod(top, 0777), 0);
        ck_assert_int_eq(check(0700), EXIT_NO_BUS);
        ck_assert_int_eq(chmod(top, 01777), 0);
        ck_assert_int_eq(check(0700), 0);
}
END_TEST

START_TEST(test_what_is_no_directory_or_is_not_there_cannot_be_used)
{
        ck_assert_int_eq(directory_check(file, file), EXIT_NO_BUS);
        ck_assert_int_eq(directory_check("/dev/null/socket", "/dev/null"), EXIT_NO_BUS);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_directory_of_ours_is_safe,
                test_where_everybody_writes_only_the_sticky_bit_makes_it_safe,
                test_a_directory_above_counts_too,
                test_what_is_no_directory_or_is_not_there_cannot_be_used,
        };

        return run_fixture_tests("broker-directory", tests, N(tests), setup, teardown);
}
