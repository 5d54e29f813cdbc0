/*
 * test-keygen.c - configuration files with random keys: lengths, parity, file mode, no overwriting.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "keygen.h"

static char directory[] = "/tmp/test-keygen-XXXXXX";
static char path[64];

static void setup(void)
{
        memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/mbus", directory);
}

static void teardown(void)
{
        unlink(path);
        /* Fails, and so tells, if a temporary file was left behind. */
        ck_assert_int_eq(rmdir(directory), 0);
}

/* What keygen_print() writes; to be freed. */
static char *print(const char *scope, const char *hash, const char *cipher)
{
        struct keygen keygen = { scope, hash, cipher };
        char *text;
        size_t n;
        FILE *file = open_memstream(&text, &n);

        ck_assert_ptr_nonnull(file);
        ck_assert_ptr_null(keygen_check(&keygen));
        ck_assert_int_eq(keygen_print(&keygen, file), 0);
        fclose(file);
        return text;
}

static unsigned digit_of(char c)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        ck_assert_msg(c && strchr(digits, c), "no base64: %c", c);
        return (unsigned)(strchr(digits, c) - digits);
}

/* Finds "ENTRY=(ALGORITHM," in @text and decodes the key behind it. Returns its length. */
static size_t decode_key(const char *text, const char *begin, unsigned char key[static 64])
{
        const char *p = strstr(text, begin);
        unsigned bits = 0, n_bits = 0;
        size_t n = 0;

        ck_assert_msg(p, "%s is not in %s", begin, text);
        for (p += strlen(begin); *p != ')' && *p != '='; p++) {
                bits = bits << 6 | digit_of(*p);
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        key[n++] = (unsigned char)(bits >> n_bits);
                }
        }
        return n;
}

static char *read_file(void)
{
        char *text = calloc(1, 1024);
        FILE *file = fopen(path, "r");

        ck_assert_ptr_nonnull(file);
        ck_assert_uint_gt(fread(text, 1, 1023, file), 0);
        fclose(file);
        return text;
}

START_TEST(test_base64_pads_to_groups_of_four)
{
        static const char *const expected[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==" };

        for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
                char *text;
                size_t n;
                FILE *file = open_memstream(&text, &n);

                base64_print(file, "foob", i);
                fclose(file);
                ck_assert_str_eq(text, expected[i]);
                free(text);
        }
}
END_TEST

/* CFG-06 */
START_TEST(test_a_file_begins_with_its_section_and_has_the_mandatory_entries)
{
        char *text = print(NULL, NULL, NULL);
        unsigned char key[64];

        ck_assert_ptr_eq(strstr(text, "[MBUS]\nCONFIG_VERSION=1\n"), text);
        ck_assert_ptr_nonnull(strstr(text, "\nSCOPE=HOSTLOCAL\n"));
        ck_assert_uint_eq(decode_key(text, "\nHASHKEY=(HMAC-SHA1-96,", key), 20);
        ck_assert_uint_eq(decode_key(text, "\nENCRYPTIONKEY=(AES,", key), 16);
        free(text);
}
END_TEST

