/*
 * silence.c - see silence.h.
 */
#include "silence.h"

#include <assert.h>
#include <stdlib.h>

#include <io/clock.h>

uint64_t link_silent_at(struct link *l)
{
        if (l->tickets.n == 0)
                return TIME_NEVER;
        if (l->alive)
                l->alive_at = clock_now();
        l->alive = false;
        return l->alive_at + l->silence;
}

static void silence_end_tickets(struct link *l)
{
        static const char why[] = "the broker does not answer";
        size_t n, n_left = 0;
        struct ticket *all = tickets_drain(&l->tickets, &n);

        for (size_t i = 0; i < n; i++) {
                /* What waits for an attachment goes on waiting for it. There was room for it
                 * before. */
                if (all[i].attach && tickets_add(&l->tickets, &all[i]) == 0)
                        n_left++;
                else if (all[i].attach)
                        l->broken = true;
                else
                        ticket_end(link_events(l), &all[i], MBUS_REASON_TIMEOUT, span_of(why));
        }
        assert(n_left == l->tickets.n && n_left == l->tickets.n_attaches);
        free(all);
        /* And does not make it due again at once. */
        l->alive = true;
}

void link_check_silence(struct link *l)
{
        if (link_silent_at(l) <= clock_now())
                silence_end_tickets(l);
}
