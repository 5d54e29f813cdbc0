/*
 * denial.c - unreliable messages that a link may not send: broker.dropped(COUNT denied SEQ "WHY").
 */
#include "denial.h"

#include <broker/broker.h>
#include <broker/control/control.h>

void denial_note(struct client *c, uint32_t seq, const char *why)
{
        struct broker *b = c->broker;
        struct denials *d = &c->denials;

        if (d->n++ == 0) {
                d->seq = seq;
                d->why = why;
        }
        if (d->due <= b->it.now)
                denial_tell(c);
        else if (d->due < b->denials_at)
                b->denials_at = d->due;
}

void denial_tell(struct client *c)
{
        struct denials *d = &c->denials;

        if (d->n == 0)
                return;
        control_denied(c, d->n, d->seq, d->why);
        *d = (struct denials){ .due = c->broker->it.now + DENIALS_PAUSE_MS * NSEC_PER_MSEC };
}

/* Once in the pause at most, however many links there are. */
void denials_tell(struct broker *b)
{
        if (b->it.now < b->denials_at)
                return;
        b->denials_at = TIME_NEVER;
        for (struct client *c = b->clients; c; c = c->next) {
                if (c->denials.n == 0)
                        continue;
                if (c->denials.due <= b->it.now)
                        denial_tell(c);
                else if (c->denials.due < b->denials_at)
                        b->denials_at = c->denials.due;
        }
}

uint64_t denials_deadline(const struct broker *b)
{
        return b->denials_at;
}
