/*
 * test-waits.c - what is waited for is said again and again, shares messages, and ends once, on a clock of
 * the test's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bus/mode.h>
#include <bus/waits.h>

#include "run.h"

#define REPEAT (WAITING_REPEAT_MS * NSEC_PER_MSEC)

static struct {
        char last[4096];
        size_t n;
        int answer;
} sent;

static int note_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                     uint64_t *ret_ticket)
{
        (void)entity;
        (void)dest;
        ck_assert_ptr_null(ret_ticket);
        snprintf(sent.last, sizeof(sent.last), "%.*s", (int)payload.n, payload.at);
        sent.n++;
        return sent.answer;
}

static const struct mode_ops ops = { .send = note_send };
static struct mode mode = { .ops = &ops };
static char address[] = "(app:a id:1-1@127.0.0.1)";
static struct mbus_entity me, other;
static struct waits ws;

static void setup(void)
{
        memset(&sent, 0, sizeof(sent));
        me = other = (struct mbus_entity){ .mode = &mode, .text = address };
        ws = WAITS_INIT;
}

static void teardown(void)
{
        waits_deinit(&ws);
        ck_assert_uint_eq(waits_next(&ws), TIME_NEVER);
}

static int add_to(struct mbus_entity *entity, const char *to, const char *condition, uint64_t now,
                  uint64_t end)
{
        char payload[400];
        struct address a;

        ck_assert_int_eq(address_parse(span_of(to), LENIENT, &a, NULL, NULL), 0);
        snprintf(payload, sizeof(payload), "mbus.waiting(%s)", condition);
        return waits_add(&ws, entity, &a, condition, span_of(payload), now, end);
}

static int add(const char *condition, uint64_t now, uint64_t end)
{
        return add_to(&me, "()", condition, now, end);
}

static void expect_end(const char *condition, enum mbus_go outcome)
{
        struct mbus_event event;

        ck_assert(waits_has_ended(&ws));
        waits_pop(&ws, &event);
        ck_assert_int_eq(event.type, MBUS_EVENT_GO);
        ck_assert_ptr_eq(event.entity, &me);
        ck_assert_str_eq(event.condition, condition);
        ck_assert_int_eq(event.go, outcome);
}

/* CTL-02 */
START_TEST(test_a_condition_is_said_at_once_and_every_second)
{
        uint64_t now = 0;

        ck_assert_uint_eq(waits_next(&ws), TIME_NEVER);
        ck_assert_int_eq(add("x", now, TIME_NEVER), 0);
        for (size_t n = 1; n < 20; n++) {
                ck_assert_uint_eq(sent.n, n);
                ck_assert_str_eq(sent.last, "mbus.waiting(x)");
                ck_assert_uint_ge(waits_next(&ws) - now, REPEAT * 9 / 10);
                ck_assert_uint_le(waits_next(&ws) - now, REPEAT * 11 / 10);
                now = waits_next(&ws);
                waits_say(&ws, now - 1);
                ck_assert_uint_eq(sent.n, n);
                waits_say(&ws, now);
                waits_expire(&ws, now);
        }
        ck_assert_int_eq(waits_cancel(&ws, &me, "x"), 0);
        ck_assert_uint_eq(waits_next(&ws), TIME_NEVER);
        expect_end("x", MBUS_GO_CANCELLED);
        ck_assert(!waits_has_ended(&ws));
        ck_assert_int_eq(waits_cancel(&ws, &me, "x"), MBUS_E_UNKNOWN);
}
END_TEST

