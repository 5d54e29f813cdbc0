/*
 * test-link.c - the library on a link to a broker: attaching, tickets, messages (spec/attach.md).
 */
#include <bus/bus.h>
#include "fake-broker.h"
#include "run.h"

/* ---- attaching ----------------------------------------------------------------------------- */

START_TEST(test_an_entity_sends_and_has_an_address_once_it_is_attached)
{
        struct world *w = world_new();
        struct mbus_entity *e = entity_add(w->bus, "(app:x)");
        uint32_t seq;

        ck_assert_str_eq(mbus_bus_get_url(w->bus), w->url);
        ck_assert_ptr_null(mbus_entity_get_address(e));
        seq = expect(w, " R (app:x) (app:mbus-broker) ()\r\n" ATTACH);
        ck_assert_uint_eq(seq, 0);
        say(w, "mbus/1.0 1 1 U " BROKER " () (0)\r\nbroker.attached(0 1 \"" ME "\")");
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_READY);
        ck_assert_str_eq(mbus_entity_get_address(e), ME);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_int_eq(mbus_entity_send_text(e, "(app:peer)", "a()"), 0);
        ck_assert_uint_eq(expect(w, " U " ME " (app:peer) ()\r\na()"), 1);
        mbus_entity_remove(e);
        expect(w, ME " (app:mbus-broker) ()\r\nbroker.detach()");
        world_free(w);
}
END_TEST

START_TEST(test_a_refusal_names_its_reason)
{
        struct world *w = world_new();
        struct mbus_entity *e = entity_add(w->bus, "(app:x)");
        const struct mbus_event *event;

        expect(w, ATTACH);
        say(w, "mbus/1.0 1 1 U " BROKER " () ()\r\nbroker.refused(0 denied \"not yours\")");
        event = event_expect(w->bus, MBUS_EVENT_REFUSED);
        ck_assert_ptr_eq(event->entity, e);
        ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
        ck_assert_str_eq(event->why, "not yours");
        ck_assert_int_eq(mbus_entity_send_text(e, "()", "a()"), MBUS_E_NOT_READY);
        world_free(w);
}
END_TEST

START_TEST(test_an_entity_that_was_removed_while_it_attached_is_detached)
{
        struct world *w = world_new();
        struct mbus_entity *e = entity_add(w->bus, "(app:x)");

        expect(w, ATTACH);
        mbus_entity_remove(e);
        say(w, "mbus/1.0 1 1 U " BROKER " () (0)\r\nbroker.attached(0 1 \"" ME "\")");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        expect(w, ME " (app:mbus-broker) ()\r\nbroker.detach()");
        world_free(w);
}
END_TEST

START_TEST(test_an_entity_that_gets_another_address_is_ready_again)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;

        /* Both addresses of what comes are known by the second time. */
        for (unsigned i = 0; i < 2; i++) {
                say(w, "mbus/1.0 1 9 U " PEER " " ME " ()\r\nx()");
                event_expect(w->bus, MBUS_EVENT_MESSAGE);
        }
        say(w, "mbus/1.0 9 9 U " BROKER " () ()\r\n"
               "broker.renamed(\"" ME "\" \"(app:x id:77-1@127.0.0.1)\")");
        event = event_expect(w->bus, MBUS_EVENT_READY);
        ck_assert_str_eq(mbus_entity_get_address(event->entity), "(app:x id:77-1@127.0.0.1)");
        say(w, "mbus/1.0 1 9 U " PEER " " ME " ()\r\nx()");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        send_reliable(w);
        expect(w, " R (app:x id:77-1@127.0.0.1) (app:peer) ()\r\na()");
        say(w, "mbus/1.0 9 9 U " BROKER " () ()\r\n"
               "broker.renamed(\"" PEER "\" \"(app:y id:78-1@127.0.0.1)\")");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

