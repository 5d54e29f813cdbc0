/*
 * test-answer.c - answers that are lists of names and values, in as many messages as they take.
 */
#include <broker/control/control.h>

#include "../scene.h"
#include "run.h"

static struct scene scene;
static struct control control;
static const struct header h = { .seq = 9, .src = { .n = 1, .text = { "(app:x)", 7 } } };
static struct request request;

static void setup(void)
{
        scene_init(&scene);
        control = (struct control){ .it = &scene.it, .sessions = &scene.sessions };
        request = (struct request){ .control = &control, .s = scene.s, .h = &h };
}

static void teardown(void)
{
        scene_deinit(&scene);
}

START_TEST(test_an_answer_has_a_list_for_each_name)
{
        struct answer a = answer_to(&request, "broker.status");

        answer_add_number(&a, "pid", UINT64_MAX);
        answer_add_seconds(&a, "age", 61007 * NSEC_PER_MSEC);
        answer_add_string(&a, "socket", span_of("/run/\"x\""));
        answer_begin_list(&a, "buses");
        answer_add_item(&a, span_of("main"));
        answer_add_item(&a, span_of("studio"));
        answer_end_list(&a);
        answer_begin_list(&a, "none");
        answer_end_list(&a);
        answer_end(&a);
        ck_assert_str_eq(said(&scene),
                         "(app:x) () broker.status(0 (pid 18446744073709551615) (age 61.007) "
                         "(socket \"/run/\\\"x\\\"\") (buses (\"main\" \"studio\")) (none ()))\n");
}
END_TEST

START_TEST(test_what_is_no_utf_8_is_not_said)
{
        struct answer a = answer_to(&request, "x.y");

        answer_add_string(&a, "socket", span_of("/run/\xff"));
        answer_end(&a);
        ck_assert_str_eq(said(&scene), "(app:x) () x.y(0 (socket \"?\"))\n");
}
END_TEST

START_TEST(test_a_long_answer_takes_several_messages_of_which_only_the_last_says_0)
{
        struct answer a = answer_to(&request, "x.y");
        unsigned n_items = 0, n_more = 0;

        for (unsigned i = 0; i < 2000; i++) {
                buffer_add_text(&a.items, " (");
                answer_add_number(&a, "i", i);
                answer_end_item(&a);
                /* Not to have all of it in memory at once. */
                for (const char *at = said(&scene); (at = strstr(at, "(i ")); at += 3)
                        n_items++;
                if (scene.said[0]) {
                        ck_assert_int_eq(strncmp(scene.said, "(app:x) () x.y(1 ((i ", 21), 0);
                        n_more++;
                }
        }
        answer_end(&a);
        for (const char *at = said(&scene); (at = strstr(at, "(i ")); at += 3)
                n_items++;
        ck_assert_int_eq(strncmp(scene.said, "(app:x) () x.y(0 ((i ", 21), 0);
        ck_assert_uint_eq(n_items, 2000);
        ck_assert_uint_eq(n_more, 1);
}
END_TEST

START_TEST(test_what_does_not_fit_into_a_message_is_not_added)
{
        struct answer a = answer_to(&request, "x.y");
        char item[1000];
        size_t n = 0, before;

        memset(item, 'x', sizeof(item));
        answer_begin_list(&a, "all");
        do {
                before = a.items.n;
                n++;
        } while (answer_add_item_that_fits(&a, (struct span){ item, sizeof(item) }));
        ck_assert_uint_eq(a.items.n, before);
        ck_assert_uint_le(a.items.n, ANSWER_BYTES_MAX);
        ck_assert_uint_gt(a.items.n, ANSWER_BYTES_MAX - 2 * sizeof(item));
        ck_assert_uint_gt(n, 40);
        buffer_deinit(&a.items);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_an_answer_has_a_list_for_each_name,
                test_what_is_no_utf_8_is_not_said,
                test_a_long_answer_takes_several_messages_of_which_only_the_last_says_0,
                test_what_does_not_fit_into_a_message_is_not_added,
        };

        return run_fixture_tests("control-answer", tests, N(tests), setup, teardown);
}
