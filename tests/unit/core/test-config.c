/*
 * test-config.c - configuration files: what is read, what is refused and what the user is told
 * (RFC 3259, section 12).
 */
#include "core/config.h"

#define LETTERS_32 "01234567890123456789012345678901"

#include "core/config-reader.h"
#include "core/error.h"
#include "damage.h"
#include "run.h"

#define HASHKEY_LINE "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)"
#define HASHKEY HASHKEY_LINE "\n"
#define ENCRYPTIONKEY "ENCRYPTIONKEY=(NOENCR,)\n"
#define KEYS HASHKEY ENCRYPTIONKEY
#define HEAD "[MBUS]\nCONFIG_VERSION=1\n" KEYS
#define UCL_HASHKEY "HASHKEY=(HMAC-MD5-96,AQIDBAUGBwgJCgsMDQ4PEA==)\n"
#define UCL_KEYS UCL_HASHKEY "ENCRYPTIONKEY=(NOENCR,)\n"
#define UCL_HEAD "[MBUS]\nCONFIG_VERSION=1\n" UCL_KEYS "DIALECT=UCL\n"
#define AES_KEY "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
#define SHA1_KEY "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"

static int try(const char *text, struct config *ret_config, char ret_error[static 256])
{
        size_t n = strlen(text);
        char *copy = copy_exactly(text, n);
        int r;

        memset(ret_error, 0, 256);
        r = config_parse((struct span){ copy, n }, "test.mbus", ret_config, ret_error);
        free(copy);
        return r;
}

static struct config parse(const char *text)
{
        struct config c = CONFIG_INIT;
        char error[256];

        ck_assert_msg(try(text, &c, error) == 0, "%s", error);
        return c;
}

/* As parse(), of a text that nothing is odd about. */
static struct config parse_quietly(const char *text)
{
        struct config c = parse(text);

        ck_assert_msg(c.n_warnings == 0, "%s", c.warnings[0]);
        return c;
}

static void check_error(const char *text, const char *expected)
{
        struct config c = { .port = 4711 };
        char error[256];

        ck_assert_int_eq(try(text, &c, error), MBUS_E_CONFIG);
        ck_assert_str_eq(error, expected);
        ck_assert_uint_eq(c.port, 4711);
}

/* The text has exactly this one warning. */
static void check_warning(const char *text, const char *expected)
{
        struct config c = parse(text);

        ck_assert_uint_eq(c.n_warnings, 1);
        ck_assert_str_eq(c.warnings[0], expected);
}

/* CFG-02 CFG-03 */
START_TEST(test_what_is_not_said_has_the_default_of_the_rfc)
{
        struct config c = parse_quietly(HEAD);

        ck_assert_uint_eq(c.version, 1);
        ck_assert_int_eq(c.scope, SCOPE_HOSTLOCAL);
        ck_assert_str_eq(c.address, "");
        ck_assert(!c.broadcast && !c.send_unicast);
        ck_assert_uint_eq(c.ip_version, 0);
        ck_assert_uint_eq(c.port, 47000);
        ck_assert_int_eq(c.dialect, DIALECT_RFC3259);
        ck_assert_uint_eq(c.max_age_ms, 0);
        ck_assert_uint_eq(c.n_interfaces, 0);
}
END_TEST

START_TEST(test_either_dialect_can_be_named_in_any_case)
{
        ck_assert_int_eq(parse_quietly(HEAD "DIALECT=rfc3259\n").dialect, DIALECT_RFC3259);
        ck_assert_int_eq(parse(HEAD "DIALECT=Ucl\n").dialect, DIALECT_UCL);
}
END_TEST

