/*
 * hello.c - the hello timer with reconsideration, in both directions (sections 8.1, 8.2, 9.1, 9.3).
 */
#include "hello.h"

#include <assert.h>

#include "limits.h"

uint64_t hello_interval(size_t entities)
{
        uint64_t ms = (uint64_t)HELLO_FACTOR_MS * entities;

        return (ms > HELLO_MIN_MS ? ms : HELLO_MIN_MS) * NSEC_PER_MSEC;
}

uint64_t hello_dead_after(size_t entities)
{
        return (uint64_t)((double)hello_interval(entities) * HELLO_DITHER_MAX) * HELLO_DEAD;
}

/* hello_e: the prose of 8.1.1, which the formula beside it leaves hello_d out of (errata.md, 1). */
static uint64_t dithered_interval(size_t entities, struct random *random)
{
        double dither =
                HELLO_DITHER_MIN + random_unit(random) * (HELLO_DITHER_MAX - HELLO_DITHER_MIN);

        return (uint64_t)((double)hello_interval(entities) * dither);
}

static uint64_t short_delay(struct random *random)
{
        return random_below(random, HELLO_MIN_MS * NSEC_PER_MSEC + 1);
}

void hello_start(struct hello *h, uint64_t now, struct random *random)
{
        *h = (struct hello){ .hello_p = now,
                             .hello_n = now + short_delay(random),
                             .reply = TIME_NEVER,
                             .entities_p = 1,
                             .first = true };
}

uint64_t hello_next(const struct hello *h)
{
        return h->reply < h->hello_n ? h->reply : h->hello_n;
}

void hello_said(struct hello *h, uint64_t now, size_t entities, struct random *random)
{
        assert(entities > 0);
        h->first = false;
        h->reply = TIME_NEVER;
        h->hello_p = now;
        h->hello_n = now + dithered_interval(entities, random);
        assert(h->hello_n >= now + HELLO_MIN_MS * NSEC_PER_MSEC * 9 / 10);
}

/* Reconsideration at expiry (8.1.5, AWR-04): the interval is drawn anew for as many as there are
 * now, and a hello is said only if that would have come by now, too; else the timer runs until it
 * does. */
bool hello_expire(struct hello *h, uint64_t now, size_t entities, struct random *random)
{
        uint64_t due;

        if (hello_next(h) > now)
                return false;
        due = h->hello_p + dithered_interval(entities, random);
        h->entities_p = entities;
        if (h->first || h->reply <= now || due <= now) {
                hello_said(h, now, entities, random);
                return true;
        }
        h->hello_n = due;
        return false;
}

/* Reverse reconsideration (8.1.4, AWR-05): as the number of entities shrinks, so does what is left
 * of the interval, and what has passed of it. */
void hello_shrink(struct hello *h, uint64_t now, size_t entities)
{
        double ratio = (double)entities / (double)h->entities_p;

        assert(entities > 0 && h->entities_p > 0);
        if (entities >= h->entities_p)
                return;
        if (!h->first) {
                if (h->hello_n > now)
                        h->hello_n = now + (uint64_t)(ratio * (double)(h->hello_n - now));
                h->hello_p = now - (uint64_t)(ratio * (double)(now - h->hello_p));
        }
        h->entities_p = entities;
}

void hello_ping(struct hello *h, uint64_t now, struct random *random)
{
        if (h->reply == TIME_NEVER)
                h->reply = now + short_delay(random);
}