/* ADR-05 */
START_TEST(test_an_address_has_one_text_whatever_the_broker_writes)
{
        static const char text[] = "(app:peer module:m id:3-1@127.0.0.1)";
        struct world *w = world_with_entity();
        const struct mbus_event *event;

        ck_assert_int_eq(mbus_bus_watch(w->bus, "( app:peer\t)"), 0);
        expect(w, "broker.watch(");
        say(w, "mbus/1.0 8 9 U " BROKER " () ()\r\n"
               "broker.joined(\"( module:m id:3-1@127.0.0.1\tapp:peer )\" 0)");
        ck_assert_str_eq(event_expect(w->bus, MBUS_EVENT_JOINED)->address, text);
        /* The third time the addresses are recognised by how they are written. */
        for (unsigned i = 0; i < 3; i++) {
                say(w,
                    "mbus/1.0 %u 9 U (id:3-1@127.0.0.1  app:peer module:m ) ( id:2-1@127.0.0.1 "
                    "app:x) ()\r\nx()",
                    i);
                event = event_expect(w->bus, MBUS_EVENT_MESSAGE);
                ck_assert_str_eq(mbus_message_get_source(event->message), text);
                ck_assert_str_eq(mbus_message_get_destination(event->message),
                                 mbus_entity_get_address(w->me));
        }
        say(w, "mbus/1.0 9 9 U " BROKER " () ()\r\n"
               "broker.left(\"(id:3-1@127.0.0.1 module:m app:peer)\" bye)");
        ck_assert_str_eq(event_expect(w->bus, MBUS_EVENT_LEFT)->address, text);
        world_free(w);
}
END_TEST

/* ---- tickets ------------------------------------------------------------------------------- */

START_TEST(test_a_ticket_ends_with_an_acknowledgement)
{
        struct world *w = world_with_entity();
        uint64_t first = send_reliable(w), second = send_reliable(w);
        uint32_t a = expect(w, " R " ME " (app:peer) ()\r\na()"), b = expect(w, " R ");
        const struct mbus_event *event;

        ck_assert_uint_ne(first, second);
        say(w, "mbus/1.0 9 9 U " PEER " " ME " (77 %u %u)", b, a);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_DELIVERED);
        ck_assert_uint_eq(event->ticket, second);
        ck_assert_ptr_eq(event->entity, w->me);
        ck_assert_uint_eq(mbus_bus_pop_event(w->bus)->ticket, first);
        say(w, "mbus/1.0 10 9 U " PEER " " ME " (%u)", a);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_a_ticket_that_is_undelivered_fails_with_the_brokers_reason)
{
        struct world *w = world_with_entity();
        uint64_t ticket = send_reliable(w);
        uint32_t seq = expect(w, " R ");
        const struct mbus_event *event;

        say(w, "mbus/1.0 2 9 U " BROKER " " ME " ()\r\nbroker.undelivered(%u not-unique \"two\")",
            seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_FAILED);
        ck_assert_uint_eq(event->ticket, ticket);
        ck_assert_int_eq(event->reason, MBUS_REASON_NOT_UNIQUE);
        ck_assert_str_eq(event->why, "two");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_a_sentence_of_the_broker_may_be_missing_and_is_cut_between_characters)
{
        static const char *const sentences[] = { "", " 7", " \"\"", NULL };
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        char why[WHY_MAX + 5] = " \"x";

        /* WHY_MAX is within the last but one: an x, and then characters of two octets each. */
        for (size_t i = 3; i < WHY_MAX + 2; i += 2)
                memcpy(why + i, "\xc3\xa4", 2);
        strcpy(why + WHY_MAX + 3, "\"");
        for (size_t i = 0; i < N(sentences); i++) {
                uint64_t ticket = send_reliable(w);

                say(w, "mbus/1.0 2 9 U " BROKER " " ME " ()\r\nbroker.undelivered(%u full%s)",
                    expect(w, " R "), sentences[i] ? sentences[i] : why);
                event = mbus_bus_pop_event(w->bus);
                ck_assert_int_eq(event->type, MBUS_EVENT_FAILED);
                ck_assert_uint_eq(event->ticket, ticket);
                if (sentences[i])
                        ck_assert_ptr_null(event->why);
                else
                        ck_assert_uint_eq(strlen(event->why), WHY_MAX - 1);
        }
        ck_assert_int_eq(memcmp(event->why, why + 2, WHY_MAX - 1), 0);
        world_free(w);
}
END_TEST

START_TEST(test_tickets_of_an_entity_that_is_dropped_fail_before_it_is_refused)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint64_t tickets = 0;

        for (unsigned i = 0; i < 40; i++)
                send_reliable(w);
        turn(w);
        say(w, "mbus/1.0 2 9 U " BROKER " () ()\r\nbroker.detached(\"" ME "\" denied \"away\")");
        for (unsigned i = 0; i < 40; i++) {
                event = mbus_bus_pop_event(w->bus);
                ck_assert_int_eq(event->type, MBUS_EVENT_FAILED);
                ck_assert_int_eq(event->reason, MBUS_REASON_DENIED);
                ck_assert_str_eq(event->why, "away");
                ck_assert_ptr_eq(event->entity, w->me);
                tickets |= UINT64_C(1) << event->ticket;
        }
        ck_assert_int_eq(__builtin_popcountll(tickets), 40);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_REFUSED);
        ck_assert_str_eq(event->why, "away");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_only_the_broker_speaks_for_the_broker)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;
        uint32_t seq;

        send_reliable(w);
        seq = expect(w, " R ");
        say(w, "mbus/1.0 2 9 U " PEER " " ME " ()\r\nbroker.undelivered(%u bye \"\")", seq);
        event = mbus_bus_pop_event(w->bus);
        ck_assert_int_eq(event->type, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        /* And what it says beyond its part is a message. */
        say(w, "mbus/1.0 2 9 U " BROKER " " ME " ()\r\nbroker.status(up)");
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_MESSAGE);
        world_free(w);
}
END_TEST

