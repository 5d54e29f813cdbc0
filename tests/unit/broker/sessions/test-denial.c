/*
 * test-denial.c - of what it may not send a session is told at once, and then seldom and in sum.
 */
#include "../scene.h"
#include "run.h"

#define PAUSE (DENIALS_PAUSE_MS * NSEC_PER_MSEC)

static struct scene scene;

static void setup(void)
{
        scene_init(&scene);
}

static void teardown(void)
{
        scene_deinit(&scene);
}

START_TEST(test_the_first_is_told_at_once)
{
        denial_note(scene.s, 17, "because");
        ck_assert_str_eq(said(&scene), "() () broker.dropped(1 denied 17 \"because\")\n");
        ck_assert_uint_eq(denials_deadline(&scene.sessions), TIME_NEVER);
}
END_TEST

START_TEST(test_what_comes_in_the_pause_is_told_behind_it_with_its_first)
{
        denial_note(scene.s, 1, "one");
        (void)said(&scene);
        scene.it.now++;
        denial_note(scene.s, 2, "two");
        denial_note(scene.s, 3, "three");
        ck_assert_str_eq(said(&scene), "");
        ck_assert_uint_eq(denials_deadline(&scene.sessions), scene.it.now - 1 + PAUSE);
        scene.it.now += PAUSE - 2;
        denials_tell(&scene.sessions);
        ck_assert_str_eq(said(&scene), "");
        scene.it.now++;
        denials_tell(&scene.sessions);
        ck_assert_str_eq(said(&scene), "() () broker.dropped(2 denied 2 \"two\")\n");
        ck_assert_uint_eq(denials_deadline(&scene.sessions), TIME_NEVER);
}
END_TEST

START_TEST(test_who_asks_is_told_in_the_pause_and_only_what_was_not_told)
{
        denial_note(scene.s, 1, "one");
        denial_note(scene.s, 2, "two");
        (void)said(&scene);
        denial_tell(scene.s);
        ck_assert_str_eq(said(&scene), "() () broker.dropped(1 denied 2 \"two\")\n");
        denial_tell(scene.s);
        ck_assert_str_eq(said(&scene), "");
        /* Nothing is left for the time that was set. */
        scene.it.now += PAUSE;
        denials_tell(&scene.sessions);
        ck_assert_str_eq(said(&scene), "");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_the_first_is_told_at_once,
                test_what_comes_in_the_pause_is_told_behind_it_with_its_first,
                test_who_asks_is_told_in_the_pause_and_only_what_was_not_told,
        };

        return run_fixture_tests("sessions-denial", tests, N(tests), setup, teardown);
}
