/*
 * test-filter.c - which messages an observer wants a copy of.
 */
#include <stdio.h>

#include "core/filter.h"
#include "core/limits.h"
#include "run.h"

/* Makes filters of the parameters of broker.observe, without the number in front. */
static int make(const char *args, struct filter **ret_filters)
{
        struct payload p = PAYLOAD_INIT;
        const struct value *list;
        char text[4096];
        int r;

        snprintf(text, sizeof(text), "x(%s)", args);
        ck_assert_int_eq(payload_parse(&p, span_of(text), NULL), 0);
        list = payload_args(&p, &p.commands[0]);
        r = filters_parse(list + 1, list->items, ret_filters);
        payload_deinit(&p);
        return r;
}

static bool passes_on(const char *bus, const char *args, const char *addresses, const char *payload)
{
        struct filter *filters = NULL;
        struct header h;
        char text[1024];
        bool result;

        ck_assert_int_eq(make(args, &filters), 0);
        snprintf(text, sizeof(text), "mbus/1.0 1 1 U %s ()\r\n%s", addresses, payload);
        ck_assert_int_eq(header_parse(span_of(text), &h, NULL), HEADER_OK);
        result = filters_pass(filters, bus, &h, span_from(span_of(text), h.payload));
        filters_free(filters);
        return result;
}

static bool passes(const char *args, const char *addresses, const char *payload)
{
        return passes_on("main", args, addresses, payload);
}

START_TEST(test_a_filter_is_about_source_or_destination_and_names_of_commands)
{
        ck_assert(passes("", "(app:a) ()", "x()"));
        ck_assert(passes("(\"()\" \"\")", "(app:a) ()", "x()"));
        ck_assert(passes("(\"(app:a)\")", "(app:a id:1-1@h) (app:b)", ""));
        ck_assert(passes("(\"(app:b)\" \"\")", "(app:a id:1-1@h) (app:b)", "x()"));
        ck_assert(!passes("(\"(app:c)\" \"\")", "(app:a id:1-1@h) (app:b)", "x()"));
        ck_assert(!passes("(\"(app:b module:x)\" \"\")", "(app:a) (app:b)", "x()"));
        ck_assert(passes("(\"()\" \"audio.\")", "(app:a) ()", "video.x(\"audio.(\")\r\naudio.y()"));
        ck_assert(!passes("(\"()\" \"audio.\")", "(app:a) ()", "video.x(\"\\\"audio.y\" (1))"));
        ck_assert(!passes("(\"()\" \"audio.\")", "(app:a) ()", "audio()"));
        ck_assert(!passes("(\"()\" \"a\")", "(app:a) ()", ""));
        /* As the old dialect writes it. */
        ck_assert(passes("(\"()\" \"audio.\")", "(app:a) ()", "x ()\naudio.y (1)\n"));
}
END_TEST

START_TEST(test_a_filter_is_about_one_bus_and_that_is_main_unless_it_says)
{
        ck_assert(!passes_on("studio", "", "(app:a) ()", "x()"));
        ck_assert(!passes_on("studio", "(\"()\")", "(app:a) ()", "x()"));
        ck_assert(passes_on("studio", "(\"()\" \"\" \"Studio\")", "(app:a) ()", "x()"));
        ck_assert(!passes_on("main", "(\"()\" \"\" \"studio\")", "(app:a) ()", "x()"));
        ck_assert(!passes_on("studio", "(\"()\" \"y\" \"studio\")", "(app:a) ()", "x()"));
        ck_assert(passes_on("main", "(\"()\" \"\" \"main\")", "(app:a) ()", "x()"));
        ck_assert(passes_on("main", "(\"()\" \"\" \"\")", "(app:a) ()", "x()"));
}
END_TEST

START_TEST(test_one_filter_of_several_is_enough)
{
        static const char two[] = "(\"(app:a)\" \"x.\") (\"(app:b)\" \"y.\")";

        ck_assert(passes(two, "(app:a) ()", "x.z()"));
        ck_assert(passes(two, "(app:b) ()", "y.z()"));
        ck_assert(!passes(two, "(app:a) ()", "y.z()"));
}
END_TEST

START_TEST(test_filters_that_make_no_sense_or_are_too_many_are_refused)
{
        static const char *const bad[] = {
                "\"()\"",
                "\"()\" \"\"",
                "()",
                "(\"()\" 1)",
                "(1 \"\")",
                "(\"(app\" \"\")",
                "(\"()\" \"a b\")",
                "(\"()\" \"(\")",
                "(((1)))",
                "(\"()\" \"\" \"main\" \"\")",
                "(\"()\" \"\" main)",
                "(\"()\") (\"x\" \"\")",
        };
        struct filter *filters = NULL;
        char args[1024] = "";

        for (size_t i = 0; i < N(bad); i++)
                ck_assert_msg(make(bad[i], &filters) == MBUS_E_MALFORMED, "%s", bad[i]);
        for (unsigned i = 0; i < OBSERVE_FILTERS_MAX; i++)
                strcat(args, " (\"()\")");
        ck_assert_int_eq(make(args, &filters), 0);
        ck_assert_ptr_null(filters_free(filters));
        strcat(args, " (\"()\")");
        ck_assert_int_eq(make(args, &filters), MBUS_E_FULL);
}
END_TEST

START_TEST(test_what_is_written_and_copied_reads_the_same)
{
        static const char args[] = " (\"(app:a  module:b )\" \"audio.\" \"studio\") "
                                   "(\"()\" \"\" \"main\")";
        static const char plain[] = " (\"(app:a module:b)\" \"audio.\" \"studio\") "
                                    "(\"()\" \"\" \"main\")";
        struct filter *filters = NULL, *copy = NULL;
        struct buffer out = BUFFER_INIT;

        ck_assert_int_eq(make(args, &filters), 0);
        ck_assert_int_eq(filters_copy(filters, &copy), 0);
        filters_free(filters);
        filters_format(copy, &out);
        ck_assert(span_equal_text(buffer_span(&out), plain));
        ck_assert(filters_name_bus(copy, "STUDIO"));
        ck_assert(filters_name_bus(copy, "main"));
        ck_assert(!filters_name_bus(copy, "two"));
        ck_assert(!filters_name_bus(NULL, "two"));
        ck_assert(filters_name_bus(NULL, "main"));
        filters_free(copy);
        buffer_deinit(&out);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_filter_is_about_source_or_destination_and_names_of_commands,
                test_a_filter_is_about_one_bus_and_that_is_main_unless_it_says,
                test_one_filter_of_several_is_enough,
                test_filters_that_make_no_sense_or_are_too_many_are_refused,
                test_what_is_written_and_copied_reads_the_same,
        };

        return run_tests("filter", tests, N(tests));
}
