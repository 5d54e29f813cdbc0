/*
 * test-bus-command.c - which commands of the bus are for applications (RFC 3259, sections 9.4 to 9.6).
 */
#include "core/bus-command.h"
#include "run.h"

/* CTL-01 CTL-02 CTL-03 */
START_TEST(test_names_are_told_apart_octet_by_octet)
{
        static const struct {
                const char *name;
                enum bus_command command;
        } cases[] = {
                { "mbus.quit", BUS_COMMAND_QUIT },      { "mbus.waiting", BUS_COMMAND_WAITING },
                { "mbus.go", BUS_COMMAND_GO },          { "mbus.goes", BUS_COMMAND_RESERVED },
                { "mbus.hello", BUS_COMMAND_RESERVED }, { "mbus.bye", BUS_COMMAND_RESERVED },
                { "mbus.ping", BUS_COMMAND_RESERVED },  { "mbus.Quit", BUS_COMMAND_RESERVED },
                { "mbus.", BUS_COMMAND_RESERVED },      { "mbus", BUS_COMMAND_NONE },
                { "Mbus.quit", BUS_COMMAND_NONE },      { "x.mbus.quit", BUS_COMMAND_NONE },
                { "audio.query", BUS_COMMAND_NONE },
        };

        for (size_t i = 0; i < N(cases); i++)
                ck_assert_msg(bus_command_of(span_of(cases[i].name)) == cases[i].command, "%s",
                              cases[i].name);
}
END_TEST

START_TEST(test_a_condition_is_one_symbol_or_string)
{
        static const struct {
                const char *text;
                bool good;
        } cases[] = {
                { "mbus.go(x)", true },      { "mbus.go(\"x y\")", true },
                { "mbus.go()", false },      { "mbus.go(1)", false },
                { "mbus.go(x y)", false },   { "mbus.go(\"\")", false },
                { "mbus.waiting(x)", true }, { "mbus.waiting((x))", false },
                { "mbus.quit()", true },     { "mbus.quit(())", false },
        };

        for (size_t i = 0; i < N(cases); i++) {
                struct payload p = PAYLOAD_INIT;

                ck_assert_int_eq(payload_parse(&p, span_of(cases[i].text), NULL), 0);
                ck_assert_msg(!bus_command_check(&p, p.commands) == cases[i].good, "%s",
                              cases[i].text);
                payload_deinit(&p);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_names_are_told_apart_octet_by_octet,
                test_a_condition_is_one_symbol_or_string,
        };

        return run_tests("bus-command", tests, N(tests));
}