START_TEST(test_many_tickets_find_their_way_in_any_order)
{
        struct world *w = world_with_entity();
        enum { TICKETS = 3000 };
        uint64_t *tickets = calloc(TICKETS, sizeof(*tickets));
        uint32_t first = 0;

        for (uint32_t i = 0; i < TICKETS; i++) {
                tickets[i] = send_reliable(w);
                if (i % 100 == 99)
                        for (uint32_t k = i - 99; k <= i; k++) {
                                uint32_t seq = expect(w, " R ");

                                first = k == 0 ? seq : first;
                                ck_assert_uint_eq(seq, first + k);
                        }
        }
        for (uint32_t i = 0; i < TICKETS; i++) {
                uint32_t k = (i * 1009 + 17) % TICKETS;
                const struct mbus_event *event;

                say(w, "mbus/1.0 9 9 U " PEER " " ME " (%u)", first + k);
                event = mbus_bus_pop_event(w->bus);
                ck_assert_ptr_nonnull(event);
                ck_assert_uint_eq(event->ticket, tickets[k]);
        }
        free(tickets);
        world_free(w);
}
END_TEST

/* ---- receiving ----------------------------------------------------------------------------- */

START_TEST(test_reliable_messages_are_acknowledged_together)
{
        struct world *w = world_with_entity();
        struct message *m;
        uint32_t seq;
        struct span rest;

        for (uint32_t i = 0; i < 3; i++) {
                char text[256];

                snprintf(text, sizeof(text), "mbus/1.0 %u 9 R " PEER " " ME " ()\r\na()", 100 + i);
                say_frame(w, false, text);
        }
        turn(w);
        m = next(w);
        ck_assert_ptr_nonnull(m);
        ck_assert_str_eq(m->src, ME);
        ck_assert_str_eq(m->dest, PEER);
        ck_assert(!m->header.reliable);
        ck_assert_uint_eq(m->payload.n, 0);
        rest = m->header.acks;
        for (uint32_t i = 0; i < 3; i++) {
                ck_assert(acks_next(&rest, &seq));
                ck_assert_uint_eq(seq, 100 + i);
        }
        ck_assert(!acks_next(&rest, &seq));
        message_unref(m);
        for (int i = 0; i < 3; i++)
                event_expect(w->bus, MBUS_EVENT_MESSAGE);
        world_free(w);
}
END_TEST

START_TEST(test_a_reliable_message_for_a_subset_is_neither_taken_nor_acknowledged)
{
        struct world *w = world_with_entity();

        say(w, "mbus/1.0 1 9 R " PEER " (app:x) ()\r\na()");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_ptr_null(next(w));
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, MBUS_DROP_SUBSET), 1);
        world_free(w);
}
END_TEST

START_TEST(test_what_comes_for_an_entity_that_is_not_there_any_more_is_counted)
{
        struct world *w = world_with_entity();

        say(w, "mbus/1.0 1 9 R " PEER " (app:x id:9-9@127.0.0.1) ()\r\na()");
        say(w, "mbus/1.0 2 9 U " PEER " (app:x id:9-9@127.0.0.1) ()\r\na()");
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        ck_assert_ptr_null(next(w));
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, MBUS_DROP_NOBODY), 2);
        ck_assert_str_eq(mbus_drop_name(MBUS_DROP_NOBODY), "nobody");
        world_free(w);
}
END_TEST