START_TEST(test_keys_have_the_native_length_of_their_algorithm)
{
        static const struct {
                const char *cipher, *begin;
                size_t n;
        } cases[] = {
                { "des", "\nENCRYPTIONKEY=(DES,", 8 },
                { "3des", "\nENCRYPTIONKEY=(3DES,", 24 },
                { "idea", "\nENCRYPTIONKEY=(IDEA,", 16 },
                { "none", "\nENCRYPTIONKEY=(NOENCR,", 0 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char *text = print("linklocal", "md5", cases[i].cipher);
                unsigned char key[64];

                ck_assert_uint_eq(decode_key(text, cases[i].begin, key), cases[i].n);
                ck_assert_uint_eq(decode_key(text, "\nHASHKEY=(HMAC-MD5-96,", key), 16);
                ck_assert_ptr_nonnull(strstr(text, "\nSCOPE=LINKLOCAL\n"));
                free(text);
        }
}
END_TEST

START_TEST(test_des_keys_have_odd_parity)
{
        for (int round = 0; round < 16; round++) {
                char *text = print(NULL, NULL, "3des");
                unsigned char key[64];
                size_t n = decode_key(text, "\nENCRYPTIONKEY=(3DES,", key);

                for (size_t i = 0; i < n; i++)
                        ck_assert_int_eq(__builtin_popcount(key[i]) & 1, 1);
                free(text);
        }
}
END_TEST

START_TEST(test_two_files_have_different_keys)
{
        char *one = print(NULL, NULL, NULL), *other = print(NULL, NULL, NULL);

        ck_assert_str_ne(one, other);
        free(one);
        free(other);
}
END_TEST

START_TEST(test_an_unknown_algorithm_is_named_by_its_option)
{
        ck_assert_str_eq(keygen_check(&(struct keygen){ .cipher = "rot13" }), "--cipher");
        ck_assert_str_eq(keygen_check(&(struct keygen){ .hash = "" }), "--hash");
        ck_assert_str_eq(keygen_check(&(struct keygen){ .scope = "world" }), "--scope");
}
END_TEST

/* CFG-05 */
START_TEST(test_a_file_is_for_its_owner_only_whatever_the_umask_is)
{
        static const mode_t umasks[] = { 0, 0277 };

        for (size_t i = 0; i < 2; i++) {
                mode_t old = umask(umasks[i]);
                struct stat st;

                ck_assert_int_eq(keygen_write(&(struct keygen){ 0 }, path, i > 0), 0);
                umask(old);
                ck_assert_int_eq(stat(path, &st), 0);
                ck_assert_uint_eq(st.st_mode & 07777, 0600);
        }
}
END_TEST

START_TEST(test_a_file_that_is_there_stays_unless_forced)
{
        char *before, *after;

        ck_assert_int_eq(keygen_write(&(struct keygen){ 0 }, path, false), 0);
        before = read_file();
        ck_assert_int_eq(keygen_write(&(struct keygen){ 0 }, path, false), -EEXIST);
        after = read_file();
        ck_assert_str_eq(before, after);
        free(after);
        ck_assert_int_eq(keygen_write(&(struct keygen){ 0 }, path, true), 0);
        after = read_file();
        ck_assert_str_ne(before, after);
        free(after);
        free(before);
}
END_TEST

/* With --force -o /dev/null the device would be gone for everybody. */
START_TEST(test_what_is_no_regular_file_stays_even_if_forced)
{
        struct stat s;

        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(keygen_write(&(struct keygen){ 0 }, path, true), -ENOTSUP);
        ck_assert_int_eq(lstat(path, &s), 0);
        ck_assert(S_ISFIFO(s.st_mode));
}
END_TEST

START_TEST(test_a_directory_that_is_not_there_is_told)
{
        ck_assert_int_eq(keygen_write(&(struct keygen){ 0 }, "/nonexistent/mbus", false), -ENOENT);
}
END_TEST

/* CFG-04 */
START_TEST(test_the_default_file_is_MBUS_else_in_the_home)
{
        char *found;

        setenv("HOME", "/home/of", 1);
        setenv("MBUS", "/etc/keys", 1);
        found = keygen_default_path();
        ck_assert_str_eq(found, "/etc/keys");
        free(found);
        setenv("MBUS", "", 1);
        found = keygen_default_path();
        ck_assert_str_eq(found, "/home/of/.mbus");
        free(found);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("keygen");
        TCase *texts = tcase_create("texts"), *files = tcase_create("files");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_test(texts, test_base64_pads_to_groups_of_four);
        tcase_add_test(texts, test_a_file_begins_with_its_section_and_has_the_mandatory_entries);
        tcase_add_test(texts, test_keys_have_the_native_length_of_their_algorithm);
        tcase_add_test(texts, test_des_keys_have_odd_parity);
        tcase_add_test(texts, test_two_files_have_different_keys);
        tcase_add_test(texts, test_an_unknown_algorithm_is_named_by_its_option);
        tcase_add_checked_fixture(files, setup, teardown);
        tcase_add_test(files, test_a_file_is_for_its_owner_only_whatever_the_umask_is);
        tcase_add_test(files, test_a_file_that_is_there_stays_unless_forced);
        tcase_add_test(files, test_what_is_no_regular_file_stays_even_if_forced);
        tcase_add_test(files, test_a_directory_that_is_not_there_is_told);
        tcase_add_test(files, test_the_default_file_is_MBUS_else_in_the_home);
        suite_add_tcase(suite, texts);
        suite_add_tcase(suite, files);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed != 0;
}
