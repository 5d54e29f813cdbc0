/*
 * engine-local.c - see engine-local.h.
 */
#include "engine-local.h"

#include <stdlib.h>

int match_locals(const struct engine *e, const struct address *dest, const struct entity *except,
                 struct entity ***ret_entities, size_t *ret_n)
{
        struct index_cursor cursor = index_match(&e->locals, dest);
        struct entity **entities = NULL;
        struct index_entry *entry;
        size_t n = 0;

        while ((entry = index_next(&cursor))) {
                if (entity_of_entry(entry) == except)
                        continue;
                if (!entities)
                        entities = malloc((index_bound(&cursor) + 1) * sizeof(*entities));
                if (!entities)
                        return -ENOMEM;
                entities[n++] = entity_of_entry(entry);
        }
        *ret_entities = entities;
        *ret_n = n;
        return 0;
}

int deliver_locally(struct engine *e, struct entity **recipients, size_t n)
{
        struct event event = { .type = EVENT_MESSAGE, .recipients = recipients, .n_recipients = n };
        int r;

        if (n == 0)
                return 0;
        r = message_new(buffer_span(&e->text), &event.message, NULL);
        if (r != 0) {
                free(recipients);
                return r;
        }
        return events_push(&e->events, &event);
}
