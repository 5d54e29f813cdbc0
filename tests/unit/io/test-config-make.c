/*
 * test-config-make.c - configuration files where nothing can be renamed without replacing: what some
 * file systems and sandboxes refuse is refused here by a stand-in for the system call.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/config-make.h"
#include "run.h"

static char directory[32], path[64];
/* What renameat2() answers; 0: as it is. */
static int refused;
/* How many octets of the file that is made can be written; and what then: the error, or 0 for death. */
static size_t room = SIZE_MAX;
static int full;

long __wrap_syscall(long number, int at, const char *from, int to_at, const char *to,
                    unsigned flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, int at, const char *from, int to_at, const char *to,
                    unsigned flags)
{
        ck_assert_int_eq(number, SYS_renameat2);
        if (!refused)
                return __real_syscall(number, at, from, to_at, to, flags);
        errno = refused;
        return -1;
}

/* Counts the octets of the file in place only: the one beside it has its first octet at once. */
static bool in_place;

ssize_t __real_pwrite64(int fd, const void *at, size_t n, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *at, size_t n, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *at, size_t n, off_t offset)
{
        if (offset == 0 && n == 1 && *(const char *)at == '\0')
                in_place = true;
        if (in_place && n > room)
                n = room;
        if (in_place && n == 0) {
                if (!full)
                        _exit(42);
                errno = full;
                return -1;
        }
        if (in_place)
                room -= n;
        return __real_pwrite64(fd, at, n, offset);
}

static void setup(void)
{
        strcpy(directory, "/tmp/test-config-make-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/bus", directory);
        refused = EINVAL;
        room = SIZE_MAX;
        full = ENOSPC;
        in_place = false;
}

static void teardown(void)
{
        unlink(path);
        /* Fails, and so tells, if a temporary file was left behind. */
        ck_assert_int_eq(rmdir(directory), 0);
}

static char error[CONFIG_FILE_ERROR_SIZE];

static int make(struct config *c)
{
        *c = CONFIG_INIT;
        c->cipher = CIPHER_AES;
        ck_assert_int_eq(config_generate(c), 0);
        error[0] = '\0';
        return config_file_write(path, c, false, error);
}

static void check_file(const struct config *c)
{
        struct config back = CONFIG_INIT;
        struct stat s;

        ck_assert_msg(config_file_read(path, &back, error) == 0, "%s", error);
        ck_assert_mem_eq(back.hash_key.bytes, c->hash_key.bytes, 20);
        ck_assert_int_eq(stat(path, &s), 0);
        ck_assert_uint_eq(s.st_mode, S_IFREG | 0600);
        ck_assert_uint_eq(s.st_nlink, 1);
}

START_TEST(test_a_file_is_made_whatever_a_rename_is_refused_with)
{
        static const int errors[] = { EINVAL, ENOSYS, EPERM, EACCES, EOPNOTSUPP, 0 };
        static const mode_t umasks[] = { 0, 0177, 0777 };

        for (size_t i = 0; i < N(errors); i++) {
                for (size_t k = 0; k < N(umasks); k++) {
                        mode_t old = umask(umasks[k]);
                        struct config c;

                        refused = errors[i];
                        ck_assert_msg(make(&c) == 0, "%s", error);
                        umask(old);
                        check_file(&c);
                        ck_assert_int_eq(unlink(path), 0);
                }
        }
}
END_TEST

START_TEST(test_keys_that_are_there_stay)
{
        static const int errors[] = { EINVAL, 0 };
        struct config first, second;

        ck_assert_int_eq(make(&first), 0);
        for (size_t i = 0; i < N(errors); i++) {
                refused = errors[i];
                ck_assert_int_eq(make(&second), -EEXIST);
                ck_assert_ptr_nonnull(strstr(error, "exists already and was left as it is"));
                check_file(&first);
        }
}
END_TEST

/* Where the link points would be a place for keys that nobody asked for. */
START_TEST(test_a_link_to_nothing_is_there)
{
        static const int errors[] = { EINVAL, 0 };
        struct config c;

        ck_assert_int_eq(symlink("/nonexistent/keys", path), 0);
        for (size_t i = 0; i < N(errors); i++) {
                refused = errors[i];
                ck_assert_int_eq(make(&c), -EEXIST);
                ck_assert_ptr_nonnull(strstr(error, "is no regular file and was left as it is"));
        }
}
END_TEST

START_TEST(test_a_full_disk_leaves_nothing)
{
        struct config c;
        size_t n;

        for (n = 0; n < 200; n++) {
                int r;

                room = n;
                in_place = false;
                r = make(&c);
                if (r == 0)
                        break;
                ck_assert_int_eq(r, -ENOSPC);
                ck_assert_ptr_nonnull(strstr(error, "cannot be written: No space left"));
                ck_assert_int_lt(access(path, F_OK), 0);
        }
        ck_assert_uint_gt(n, 100);
        ck_assert_uint_lt(n, 200);
}
END_TEST

/* Dies when @n octets are written; true if it lived. */
static bool make_and_die(size_t n)
{
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                struct config c;

                room = n;
                full = 0;
                _exit(make(&c) ? 1 : 0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
        return WEXITSTATUS(status) == 0;
}

START_TEST(test_no_half_of_a_file_is_taken_for_the_whole)
{
        /* Nothing, the octet in the place of the first one, some, all but the first one, and all. */
        static const struct {
                size_t n;
                bool lives;
                const char *why;
        } cases[] = {
                { 0, false, "[MBUS]: must be the first line" },
                { 1, false, "was not written to its end; remove it" },
                { 60, false, "was not written to its end; remove it" },
                { SIZE_MAX, true, "" },
        };

        for (size_t i = 0; i < N(cases); i++) {
                struct config c = CONFIG_INIT;
                char command[128];

                ck_assert(make_and_die(cases[i].n) == cases[i].lives);
                error[0] = '\0';
                ck_assert_int_eq(config_file_read(path, &c, error),
                                 cases[i].lives ? 0 : MBUS_E_CONFIG);
                ck_assert_msg(strstr(error, cases[i].why), "%s", error);
                /* Who was killed leaves the one beside it, too. */
                snprintf(command, sizeof(command), "rm -f %s/bus*", directory);
                ck_assert_int_eq(system(command), 0);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_file_is_made_whatever_a_rename_is_refused_with,
                test_keys_that_are_there_stay,
                test_a_link_to_nothing_is_there,
                test_a_full_disk_leaves_nothing,
                test_no_half_of_a_file_is_taken_for_the_whole,
        };

        return run_fixture_tests("config-make", tests, N(tests), setup, teardown);
}
