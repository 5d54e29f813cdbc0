/*
 * test-config-key.c - key entries of a configuration: algorithms, lengths and what the user is told
 * (RFC 3259, sections 11.2, 11.3 and 12).
 */
#include "core/config.h"

#include "core/base64.h"
#include "core/error.h"
#include "run.h"

#define HASHKEY "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"

static int try(const char *hash_entry, const char *cipher_entry, struct config *ret_config,
               char ret_error[static 256])
{
        char text[2048] = "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=";

        strcat(text, hash_entry);
        strcat(text, "\nENCRYPTIONKEY=");
        strcat(text, cipher_entry);
        memset(ret_error, 0, 256);
        return config_parse(span_of(text), "t", ret_config, ret_error);
}

/* "(NAME,KEY)" with a key of the octets 0, 1, 2, ... */
static const char *entry_of(const char *name, size_t n, char *text)
{
        uint8_t key[300];

        for (size_t i = 0; i < n; i++)
                key[i] = (uint8_t)i;
        strcpy(text, "(");
        strcat(strcat(text, name), ",");
        base64_encode(key, n, text + strlen(name) + 2);
        strcpy(text + strlen(name) + 2 + base64_encoded_size(n), ")");
        return text;
}

static struct config parse_hash(const char *entry)
{
        struct config c = CONFIG_INIT;
        char error[256];

        ck_assert_msg(try(entry, "(NOENCR,)", &c, error) == 0, "%s", error);
        return c;
}

static struct config parse_cipher(const char *entry)
{
        struct config c = CONFIG_INIT;
        char error[256];

        ck_assert_msg(try("(HMAC-MD5-96,AQIDBAUGBwgJCgsMDQ4PEA==)", entry, &c, error) == 0, "%s",
                      error);
        return c;
}

static void check_hash_error(const char *entry, const char *what)
{
        char error[256], expected[256] = "t:3: HASHKEY: ";
        struct config c;

        ck_assert_int_eq(try(entry, "(NOENCR,)", &c, error), MBUS_E_CONFIG);
        ck_assert_str_eq(error, strcat(expected, what));
}

static void check_cipher_error(const char *entry, const char *what)
{
        char error[256], expected[256] = "t:4: ENCRYPTIONKEY: ";
        struct config c;

        ck_assert_int_eq(try("(HMAC-MD5-96,AQIDBAUGBwgJCgsMDQ4PEA==)", entry, &c, error),
                         MBUS_E_CONFIG);
        ck_assert_str_eq(error, strcat(expected, what));
}

static void check_octets(struct config_key key, size_t n, unsigned modulus)
{
        ck_assert_uint_eq(key.n, n);
        for (size_t i = 0; i < n; i++)
                ck_assert_uint_eq(key.bytes[i], i % modulus);
}

START_TEST(test_algorithms_have_the_names_and_sizes_of_the_rfc)
{
        ck_assert_str_eq(hash_name(HASH_SHA1), "HMAC-SHA1-96");
        ck_assert_str_eq(hash_name(HASH_MD5), "HMAC-MD5-96");
        ck_assert_uint_eq(hash_key_size(HASH_SHA1), 20);
        ck_assert_uint_eq(hash_key_size(HASH_MD5), 16);
        ck_assert_str_eq(cipher_name(CIPHER_NONE), "NOENCR");
        ck_assert_str_eq(cipher_name(CIPHER_AES), "AES");
        ck_assert_str_eq(cipher_name(CIPHER_DES), "DES");
        ck_assert_str_eq(cipher_name(CIPHER_3DES), "3DES");
        ck_assert_str_eq(cipher_name(CIPHER_IDEA), "IDEA");
        ck_assert_uint_eq(cipher_key_size(CIPHER_NONE), 0);
        ck_assert_uint_eq(cipher_key_size(CIPHER_AES), 16);
        ck_assert_uint_eq(cipher_key_size(CIPHER_DES), 8);
        ck_assert_uint_eq(cipher_key_size(CIPHER_3DES), 24);
        ck_assert_uint_eq(cipher_key_size(CIPHER_IDEA), 16);
}
END_TEST

/* CFG-07 */
START_TEST(test_no_encryption_in_all_its_spellings)
{
        static const char *const entries[] = { "(NOENCR)",
                                               "(NOENCR,)",
                                               "(NOENCR, )",
                                               "(NOENCR,AAAA)",
                                               "(noencr,what ever (it) is)",
                                               "( NOENCR )",
                                               "(NoEncr,,)" };

        for (size_t i = 0; i < N(entries); i++) {
                struct config c = parse_cipher(entries[i]);

                ck_assert_int_eq(c.cipher, CIPHER_NONE);
                ck_assert_uint_eq(c.cipher_key.n, 0);
                ck_assert_uint_eq(c.n_warnings, 0);
        }
}
END_TEST

