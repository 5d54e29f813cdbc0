/*
 * waits.c - see waits.h.
 */
#include "waits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/address.h>
#include <io/entropy.h>

#include "mode.h"

struct wait {
        struct list_node node; /* in waits.waiting or waits.ended */
        struct mbus_entity *entity;
        struct address *destination;
        char *condition;
        char *payload;
        char *source;       /* who said mbus.go; NULL: nobody, or memory was short */
        uint64_t said_next; /* when it is to be said again */
        uint64_t end;
        bool late;
        enum mbus_go outcome;
};

static struct wait *wait_of_node(struct list_node *node)
{
        return container_of(node, struct wait, node);
}

/* What has just been said is not said again before. */
#define WAITING_PAUSE (NSEC_PER_MSEC * (WAITING_REPEAT_MS * 9 / 10))

/* Who began together does not go on together: a second, and a tenth of it more or less. */
static uint64_t wait_after(uint64_t now)
{
        return now + WAITING_PAUSE +
               NSEC_PER_MSEC * (entropy_number() % (WAITING_REPEAT_MS / 5 + 1));
}

static uint64_t wait_due(const struct wait *w)
{
        return w->late ? TIME_NEVER : w->said_next < w->end ? w->said_next : w->end;
}

static struct wait *wait_free(struct wait *w)
{
        if (w) {
                free(w->destination);
                free(w->condition);
                free(w->payload);
                free(w->source);
        }
        free(w);
        return NULL;
}

static struct wait *wait_new(struct mbus_entity *entity, const struct address *destination,
                             const char *condition, struct span payload, uint64_t now, uint64_t end)
{
        struct wait *w = calloc(1, sizeof(*w));

        if (!w)
                return NULL;
        *w = (struct wait){ .entity = entity,
                            .destination = address_dup(destination),
                            .condition = strdup(condition),
                            .payload = strndup(payload.at, payload.n),
                            .said_next = wait_after(now),
                            .end = end };
        return w->destination && w->condition && w->payload ? w : wait_free(w);
}

static void waits_reckon(struct waits *ws)
{
        ws->next = TIME_NEVER;
        for (struct list_node *node = ws->waiting.first; node; node = node->next) {
                uint64_t due = wait_due(wait_of_node(node));

                if (due < ws->next)
                        ws->next = due;
        }
}

static struct wait *waits_find(const struct waits *ws, const struct mbus_entity *entity,
                               const char *condition)
{
        for (struct list_node *node = ws->waiting.first; node; node = node->next) {
                struct wait *w = wait_of_node(node);

                if (w->entity == entity && strcmp(w->condition, condition) == 0)
                        return w;
        }
        return NULL;
}

static size_t list_count(const struct list *list, const struct mbus_entity *entity)
{
        size_t n = 0;

        for (struct list_node *node = list->first; node; node = node->next)
                n += wait_of_node(node)->entity == entity;
        return n;
}

int waits_add(struct waits *ws, struct mbus_entity *entity, const struct address *destination,
              const char *condition, struct span payload, uint64_t now, uint64_t end)
{
        struct wait *w;
        int r;

        if (waits_find(ws, entity, condition))
                return MBUS_E_TAKEN;
        if (list_count(&ws->waiting, entity) + list_count(&ws->ended, entity) >= WAITS_MAX)
                return MBUS_E_FULL;
        w = wait_new(entity, destination, condition, payload, now, end);
        if (!w)
                return -ENOMEM;
        r = entity->mode->ops->send(entity, destination, payload, NULL);
        if (r != 0) {
                wait_free(w);
                return r;
        }
        list_push(&ws->waiting, &w->node);
        if (wait_due(w) < ws->next)
                ws->next = wait_due(w);
        return 0;
}

static void wait_end(struct waits *ws, struct wait *w, enum mbus_go outcome)
{
        list_remove(&ws->waiting, &w->node);
        assert(ws->n_late >= w->late);
        ws->n_late -= w->late;
        w->outcome = outcome;
        list_push(&ws->ended, &w->node);
        waits_reckon(ws);
}

int waits_cancel(struct waits *ws, const struct mbus_entity *entity, const char *condition)
{
        struct wait *w = waits_find(ws, entity, condition);

        if (!w)
                return MBUS_E_UNKNOWN;
        wait_end(ws, w, MBUS_GO_CANCELLED);
        return 0;
}

