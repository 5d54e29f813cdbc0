/*
 * test-datagram.c - datagrams with the keys of a configuration, without a bus.
 */
#include <string.h>

#include <api/api.h>

#include "run.h"

#define HASH "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
#define PLAIN HASH "ENCRYPTIONKEY=(NOENCR,)\n"
#define AES HASH "ENCRYPTIONKEY=(AES,AQIDBAUGBwgJCgsMDQ4PEA==)\n"
#define OTHER                                                                                      \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,BQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(NOENCR,)\n"
#define MESSAGE "mbus/1.0 7 1700000000000 U (app:a id:1-1@127.0.0.1) () ()\r\na.b(\"x\" 1)"

static struct mbus_config *config;

static void setup(void)
{
        ck_assert_int_eq(mbus_config_new(&config), 0);
        mbus_config_set_text(config, PLAIN);
}

static void teardown(void)
{
        config = mbus_config_free(config);
}

static size_t seal(const char *text, size_t n, char *octets, size_t size)
{
        size_t sealed = 0;

        ck_assert_int_eq(mbus_datagram_seal(config, text, n, octets, size, &sealed), 0);
        return sealed;
}

static void expect_drop(const char *octets, size_t n, enum mbus_drop expected)
{
        struct mbus_message *message = NULL;
        enum mbus_drop drop = MBUS_DROP_MAX;
        const char *what = "";

        ck_assert_int_eq(mbus_datagram_open(config, octets, n, &message, &drop, &what),
                         MBUS_E_MALFORMED);
        ck_assert_ptr_null(message);
        ck_assert_str_eq(mbus_drop_name(drop), mbus_drop_name(expected));
        ck_assert_uint_gt(strlen(what), 8);
        ck_assert_int_eq(mbus_datagram_open(config, octets, n, &message, NULL, NULL),
                         MBUS_E_MALFORMED);
}

START_TEST(test_what_is_sealed_is_opened)
{
        static const char *const configs[] = { PLAIN, AES, PLAIN "DIALECT=UCL\n" };

        for (size_t i = 0; i < N(configs); i++) {
                struct mbus_message *message = NULL;
                char octets[256];
                const char *text;
                size_t n;

                mbus_config_set_text(config, configs[i]);
                n = seal(MESSAGE, strlen(MESSAGE), octets,
                         strlen(MESSAGE) + MBUS_DATAGRAM_OVERHEAD);
                ck_assert_int_eq(memmem(octets, n, "a.b", 3) != NULL, i != 1);
                ck_assert_int_eq(mbus_datagram_open(config, octets, n, &message, NULL, NULL), 0);
                text = mbus_message_get_text(message, &n);
                ck_assert_uint_eq(n, strlen(MESSAGE));
                ck_assert_int_eq(memcmp(text, MESSAGE, n), 0);
                ck_assert_str_eq(mbus_message_get_command(message, 0), "a.b");
                mbus_message_unref(message);
        }
}
END_TEST

START_TEST(test_what_is_no_datagram_of_the_bus_is_told_apart)
{
        char octets[256], broken[256];
        size_t n = seal(MESSAGE, strlen(MESSAGE), octets, sizeof(octets));

        expect_drop(octets, 0, MBUS_DROP_SHORT);
        expect_drop(octets, 10, MBUS_DROP_SHORT);
        memcpy(broken, octets, n);
        broken[n - 1] ^= 1;
        expect_drop(broken, n, MBUS_DROP_DIGEST);
        memset(broken, '?', 16);
        expect_drop(broken, n, MBUS_DROP_FORMAT);
        n = seal("sbus/1.0 7", 10, broken, sizeof(broken));
        expect_drop(broken, n, MBUS_DROP_PROTOCOL);
        n = seal("mbus/2.0 7 1 U () () ()", 23, broken, sizeof(broken));
        expect_drop(broken, n, MBUS_DROP_VERSION);
        n = seal("mbus/1.0 7 1 X () () ()", 23, broken, sizeof(broken));
        expect_drop(broken, n, MBUS_DROP_MALFORMED);
        n = seal("mbus/1.0 7 1 U (id:1-1@127.0.0.1) () ()\r\na(", 43, broken, sizeof(broken));
        expect_drop(broken, n, MBUS_DROP_MALFORMED);
        mbus_config_set_text(config, OTHER);
        expect_drop(octets, strlen(MESSAGE) + 18, MBUS_DROP_DIGEST);
        mbus_config_set_text(config, AES);
        expect_drop(octets, 19, MBUS_DROP_SHORT);
}
END_TEST

START_TEST(test_what_does_not_fit_is_refused_and_nothing_is_written)
{
        static char large[70000];
        char octets[64];
        size_t n = 77;

        ck_assert_int_eq(mbus_datagram_seal(config, MESSAGE, strlen(MESSAGE), octets,
                                            strlen(MESSAGE) + 17, &n),
                         MBUS_E_TOO_LARGE);
        ck_assert_int_eq(mbus_datagram_seal(config, large, 65490, large, sizeof(large), &n),
                         MBUS_E_TOO_LARGE);
        ck_assert_uint_eq(n, 77);
        ck_assert_int_eq(mbus_datagram_seal(config, large, 65489, large, sizeof(large), &n), 0);
        ck_assert_uint_eq(n, 65507);
        expect_drop(large, sizeof(large), MBUS_DROP_SHORT);
}
END_TEST

START_TEST(test_a_configuration_that_cannot_be_used_says_why)
{
        struct mbus_message *message = NULL;

        mbus_config_set_text(config, "nonsense");
        ck_assert_int_eq(mbus_datagram_open(config, "x", 1, &message, NULL, NULL), MBUS_E_CONFIG);
        ck_assert_str_ne(mbus_config_get_error(config), "");
        mbus_config_set_text(config, NULL);
        mbus_config_set_file(config, "/nowhere/mbus");
        ck_assert_int_ne(mbus_datagram_open(config, "x", 1, &message, NULL, NULL), 0);
        ck_assert_ptr_nonnull(strstr(mbus_config_get_error(config), "/nowhere/mbus"));
        mbus_config_set_text(config, PLAIN);
        expect_drop("x", 1, MBUS_DROP_SHORT);
        ck_assert_str_eq(mbus_config_get_error(config), "");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_is_sealed_is_opened,
                test_what_is_no_datagram_of_the_bus_is_told_apart,
                test_what_does_not_fit_is_refused_and_nothing_is_written,
                test_a_configuration_that_cannot_be_used_says_why,
        };

        return run_fixture_tests("datagram", tests, N(tests), setup, teardown);
}
