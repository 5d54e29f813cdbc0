/*
 * test-account.c - entries of users and groups: large ones, none, and look-ups that fail.
 */
#include "io/account.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "run.h"

/* What the C library answers. */
static struct {
        size_t needs;           /* octets of memory for the entry */
        unsigned interruptions; /* before it answers */
        int error;
        bool found;
        unsigned n_asked;
} library;

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *room, size_t n,
                      struct passwd **found);
int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *room, size_t n, struct passwd **found);
int __wrap_getgrnam_r(const char *name, struct group *entry, char *room, size_t n,
                      struct group **found);
int __wrap_getgrgid_r(gid_t gid, struct group *entry, char *room, size_t n, struct group **found);

/* Whether the answer is the entry; else @ret_error is it. */
static bool answer(char *room, size_t n, int *ret_error)
{
        library.n_asked++;
        if (library.interruptions > 0) {
                library.interruptions--;
                *ret_error = EINTR;
                return false;
        }
        *ret_error = n < library.needs ? ERANGE : library.error;
        if (*ret_error || !library.found)
                return false;
        memset(room, 'x', n);
        room[n - 1] = '\0';
        return true;
}

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *room, size_t n,
                      struct passwd **found)
{
        int error;

        (void)name;
        *found = NULL;
        if (answer(room, n, &error)) {
                *entry = (struct passwd){ .pw_uid = 7, .pw_dir = room };
                *found = entry;
        }
        return error;
}

int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *room, size_t n, struct passwd **found)
{
        (void)uid;
        return __wrap_getpwnam_r(NULL, entry, room, n, found);
}

int __wrap_getgrnam_r(const char *name, struct group *entry, char *room, size_t n,
                      struct group **found)
{
        int error;

        (void)name;
        *found = NULL;
        if (answer(room, n, &error)) {
                *entry = (struct group){ .gr_gid = 8, .gr_name = room };
                *found = entry;
        }
        return error;
}

int __wrap_getgrgid_r(gid_t gid, struct group *entry, char *room, size_t n, struct group **found)
{
        (void)gid;
        return __wrap_getgrnam_r(NULL, entry, room, n, found);
}

static void expect_all(int want)
{
        struct account_group group = { .room = NULL };
        struct account_user user = { .room = NULL };

        for (unsigned i = 0; i < 2; i++) {
                const char *name = i ? "somebody" : NULL;
                unsigned interruptions = library.interruptions;

                ck_assert_int_eq(account_find_user(name, 1, &user), want);
                library.interruptions = interruptions;
                ck_assert_int_eq(account_find_group(name, 1, &group), want);
                library.interruptions = interruptions;
                if (want)
                        continue;
                ck_assert_uint_eq(user.entry.pw_uid, 7);
                ck_assert_uint_eq(group.entry.gr_gid, 8);
                ck_assert_uint_ge(strlen(user.entry.pw_dir) + 1, library.needs);
                free(user.room);
                free(group.room);
        }
}

START_TEST(test_memory_grows_until_the_entry_fits)
{
        static const size_t sizes[] = { 1, 4096, 4097, 100000, 5 << 20, ACCOUNT_BYTES_MAX };

        for (size_t i = 0; i < N(sizes); i++) {
                library.found = true;
                library.error = 0;
                library.needs = sizes[i];
                expect_all(0);
        }
}
END_TEST

START_TEST(test_it_grows_no_further_than_that)
{
        library.found = true;
        library.error = 0;
        library.needs = ACCOUNT_BYTES_MAX + 1;
        expect_all(-ERANGE);
        ck_assert_ptr_nonnull(strstr(account_error(-ERANGE), "larger than"));
        library.needs = 0;
}
END_TEST

START_TEST(test_who_is_not_there_is_unknown)
{
        static const int errors[] = { 0, ENOENT, ESRCH };

        library.found = false;
        for (size_t i = 0; i < N(errors); i++) {
                library.error = errors[i];
                expect_all(MBUS_E_UNKNOWN);
        }
}
END_TEST

START_TEST(test_a_look_up_that_fails_is_not_one_that_finds_nobody)
{
        static const int errors[] = { EIO, EMFILE, ENFILE, EAGAIN, EACCES, EPERM, ENOMEM };

        library.found = false;
        for (size_t i = 0; i < N(errors); i++) {
                library.error = errors[i];
                expect_all(-errors[i]);
        }
        ck_assert_str_eq(account_error(-EIO), strerror(EIO));
}
END_TEST

START_TEST(test_interruptions_are_waited_out_but_not_for_ever)
{
        library.found = true;
        library.error = 0;
        library.interruptions = 50;
        expect_all(0);
        library.interruptions = 1000000;
        library.n_asked = 0;
        expect_all(-EINTR);
        ck_assert_uint_lt(library.n_asked, 1000);
        library.interruptions = 0;
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_memory_grows_until_the_entry_fits,
                test_it_grows_no_further_than_that,
                test_who_is_not_there_is_unknown,
                test_a_look_up_that_fails_is_not_one_that_finds_nobody,
                test_interruptions_are_waited_out_but_not_for_ever,
        };

        return run_tests("account", tests, N(tests));
}
