/*
 * test-keygen.c - mbus_config_generate(): configurations with random keys, their lengths, parity, file
 * mode, no overwriting; and the names that mbus-cli keygen has for what it can make.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cli/text/base64.h>
#include <cli/verbs/keygen-choice.h>

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

/* A text that was made as the options say; to be freed. */
static char *print(const char *scope, const char *hash, const char *cipher)
{
        struct keygen keygen = { scope, hash, cipher };
        struct mbus_config *config;
        char *text;

        ck_assert_ptr_null(keygen_check(&keygen));
        ck_assert_int_eq(mbus_config_new(&config), 0);
        keygen_apply(&keygen, config);
        ck_assert_int_eq(mbus_config_generate(config, MBUS_GENERATE_TEXT), 0);
        ck_assert_str_eq(mbus_config_get_error(config), "");
        text = strdup(mbus_config_get_text(config));
        ck_assert_ptr_nonnull(text);
        mbus_config_free(config);
        return text;
}

/* What comes of the entry KEY=VALUE, and with @flags; the error is kept in `error`. */
static char error[512];

static int generate(const char *key, const char *value, unsigned flags)
{
        struct mbus_config *config;
        int r;

        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_file(config, path);
        mbus_config_set_entry(config, key, value);
        r = mbus_config_generate(config, flags);
        snprintf(error, sizeof(error), "%s", mbus_config_get_error(config));
        mbus_config_free(config);
        return r;
}

static int write_file(bool replace)
{
        return generate("SCOPE", NULL, replace ? MBUS_GENERATE_REPLACE : 0);
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
        ck_assert_str_eq(keygen_check(&(struct keygen){ .dialect = "rat" }), "--dialect");
}
END_TEST

START_TEST(test_what_old_programs_cannot_read_is_known)
{
        static const struct {
                struct keygen keygen;
                bool unreadable;
        } cases[] = {
                { { .dialect = "ucl" }, false },
                { { .dialect = "ucl", .hash = "md5", .cipher = "none" }, false },
                { { .dialect = "ucl", .cipher = "des" }, false },
                { { .dialect = "ucl", .hash = "sha1" }, true },
                { { .dialect = "ucl", .cipher = "aes" }, true },
                { { .dialect = "ucl", .cipher = "3des" }, true },
                { { .dialect = "rfc3259", .hash = "sha1" }, false },
                { { .hash = "sha1", .cipher = "aes" }, false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                ck_assert_int_eq(keygen_is_unreadable(&cases[i].keygen), cases[i].unreadable);
}
END_TEST

/* Seen with the old programs: DES and MD5, in their group; without a cipher for those who have none. */
START_TEST(test_a_file_for_old_programs_has_what_they_know)
{
        static const char *const ciphers[] = { NULL, "none", "des" };

        for (size_t i = 0; i < 3; i++) {
                struct keygen keygen = { .dialect = "ucl", .cipher = ciphers[i] };
                struct mbus_config *config;
                const char *text;

                ck_assert_int_eq(mbus_config_new(&config), 0);
                keygen_apply(&keygen, config);
                ck_assert_int_eq(mbus_config_generate(config, MBUS_GENERATE_TEXT), 0);
                text = mbus_config_get_text(config);
                ck_assert_ptr_nonnull(strstr(text, "\nADDRESS=224.255.222.239\n"));
                ck_assert_ptr_nonnull(strstr(text, "\nDIALECT=UCL\n"));
                ck_assert_ptr_nonnull(strstr(text, "\nHASHKEY=(HMAC-MD5-96,"));
                ck_assert_ptr_nonnull(
                        strstr(text, i == 1 ? "\nENCRYPTIONKEY=(NOENCR,)\n" : "=(DES,"));
                mbus_config_free(config);
        }
}
END_TEST

/* CFG-05 */
START_TEST(test_a_file_is_for_its_owner_only_whatever_the_umask_is)
{
        static const mode_t umasks[] = { 0, 0277, 0177, 0777 };

        for (size_t i = 0; i < sizeof(umasks) / sizeof(*umasks); i++) {
                mode_t old = umask(umasks[i]);
                struct stat st;

                ck_assert_int_eq(write_file(i > 0), 0);
                umask(old);
                ck_assert_int_eq(stat(path, &st), 0);
                ck_assert_uint_eq(st.st_mode & 07777, 0600);
        }
}
END_TEST

START_TEST(test_a_file_that_is_there_stays_unless_forced)
{
        char *before, *after;

        ck_assert_int_eq(write_file(false), 0);
        before = read_file();
        ck_assert_int_eq(write_file(false), -EEXIST);
        after = read_file();
        ck_assert_str_eq(before, after);
        free(after);
        ck_assert_int_eq(write_file(true), 0);
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
        ck_assert_int_eq(write_file(true), -EEXIST);
        ck_assert_int_eq(lstat(path, &s), 0);
        ck_assert(S_ISFIFO(s.st_mode));
}
END_TEST

START_TEST(test_a_directory_that_is_not_there_is_told)
{
        snprintf(path, sizeof(path), "%s/missing/mbus", directory);
        ck_assert_int_eq(write_file(false), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error, "/missing/mbus: cannot be created: "));
}
END_TEST

/* CFG-04 */
START_TEST(test_the_default_file_is_MBUS_else_in_the_home)
{
        struct mbus_config *config;

        ck_assert_int_eq(mbus_config_new(&config), 0);
        setenv("HOME", directory, 1);
        setenv("MBUS", "/etc/keys", 1);
        ck_assert_str_eq(mbus_config_get_file(config), "/etc/keys");
        setenv("MBUS", "", 1);
        snprintf(path, sizeof(path), "%s/.mbus", directory);
        ck_assert_str_eq(mbus_config_get_file(config), path);
        ck_assert_int_eq(mbus_config_generate(config, 0), 0);
        ck_assert_int_eq(access(path, R_OK), 0);
        mbus_config_set_file(config, "/etc/other");
        ck_assert_str_eq(mbus_config_get_file(config), "/etc/other");
        mbus_config_free(config);
}
END_TEST

START_TEST(test_entries_are_those_of_the_file)
{
        static const struct {
                const char *key, *value, *line;
        } good[] = {
                { "SCOPE", "LINKLOCAL", "\nSCOPE=LINKLOCAL\n" },
                { "scope", "linklocal", "\nSCOPE=LINKLOCAL\n" },
                { "PORT", "47001", "\nPORT=47001\n" },
                { "ADDRESS", "239.255.1.1", "\nADDRESS=239.255.1.1\n" },
                { "ENCRYPTIONKEY", "noencr", "\nENCRYPTIONKEY=(NOENCR,)\n" },
                { "DIALECT", "UCL", "\nHASHKEY=(HMAC-MD5-96," },
                { "DIALECT", "UCL", "\nENCRYPTIONKEY=(DES," },
                { "DIALECT", "UCL", "\nDIALECT=UCL\n" },
                { "DIALECT", "UCL", "\nADDRESS=224.255.222.239\n" },
        };

        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                char *text;

                ck_assert_int_eq(generate(good[i].key, good[i].value, MBUS_GENERATE_REPLACE), 0);
                text = read_file();
                ck_assert_msg(strstr(text, good[i].line), "%s", good[i].line);
                free(text);
        }
}
END_TEST

