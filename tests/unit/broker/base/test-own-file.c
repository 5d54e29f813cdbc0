/*
 * test-own-file.c - a file of ours is removed, and nobody else's at its path.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <broker/base/own-file.h>

#include "run.h"

static char directory[64], path[128], other[128];

static void make(const char *at)
{
        int fd = open(at, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        close(fd);
}

static void setup(void)
{
        snprintf(directory, sizeof(directory), "/tmp/test-own-file-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/file", directory);
        snprintf(other, sizeof(other), "%s/other", directory);
        make(path);
}

static void teardown(void)
{
        unlink(path);
        unlink(other);
        ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(test_a_file_of_ours_is_removed)
{
        struct own_file f = OWN_FILE_INIT;

        ck_assert_int_eq(own_file_note(&f, path), 0);
        ck_assert(own_file_is_at(&f, path));
        own_file_remove(&f);
        ck_assert_int_lt(access(path, F_OK), 0);
        ck_assert(!own_file_is_at(&f, path));
        /* Once more is no harm. */
        own_file_remove(&f);
}
END_TEST

START_TEST(test_what_another_has_put_there_stays)
{
        struct own_file f = OWN_FILE_INIT;

        ck_assert_int_eq(own_file_note(&f, path), 0);
        /* Ours is still there, so that the other one cannot have its inode. */
        ck_assert_int_eq(rename(path, other), 0);
        make(path);
        ck_assert(!own_file_is_at(&f, path));
        own_file_remove(&f);
        ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_it_is_found_where_it_was_made_wherever_the_directory_went)
{
        struct own_file f = OWN_FILE_INIT;
        char moved[80], file[128];

        snprintf(moved, sizeof(moved), "%s-moved", directory);
        snprintf(file, sizeof(file), "%s/file", moved);
        ck_assert_int_eq(own_file_note(&f, path), 0);
        ck_assert_int_eq(rename(directory, moved), 0);
        ck_assert(!own_file_is_at(&f, path));
        ck_assert(own_file_is_at(&f, file));
        own_file_remove(&f);
        ck_assert_int_lt(access(file, F_OK), 0);
        ck_assert_int_eq(rename(moved, directory), 0);
}
END_TEST

START_TEST(test_what_cannot_be_noted_leaves_the_one_before)
{
        struct own_file f = OWN_FILE_INIT;

        ck_assert_int_eq(own_file_note(&f, other), -ENOENT);
        ck_assert_int_lt(f.directory, 0);
        ck_assert_int_eq(own_file_note(&f, path), 0);
        ck_assert_int_eq(own_file_note(&f, "/nowhere/file"), -ENOENT);
        ck_assert(own_file_is_at(&f, path));
        own_file_forget(&f);
        ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* What leads to ours is not ours, and to remove it leaves what it leads to. */
START_TEST(test_links_are_not_followed)
{
        struct own_file f = OWN_FILE_INIT;

        ck_assert_int_eq(symlink(path, other), 0);
        ck_assert_int_eq(own_file_note(&f, path), 0);
        ck_assert(!own_file_is_at(&f, other));
        ck_assert_int_eq(own_file_note(&f, other), 0);
        ck_assert(own_file_is_at(&f, other));
        ck_assert(!own_file_is_at(&f, path));
        own_file_remove(&f);
        ck_assert_int_eq(access(path, F_OK), 0);
        ck_assert_int_ne(access(other, F_OK), 0);
}
END_TEST

START_TEST(test_paths_may_be_of_the_working_directory_or_of_the_root)
{
        struct own_file f = OWN_FILE_INIT;

        ck_assert_int_eq(chdir(directory), 0);
        ck_assert_int_eq(own_file_note(&f, "file"), 0);
        ck_assert_int_eq(chdir("/"), 0);
        ck_assert(own_file_is_at(&f, path));
        ck_assert(!own_file_is_at(&f, "file"));
        own_file_remove(&f);
        ck_assert_int_ne(access(path, F_OK), 0);
        ck_assert_int_eq(own_file_note(&f, "/tmp"), 0);
        ck_assert(own_file_is_at(&f, "/tmp"));
        own_file_forget(&f);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_file_of_ours_is_removed,
                test_what_another_has_put_there_stays,
                test_it_is_found_where_it_was_made_wherever_the_directory_went,
                test_what_cannot_be_noted_leaves_the_one_before,
                test_links_are_not_followed,
                test_paths_may_be_of_the_working_directory_or_of_the_root,
        };

        return run_fixture_tests("broker-own-file", tests, N(tests), setup, teardown);
}
