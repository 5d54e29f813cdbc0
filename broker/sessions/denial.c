/*
 * denial.c - unreliable messages that a session may not send: broker.dropped(COUNT denied SEQ
 * "WHY").
 */
#include "denial.h"

#include <assert.h>

#include "replies.h"

void denial_note(struct session *s, uint32_t seq, const char *why)
{
        struct sessions *all = s->all;
        struct denials *d = &s->denials;

        if (d->n++ == 0) {
                d->seq = seq;
                d->why = why;
        }
        if (d->due <= all->it->now)
                denial_tell(s);
        else if (d->due < all->denials_at)
                all->denials_at = d->due;
        assert(d->n == 0 || all->denials_at <= d->due);
}

void denial_tell(struct session *s)
{
        struct denials *d = &s->denials;

        if (d->n == 0)
                return;
        reply_denied(s, d->n, d->seq, d->why);
        *d = (struct denials){ .due = s->all->it->now + DENIALS_PAUSE_MS * NSEC_PER_MSEC };
}

/* Looks at all of them once in the pause at most, however many there are. */
void denials_tell(struct sessions *all)
{
        if (all->it->now < all->denials_at)
                return;
        all->denials_at = TIME_NEVER;
        for (struct session *s = sessions_first(all); s; s = session_next(s)) {
                if (s->denials.n == 0)
                        continue;
                if (s->denials.due <= all->it->now)
                        denial_tell(s);
                else if (s->denials.due < all->denials_at)
                        all->denials_at = s->denials.due;
        }
}

uint64_t denials_deadline(const struct sessions *all)
{
        return all->denials_at;
}
