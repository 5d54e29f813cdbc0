/*
 * events.c - a list of events with a bound that hits unreliable messages first.
 */
#include "events.h"

#include <assert.h>
#include <stdlib.h>

void event_deinit(struct event *event)
{
        message_unref(event->message);
        free(event->recipients);
        free(event->address);
        *event = (struct event){ 0 };
}

void events_init(struct events *es, size_t max, size_t bytes_max)
{
        *es = (struct events){ .max = max, .bytes_max = bytes_max };
        es->last = &es->first;
}

/* What an event counts against the limit in octets. */
static size_t event_bytes(const struct event *event)
{
        return event->message ? message_memory(event->message) : 0;
}

static bool event_is_droppable(const struct event *event)
{
        return event->type == EVENT_OBSERVED ||
               (event->type == EVENT_MESSAGE && !event->message->header.reliable);
}

/* Takes the event at *@link out of the list. */
static struct event *unlink_event(struct events *es, struct event **link)
{
        struct event *event = *link;

        *link = event->next;
        if (es->last == &event->next)
                es->last = link;
        assert(es->n > 0 && es->bytes >= event_bytes(event));
        --es->n;
        es->bytes -= event_bytes(event);
        if (event_is_droppable(event)) {
                assert(es->n_unreliable > 0);
                --es->n_unreliable;
        }
        return event;
}

void events_deinit(struct events *es)
{
        while (es->first) {
                struct event *event = unlink_event(es, &es->first);

                event_deinit(event);
                free(event);
        }
        while (es->spare)
                events_release(es);
}

static void drop_oldest_unreliable(struct events *es)
{
        struct event **link = &es->first;
        struct event *event;

        assert(es->n_unreliable > 0);
        while (!event_is_droppable(*link))
                link = &(*link)->next;
        event = unlink_event(es, link);
        event_deinit(event);
        free(event);
        ++es->n_dropped;
}

static bool is_over(const struct events *es, size_t bytes)
{
        return es->n >= es->max || bytes > es->bytes_max || es->bytes > es->bytes_max - bytes;
}

/* Makes room for a message, or says that there is none. */
static int make_room(struct events *es, const struct event *event)
{
        size_t bytes = event_bytes(event);

        while (is_over(es, bytes) && es->n_unreliable > 0)
                drop_oldest_unreliable(es);
        if (!is_over(es, bytes))
                return 0;
        if (event_is_droppable(event))
                ++es->n_dropped;
        return MBUS_E_FULL;
}

static void append(struct events *es, struct event *node, const struct event *event)
{
        assert(!*es->last);
        *node = *event;
        node->next = NULL;
        *es->last = node;
        es->last = &node->next;
        ++es->n;
        es->bytes += event_bytes(node);
        if (event_is_droppable(node))
                ++es->n_unreliable;
}

int events_push(struct events *es, const struct event *event)
{
        struct event *node;
        struct event dead = *event;
        int r = 0;

        if (event->type == EVENT_MESSAGE || event->type == EVENT_OBSERVED)
                r = make_room(es, event);
        else if (es->n / 2 >= es->max)
                r = MBUS_E_FULL;
        node = r == 0 ? malloc(sizeof(*node)) : NULL;
        if (!node) {
                event_deinit(&dead);
                return r ? r : -ENOMEM;
        }
        append(es, node, event);
        return 0;
}

int events_reserve(struct events *es)
{
        struct event *node = malloc(sizeof(*node));

        if (!node)
                return -ENOMEM;
        node->next = es->spare;
        es->spare = node;
        return 0;
}

void events_release(struct events *es)
{
        struct event *node = es->spare;

        assert(node);
        es->spare = node->next;
        free(node);
}

void events_push_reserved(struct events *es, const struct event *event)
{
        struct event *node = es->spare;

        assert(node && !event->message);
        es->spare = node->next;
        append(es, node, event);
}

static bool take_report(uint64_t *count, enum mbus_drop drop, struct event *ret_event)
{
        if (*count == 0)
                return false;
        *ret_event = (struct event){ .type = EVENT_DROPPED, .drop = drop, .count = *count };
        *count = 0;
        return true;
}

bool events_pop(struct events *es, struct event *ret_event)
{
        struct event *event;

        if (take_report(&es->n_dropped, MBUS_DROP_EVENTS, ret_event) ||
            take_report(&es->n_lost, MBUS_DROP_SOCKET, ret_event))
                return true;
        assert(es->first ? es->n > 0 : es->n == 0 && es->bytes == 0 && es->n_unreliable == 0);
        if (!es->first)
                return false;
        event = unlink_event(es, &es->first);
        *ret_event = *event;
        ret_event->next = NULL;
        free(event);
        return true;
}

/* Whether nobody is left that @event is for. */
static bool forget_recipient(struct event *event, const struct entity *entity)
{
        size_t n = 0;

        if (event->entity == entity)
                return true;
        if (event->type != EVENT_MESSAGE)
                return false;
        for (size_t i = 0; i < event->n_recipients; ++i) {
                if (event->recipients[i] != entity)
                        event->recipients[n++] = event->recipients[i];
        }
        event->n_recipients = n;
        return n == 0;
}

void events_forget(struct events *es, const struct entity *entity)
{
        struct event **link = &es->first;

        while (*link) {
                if (forget_recipient(*link, entity)) {
                        struct event *event = unlink_event(es, link);

                        event_deinit(event);
                        free(event);
                } else {
                        link = &(*link)->next;
                }
        }
}

size_t events_memory(const struct events *es)
{
        size_t bytes = 0;

        for (const struct event *event = es->first; event; event = event->next) {
                bytes += sizeof(*event) + event->n_recipients * sizeof(*event->recipients);
                if (event->message)
                        bytes += message_memory(event->message);
                if (event->address)
                        bytes += address_dup_size(event->address);
        }
        for (const struct event *event = es->spare; event; event = event->next)
                bytes += sizeof(*event);
        return bytes;
}
