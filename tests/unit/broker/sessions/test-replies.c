/*
 * test-replies.c - what the broker says to clients, as spec/attach.md has it.
 */
#include "../scene.h"
#include "run.h"

static struct scene scene;

static void setup(void)
{
        scene_init(&scene);
}

static void teardown(void)
{
        scene_deinit(&scene);
}

START_TEST(test_what_became_of_a_message_is_told_with_its_number_and_why)
{
        reply_undelivered(scene.s, span_of("(app:x)"), 7, MBUS_REASON_TIMEOUT, "too late");
        ck_assert_str_eq(said(&scene), "(app:x) () broker.undelivered(7 timeout \"too late\")\n");
        reply_about(scene.s, span_of("()"), "broker.refused", UINT32_MAX, "full", "no");
        ck_assert_str_eq(said(&scene), "() () broker.refused(4294967295 full \"no\")\n");
}
END_TEST

START_TEST(test_a_receiver_that_started_again_has_left_for_the_sender)
{
        reply_undelivered(scene.s, span_of("()"), 7, MBUS_REASON_RESTARTED, "");
        ck_assert_str_eq(said(&scene), "() () broker.undelivered(7 bye \"\")\n");
}
END_TEST

START_TEST(test_quotes_in_a_sentence_are_escaped)
{
        reply_reason(scene.s, span_of("()"), "broker.detached", span_of("\"(app:x)\""), "denied",
                     "\"id\" is missing");
        ck_assert_str_eq(said(&scene),
                         "() () broker.detached(\"(app:x)\" denied \"\\\"id\\\" is missing\")\n");
        reply_reason(scene.s, span_of("()"), "broker.unwatched", SPAN_NULL, "denied", "no");
        ck_assert_str_eq(said(&scene), "() () broker.unwatched(denied \"no\")\n");
}
END_TEST

START_TEST(test_acknowledgements_are_in_the_name_of_who_gave_them)
{
        static const uint32_t seqs[] = { 1, 2, 700 };

        reply_acknowledge(scene.s, span_of("(app:y)"), span_of("(app:x)"), seqs, N(seqs));
        ck_assert_str_eq(said(&scene), "(app:x) (1 2 700) \n");
}
END_TEST

START_TEST(test_the_end_of_a_message_is_an_acknowledgement_or_says_why_there_is_none)
{
        struct span by = span_of("(app:y)"), src = span_of("(app:x)");

        reply_ended(scene.s, by, src, 3, MBUS_REASON_NONE);
        ck_assert_str_eq(said(&scene), "(app:x) (3) \n");
        reply_ended(scene.s, by, src, 3, MBUS_REASON_BYE);
        ck_assert_str_eq(said(&scene),
                         "(app:x) () broker.undelivered(3 bye \"the entity left the bus\")\n");
        reply_ended(scene.s, by, src, 3, MBUS_REASON_TIMEOUT);
        ck_assert_str_eq(said(&scene), "(app:x) () broker.undelivered(3 timeout \"the entity did "
                                       "not acknowledge it\")\n");
}
END_TEST

START_TEST(test_losses_are_told_with_how_many_they_are)
{
        struct buffer frame = BUFFER_INIT;
        struct span text;
        bool observed;
        size_t size;

        reply_dropped(scene.s, UINT64_MAX, "socket");
        ck_assert_str_eq(said(&scene), "() () broker.dropped(18446744073709551615 socket)\n");
        reply_format_dropped(scene.s, 3, "copies", &frame);
        ck_assert_int_eq(frame_next(buffer_span(&frame), &text, &observed, &size), FRAME_OK);
        ck_assert_uint_eq(size, frame.n);
        ck_assert(!observed);
        text = span_from(text, text.n - 24);
        ck_assert(span_equal_text(text, "broker.dropped(3 copies)"));
        buffer_deinit(&frame);
}
END_TEST

START_TEST(test_another_address_is_told_with_the_one_before)
{
        struct address from, to;

        ck_assert_int_eq(address_parse(span_of("(app:x id:1)"), LENIENT, &from, NULL, NULL), 0);
        ck_assert_int_eq(address_parse(span_of("(app:x id:2)"), LENIENT, &to, NULL, NULL), 0);
        reply_renamed(scene.s, &from, &to);
        ck_assert_str_eq(said(&scene), "() () broker.renamed(\"(app:x id:1)\" \"(app:x id:2)\")\n");
}
END_TEST

/* With that the answer might fit into no frame. */
START_TEST(test_an_answer_leaves_out_the_white_space_of_a_very_long_address)
{
        static char dest[2 * ADDRESS_TEXT_MAX];

        memset(dest, ' ', sizeof(dest));
        memcpy(dest, "(app:x", 6);
        dest[sizeof(dest) - 1] = ')';
        reply_undelivered(scene.s, (struct span){ dest, sizeof(dest) }, 1, MBUS_REASON_FULL, "");
        ck_assert_str_eq(said(&scene), "(app:x) () broker.undelivered(1 full \"\")\n");
}
END_TEST

START_TEST(test_messages_of_the_broker_are_numbered_one_after_the_other)
{
        uint32_t seq = scene.s->seq;

        reply_say(scene.s, span_of("a()"));
        reply_say(scene.s, span_of("b()"));
        ck_assert_str_eq(said(&scene), "() () a()\n() () b()\n");
        ck_assert_uint_eq(scene.s->seq, seq + 2);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_became_of_a_message_is_told_with_its_number_and_why,
                test_a_receiver_that_started_again_has_left_for_the_sender,
                test_quotes_in_a_sentence_are_escaped,
                test_acknowledgements_are_in_the_name_of_who_gave_them,
                test_the_end_of_a_message_is_an_acknowledgement_or_says_why_there_is_none,
                test_losses_are_told_with_how_many_they_are,
                test_another_address_is_told_with_the_one_before,
                test_an_answer_leaves_out_the_white_space_of_a_very_long_address,
                test_messages_of_the_broker_are_numbered_one_after_the_other,
        };

        return run_fixture_tests("sessions-replies", tests, N(tests), setup, teardown);
}
