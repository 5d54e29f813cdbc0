/*
 * remarks.c - see remarks.h.
 */
#include "remarks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void remarks_add(struct remarks *r, const char *text)
{
        assert(r->n <= WARNINGS_MAX);
        for (size_t i = 0; i < r->n; i++)
                if (strcmp(r->texts[i], text) == 0)
                        return;
        if (r->n < WARNINGS_MAX) {
                r->texts[r->n] = strdup(text);
                r->n += r->texts[r->n] != NULL;
        }
}

void remarks_deinit(struct remarks *r)
{
        while (r->n > 0)
                free(r->texts[--r->n]);
}
