/*
 * test-bus-config.c - what [bus NAME] sections may say, and what is said when they are wrong.
 */
#include <stdio.h>

#include <broker/config/bus-config.h>
#include <core/error.h>

#include "run.h"

#define HASHKEY "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
#define KEYS HASHKEY "ENCRYPTIONKEY=(NOENCR,)\n"
/* That old programs can read, too. */
#define OLD_KEYS "HASHKEY=(HMAC-MD5-96,AAECAwQFBgcICQoLDA0ODw==)\nENCRYPTIONKEY=(NOENCR,)\n"

static bool try(struct bus_configs *configs, const char *text, char *ret_error)
{
        const struct ini_section sections[] = {
                { "mbus", NULL, NULL, false },
                { "bus", bus_configs_on_line, configs, true },
        };

        return ini_read(span_of(text), "F", sections, N(sections), ret_error) &&
               bus_configs_check(configs, "F", ret_error);
}

static struct bus_configs *parse(const char *text)
{
        struct bus_configs *configs = bus_configs_new();
        char error[INI_ERROR_SIZE] = "";

        ck_assert_msg(try(configs, text, error), "%s", error);
        return configs;
}

static void check_error(const char *text, const char *expected)
{
        struct bus_configs *configs = bus_configs_new();
        char error[INI_ERROR_SIZE] = "";

        ck_assert_msg(!try(configs, text, error), "%s", text);
        ck_assert_str_eq(error, expected);
        bus_configs_free(configs);
}

static struct address address_of(const char *text)
{
        struct address address;

        ck_assert_int_eq(address_parse(span_of(text), LENIENT, &address, NULL, NULL), 0);
        return address;
}

START_TEST(test_a_section_has_the_keys_of_a_bus)
{
        struct bus_configs *c = parse("[MBUS]\nPORT=1\n[bus studio]\n" OLD_KEYS
                                      "PORT=48000\nDIALECT=UCL\nADDRESS=239.1.2.3\nINTERFACE=lo\n"
                                      "[ BUS  Stage-2 ]\n" KEYS);

        ck_assert_uint_eq(c->n, 2);
        ck_assert_str_eq(c->sections[0].name, "studio");
        ck_assert_uint_eq(c->sections[0].reader.config.port, 48000);
        ck_assert_int_eq(c->sections[0].reader.config.dialect, DIALECT_UCL);
        ck_assert_str_eq(c->sections[0].reader.config.address, "239.1.2.3");
        ck_assert_uint_eq(c->sections[0].reader.config.n_warnings, 0);
        ck_assert_str_eq(c->sections[1].name, "Stage-2");
        ck_assert_uint_eq(c->sections[1].reader.config.port, CONFIG_PORT_DEFAULT);
        ck_assert_ptr_null(c->rules);
        bus_configs_free(c);
}
END_TEST

START_TEST(test_routes_have_a_direction_an_address_and_commands)
{
        struct bus_configs *c = parse("[bus a]\n" KEYS "ROUTE=to=main address=(media:audio app:x) "
                                      "commands=audio.,mixer.gain\n"
                                      "ROUTE=from=B\n[bus b]\n" KEYS);
        struct address full = address_of("(app:x media:audio id:1-1@h)");
        struct address other = address_of("(media:audio)");
        const struct export_rule *r = c->rules;

        ck_assert_str_eq(r->from, "a");
        ck_assert_str_eq(r->to, "main");
        ck_assert(export_rule_is_about(r, &full));
        ck_assert(!export_rule_is_about(r, &other));
        ck_assert(export_rule_admits(r, span_of("audio.play")));
        ck_assert(export_rule_admits(r, span_of("mixer.gain")));
        ck_assert(!export_rule_admits(r, span_of("mixer.mute")));
        ck_assert(!export_rule_admits(r, span_of("mixer.gains")));
        ck_assert(!export_rule_admits(r, span_of("audio")));
        r = r->next;
        ck_assert_str_eq(r->from, "b");
        ck_assert_str_eq(r->to, "a");
        ck_assert(export_rule_is_about(r, &other));
        ck_assert(export_rule_admits(r, span_of("any")));
        ck_assert_ptr_null(r->next);
        bus_configs_free(c);
}
END_TEST

