/*
 * test-config-file.c - where the configuration file is, who may read it, and how it is written
 * (RFC 3259, section 12.1). Every test has a directory of its own.
 */
#include "io/config-make.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/error.h"
#include "io/clock.h"
#include "run.h"

#define TEXT                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(NOENCR,)\n"

static char directory[64];
static char path[128];

static void setup(void)
{
        strcpy(directory, "/tmp/test-config-file-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        strcat(strcpy(path, directory), "/bus");
}

static void teardown(void)
{
        char name[512];
        struct dirent *entry;
        DIR *d = opendir(directory);

        ck_assert_ptr_nonnull(d);
        while ((entry = readdir(d))) {
                snprintf(name, sizeof(name), "%s/%s", directory, entry->d_name);
                if (entry->d_name[0] != '.')
                        ck_assert_int_eq(remove(name), 0);
        }
        closedir(d);
        ck_assert_int_eq(rmdir(directory), 0);
}

static unsigned count_files(void)
{
        unsigned count = 0;
        DIR *d = opendir(directory);

        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                count++;
        closedir(d);
        return count - 2; /* "." and ".." */
}

static void put(const char *text, size_t n, mode_t mode)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
        ck_assert_int_eq(fchmod(fd, mode), 0);
        close(fd);
}

/* The error is the path, a colon and @what. */
static void check_read(int expected, const char *what)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "", text[CONFIG_FILE_ERROR_SIZE];
        struct config c;

        snprintf(text, sizeof(text), "%s: %s", path, what);
        ck_assert_int_eq(config_file_read(path, &c, error), expected);
        ck_assert_str_eq(error, text);
}

static struct config read_good(void)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        struct config c = CONFIG_INIT;

        ck_assert_msg(config_file_read(path, &c, error) == 0, "%s", error);
        return c;
}

static void check_path(const char *given, const char *expected)
{
        char *found = NULL;

        ck_assert_int_eq(config_file_path(given, &found), 0);
        ck_assert_str_eq(found, expected);
        free(found);
}

/* CFG-04 */
START_TEST(test_file_is_the_given_one_or_that_of_the_environment_or_in_the_home)
{
        struct passwd *me = getpwuid(geteuid());
        char home[512];

        if (!me) {
                puts("not allowed: this user is not in the list of users, and so has no home "
                     "there");
                return;
        }
        snprintf(home, sizeof(home), "%s/.mbus", me->pw_dir);
        setenv("MBUS", "/some/where", 1);
        setenv("HOME", "/home/of/me", 1);
        check_path("given", "given");
        check_path(NULL, "/some/where");
        setenv("MBUS", "", 1);
        check_path(NULL, "/home/of/me/.mbus");
        unsetenv("MBUS");
        check_path(NULL, "/home/of/me/.mbus");
        unsetenv("HOME");
        check_path(NULL, home);
        setenv("HOME", "", 1);
        check_path(NULL, home);
}
END_TEST

/* CFG-05 */
START_TEST(test_private_file_is_read)
{
        static const mode_t modes[] = { 0600, 0400, 0700 };

        for (size_t i = 0; i < N(modes); i++) {
                put(TEXT, strlen(TEXT), modes[i]);
                ck_assert_uint_eq(read_good().hash_key.n, 20);
                ck_assert_int_eq(chmod(path, 0600), 0);
        }
}
END_TEST

/* CFG-05 */
START_TEST(test_file_that_others_can_read_or_write_is_refused_with_the_command_that_mends_it)
{
        static const mode_t modes[] = { 0640, 0620, 0604, 0602, 0644, 0666, 0660, 0777 };
        char what[CONFIG_FILE_ERROR_SIZE];

        snprintf(what, sizeof(what), "other users may read or write it, mend it with: chmod 600 %s",
                 path);
        for (size_t i = 0; i < N(modes); i++) {
                put(TEXT, strlen(TEXT), modes[i]);
                check_read(MBUS_E_CONFIG, what);
        }
        ck_assert_int_eq(chmod(path, 0600), 0);
        read_good();
}
END_TEST

/* CFG-05 */
START_TEST(test_file_of_the_user_or_of_root_is_read_and_that_of_another_is_refused)
{
        put(TEXT, strlen(TEXT), 0600);
        read_good();
        /* Only root can give a file away. */
        if (chown(path, geteuid() + 1, (gid_t)-1) == 0)
                check_read(MBUS_E_CONFIG, "belongs to another user, who knows its keys; make your "
                                          "own with mbus-cli keygen");
        else
                ck_assert_int_eq(errno, EPERM);
}
END_TEST

