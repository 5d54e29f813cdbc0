/*
 * test-twins.c - two buses of one configuration that are one, however that is written.
 */
#include <broker/config/options.h>
#include <broker/config/twins.h>
#include <core/config.h>
#include <stdio.h>

#include "run.h"

#define HASHKEY "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
#define AESKEY "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)\n"
#define KEYS HASHKEY AESKEY
#define NOENCR "ENCRYPTIONKEY=(NOENCR,)\n"
#define DES "ENCRYPTIONKEY=(DES,AQIDBAUGBwg=)\n"

/* Whether the file is refused; what is said is in @error. */
static bool is_refused(const char *main, const char *rest, char error[static INI_ERROR_SIZE])
{
        char text[2048];
        struct config config;
        struct options o = OPTIONS_INIT;
        bool different;

        snprintf(text, sizeof(text), "[MBUS]\nCONFIG_VERSION=1\n%s%s", main, rest);
        ck_assert_msg(config_parse(span_of(text), "F", &config, error) == 0, "%s", error);
        limits_init(&o.limits);
        o.policy = policy_new(0);
        o.buses = bus_configs_new();
        ck_assert_msg(options_read_sections(&o, span_of(text), "F", error) &&
                              bus_configs_check(o.buses, "F", error),
                      "%s", error);
        different = twins_check(&config, o.lines.mbus, o.buses, "F", error);
        policy_free(o.policy);
        bus_configs_free(o.buses);
        return !different;
}

START_TEST(test_two_names_of_one_bus_are_refused)
{
        static const struct {
                const char *main;
                const char *other;
        } cases[] = {
                { KEYS, KEYS },
                { KEYS, KEYS "ROUTE=to=main\n" },
                { KEYS, "SCOPE=HOSTLOCAL\nADDRESS=239.255.255.247\nPORT=47000\nIPVERSION=4\n"
                        "DIALECT=RFC3259\nSEND_UNICAST=no\nMAX_AGE=0\n" KEYS },
                { KEYS, KEYS "SEND_UNICAST=yes\nMAX_AGE=30\n" },
                { KEYS, KEYS "INTERFACE=lo\n" },
                { KEYS "INTERFACE=127.0.0.1\n", KEYS },
                { KEYS, KEYS "SCOPE=LINKLOCAL\nINTERFACE=lo\n" },
                { KEYS, KEYS "DIALECT=UCL\nINTERFACE=lo\n" },
                { KEYS "PORT=1000\nADDRESS=239.1.2.3\n", KEYS "ADDRESS=239.1.2.3\nPORT=1000\n" },
                { KEYS "ADDRESS=BROADCAST\n", KEYS "ADDRESS=broadcast\n" },
                { KEYS "IPVERSION=6\n", KEYS "ADDRESS=FF01:0:0:0:0:0:0:0300\n" },
                /* HMAC fills keys up with zero octets. */
                { KEYS, "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQA)\n" AESKEY },
                /* AES takes the first 16. */
                { KEYS, HASHKEY "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODxAA)\n" },
                { HASHKEY NOENCR, HASHKEY "ENCRYPTIONKEY=(NOENCR,AAAA)\n" },
                { HASHKEY NOENCR, HASHKEY "ENCRYPTIONKEY=(NOENCR)\n" },
                /* Bits of parity. */
                { HASHKEY DES, HASHKEY "ENCRYPTIONKEY=(DES,AAMCBQQHBgk=)\n" },
        };
        char error[INI_ERROR_SIZE], rest[1024];

        for (size_t i = 0; i < N(cases); i++) {
                snprintf(rest, sizeof(rest), "[bus other]\n%s", cases[i].other);
                ck_assert_msg(is_refused(cases[i].main, rest, error), "case %zu", i);
                ck_assert_msg(strstr(error, "[bus other]: it is the same bus as [MBUS] of line 1"),
                              "%s", error);
        }
}
END_TEST

START_TEST(test_different_buses_are_allowed)
{
        static const char *const others[] = {
                KEYS "PORT=47001\n",
                KEYS "ADDRESS=239.255.255.248\n",
                KEYS "ADDRESS=BROADCAST\n",
                KEYS "IPVERSION=6\n",
                HASHKEY NOENCR,
                HASHKEY "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0OEA==)\n",
                "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExU=)\n" AESKEY,
                "HASHKEY=(HMAC-MD5-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n" AESKEY,
        };
        char error[INI_ERROR_SIZE], rest[1024];

        for (size_t i = 0; i < N(others); i++) {
                snprintf(rest, sizeof(rest), "[bus other]\n%s", others[i]);
                ck_assert_msg(!is_refused(KEYS, rest, error), "case %zu: %s", i, error);
        }
}
END_TEST

START_TEST(test_both_lines_are_named)
{
        char error[INI_ERROR_SIZE];

        ck_assert(is_refused(KEYS, "[bus a]\n" KEYS "PORT=1\n[bus b]\n" KEYS "PORT=1\n", error));
        ck_assert_str_eq(error,
                         "F:9: [bus b]: it is the same bus as [bus a] of line 5: group, port, "
                         "keys and interface (lo) are the same; remove it, or give it keys "
                         "or a PORT of its own");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_two_names_of_one_bus_are_refused,
                test_different_buses_are_allowed,
                test_both_lines_are_named,
        };

        return run_tests("broker-twins", tests, N(tests));
}