/* CTL-02 */
START_TEST(test_conditions_of_one_destination_share_a_message)
{
        char name[CONDITION_MAX + 1];

        ck_assert_int_eq(add("x", 0, TIME_NEVER), 0);
        ck_assert_int_eq(add("y", 0, TIME_NEVER), 0);
        ck_assert_int_eq(add_to(&me, "(app:z)", "z", 0, TIME_NEVER), 0);
        ck_assert_int_eq(add_to(&other, "()", "x", 0, TIME_NEVER), 0);
        ck_assert_uint_eq(sent.n, 4);
        waits_say(&ws, 2 * REPEAT);
        ck_assert_uint_eq(sent.n, 7);
        waits_forget(&ws, &other);
        ck_assert_int_eq(waits_cancel(&ws, &me, "z"), 0);
        waits_say(&ws, 4 * REPEAT);
        ck_assert_uint_eq(sent.n, 8);
        ck_assert_str_eq(sent.last, "mbus.waiting(x)\r\nmbus.waiting(y)");
        /* As far as they are small. */
        for (char c = 'a'; c < 'f'; c++) {
                memset(name, c, CONDITION_MAX);
                name[CONDITION_MAX] = '\0';
                ck_assert_int_eq(add(name, 4 * REPEAT, TIME_NEVER), 0);
        }
        sent.n = 0;
        waits_say(&ws, 6 * REPEAT);
        ck_assert_uint_eq(sent.n, 2);
        ck_assert_uint_le(strlen(sent.last), WAITING_BYTES_MAX);
}
END_TEST

START_TEST(test_time_that_is_over_is_told_behind_what_came_before)
{
        ck_assert_int_eq(add("x", 0, 10), 0);
        ck_assert_uint_eq(waits_next(&ws), 10);
        waits_say(&ws, 10);
        waits_expire(&ws, 10);
        ck_assert_uint_eq(sent.n, 1);
        ck_assert_uint_eq(waits_next(&ws), TIME_NEVER);
        ck_assert(!waits_has_ended(&ws));
        /* It is not over yet. */
        ck_assert_int_eq(add("x", 10, 20), MBUS_E_TAKEN);
        ck_assert(waits_give_up(&ws));
        expect_end("x", MBUS_GO_TIMED_OUT);
        ck_assert(!waits_give_up(&ws));
        ck_assert_int_eq(add("x", 10, 20), 0);
}
END_TEST

START_TEST(test_an_entity_waits_for_so_many_conditions_each_once)
{
        char name[8];

        for (size_t i = 0; i < WAITS_MAX; i++) {
                snprintf(name, sizeof(name), "x%zu", i);
                ck_assert_int_eq(add(name, 0, TIME_NEVER), 0);
                ck_assert_int_eq(add(name, 0, TIME_NEVER), MBUS_E_TAKEN);
        }
        ck_assert_int_eq(add("y", 0, TIME_NEVER), MBUS_E_FULL);
        ck_assert_int_eq(add_to(&other, "()", "y", 0, TIME_NEVER), 0);
        /* What is not popped counts. */
        ck_assert_int_eq(waits_cancel(&ws, &me, "x0"), 0);
        ck_assert_int_eq(add("y", 0, TIME_NEVER), MBUS_E_FULL);
        expect_end("x0", MBUS_GO_CANCELLED);
        ck_assert_int_eq(add("y", 0, TIME_NEVER), 0);
}
END_TEST

START_TEST(test_what_cannot_be_said_is_not_waited_for_and_an_entity_without_address_is_silent)
{
        sent.answer = MBUS_E_NOT_READY;
        ck_assert_int_eq(add("x", 0, TIME_NEVER), MBUS_E_NOT_READY);
        ck_assert_uint_eq(waits_next(&ws), TIME_NEVER);
        sent.answer = 0;
        me.text = NULL;
        ck_assert_int_eq(add("x", 0, TIME_NEVER), 0);
        waits_say(&ws, 2 * REPEAT);
        ck_assert_uint_eq(sent.n, 2);
        me.text = address;
        /* A link that is down for a while. */
        sent.answer = MBUS_E_NOT_READY;
        waits_say(&ws, 4 * REPEAT);
        ck_assert_uint_eq(sent.n, 3);
        sent.answer = 0;
        waits_say(&ws, 6 * REPEAT);
        ck_assert_uint_eq(sent.n, 4);
        waits_forget(&ws, &me);
        ck_assert_uint_eq(waits_next(&ws), TIME_NEVER);
        ck_assert(!waits_has_ended(&ws));
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_condition_is_said_at_once_and_every_second,
                test_conditions_of_one_destination_share_a_message,
                test_time_that_is_over_is_told_behind_what_came_before,
                test_an_entity_waits_for_so_many_conditions_each_once,
                test_what_cannot_be_said_is_not_waited_for_and_an_entity_without_address_is_silent,
        };

        return run_fixture_tests("waits", tests, N(tests), setup, teardown);
}