/* CFG-04 */
START_TEST(test_missing_file_is_unknown_and_the_error_says_how_to_make_one)
{
        check_read(MBUS_E_UNKNOWN, "there is no such file, make one with mbus-cli keygen");
}
END_TEST

START_TEST(test_directory_or_fifo_in_its_place_is_refused)
{
        ck_assert_int_eq(mkdir(path, 0700), 0);
        check_read(MBUS_E_CONFIG, "is a directory, name the file in it (MBUS=FILE)");
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        check_read(MBUS_E_CONFIG, "is no regular file, name one (MBUS=FILE)");
}
END_TEST

START_TEST(test_path_through_a_file_is_an_error_of_the_system)
{
        put(TEXT, strlen(TEXT), 0600);
        strcat(path, "/bus");
        check_read(-ENOTDIR, "cannot be opened: Not a directory");
}
END_TEST

START_TEST(test_size_of_the_file_is_limited)
{
        static char text[CONFIG_BYTES_MAX + 1] = TEXT;

        memset(text + strlen(TEXT), '\n', sizeof(text) - strlen(TEXT));
        put(text, CONFIG_BYTES_MAX, 0600);
        read_good();
        put(text, CONFIG_BYTES_MAX + 1, 0600);
        check_read(MBUS_E_CONFIG, "is too large for a configuration, name another (MBUS=FILE)");
}
END_TEST

/* CFG-06 */
START_TEST(test_error_in_the_text_names_file_line_and_key)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "", expected[CONFIG_FILE_ERROR_SIZE];
        struct config c;

        put(TEXT "PORT=x\n", strlen(TEXT "PORT=x\n"), 0600);
        snprintf(expected, sizeof(expected),
                 "%s:5: PORT: is no UDP port, write a number from 1 to 65535", path);
        ck_assert_int_eq(config_file_read(path, &c, error), MBUS_E_CONFIG);
        ck_assert_str_eq(error, expected);
}
END_TEST

/* CFG-05 */
START_TEST(test_written_file_is_private_and_reads_back)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        struct config c = CONFIG_INIT, back;
        mode_t mask = umask(0);
        struct stat s;

        c.cipher = CIPHER_AES;
        c.scope = SCOPE_LINKLOCAL;
        ck_assert_int_eq(config_generate(&c), 0);
        ck_assert_msg(config_file_write(path, &c, false, error) == 0, "%s", error);
        umask(mask);

        ck_assert_int_eq(stat(path, &s), 0);
        ck_assert_uint_eq(s.st_mode, S_IFREG | 0600);
        ck_assert_uint_eq(s.st_nlink, 1);
        ck_assert_uint_eq(count_files(), 1);
        back = read_good();
        ck_assert_mem_eq(back.hash_key.bytes, c.hash_key.bytes, 20);
        ck_assert_mem_eq(back.cipher_key.bytes, c.cipher_key.bytes, 16);
        ck_assert_int_eq(back.scope, SCOPE_LINKLOCAL);
        ck_assert_uint_eq(back.n_warnings, 0);
}
END_TEST

START_TEST(test_existing_file_is_replaced_only_by_force)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "", expected[CONFIG_FILE_ERROR_SIZE];
        struct config c = CONFIG_INIT;

        put(TEXT, strlen(TEXT), 0644);
        ck_assert_int_eq(config_generate(&c), 0);
        snprintf(expected, sizeof(expected), "%s: exists already and was left as it is", path);
        ck_assert_int_eq(config_file_write(path, &c, false, error), -EEXIST);
        ck_assert_str_eq(error, expected);
        ck_assert_int_eq(chmod(path, 0600), 0);
        ck_assert_mem_eq(read_good().hash_key.bytes, "\x01\x02\x03", 3);

        ck_assert_int_eq(chmod(path, 0644), 0);
        ck_assert_int_eq(config_file_write(path, &c, true, error), 0);
        ck_assert_mem_eq(read_good().hash_key.bytes, c.hash_key.bytes, 20);
        ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(test_failed_write_leaves_nothing_behind)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        struct config c = CONFIG_INIT;

        ck_assert_int_eq(config_generate(&c), 0);
        /* rename() cannot put a file where a directory is. */
        ck_assert_int_eq(mkdir(path, 0700), 0);
        ck_assert_int_eq(config_file_write(path, &c, true, error), -EISDIR);
        ck_assert_ptr_nonnull(strstr(error, "cannot be replaced"));
        ck_assert_uint_eq(count_files(), 1);
        strcat(path, "/missing/bus");
        ck_assert_int_eq(config_file_write(path, &c, false, error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error, "cannot be created"));
}
END_TEST