START_TEST(test_what_is_wrong_is_said_with_its_line)
{
        check_error("[bus]\n", "F:1: [bus]: a bus has a name of letters, digits, - and _, write "
                               "[bus NAME]");
        check_error("[bus a b]\n", "F:1: [bus]: a bus has a name of letters, digits, - and _, "
                                   "write [bus NAME]");
        check_error("[bus a]\n" KEYS "[bus A]\n",
                    "F:4: [bus]: there is a bus of this name already, take another; main is that "
                    "of [MBUS]");
        check_error("[bus Main]\n", "F:1: [bus]: there is a bus of this name already, take "
                                    "another; main is that of [MBUS]");
        check_error("[bus a]\nPORT=0\n", "F:2: PORT: is no UDP port, write a number from 1 to "
                                         "65535");
        check_error("[bus a]\n" HASHKEY,
                    "F:1: ENCRYPTIONKEY: is missing in [bus a], add it, with (NOENCR,) "
                    "for no encryption");
        check_error("# old\n\n[bus a]\n",
                    "F:3: HASHKEY: is missing in [bus a], add it or make a file "
                    "with mbus-cli keygen");
        check_error("[bus a]\n" KEYS "PORT=1\nport=2\n",
                    "F:5: port: stands on line 4 already, remove one of the two");
        check_error("[bus a]\n" KEYS "ROUTE=to=main to=main\n",
                    "F:4: ROUTE: to= stands there twice, remove one of the two");
        check_error("[bus a]\n" KEYS "ROUTE=to=main commands=a commands=b\n",
                    "F:4: ROUTE: commands= stands there twice, remove one of the two");
        check_error("[bus a]\n" KEYS "ROUTE=to=main commands=\n",
                    "F:4: ROUTE: commands= has nothing behind it, write it or remove commands=");
        check_error("[bus a]\n" KEYS "ROUTE=to=\n",
                    "F:4: ROUTE: to= has nothing behind it, write it or remove to=");
        check_error("[bus a]\n" KEYS "ROUTE=\n", "F:4: ROUTE: write one of to=BUS and from=BUS");
        check_error("[bus a]\n" KEYS "ROUTE=main\n",
                    "F:4: ROUTE: write to=BUS or from=BUS, then address=(...) and "
                    "commands=NAME,NAME if not all may pass");
        check_error("[bus a]\n" KEYS "ROUTE=address=()\n",
                    "F:4: ROUTE: write one of to=BUS and from=BUS");
        check_error("[bus a]\n" KEYS "ROUTE=to=main from=main\n",
                    "F:4: ROUTE: write one of to=BUS and from=BUS");
        check_error("[bus a]\n" KEYS "ROUTE=to=a\n", "F:4: ROUTE: it leads from the bus to itself");
        check_error("[bus a]\n" KEYS "ROUTE=to=b\n",
                    "F:4: ROUTE: there is no bus of this name, add [bus NAME]");
        check_error("[bus a]\n" KEYS "ROUTE=to=main address=audio\n",
                    "F:4: ROUTE: what is behind address= is no address, write (tag:value ...)");
        check_error("[bus a]\n" KEYS "ROUTE=to=main commands=a,,b\n",
                    "F:4: ROUTE: what is behind commands= is no list of names, write "
                    "audio.,video.play");
}
END_TEST

START_TEST(test_more_buses_and_routes_than_there_may_be_are_an_error)
{
        static char text[BUSES_MAX * 200 + EXPORT_RULES_MAX * 20];
        size_t n = 0;

        for (unsigned i = 0; i < BUSES_MAX; i++)
                n += (size_t)sprintf(text + n, "[bus b%u]\n%s", i, KEYS);
        check_error(text, "F:46: [bus]: there are more than 16 buses");
        n = (size_t)sprintf(text, "[bus a]\n%s", KEYS);
        for (unsigned i = 0; i <= EXPORT_RULES_MAX; i++)
                n += (size_t)sprintf(text + n, "ROUTE=to=main\n");
        check_error(text, "F:260: ROUTE: there are more than 256 routes");
}
END_TEST

START_TEST(test_the_same_bus_is_told_from_others_whatever_its_routes)
{
        static const struct {
                const char *text;
                bool same;
        } cases[] = {
                { "[bus a]\n" KEYS, true },
                { "# more\n[bus c]\n" KEYS "[bus a]\n" KEYS "ROUTE=to=main\n", true },
                { "[bus a]\n" KEYS "PORT=1\n", false },
                { "[bus a]\n" KEYS "DIALECT=UCL\n", false },
        };
        struct bus_configs *a = parse("[bus a]\n" KEYS);

        for (size_t i = 0; i < N(cases); i++) {
                struct bus_configs *b = parse(cases[i].text);

                ck_assert_ptr_null(bus_configs_find(b, "b"));
                ck_assert_msg(bus_section_equal(bus_configs_find(a, "a"),
                                                bus_configs_find(b, "a")) == cases[i].same,
                              "case %zu", i);
                bus_configs_free(b);
        }
        ck_assert_ptr_null(bus_configs_find(NULL, "a"));
        bus_configs_free(a);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_section_has_the_keys_of_a_bus,
                test_routes_have_a_direction_an_address_and_commands,
                test_what_is_wrong_is_said_with_its_line,
                test_more_buses_and_routes_than_there_may_be_are_an_error,
                test_the_same_bus_is_told_from_others_whatever_its_routes,
        };

        return run_tests("broker-buses", tests, N(tests));
}