/* CFG-02 CFG-03 CFG-06 */
START_TEST(test_all_keys_are_read_in_any_order)
{
        struct config c = parse(
                "[MBUS]\nINTERFACE=eth0\nMAX_AGE=30\nSEND_UNICAST=yes\nDIALECT=UCL\nPORT=48086\n"
                "ADDRESS=239.1.2.3\nIPVERSION=4\nSCOPE=LINKLOCAL\nINTERFACE=192.168.1.1\n"
                "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)\n" HASHKEY "CONFIG_VERSION=1\n");

        ck_assert_int_eq(c.hash, HASH_SHA1);
        ck_assert_uint_eq(c.hash_key.n, 20);
        ck_assert_mem_eq(c.hash_key.bytes, SHA1_KEY, 20);
        ck_assert_int_eq(c.cipher, CIPHER_AES);
        ck_assert_uint_eq(c.cipher_key.n, 16);
        ck_assert_mem_eq(c.cipher_key.bytes, AES_KEY, 16);
        ck_assert_int_eq(c.scope, SCOPE_LINKLOCAL);
        ck_assert_str_eq(c.address, "239.1.2.3");
        ck_assert_uint_eq(c.ip_version, 4);
        ck_assert_uint_eq(c.port, 48086);
        ck_assert_int_eq(c.dialect, DIALECT_UCL);
        ck_assert(c.send_unicast);
        ck_assert_uint_eq(c.max_age_ms, 30000);
        ck_assert_uint_eq(c.n_interfaces, 2);
        ck_assert_str_eq(c.interfaces[0], "eth0");
        ck_assert_str_eq(c.interfaces[1], "192.168.1.1");
        ck_assert_uint_eq(c.interface_lines[0], 2);
        ck_assert_uint_eq(c.interface_lines[1], 10);
}
END_TEST

/* CFG-06 CFG-08 */
START_TEST(test_line_ends_marks_blanks_and_comments_of_any_editor_are_accepted)
{
        struct config c = parse_quietly(
                "\xef\xbb\xbf\r\n# first\r\n  [mbus]\t\r\n\r\n \t\r\n#HASHKEY=nothing\r\n"
                " # indented\r\nconfig_version = 1\r\n"
                "\tHashKey =\t( hmac-md5-96 , Y2eAxOs7XWLxrby6AAAAAA== ) \r\n"
                "EncryptionKey=(noencr, )\r\nscope= linklocal\r\nport = 47001");

        ck_assert_int_eq(c.hash, HASH_MD5);
        ck_assert_uint_eq(c.hash_key.n, 16);
        ck_assert_int_eq(c.scope, SCOPE_LINKLOCAL);
        ck_assert_uint_eq(c.port, 47001);
}
END_TEST

/* CFG-06 */
START_TEST(test_first_line_must_name_the_section)
{
        check_error("", "test.mbus:1: [MBUS]: must be the first line, write it there");
        check_error("# nothing\n\n", "test.mbus:2: [MBUS]: must be the first line, write it there");
        check_error("\n" KEYS, "test.mbus:2: [MBUS]: must be the first line, write it there");
        check_error("[broker]\n" HEAD,
                    "test.mbus:1: [MBUS]: must be the first line, write it there");
        check_error("[MBUS\n" KEYS, "test.mbus:1: [MBUS]: must be the first line, write it there");
}
END_TEST

/* CFG-08 */
START_TEST(test_other_sections_are_skipped)
{
        struct config c = parse_quietly("[MBUS]\nCONFIG_VERSION=1\n[broker]\nPORT=1\nlisten\nX=1\n"
                                        "[mbus]\n" KEYS "[bus x]\nPORT=2\n");

        ck_assert_uint_eq(c.port, 47000);
}
END_TEST

/* CFG-08 */
START_TEST(test_unknown_keys_are_accepted_with_a_warning)
{
        check_warning(HEAD "FLAVOUR=sweet\n",
                      "test.mbus:5: FLAVOUR: The key is unknown and ignored.");
        check_warning(HEAD "SCOPES=LINKLOCAL\n",
                      "test.mbus:5: SCOPES: The key is unknown and ignored, is SCOPE meant?");
}
END_TEST

/* CFG-08 */
START_TEST(test_keys_of_other_programs_are_ignored_without_a_warning)
{
        parse_quietly(HEAD "TIMER_C=70\nTIMER_R=100\nRETRIES=3\nRETENTION=1\n"
                           "WITH_ACK_PIGGY_BACKING=yes\nDELIVER_LATE_MSGS=no\nCHECK_DIGEST=yes\n"
                           "PRESENCE=yes\ncryptoProvider=Cryptix\nTIMER_C=70\n");
}
END_TEST