START_TEST(test_an_entry_that_cannot_be_used_is_named)
{
        static const struct {
                const char *key, *value, *why;
        } bad[] = {
                { "SCOPE", "WORLD", "SCOPE: " },
                { "HASHKEY", "crc", "HASHKEY: has an unknown algorithm, use HMAC-SHA1-96" },
                { "ENCRYPTIONKEY", "rot13", "ENCRYPTIONKEY: has an unknown algorithm, use AES" },
                { "DIALEKT", "UCL", "DIALEKT: is no key of a configuration file" },
                { "PORT", "0", "PORT: " },
                { "INTERFACE", "lo\nPORT=1", "an entry holds a control character" },
                { "", "", "" },
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                ck_assert_msg(generate(bad[i].key, bad[i].value, 0) == MBUS_E_CONFIG, "%s",
                              bad[i].key);
                ck_assert_msg(strncmp(error, bad[i].why, strlen(bad[i].why)) == 0, "%s", error);
                ck_assert_str_ne(error, "");
                ck_assert_int_lt(access(path, F_OK), 0);
        }
}
END_TEST

START_TEST(test_an_entry_can_be_taken_back_and_many_are_told)
{
        struct mbus_config *config;
        char key[16];

        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_entry(config, "SCOPE", "WORLD");
        mbus_config_set_entry(config, "scope", NULL);
        mbus_config_set_entry(config, "PORT", "x");
        mbus_config_set_entry(config, "PORT", "47002");
        ck_assert_int_eq(mbus_config_generate(config, MBUS_GENERATE_TEXT), 0);
        ck_assert_ptr_nonnull(strstr(mbus_config_get_text(config), "\nPORT=47002\n"));
        for (int i = 0; i < 100; i++) {
                snprintf(key, sizeof(key), "KEY%d", i);
                mbus_config_set_entry(config, key, "x");
        }
        ck_assert_int_eq(mbus_config_generate(config, MBUS_GENERATE_TEXT), MBUS_E_CONFIG);
        ck_assert_str_eq(mbus_config_get_error(config),
                         "there are more entries than a configuration has keys");
        mbus_config_free(config);
}
END_TEST

START_TEST(test_a_bus_can_be_opened_with_the_text_that_was_made)
{
        struct mbus_config *config;
        struct mbus_bus *bus;

        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_url(config, "mem:generated");
        ck_assert_ptr_null(mbus_config_get_text(config));
        ck_assert_int_eq(mbus_config_generate(config, MBUS_GENERATE_TEXT), 0);
        ck_assert_int_eq(mbus_bus_open(&bus, config), 0);
        mbus_bus_close(bus);
        mbus_config_free(config);
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
        tcase_add_test(texts, test_what_old_programs_cannot_read_is_known);
        tcase_add_test(texts, test_a_file_for_old_programs_has_what_they_know);
        tcase_add_checked_fixture(files, setup, teardown);
        tcase_add_test(files, test_a_file_is_for_its_owner_only_whatever_the_umask_is);
        tcase_add_test(files, test_a_file_that_is_there_stays_unless_forced);
        tcase_add_test(files, test_what_is_no_regular_file_stays_even_if_forced);
        tcase_add_test(files, test_a_directory_that_is_not_there_is_told);
        tcase_add_test(files, test_the_default_file_is_MBUS_else_in_the_home);
        tcase_add_test(files, test_entries_are_those_of_the_file);
        tcase_add_test(files, test_an_entry_that_cannot_be_used_is_named);
        tcase_add_test(files, test_an_entry_can_be_taken_back_and_many_are_told);
        tcase_add_test(files, test_a_bus_can_be_opened_with_the_text_that_was_made);
        suite_add_tcase(suite, texts);
        suite_add_tcase(suite, files);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed != 0;
}
