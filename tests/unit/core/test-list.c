/*
 * test-list.c - the list of nodes inside of what they stand for.
 */
#include <string.h>

#include "core/list.h"
#include "run.h"
#include "seed.h"

#define MANY 12

struct item {
        int number;
        struct list_node node;
        struct list_node other; /* of another list */
};

static struct item *item_of(struct list_node *node)
{
        return container_of(node, struct item, node);
}

/* Whether @list has exactly these, read from either end. */
static void check_list(const struct list *list, const int *numbers, size_t n)
{
        struct list_node *node = list->first;

        for (size_t i = 0; i < n; ++i, node = node->next) {
                ck_assert_ptr_nonnull(node);
                ck_assert_int_eq(item_of(node)->number, numbers[i]);
        }
        ck_assert_ptr_null(node);
        node = list->last;
        for (size_t i = n; i > 0; --i, node = node->previous) {
                ck_assert_ptr_nonnull(node);
                ck_assert_int_eq(item_of(node)->number, numbers[i - 1]);
        }
        ck_assert_ptr_null(node);
        ck_assert_int_eq(list_is_empty(list), n == 0);
}

START_TEST(test_zeros_are_an_empty_list)
{
        struct list list = { 0 };

        check_list(&list, NULL, 0);
        ck_assert_ptr_null(list_pop(&list));
        ck_assert_ptr_null(item_of(list.first));
}
END_TEST

START_TEST(test_what_is_pushed_comes_out_in_order)
{
        struct item items[] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
        struct list list = LIST_INIT;

        for (size_t i = 0; i < N(items); ++i)
                list_push(&list, &items[i].node);
        check_list(&list, (int[]){ 1, 2, 3 }, 3);
        for (size_t i = 0; i < N(items); ++i)
                ck_assert_ptr_eq(item_of(list_pop(&list)), &items[i]);
        check_list(&list, NULL, 0);
        list_push_first(&list, &items[1].node);
        list_push_first(&list, &items[0].node);
        list_insert(&list, &items[2].node, &items[1].node);
        check_list(&list, (int[]){ 1, 3, 2 }, 3);
}
END_TEST

START_TEST(test_first_middle_and_last_leave_the_others_linked)
{
        struct item items[4] = {
                { .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 }
        };
        struct list list = LIST_INIT;

        for (size_t i = 0; i < N(items); ++i)
                list_push(&list, &items[i].node);
        list_remove(&list, &items[1].node);
        check_list(&list, (int[]){ 1, 3, 4 }, 3);
        list_remove(&list, &items[3].node);
        check_list(&list, (int[]){ 1, 3 }, 2);
        list_remove(&list, &items[0].node);
        check_list(&list, (int[]){ 3 }, 1);
        list_remove(&list, &items[2].node);
        check_list(&list, NULL, 0);
        list_push(&list, &items[1].node);
        check_list(&list, (int[]){ 2 }, 1);
}
END_TEST

START_TEST(test_an_item_is_in_as_many_lists_as_it_has_nodes)
{
        struct item items[] = { { .number = 1 }, { .number = 2 } };
        struct list list = LIST_INIT, other = LIST_INIT;

        for (size_t i = 0; i < N(items); ++i) {
                list_push(&list, &items[i].node);
                list_push_first(&other, &items[i].other);
        }
        list_remove(&list, &items[0].node);
        check_list(&list, (int[]){ 2 }, 1);
        ck_assert_ptr_eq(container_of(other.first, struct item, other), &items[1]);
        ck_assert_ptr_eq(container_of(other.last, struct item, other), &items[0]);
}
END_TEST

/* Against an array that is shifted. */
START_TEST(test_any_sequence_of_calls_keeps_the_list_whole)
{
        struct item items[MANY] = { { 0 } };
        struct list list = LIST_INIT;
        int numbers[MANY];
        struct random random = seeded("list");
        size_t n = 0;

        for (int i = 0; i < MANY; ++i)
                items[i].number = i;
        for (unsigned step = 0; step < 10000; ++step) {
                size_t i = random_below(&random, MANY), at = 0;

                while (at < n && numbers[at] != items[i].number)
                        ++at;
                if (at < n) {
                        list_remove(&list, &items[i].node);
                        memmove(numbers + at, numbers + at + 1, (--n - at) * sizeof(*numbers));
                } else {
                        at = random_below(&random, n + 1);
                        list_insert(&list, &items[i].node,
                                    at < n ? &items[numbers[at]].node : NULL);
                        memmove(numbers + at + 1, numbers + at, (n++ - at) * sizeof(*numbers));
                        numbers[at] = items[i].number;
                }
                check_list(&list, numbers, n);
        }
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_zeros_are_an_empty_list,
                test_what_is_pushed_comes_out_in_order,
                test_first_middle_and_last_leave_the_others_linked,
                test_an_item_is_in_as_many_lists_as_it_has_nodes,
                test_any_sequence_of_calls_keeps_the_list_whole,
        };

        return run_tests("list", tests, N(tests));
}