START_TEST(test_more_warnings_than_there_is_room_for_are_dropped)
{
        char text[4096] = HEAD;

        for (unsigned i = 0; i < 2 * CONFIG_WARNINGS_MAX; i++)
                strcat(text, "FLAVOUR=sweet\n");
        ck_assert_uint_eq(parse(text).n_warnings, CONFIG_WARNINGS_MAX);
        /* So is the one of a key behind them. */
        strcpy(text, "[MBUS]\nCONFIG_VERSION=1\n" HASHKEY);
        for (unsigned i = 0; i < CONFIG_WARNINGS_MAX; i++)
                strcat(text, "FLAVOUR=sweet\n");
        strcat(text, "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODxA=)\n");
        ck_assert_uint_eq(parse(text).n_warnings, CONFIG_WARNINGS_MAX);
}
END_TEST

/* CFG-01 */
START_TEST(test_missing_keys_are_errors_and_a_missing_version_is_a_warning)
{
        check_error("[MBUS]\nCONFIG_VERSION=1\n" ENCRYPTIONKEY,
                    "test.mbus:3: HASHKEY: is missing in [MBUS], add it or make a file with "
                    "mbus-cli keygen");
        check_error(
                "[MBUS]\nCONFIG_VERSION=1\n" HASHKEY "\n",
                "test.mbus:3: ENCRYPTIONKEY: is missing in [MBUS], add it, with (NOENCR,) for no "
                "encryption");
        /* It is said of the last line of [MBUS], whatever stands behind it. */
        check_error("[MBUS]\nCONFIG_VERSION=1\n" HASHKEY "\n[broker]\nMULTICAST=never\n",
                    "test.mbus:3: ENCRYPTIONKEY: is missing in [MBUS], add it, with (NOENCR,) for "
                    "no encryption");
        check_warning("[MBUS]\n" KEYS,
                      "test.mbus:3: CONFIG_VERSION: It is missing, add a line CONFIG_VERSION=1.");
}
END_TEST

/* CFG-01 */
START_TEST(test_only_version_one_is_accepted)
{
        check_error("[MBUS]\nCONFIG_VERSION=2\n" KEYS,
                    "test.mbus:2: CONFIG_VERSION: is 2, this program knows version 1; use a newer "
                    "program, or make a new file with mbus-cli keygen");
        check_error("[MBUS]\nCONFIG_VERSION=0\n" KEYS,
                    "test.mbus:2: CONFIG_VERSION: must be 1, write CONFIG_VERSION=1");
        check_error("[MBUS]\nCONFIG_VERSION=one\n" KEYS,
                    "test.mbus:2: CONFIG_VERSION: must be 1, write CONFIG_VERSION=1");
        check_error("[MBUS]\nCONFIG_VERSION=\n" KEYS,
                    "test.mbus:2: CONFIG_VERSION: must be 1, write CONFIG_VERSION=1");
        parse_quietly("[MBUS]\nCONFIG_VERSION=01\n" KEYS);
}
END_TEST

/* CFG-06 */
START_TEST(test_repeated_key_is_an_error_that_names_both_lines)
{
        check_error(HEAD "PORT=1\n\nport=1\n",
                    "test.mbus:7: port: stands on line 5 already, remove one of the two");
        check_error(HEAD HASHKEY,
                    "test.mbus:5: HASHKEY: stands on line 3 already, remove one of the two");
}
END_TEST

/* CFG-06 */
START_TEST(test_line_without_a_value_is_an_error)
{
        check_error(HEAD "PORT 47000\n",
                    "test.mbus:5: PORT: is no entry, write KEY=VALUE, or # in front of a comment");
        check_error(HEAD "what is this\n",
                    "test.mbus:5: ?: is no entry, write KEY=VALUE, or # in front of a comment");
}
END_TEST