START_TEST(test_one_frame_reaches_all_entities_of_the_link_but_its_sender)
{
        struct world *w = world_with_entity();
        struct mbus_entity *second = entity_add(w->bus, "(app:x)");
        const struct mbus_event *event;
        uint32_t seq = expect(w, ATTACH);

        say(w,
            "mbus/1.0 1 1 U " BROKER " () (%u)\r\nbroker.attached(%u 1 \"(app:x "
            "id:2-2@127.0.0.1)\")",
            seq, seq);
        events_clear(w->bus);
        say(w, "mbus/1.0 1 9 U " PEER " (app:x) ()\r\na()");
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_MESSAGE);
        ck_assert_int_eq(mbus_bus_pop_event(w->bus)->type, MBUS_EVENT_MESSAGE);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        say(w, "mbus/1.0 1 9 U " ME " (app:x) ()\r\na()");
        event = mbus_bus_pop_event(w->bus);
        ck_assert_ptr_eq(event->entity, second);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_losses_that_the_broker_tells_of_are_reported)
{
        struct world *w = world_with_entity();
        const struct mbus_event *event;

        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.dropped(42 full)");
        event = event_expect(w->bus, MBUS_EVENT_DROPPED);
        ck_assert_uint_eq(event->count, 42);
        ck_assert_int_eq(event->drop, MBUS_DROP_EVENTS);
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, event->drop), 42);
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.dropped(7 copies)");
        event = event_expect(w->bus, MBUS_EVENT_DROPPED);
        ck_assert_uint_eq(event->count, 7);
        ck_assert_int_eq(event->drop, MBUS_DROP_COPIES);
        ck_assert_str_eq(mbus_drop_name(event->drop), "copies");
        ck_assert_ptr_null(event->why);
        /* With the first SeqNum, and why. */
        say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\nbroker.dropped(3 denied 5 \"takes send=\")");
        event = event_expect(w->bus, MBUS_EVENT_DROPPED);
        ck_assert_uint_eq(event->count, 3);
        ck_assert_int_eq(event->drop, MBUS_DROP_DENIED);
        ck_assert_str_eq(mbus_drop_name(event->drop), "denied");
        ck_assert_str_eq(event->why, "takes send=");
        world_free(w);
}
END_TEST

START_TEST(test_frames_that_are_no_messages_are_counted)
{
        struct world *w = world_with_entity();

        say_frame(w, false, "hello");
        say(w, "mbus/1.0 1 9 U " PEER " (app:x) ()\r\na(");
        ck_assert_uint_eq(mbus_bus_get_dropped(w->bus, MBUS_DROP_MALFORMED), 2);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

START_TEST(test_odd_answers_of_a_broker_do_no_harm)
{
        static const char *const odd[] = {
                "broker.attached()",
                "broker.attached(-1 1 \"" ME "\")",
                "broker.attached(0 1 x)",
                "broker.attached(7 1 \"(\")",
                "broker.refused(99999999999999999999 x)",
                "broker.refused(1)",
                "broker.joined(1 2 3)",
                "broker.joined(\"(app:y)\")",
                "broker.joined(\"(\" 1)",
                "broker.left()",
                "broker.left(\"(app:z)\")",
                "broker.watching()",
                "broker.watching(17)",
                "broker.dropped()",
                "broker.dropped(-1 full)",
                "broker.undelivered(\"x\" bye)",
                "broker.undelivered(0 denied)",
                "broker.unwatched()",
                "broker.unobserved(1)",
        };
        struct world *w = world_with_entity();

        for (size_t i = 0; i < N(odd); i++)
                say(w, "mbus/1.0 1 9 U " BROKER " () ()\r\n%s", odd[i]);
        ck_assert_ptr_null(mbus_bus_pop_event(w->bus));
        world_free(w);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_an_entity_sends_and_has_an_address_once_it_is_attached,
                test_a_refusal_names_its_reason,
                test_an_entity_that_was_removed_while_it_attached_is_detached,
                test_an_entity_that_gets_another_address_is_ready_again,
                test_an_address_has_one_text_whatever_the_broker_writes,
                test_a_ticket_ends_with_an_acknowledgement,
                test_a_ticket_that_is_undelivered_fails_with_the_brokers_reason,
                test_a_sentence_of_the_broker_may_be_missing_and_is_cut_between_characters,
                test_tickets_of_an_entity_that_is_dropped_fail_before_it_is_refused,
                test_only_the_broker_speaks_for_the_broker,
                test_many_tickets_find_their_way_in_any_order,
                test_reliable_messages_are_acknowledged_together,
                test_a_reliable_message_for_a_subset_is_neither_taken_nor_acknowledged,
                test_what_comes_for_an_entity_that_is_not_there_any_more_is_counted,
                test_one_frame_reaches_all_entities_of_the_link_but_its_sender,
                test_losses_that_the_broker_tells_of_are_reported,
                test_frames_that_are_no_messages_are_counted,
                test_odd_answers_of_a_broker_do_no_harm,
        };

        return run_tests("link", tests, N(tests));
}
