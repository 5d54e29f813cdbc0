/*
 * test-figure.c - how figures are written.
 */
#include <broker/control/figure.h>

#include "run.h"

static void expect_written(const struct figure *f, const char *symbol, const char *value)
{
        struct buffer out = BUFFER_INIT;

        figure_format_symbol(f, &out);
        ck_assert(span_equal_text(buffer_span(&out), symbol));
        buffer_clear(&out);
        figure_format_value(f, &out);
        ck_assert(span_equal_text(buffer_span(&out), value));
        buffer_deinit(&out);
}

START_TEST(test_figures_have_symbols_without_units_of_counting_and_seconds_with_three_digits)
{
        expect_written(&(struct figure){ .name = "clients", .value = 7 }, "clients", "7");
        expect_written(&(struct figure){ .name = "link_bytes_total",
                                         .label = "direction",
                                         .labels = "in",
                                         .value = UINT64_MAX },
                       "link-bytes-in", "18446744073709551615");
        expect_written(&(struct figure){ .name = "uptime_seconds", .value = 61007, .in_ms = true },
                       "uptime-seconds", "61.007");
        expect_written(&(struct figure){ .name = "x_total", .in_ms = true }, "x", "0.000");
        expect_written(&(struct figure){ .name = "_total" }, "-total", "0");
}
END_TEST

/* Names of buses may differ in nothing but "-" and "_". */
START_TEST(test_figures_of_the_bus_main_have_its_name_left_out_and_those_of_others_at_the_end)
{
        struct figure f = {
                .name = "bus_bytes_total", .bus = "main", .label = "direction", .labels = "in"
        };

        expect_written(&f, "bus-bytes-in", "0");
        f.bus = "old_studio";
        expect_written(&f, "bus-bytes-in-old_studio", "0");
        f.label = NULL;
        expect_written(&f, "bus-bytes-old_studio", "0");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_figures_have_symbols_without_units_of_counting_and_seconds_with_three_digits,
                test_figures_of_the_bus_main_have_its_name_left_out_and_those_of_others_at_the_end,
        };

        return run_tests("control-figure", tests, N(tests));
}