/* CFG-06 */
START_TEST(test_values_that_cannot_be_are_errors)
{
        check_error(HEAD "SCOPE=GLOBAL\n",
                    "test.mbus:5: SCOPE: is no scope, write HOSTLOCAL or LINKLOCAL");
        check_error(HEAD "DIALECT=\n", "test.mbus:5: DIALECT: is no dialect, write RFC3259 or UCL");
        check_error(HEAD "SEND_UNICAST=maybe\n",
                    "test.mbus:5: SEND_UNICAST: is neither, write yes or no");
        check_error(HEAD "IPVERSION=5\n",
                    "test.mbus:5: IPVERSION: is no version of IP, write 4 or 6");
        check_error(HEAD "MAX_AGE=-1\n",
                    "test.mbus:5: MAX_AGE: is no time, write a number of seconds, 0 for any age");
        check_error(HEAD "INTERFACE=\n",
                    "test.mbus:5: INTERFACE: is no interface, write its name or its IP address");
        check_error(HEAD "INTERFACE=eth0 eth1\n",
                    "test.mbus:5: INTERFACE: is no interface, write its name or its IP address");
        check_error(HEAD "INTERFACE=" LETTERS_32 LETTERS_32 LETTERS_32 LETTERS_32 "\n",
                    "test.mbus:5: INTERFACE: is no interface, write its name or its IP address");
        check_error(HEAD "INTERFACE=1\nINTERFACE=2\nINTERFACE=3\nINTERFACE=4\nINTERFACE=5\n"
                         "INTERFACE=6\nINTERFACE=7\nINTERFACE=8\nINTERFACE=9\n",
                    "test.mbus:13: INTERFACE: stands here more than 8 times, remove some");
}
END_TEST

/* CFG-03 CFG-06 */
START_TEST(test_port_is_a_number_from_1_to_65535)
{
        static const char *const wrong[] = { "0", "65536", "-1",     "4 7",
                                             "",  "0x10",  "47000.", "99999999999999999999" };

        ck_assert_uint_eq(parse_quietly(HEAD "PORT=1\n").port, 1);
        ck_assert_uint_eq(parse_quietly(HEAD "PORT=65535\n").port, 65535);
        for (size_t i = 0; i < N(wrong); i++) {
                char text[512] = HEAD "PORT=";

                strcat(text, wrong[i]);
                check_error(text, "test.mbus:5: PORT: is no UDP port, write a number from 1 to "
                                  "65535");
        }
}
END_TEST

/* CFG-03 */
START_TEST(test_address_may_be_ipv4_ipv6_or_broadcast)
{
        struct config c = parse_quietly(HEAD "ADDRESS=239.255.255.247\n");

        ck_assert_str_eq(c.address, "239.255.255.247");
        ck_assert_uint_eq(c.ip_version, 4);
        c = parse_quietly(HEAD "ADDRESS=ff02::300\n");
        ck_assert_str_eq(c.address, "ff02::300");
        ck_assert_uint_eq(c.ip_version, 6);
        c = parse_quietly(HEAD "ADDRESS=broadcast\n");
        ck_assert(c.broadcast);
        ck_assert_str_eq(c.address, "");
        ck_assert_uint_eq(c.ip_version, 0);
}
END_TEST

START_TEST(test_address_that_others_may_use_is_a_warning)
{
        check_warning(HEAD "ADDRESS=224.255.222.239\n",
                      "test.mbus:5: ADDRESS: The address is not in 239.0.0.0/8, others may use it, "
                      "too.");
        check_warning(UCL_HEAD "ADDRESS=224.255.222.240\n",
                      "test.mbus:6: ADDRESS: The address is not in 239.0.0.0/8, others may use it, "
                      "too.");
        /* In either order. */
        parse_quietly(UCL_HEAD "ADDRESS=224.255.222.239\n");
        parse_quietly("[MBUS]\nADDRESS=224.255.222.239\nCONFIG_VERSION=1\nDIALECT=UCL\n" UCL_KEYS);
        check_warning(HEAD "ADDRESS=ff12::300\n",
                      "test.mbus:5: ADDRESS: The address is not in ff00::/12, others may use it, "
                      "too.");
}
END_TEST

