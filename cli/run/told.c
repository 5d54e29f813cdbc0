/*
 * told.c - see told.h.
 */
#include "told.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <cli/text/text.h>

#include "exits.h"
#include "printer.h"

void told_deinit(struct told *told)
{
        for (size_t i = 0; i < told->n; i++)
                free(told->all[i].address);
        free(told->all);
        *told = (struct told){ .all = NULL };
}

bool told_has(const struct told *told, const char *address)
{
        size_t i = 0;

        while (i < told->n && strcmp(told->all[i].address, address) != 0)
                i++;
        return i < told->n;
}

int told_add(struct told *told, const char *address, uint64_t ticket)
{
        struct told_one *all = realloc(told->all, (told->n + 1) * sizeof(*all));

        if (!all)
                return EXITS_FAILED;
        told->all = all;
        all[told->n] = (struct told_one){ strdup(address), ticket, true };
        if (!all[told->n].address)
                return EXITS_FAILED;
        told->n++;
        told->n_open++;
        return LOOP_ON;
}

int told_on_event(struct told *told, const struct mbus_event *event)
{
        struct told_one *one = told->all;
        size_t i = 0;
        int status;

        if (event->type != MBUS_EVENT_DELIVERED && event->type != MBUS_EVENT_FAILED)
                return LOOP_ON;
        while (i < told->n && !(one[i].is_open && one[i].ticket == event->ticket))
                i++;
        if (i == told->n)
                return LOOP_ON;
        assert(told->n_open > 0);
        told->n_open--;
        one[i].is_open = false;
        if (event->type == MBUS_EVENT_DELIVERED) {
                text_print(stdout, one[i].address);
                putchar('\n');
                return printer_flush();
        }
        status = session_refused(one[i].address, event);
        if (told->status == EXITS_OK)
                told->status = status;
        return LOOP_ON;
}
