/*
 * test-dispatch.c - who may give which command to the broker, and what becomes of the others.
 */
#include <broker/control/control.h>

#include "../scene.h"
#include "run.h"

static struct scene scene;
static struct control control;
static struct local_entity entity; /* that is attached; nobody looks into it */
static char done[64];              /* the commands that were done, by their letters */
static int room;

static void note(struct request *request)
{
        ck_assert_ptr_eq(request->room, &room);
        strncat(done, request->command->name.at + 2, 1);
}

static bool tell_nothing(struct request *request, struct list_position *position)
{
        (void)request;
        (void)position;
        return true;
}

static void on_list(struct request *request)
{
        note(request);
        request->list = tell_nothing;
}

static void on_failure(struct request *request)
{
        note(request);
        request_fail(request, MBUS_REASON_FULL, "no");
}

static const struct command_entry entries[] = {
        { "t.any", SPEAKER_ANY, note },     { "t.mine", SPEAKER_ATTACHED, note },
        { "t.new", SPEAKER_NEW, note },     { "t.owner", SPEAKER_OWNER, note },
        { "t.list", SPEAKER_ANY, on_list }, { "t.fail", SPEAKER_ANY, on_failure },
};

static const struct command_table table = { entries, N(entries), &room };

static void setup(void)
{
        scene_init(&scene);
        control = (struct control){ .it = &scene.it, .sessions = &scene.sessions };
        control_add(&control, &table);
        done[0] = '\0';
}

static void teardown(void)
{
        scene_deinit(&scene);
}

/* Gives @commands in a message of @src, which is attached or not; returns which were done. */
static const char *give(const char *src, bool attached, const char *commands, size_t *ret_at)
{
        char text[512];
        struct payload payload = PAYLOAD_INIT;
        struct header h;
        struct request request = { .control = &control,
                                   .s = scene.s,
                                   .h = &h,
                                   .src = attached ? &entity : NULL,
                                   .payload = &payload };
        int n = snprintf(text, sizeof(text), "mbus/1.0 9 1 R %s (app:mbus-broker) ()\r\n%s", src,
                         commands);

        done[0] = '\0';
        request.text = (struct span){ text, (size_t)n };
        ck_assert_int_eq(header_parse(request.text, &h, NULL), HEADER_OK);
        ck_assert_int_eq(payload_parse(&payload, span_from(request.text, h.payload), NULL), 0);
        *ret_at = 0;
        control_run(&request, ret_at);
        if (!request.list)
                request_end(&request);
        payload_deinit(&payload);
        return done;
}

START_TEST(test_commands_are_done_in_their_order_and_acknowledged_once)
{
        size_t at;

        ck_assert_str_eq(give("(app:x)", true, "t.any()\r\nt.mine()\r\nt.new()\r\nt.owner()", &at),
                         "amno");
        ck_assert_str_eq(said(&scene), "(app:x) (9) \n");
}
END_TEST

START_TEST(test_who_is_not_attached_may_give_only_what_is_for_anybody_and_that_in_no_name)
{
        size_t at;

        ck_assert_str_eq(give("()", false, "t.any()", &at), "a");
        ck_assert_str_eq(said(&scene), "() (9) \n");
        ck_assert_str_eq(give("(app:x)", false, "t.any()", &at), "");
        ck_assert_str_eq(said(&scene), "(app:x) () broker.undelivered(9 denied \"SrcAddr is not "
                                       "attached to the link\")\n");
        ck_assert_str_eq(give("()", false, "t.mine()", &at), "");
        ck_assert_str_eq(give("(app:x)", false, "t.new()", &at), "n");
}
END_TEST

START_TEST(test_what_is_for_the_owner_is_for_nobody_else)
{
        size_t at;

        scene.s->link.uid = geteuid() + 1;
        ck_assert_str_eq(give("()", false, "t.owner()", &at), "");
        ck_assert_ptr_nonnull(strstr(said(&scene), "broker.undelivered(9 denied \"only the owner"));
        ck_assert_str_eq(give("()", false, "t.any()", &at), "a");
}
END_TEST

START_TEST(test_behind_a_command_that_fails_nothing_is_done)
{
        size_t at;

        ck_assert_str_eq(give("()", false, "t.any()\r\nt.fail()\r\nt.any()", &at), "af");
        ck_assert_str_eq(said(&scene), "() () broker.undelivered(9 full \"no\")\n");
}
END_TEST

START_TEST(test_whoever_mistypes_a_command_is_told_which_may_be_meant)
{
        size_t at;

        ck_assert_str_eq(give("()", false, "t.onwer()\r\nt.any()", &at), "");
        ck_assert_str_eq(said(&scene), "() () broker.undelivered(9 malformed \"there is no command "
                                       "t.onwer, is t.owner meant?\")\n");
        ck_assert_str_eq(give("()", false, "quite.another()", &at), "");
        ck_assert_str_eq(said(&scene), "() () broker.undelivered(9 malformed \"there is no command "
                                       "quite.another\")\n");
}
END_TEST

START_TEST(test_at_a_command_whose_answer_is_a_list_the_others_wait)
{
        size_t at;

        ck_assert_str_eq(give("()", false, "t.any()\r\nt.list()\r\nt.any()", &at), "al");
        ck_assert_uint_eq(at, 1);
        ck_assert_str_eq(said(&scene), "");
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_commands_are_done_in_their_order_and_acknowledged_once,
                test_who_is_not_attached_may_give_only_what_is_for_anybody_and_that_in_no_name,
                test_what_is_for_the_owner_is_for_nobody_else,
                test_behind_a_command_that_fails_nothing_is_done,
                test_whoever_mistypes_a_command_is_told_which_may_be_meant,
                test_at_a_command_whose_answer_is_a_list_the_others_wait,
        };

        return run_fixture_tests("control-dispatch", tests, N(tests), setup, teardown);
}