START_TEST(test_what_old_programs_cannot_read_is_one_warning)
{
        check_warning(
                HEAD "DIALECT=UCL\n",
                "test.mbus:3: HASHKEY: Old programs know HMAC-MD5-96 and DES only: mbus-cli keygen "
                "--dialect ucl.");
        check_warning("[MBUS]\nCONFIG_VERSION=1\n" UCL_HASHKEY
                      "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)\nDIALECT=UCL\n",
                      "test.mbus:4: ENCRYPTIONKEY: Old programs know DES and NOENCR only: mbus-cli "
                      "keygen "
                      "--dialect ucl.");
        parse_quietly("[MBUS]\nCONFIG_VERSION=1\n" UCL_HASHKEY "ENCRYPTIONKEY=(DES,AQIECAsNDhA=)\n"
                      "DIALECT=UCL\n");
        check_warning("[MBUS]\nCONFIG_VERSION=1\n" UCL_HASHKEY
                      "ENCRYPTIONKEY=(DES,AAIECAsNDhA=)\nDIALECT=UCL\n",
                      "test.mbus:4: ENCRYPTIONKEY: Old programs end at a DES key whose octets have "
                      "no odd "
                      "parity.");
        parse_quietly(UCL_HEAD);
}
END_TEST

/* CFG-03 CFG-06 */
START_TEST(test_address_that_is_none_or_no_multicast_is_an_error)
{
        static const char *const none[] = {
                "",         "239.1.2",         "239.1.2.3.4",       "239.1.2.256",
                "ff02:::1", "ff02::1::2",      "ff02::1%eth0",      "mbus.example",
                "ff02:1",   "239.1.2.3:47000", "1:2:3:4:5:6:7:8:9", "ff02::12345"
        };
        static const char *const unicast[] = { "127.0.0.1", "223.255.255.255", "240.0.0.1",
                                               "::1",       "fe80::1",         "255.255.255.255" };
        char text[512];

        for (size_t i = 0; i < N(none); i++) {
                strcpy(text, HEAD "ADDRESS=");
                check_error(strcat(text, none[i]),
                            "test.mbus:5: ADDRESS: is no IP address, write one or BROADCAST");
        }
        for (size_t i = 0; i < N(unicast); i++) {
                strcpy(text, HEAD "ADDRESS=");
                check_error(strcat(text, unicast[i]),
                            "test.mbus:5: ADDRESS: is no multicast address, write one in "
                            "239.0.0.0/8 or ff02::/16, or BROADCAST");
        }
}
END_TEST

START_TEST(test_ip_version_that_contradicts_the_address_is_an_error)
{
        static const char what[] = "contradicts the file's other one of ADDRESS and IPVERSION, "
                                   "remove IPVERSION or mend ADDRESS";
        char expected[256] = "test.mbus:6: IPVERSION: ";

        check_error(HEAD "ADDRESS=ff02::1\nIPVERSION=4\n", strcat(expected, what));
        strcpy(expected, "test.mbus:6: ADDRESS: ");
        check_error(HEAD "IPVERSION=6\nADDRESS=239.1.1.1\n", strcat(expected, what));
        ck_assert_uint_eq(parse_quietly(HEAD "IPVERSION=6\nADDRESS=FF02::1\n").ip_version, 6);
        ck_assert_uint_eq(parse_quietly(HEAD "IPVERSION=6\n").ip_version, 6);
}
END_TEST

START_TEST(test_long_file_name_leaves_room_for_the_error)
{
        char name[2000], error[256] = "";
        struct config c;

        memset(name, 'x', sizeof(name) - 1);
        memcpy(name + sizeof(name) - 6, ".mbus", 6);
        ck_assert_int_eq(config_parse(span_of(HEAD "FLAVOUR=1\nPORT=0"), name, &c, error),
                         MBUS_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(error, "x.mbus:6: PORT: is no UDP port, write a number from 1 "
                                            "to 65535"));
        ck_assert_int_eq(config_parse(span_of(HEAD "FLAVOUR=1\n"), name, &c, error), 0);
        ck_assert_ptr_nonnull(strstr(c.warnings[0], "x.mbus:5: FLAVOUR: The key is unknown and "
                                                    "ignored."));
}
END_TEST