/* CFG-07 */
START_TEST(test_white_space_and_case_of_an_entry_do_not_matter)
{
        struct config c = parse_hash("\t( hmac-Md5-96 ,  Y2eAxOs7XWLxrby6 ) ");

        ck_assert_int_eq(c.hash, HASH_MD5);
        ck_assert_uint_eq(c.hash_key.n, 12);
        ck_assert_mem_eq(c.hash_key.bytes, "\x63\x67\x80\xc4\xeb\x3b\x5d\x62\xf1\xad\xbc\xba", 12);
        c = parse_cipher("(3des, ASNFZ4mrze8jRWeJq83vAUVniavN7wEj)");
        ck_assert_int_eq(c.cipher, CIPHER_3DES);
        ck_assert_uint_eq(c.n_warnings, 0);
}
END_TEST

/* CFG-06 CFG-07 */
START_TEST(test_entry_of_another_form_is_an_error)
{
        static const char *const entries[] = {
                "", "(", ")", "HMAC-SHA1-96,AAAA", "(AES,AAAA", "AES,AAAA)", "(AES),AAAA"
        };

        for (size_t i = 0; i < N(entries); i++) {
                check_hash_error(entries[i], "is no key entry, write it as (ALGORITHM,BASE64)");
                check_cipher_error(entries[i], "is no key entry, write it as (ALGORITHM,BASE64)");
        }
}
END_TEST

/* CFG-06 */
START_TEST(test_unknown_algorithm_is_an_error_that_does_not_repeat_it)
{
        check_hash_error("(MD5,AAAA)", "has an unknown algorithm, use HMAC-SHA1-96 or HMAC-MD5-96");
        check_hash_error("(c2VjcmV0IGtleQ==)",
                         "has an unknown algorithm, use HMAC-SHA1-96 or HMAC-MD5-96");
        check_hash_error("(NOENCR,)", "has an unknown algorithm, use HMAC-SHA1-96 or HMAC-MD5-96");
        check_cipher_error("(AES-256,AAAA)",
                           "has an unknown algorithm, use AES, IDEA, 3DES, DES or NOENCR");
        check_cipher_error("()", "has an unknown algorithm, use AES, IDEA, 3DES, DES or NOENCR");
}
END_TEST

/* CFG-06 */
START_TEST(test_key_that_is_not_base64_is_an_error)
{
        static const char what[] = "has a key that is not base64, whose length is a multiple of 4 "
                                   "with = at the end; copy it again";

        check_hash_error("(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ)", what);
        check_hash_error("(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESEx-=)", what);
        check_hash_error("(HMAC-SHA1-96,AQIDBAUG BwgJCgsMDQ4PEBESEx==)", what);
        check_cipher_error("(AES,AAECAwQFBgcICQoLDA0ODw)", what);
        check_cipher_error("(AES,AAECAwQFBgcICQoLDA0ODw==,)", what);
}
END_TEST

/* SEC-08 */
START_TEST(test_short_hash_key_is_a_warning_and_below_96_bits_an_error)
{
        char text[512];
        struct config c;

        for (size_t n = 12; n < 20; n++) {
                c = parse_hash(entry_of("HMAC-SHA1-96", n, text));
                check_octets(c.hash_key, n, 256);
                ck_assert_uint_eq(c.n_warnings, 1);
        }
        ck_assert_str_eq(c.warnings[0], "t:3: HASHKEY: The key has 19 octets, fewer than the 20 of "
                                        "HMAC-SHA1-96.");
        c = parse_hash(entry_of("HMAC-MD5-96", 12, text));
        ck_assert_str_eq(c.warnings[0], "t:3: HASHKEY: The key has 12 octets, fewer than the 16 of "
                                        "HMAC-MD5-96.");
        check_hash_error(entry_of("HMAC-SHA1-96", 11, text),
                         "has a key of 11 octets, HMAC-SHA1-96 takes 20 (12 at least); mend it by "
                         "mbus-cli keygen");
        check_hash_error(entry_of("HMAC-MD5-96", 0, text),
                         "has a key of 0 octets, HMAC-MD5-96 takes 16 (12 at least); mend it by "
                         "mbus-cli keygen");
}
END_TEST

START_TEST(test_long_hash_key_is_used_whole)
{
        char text[512];
        struct config c;

        for (size_t n = 20; n <= CONFIG_KEY_MAX; n++) {
                c = parse_hash(entry_of("HMAC-SHA1-96", n, text));
                check_octets(c.hash_key, n, 256);
                ck_assert_uint_eq(c.n_warnings, 0);
        }
        check_hash_error(entry_of("HMAC-SHA1-96", 260, text),
                         "has a key of more than 256 octets, make one with mbus-cli keygen");
}
END_TEST