START_TEST(test_name_without_a_directory_is_written_here)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        struct config c = CONFIG_INIT;
        int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(here, 0);
        ck_assert_int_eq(chdir(directory), 0);
        ck_assert_int_eq(config_generate(&c), 0);
        ck_assert_msg(config_file_write("bus", &c, false, error) == 0, "%s", error);
        ck_assert_int_eq(fchdir(here), 0);
        close(here);
        ck_assert_mem_eq(read_good().hash_key.bytes, c.hash_key.bytes, 20);
        ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/* SEC-08 */
START_TEST(test_short_keys_are_not_written)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        struct config c = CONFIG_INIT;

        c.cipher = CIPHER_IDEA;
        ck_assert_int_eq(config_generate(&c), 0);
        c.hash_key.n--;
        ck_assert_int_eq(config_file_write(path, &c, true, error), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(error, ": HASHKEY: is too short"));
        c.hash_key.n++;
        c.cipher_key.n--;
        ck_assert_int_eq(config_file_write(path, &c, true, error), MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(error, ": ENCRYPTIONKEY: is too short"));
        ck_assert_uint_eq(count_files(), 0);
}
END_TEST

/* SEC-04 SEC-08 */
START_TEST(test_generated_keys_are_of_native_size_differ_and_work)
{
        for (enum hash hash = 0; hash < HASH_MAX; hash++) {
                for (enum cipher cipher = 0; cipher < CIPHER_MAX; cipher++) {
                        struct config a = CONFIG_INIT, b = CONFIG_INIT;
                        struct crypto *crypto = NULL;

                        a.hash = b.hash = hash;
                        a.cipher = b.cipher = cipher;
                        ck_assert_int_eq(config_generate(&a), 0);
                        ck_assert_int_eq(config_generate(&b), 0);
                        ck_assert_uint_eq(a.hash_key.n, hash_key_size(hash));
                        ck_assert_uint_eq(a.cipher_key.n, cipher_key_size(cipher));
                        ck_assert_mem_ne(a.hash_key.bytes, b.hash_key.bytes, a.hash_key.n);
                        if (cipher != CIPHER_NONE)
                                ck_assert_mem_ne(a.cipher_key.bytes, b.cipher_key.bytes,
                                                 a.cipher_key.n);
                        ck_assert_int_eq(crypto_new(&a, &crypto), 0);
                        crypto_free(crypto);
                }
        }
}
END_TEST

START_TEST(test_generated_des_keys_have_odd_parity)
{
        struct config c = CONFIG_INIT;

        for (unsigned i = 0; i < 20; i++) {
                c.cipher = i % 2 ? CIPHER_DES : CIPHER_3DES;
                ck_assert_int_eq(config_generate(&c), 0);
                for (size_t k = 0; k < c.cipher_key.n; k++)
                        ck_assert_int_eq(__builtin_popcount(c.cipher_key.bytes[k]) % 2, 1);
        }
}
END_TEST

START_TEST(test_clocks_tell_a_time_that_does_not_fall)
{
        uint64_t before = clock_now(), ms = clock_wall_ms();

        ck_assert_uint_ge(clock_now(), before);
        /* It is later than 2020, and both wall clocks are the same one. */
        ck_assert_uint_gt(ms, UINT64_C(1577836800000));
        ck_assert_uint_ge(clock_wall_ns() / 1000000000, ms / 1000);
        ck_assert_uint_lt(clock_wall_ns() / 1000000000, ms / 1000 + 3600);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_file_is_the_given_one_or_that_of_the_environment_or_in_the_home,
                test_private_file_is_read,
                test_file_that_others_can_read_or_write_is_refused_with_the_command_that_mends_it,
                test_file_of_the_user_or_of_root_is_read_and_that_of_another_is_refused,
                test_missing_file_is_unknown_and_the_error_says_how_to_make_one,
                test_directory_or_fifo_in_its_place_is_refused,
                test_path_through_a_file_is_an_error_of_the_system,
                test_size_of_the_file_is_limited,
                test_error_in_the_text_names_file_line_and_key,
                test_written_file_is_private_and_reads_back,
                test_existing_file_is_replaced_only_by_force,
                test_failed_write_leaves_nothing_behind,
                test_name_without_a_directory_is_written_here,
                test_short_keys_are_not_written,
                test_generated_keys_are_of_native_size_differ_and_work,
                test_generated_des_keys_have_odd_parity,
                test_clocks_tell_a_time_that_does_not_fall,
        };
        Suite *suite = suite_create("config-file");
        TCase *tc = tcase_create("config-file");
        SRunner *runner;
        int failed;

        crypto_global_init();
        suite_add_tcase(suite, tc);
        tcase_add_checked_fixture(tc, setup, teardown);
        for (size_t i = 0; i < N(tests); i++)
                tcase_add_test(tc, tests[i]);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