/* @entity: of that one; NULL: of all. */
static void list_forget(struct list *list, const struct mbus_entity *entity)
{
        struct list_node *next;

        for (struct list_node *node = list->first; node; node = next) {
                struct wait *w = wait_of_node(node);

                next = node->next;
                if (entity && w->entity != entity)
                        continue;
                list_remove(list, node);
                wait_free(w);
        }
}

void waits_forget(struct waits *ws, const struct mbus_entity *entity)
{
        list_forget(&ws->waiting, entity);
        list_forget(&ws->ended, entity);
        ws->n_late = 0;
        for (struct list_node *node = ws->waiting.first; node; node = node->next)
                ws->n_late += wait_of_node(node)->late;
        waits_reckon(ws);
}

void waits_deinit(struct waits *ws)
{
        waits_forget(ws, NULL);
        ws->told = wait_free(ws->told);
}

/* ---- saying -------------------------------------------------------------------------------- */

/*
 * Several conditions for one destination are one message, as far as it stays one datagram without
 * fragments: those that are not due yet are said before their time.
 */
static void wait_say(struct waits *ws, struct wait *first, uint64_t now)
{
        struct mbus_entity *entity = first->entity;
        struct buffer text = BUFFER_INIT;

        buffer_add_text(&text, first->payload);
        first->said_next = wait_after(now);
        for (struct list_node *node = ws->waiting.first; node; node = node->next) {
                struct wait *w = wait_of_node(node);

                if (w->late || w->said_next >= now + WAITING_PAUSE || w->entity != entity ||
                    !address_equal(w->destination, first->destination) ||
                    text.n + 2 + strlen(w->payload) > WAITING_BYTES_MAX)
                        continue;
                buffer_add_text(&text, "\r\n");
                buffer_add_text(&text, w->payload);
                w->said_next = first->said_next;
        }
        /* What cannot be sent now is said the next time; before its first address an entity's first
         * word still waits to go out. */
        if (!text.failed && entity->text)
                (void)entity->mode->ops->send(entity, first->destination, buffer_span(&text), NULL);
        buffer_deinit(&text);
}

void waits_say(struct waits *ws, uint64_t now)
{
        for (struct list_node *node = ws->waiting.first; node; node = node->next) {
                struct wait *w = wait_of_node(node);

                if (!w->late && w->end > now && w->said_next <= now)
                        wait_say(ws, w, now);
        }
        waits_reckon(ws);
}

void waits_expire(struct waits *ws, uint64_t now)
{
        for (struct list_node *node = ws->waiting.first; node; node = node->next) {
                struct wait *w = wait_of_node(node);

                if (w->late || w->end > now)
                        continue;
                w->late = true;
                ws->n_late++;
        }
        waits_reckon(ws);
}

/* ---- ending -------------------------------------------------------------------------------- */

void waits_heard(struct waits *ws, const struct mbus_entity *entity,
                 const struct mbus_message *message)
{
        const char *name, *source = mbus_message_get_source(message);

        for (size_t i = 0; (name = mbus_message_get_command(message, i)); i++) {
                const char *condition;
                struct wait *w;

                if (strcmp(name, "mbus.go") != 0)
                        continue;
                condition = mbus_value_get_text(mbus_value_first(mbus_message_get_args(message, i)),
                                                NULL);
                w = condition ? waits_find(ws, entity, condition) : NULL;
                if (!w)
                        continue;
                w->source = source ? strdup(source) : NULL;
                wait_end(ws, w, MBUS_GO_CAME);
        }
}

bool waits_give_up(struct waits *ws)
{
        struct list_node *next;
        bool any = ws->n_late > 0;

        for (struct list_node *node = ws->waiting.first; node && ws->n_late > 0; node = next) {
                struct wait *w = wait_of_node(node);

                next = node->next;
                if (w->late)
                        wait_end(ws, w, MBUS_GO_TIMED_OUT);
        }
        return any;
}

void waits_pop(struct waits *ws, struct mbus_event *ret_event)
{
        struct wait *w;

        assert(waits_has_ended(ws));
        wait_free(ws->told);
        w = wait_of_node(list_pop(&ws->ended));
        *ret_event = (struct mbus_event){ .type = MBUS_EVENT_GO,
                                          .entity = w->entity,
                                          .address = w->source,
                                          .condition = w->condition,
                                          .go = w->outcome };
        ws->told = w;
}