static const struct {
        enum cipher cipher;
        const char *name;
        size_t size;
        const char *too_short;
        const char *warning;
} ciphers[] = {
        { CIPHER_AES, "AES", 16,
          "has a key of 15 octets, AES takes 16; make one with mbus-cli keygen",
          "t:4: ENCRYPTIONKEY: The key has 17 octets, of which AES uses the first 16." },
        { CIPHER_DES, "DES", 8, "has a key of 7 octets, DES takes 8; make one with mbus-cli keygen",
          "t:4: ENCRYPTIONKEY: The key has 9 octets, of which DES uses the first 8." },
        { CIPHER_3DES, "3DES", 24,
          "has a key of 23 octets, 3DES takes 24 (or 16, if the first 8 are used twice); make one "
          "with mbus-cli keygen",
          "t:4: ENCRYPTIONKEY: The key has 25 octets, of which 3DES uses the first 24." },
        { CIPHER_IDEA, "IDEA", 16,
          "has a key of 15 octets, IDEA takes 16; make one with mbus-cli keygen",
          "t:4: ENCRYPTIONKEY: The key has 17 octets, of which IDEA uses the first 16." },
};

/* SEC-04 SEC-07 */
START_TEST(test_cipher_key_fits_or_is_cut_with_a_warning_or_is_an_error)
{
        size_t size = ciphers[_i].size;
        const char *name = ciphers[_i].name;
        char text[512];
        struct config c;

        c = parse_cipher(entry_of(name, size, text));
        ck_assert_int_eq(c.cipher, ciphers[_i].cipher);
        check_octets(c.cipher_key, size, 256);
        ck_assert_uint_eq(c.n_warnings, 0);

        c = parse_cipher(entry_of(name, size + 1, text));
        check_octets(c.cipher_key, size, 256);
        ck_assert_uint_eq(c.n_warnings, 1);
        ck_assert_str_eq(c.warnings[0], ciphers[_i].warning);

        check_cipher_error(entry_of(name, size - 1, text), ciphers[_i].too_short);
}
END_TEST

/* SEC-07 */
START_TEST(test_des_key_of_the_example_in_the_rfc_is_too_short)
{
        check_cipher_error("(DES,MTIzMTU2MQ==)",
                           "has a key of 7 octets, DES takes 8; make one with mbus-cli keygen");
}
END_TEST

/* SEC-07 */
START_TEST(test_3des_key_of_two_parts_uses_the_first_twice)
{
        char text[512];
        struct config c = parse_cipher(entry_of("3DES", 16, text));

        check_octets(c.cipher_key, 24, 16);
        ck_assert_uint_eq(c.n_warnings, 0);
        /* Of no other cipher. */
        check_octets(parse_cipher(entry_of("DES", 16, text)).cipher_key, 8, 256);
        check_cipher_error(entry_of("3DES", 17, text),
                           "has a key of 17 octets, 3DES takes 24 (or 16, if the first 8 are used "
                           "twice); make one with mbus-cli keygen");
        check_cipher_error(entry_of("3DES", 15, text),
                           "has a key of 15 octets, 3DES takes 24 (or 16, if the first 8 are used "
                           "twice); make one with mbus-cli keygen");
}
END_TEST

START_TEST(test_misplaced_key_is_not_repeated_in_a_message)
{
        static const char *const lines[] = {
                "c2VjcmV0IGtleQ==", "c2VjcmV0c2Vj",
                "(AES,c2VjcmV0)",   "HASHKEY (HMAC-SHA1-96,c2VjcmV0)",
                "c2VjcmV0IGtleQ=",  "ENCRYPTIONKEY:(AES,c2VjcmV0IGtleQ==)"
        };

        for (size_t i = 0; i < N(lines); i++) {
                char text[512] = "[MBUS]\nCONFIG_VERSION=1\n", error[256] = "";
                struct config c = CONFIG_INIT;

                strcat(strcat(text, lines[i]), "\n" HASHKEY "ENCRYPTIONKEY=(NOENCR,)\n");
                ck_assert(config_parse(span_of(text), "t", &c, error) != 0 || c.n_warnings == 1);
                ck_assert_msg(!strstr(error, "c2Vjc") && !strstr(c.warnings[0], "c2Vjc"), "%s%s",
                              error, c.warnings[0]);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("config-key");
        TCase *tc = tcase_create("config-key");
        SRunner *runner;
        int failed;

        suite_add_tcase(suite, tc);
        tcase_add_test(tc, test_algorithms_have_the_names_and_sizes_of_the_rfc);
        tcase_add_test(tc, test_no_encryption_in_all_its_spellings);
        tcase_add_test(tc, test_white_space_and_case_of_an_entry_do_not_matter);
        tcase_add_test(tc, test_entry_of_another_form_is_an_error);
        tcase_add_test(tc, test_unknown_algorithm_is_an_error_that_does_not_repeat_it);
        tcase_add_test(tc, test_key_that_is_not_base64_is_an_error);
        tcase_add_test(tc, test_short_hash_key_is_a_warning_and_below_96_bits_an_error);
        tcase_add_test(tc, test_long_hash_key_is_used_whole);
        tcase_add_loop_test(tc, test_cipher_key_fits_or_is_cut_with_a_warning_or_is_an_error, 0,
                            (int)N(ciphers));
        tcase_add_test(tc, test_des_key_of_the_example_in_the_rfc_is_too_short);
        tcase_add_test(tc, test_3des_key_of_two_parts_uses_the_first_twice);
        tcase_add_test(tc, test_misplaced_key_is_not_repeated_in_a_message);

        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
