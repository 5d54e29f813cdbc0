/*
 * test-settings.c - the file is made if it is missing and read once more, and errors leave what was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <broker/base/base.h>
#include <broker/config/settings.h>

#include "run.h"

static char directory[64], path[96];

static void setup(void)
{
        log_set_held(true);
        snprintf(directory, sizeof(directory), "/tmp/test-settings-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/mbus", directory);
}

static void teardown(void)
{
        unlink(path);
        ck_assert_int_eq(rmdir(directory), 0);
        log_set_held(false);
}

static struct settings settings_with(const char *file)
{
        struct settings s = { .options = OPTIONS_INIT };

        s.options.config_file = file;
        limits_init(&s.options.limits);
        return s;
}

static void append(const char *text)
{
        FILE *f = fopen(path, "a");

        ck_assert_ptr_nonnull(f);
        fputs(text, f);
        ck_assert_int_eq(fclose(f), 0);
}

START_TEST(test_a_file_that_is_missing_is_made_with_keys_for_nobody_else)
{
        struct settings s = settings_with(path), again = settings_with(path);
        struct stat status;

        ck_assert_int_eq(settings_load(&s.options, &s.mbus, &s.path), 0);
        ck_assert_str_eq(s.path, path);
        ck_assert_ptr_nonnull(s.options.policy);
        ck_assert_ptr_nonnull(s.options.buses);
        ck_assert_int_eq(s.mbus.cipher, CIPHER_AES);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode & 0777, 0600);
        /* The next one has the same keys. */
        ck_assert_int_eq(settings_load(&again.options, &again.mbus, &again.path), 0);
        ck_assert_int_eq(memcmp(&s.mbus.hash_key, &again.mbus.hash_key, sizeof(s.mbus.hash_key)),
                         0);
        settings_deinit(&s);
        settings_deinit(&again);
}
END_TEST

START_TEST(test_it_is_read_once_more_but_not_made)
{
        struct settings s = settings_with(path), fresh = settings_with(NULL), gone;

        ck_assert_int_eq(settings_load(&s.options, &s.mbus, &s.path), 0);
        append("[broker]\nQUIT=bus\n[limits]\nENTITIES_PER_LINK=5\n");
        ck_assert_int_eq(settings_reload(&fresh.options, path, &fresh.mbus), 0);
        ck_assert_int_eq(fresh.options.quit, QUIT_BUS);
        ck_assert_uint_eq(fresh.options.limits.of[LIMIT_ENTITIES_PER_LINK], 5);
        ck_assert_int_eq(s.options.quit, QUIT_NEVER);
        settings_deinit(&fresh);
        unlink(path);
        gone = settings_with(NULL);
        ck_assert_int_eq(settings_reload(&gone.options, path, &gone.mbus), EXIT_CONFIG);
        ck_assert_int_lt(access(path, F_OK), 0);
        settings_deinit(&gone);
        settings_deinit(&s);
}
END_TEST

START_TEST(test_what_is_wrong_in_any_section_is_an_error)
{
        static const char *const wrong[] = {
                "[broker]\nQUIT=perhaps\n", "[policy]\nallow\n",
                "[limits]\nLINKS=0\n",      "[limits]\nTICKETS=5\nTICKETS_PER_LINK=6\n",
                "[bus x]\nROUTE=to=y\n",    "[bus x]\n",
        };

        for (unsigned i = 0; i < N(wrong); i++) {
                struct settings s = settings_with(path), bad = settings_with(NULL);

                ck_assert_int_eq(settings_load(&s.options, &s.mbus, &s.path), 0);
                append(wrong[i]);
                ck_assert_msg(settings_reload(&bad.options, path, &bad.mbus) == EXIT_CONFIG, "%s",
                              wrong[i]);
                settings_deinit(&bad);
                settings_deinit(&s);
                unlink(path);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_file_that_is_missing_is_made_with_keys_for_nobody_else,
                test_it_is_read_once_more_but_not_made,
                test_what_is_wrong_in_any_section_is_an_error,
        };

        return run_fixture_tests("broker-settings", tests, N(tests), setup, teardown);
}
