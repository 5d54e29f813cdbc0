/*
 * events.c - the ring of events that wait for the application.
 *
 * An event whose entity went away stays in the ring as MBUS_EVENT_MAX and is skipped.
 */
#include "events.h"

#include <assert.h>
#include <stdlib.h>

static inline size_t queued_bytes(const struct queued *item)
{
        const struct message *m = (const struct message *)item->event.message;

        return m ? message_memory(m) : 0;
}

void queued_deinit(struct queued *item)
{
        message_unref((struct message *)item->event.message);
        free((char *)item->event.why);
        free(item->text);
        *item = (struct queued){ .text = NULL };
}

char *why_string(struct span why)
{
        char *copy;

        if (why.n > WHY_MAX) {
                why.n = WHY_MAX;
                /* Not within a character. */
                while (why.n > 0 && ((unsigned char)why.at[why.n] & 0xc0) == 0x80)
                        why.n--;
        }
        copy = why.n > 0 ? malloc(why.n + 1) : NULL;
        if (copy) {
                memcpy(copy, why.at, why.n);
                copy[why.n] = '\0';
        }
        return copy;
}

void event_queue_deinit(struct event_queue *q)
{
        for (size_t i = 0; i < q->n; i++)
                queued_deinit(&q->ring[(q->head + i) & (q->size - 1)]);
        free(q->ring);
        *q = (struct event_queue){ .ring = NULL };
}

int event_queue_reserve(struct event_queue *q, size_t n)
{
        size_t size = q->size ? q->size : 16;
        struct queued *ring;

        n += q->promised;
        if (n <= q->size - q->n)
                return 0;
        while (size - q->n < n)
                size *= 2;
        ring = malloc(size * sizeof(*ring));
        if (!ring)
                return -ENOMEM;
        for (size_t i = 0; i < q->n; i++)
                ring[i] = q->ring[(q->head + i) & (q->size - 1)];
        free(q->ring);
        q->ring = ring;
        q->size = size;
        q->head = 0;
        return 0;
}

int event_queue_promise(struct event_queue *q)
{
        int r = event_queue_reserve(q, 1);

        if (r == 0)
                q->promised++;
        return r;
}

/* There is room. */
static void queue_append(struct event_queue *q, const struct mbus_event *event, char *text)
{
        struct queued *item;

        assert(q->promised < q->size - q->n);
        item = &q->ring[(q->head + q->n++) & (q->size - 1)];
        item->event = *event;
        item->text = text;
        q->bytes += queued_bytes(item);
}

void event_queue_push(struct event_queue *q, const struct mbus_event *event, char *text)
{
        struct queued item = { *event, text };

        if (event_queue_reserve(q, 1) == 0) {
                queue_append(q, event, text);
                return;
        }
        queued_deinit(&item);
        q->failure = -ENOMEM;
}

/* What an application learns of a message: MBUS_EVENT_MAX, nothing, when all of its commands are
 * about the awareness of section 8, which is the library's. */
static enum mbus_event_type message_event(const struct message *m)
{
        enum mbus_event_type type = MBUS_EVENT_MAX;

        for (size_t i = 0; i < m->payload.n; i++) {
                struct span name = m->payload.commands[i].name;

                if (!span_begins(name, "mbus."))
                        type = MBUS_EVENT_MESSAGE;
                else if (span_equal_text(name, "mbus.quit"))
                        return MBUS_EVENT_QUIT;
                else if (!span_equal_text(name, "mbus.hello") &&
                         !span_equal_text(name, "mbus.bye") && !span_equal_text(name, "mbus.ping"))
                        type = MBUS_EVENT_MESSAGE;
        }
        return type;
}

int event_queue_message(struct event_queue *q, struct mbus_entity *entity, struct message *message)
{
        struct mbus_event event = { .type = message_event(message),
                                    .entity = entity,
                                    .message = (struct mbus_message *)message,
                                    .time = q->time };

        if (event.type == MBUS_EVENT_MAX)
                return 0;
        if (event_queue_reserve(q, 1) < 0)
                return -ENOMEM;
        message_ref(message);
        queue_append(q, &event, NULL);
        return 0;
}

int event_queue_observed(struct event_queue *q, struct message *message)
{
        struct mbus_event event = { .type = MBUS_EVENT_OBSERVED, .time = q->time };

        if (event_queue_reserve(q, 1) < 0)
                return -ENOMEM;
        event.message = (struct mbus_message *)message_ref(message);
        queue_append(q, &event, NULL);
        return 0;
}

void event_queue_network(struct event_queue *q, enum mbus_network network, struct span why)
{
        struct mbus_event event = { .type = MBUS_EVENT_NETWORK, .network = network };

        event.why = why_string(why);
        event_queue_push(q, &event, NULL);
}

void event_queue_forget(struct event_queue *q, const struct mbus_entity *entity)
{
        for (size_t i = 0; i < q->n; i++) {
                struct queued *item = &q->ring[(q->head + i) & (q->size - 1)];

                if (item->event.entity != entity)
                        continue;
                q->bytes -= queued_bytes(item);
                queued_deinit(item);
                item->event.type = MBUS_EVENT_MAX;
        }
}

/* Takes the first one off. */
static inline void queue_drop(struct event_queue *q)
{
        size_t bytes = queued_bytes(&q->ring[q->head]);

        assert(q->n > 0 && bytes <= q->bytes);
        q->bytes -= bytes;
        q->head = (q->head + 1) & (q->size - 1);
        q->n--;
}

const struct queued *event_queue_skip(struct event_queue *q)
{
        while (q->n > 0 && q->ring[q->head].event.type == MBUS_EVENT_MAX)
                queue_drop(q);
        return q->n > 0 ? &q->ring[q->head] : NULL;
}

void event_queue_pop(struct event_queue *q, struct queued *ret_item)
{
        *ret_item = q->ring[q->head];
        queue_drop(q);
}