START_TEST(test_damaged_texts_never_break_the_reader)
{
        static const char text[] =
                HEAD "SCOPE=LINKLOCAL\nADDRESS=ff02::1:2\nPORT=47000\nDIALECT=UCL\n"
                     "SEND_UNICAST=no\nIPVERSION=6\nMAX_AGE=3\nINTERFACE=lo\nX=1\n";
        uint64_t state = DAMAGE_SEED;
        unsigned good = 0;

        for (unsigned i = 0; i < 20000; i++) {
                size_t n = next_random(&state) % sizeof(text);
                char *copy = copy_exactly(text, n), error[256] = "";
                struct config c;

                if (n > 0)
                        damage(copy, n, &state);
                if (config_parse((struct span){ copy, n }, "t", &c, error) == 0)
                        good++;
                else
                        ck_assert_mem_eq(error, "t:", 2);
                for (const char *at = error; *at; at++)
                        ck_assert(*at >= ' ' && *at <= '~');
                free(copy);
        }
        ck_assert_uint_gt(good, 0);
        ck_assert_uint_lt(good, 20000);
}
END_TEST

static void check_same(const struct config *c)
{
        struct buffer out = BUFFER_INIT, again = BUFFER_INIT;
        struct config back;
        char error[256] = "";

        config_format(c, &out);
        ck_assert(!out.failed);
        ck_assert_msg(config_parse(buffer_span(&out), "out", &back, error) == 0, "%s", error);
        ck_assert_int_eq(back.hash, c->hash);
        ck_assert_uint_eq(back.hash_key.n, c->hash_key.n);
        ck_assert_mem_eq(back.hash_key.bytes, c->hash_key.bytes, c->hash_key.n);
        ck_assert_int_eq(back.cipher, c->cipher);
        ck_assert_uint_eq(back.cipher_key.n, c->cipher_key.n);
        ck_assert_mem_eq(back.cipher_key.bytes, c->cipher_key.bytes, c->cipher_key.n);
        ck_assert_int_eq(back.scope, c->scope);
        ck_assert_int_eq(back.broadcast, c->broadcast);
        ck_assert_str_eq(back.address, c->address);
        ck_assert_uint_eq(back.ip_version, c->ip_version);
        ck_assert_uint_eq(back.port, c->port);
        ck_assert_int_eq(back.dialect, c->dialect);
        ck_assert_int_eq(back.send_unicast, c->send_unicast);
        ck_assert_uint_eq(back.max_age_ms, c->max_age_ms);
        ck_assert_uint_eq(back.n_interfaces, c->n_interfaces);
        for (unsigned i = 0; i < c->n_interfaces; i++)
                ck_assert_str_eq(back.interfaces[i], c->interfaces[i]);

        config_format(&back, &again);
        ck_assert(span_equal(buffer_span(&out), buffer_span(&again)));
        buffer_deinit(&out);
        buffer_deinit(&again);
}

/* CFG-06 */
START_TEST(test_what_is_written_reads_back_as_the_same)
{
        struct config c = parse(HEAD);
        struct buffer out = BUFFER_INIT;

        config_format(&c, &out);
        ck_assert(span_equal_text(buffer_span(&out), HEAD "SCOPE=HOSTLOCAL\n"));
        buffer_deinit(&out);
        check_same(&c);
        c = parse("[MBUS]\nHASHKEY=(HMAC-MD5-96,Y2eAxOs7XWLxrby6)\nSCOPE=LINKLOCAL\nPORT=1\n"
                  "ENCRYPTIONKEY=(3DES,ASNFZ4mrze8jRWeJq83vAQ==)\nADDRESS=ff12::1\nDIALECT=UCL\n"
                  "SEND_UNICAST=yes\nMAX_AGE=86400\nINTERFACE=eth0\nINTERFACE=fe80::1\n");
        check_same(&c);
        c = parse("[MBUS]\n" HASHKEY "ENCRYPTIONKEY=(IDEA,ASNFZ4mrze8jRWeJq83vAQ==)\n"
                  "ADDRESS=BROADCAST\nIPVERSION=6\n");
        check_same(&c);
}
END_TEST

/* ---- the keys of a bus in a section of its own --------------------------------------------- */

static struct config_reader reader_of(char *error)
{
        return (struct config_reader){ .name = "t", .config = CONFIG_INIT, .error = error };
}

START_TEST(test_keys_of_a_bus_are_read_line_by_line)
{
        char error[CONFIG_ERROR_SIZE] = "";
        struct config_reader r = reader_of(error);

        ck_assert_int_eq(config_read_entry(&r, 7, span_of("DIALECT = UCL")), 0);
        ck_assert_int_eq(config_read_entry(&r, 8, span_of("PORT=48000")), 0);
        ck_assert_int_eq(config_check_keys(&r), MBUS_E_CONFIG);
        ck_assert_str_eq(error,
                         "t:8: HASHKEY: is missing in [MBUS], add it or make a file with mbus-cli "
                         "keygen");
        ck_assert_int_eq(config_read_entry(&r, 9, span_of(HASHKEY_LINE)), 0);
        ck_assert_int_eq(config_read_entry(&r, 10, span_of("ENCRYPTIONKEY=(NOENCR,)")), 0);
        ck_assert_int_eq(config_check_keys(&r), 0);
        ck_assert_uint_eq(r.config.n_warnings, 1);
        ck_assert_int_eq(r.config.dialect, DIALECT_UCL);
        ck_assert_uint_eq(r.config.port, 48000);
        ck_assert_uint_eq(r.config.hash_key.n, 20);
}
END_TEST

START_TEST(test_what_is_wrong_with_a_line_names_it)
{
        char error[CONFIG_ERROR_SIZE] = "";
        struct config_reader r = reader_of(error);

        ck_assert_int_eq(config_read_entry(&r, 3, span_of("PORT=48000")), 0);
        ck_assert_int_eq(config_read_entry(&r, 5, span_of("PORT=48001")), MBUS_E_CONFIG);
        ck_assert_str_eq(error, "t:5: PORT: stands on line 3 already, remove one of the two");
        ck_assert_int_eq(config_read_entry(&r, 6, span_of("SCOPE=WORLD")), MBUS_E_CONFIG);
        ck_assert_str_eq(error, "t:6: SCOPE: is no scope, write HOSTLOCAL or LINKLOCAL");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_is_not_said_has_the_default_of_the_rfc,
                test_either_dialect_can_be_named_in_any_case,
                test_all_keys_are_read_in_any_order,
                test_line_ends_marks_blanks_and_comments_of_any_editor_are_accepted,
                test_first_line_must_name_the_section,
                test_other_sections_are_skipped,
                test_unknown_keys_are_accepted_with_a_warning,
                test_keys_of_other_programs_are_ignored_without_a_warning,
                test_more_warnings_than_there_is_room_for_are_dropped,
                test_missing_keys_are_errors_and_a_missing_version_is_a_warning,
                test_only_version_one_is_accepted,
                test_repeated_key_is_an_error_that_names_both_lines,
                test_line_without_a_value_is_an_error,
                test_values_that_cannot_be_are_errors,
                test_port_is_a_number_from_1_to_65535,
                test_address_may_be_ipv4_ipv6_or_broadcast,
                test_address_that_others_may_use_is_a_warning,
                test_what_old_programs_cannot_read_is_one_warning,
                test_address_that_is_none_or_no_multicast_is_an_error,
                test_ip_version_that_contradicts_the_address_is_an_error,
                test_long_file_name_leaves_room_for_the_error,
                test_damaged_texts_never_break_the_reader,
                test_what_is_written_reads_back_as_the_same,
                test_keys_of_a_bus_are_read_line_by_line,
                test_what_is_wrong_with_a_line_names_it,
        };

        return run_tests("config", tests, N(tests));
}
