/*
 * window.c - the sliding window over the messages of one source.
 *
 * `seen` has a bit for each of the WINDOW_BITS SeqNums up to `high`, at the place seq % WINDOW_BITS;
 * `stamps` the time stamps of the last WINDOW_STAMPS of them.
 */
#include "window.h"

#include <assert.h>
#include <stddef.h>

/* UCL programs count modulo 10^6 (errata.md, 32), which is no restart. */
#define UCL_WRAP_NEAR 1000

/* What is late or repeated is no older than this against the newest message of its source: UCL programs
 * repeat for 5250 ms, all others for 600. What is older is of another life, or replayed. */
#define REPEATED_MS_MAX 6000

static bool bit_get(const struct window *w, uint32_t seq)
{
        return w->seen[seq % WINDOW_BITS / 64] >> (seq % 64) & 1;
}

static void bit_set(struct window *w, uint32_t seq)
{
        w->seen[seq % WINDOW_BITS / 64] |= UINT64_C(1) << (seq % 64);
}

static void bit_clear(struct window *w, uint32_t seq)
{
        w->seen[seq % WINDOW_BITS / 64] &= ~(UINT64_C(1) << (seq % 64));
}

/* Whether @seq is behind @high, serially (RFC 1982). */
static bool is_behind(uint32_t seq, uint32_t high)
{
        return (int32_t)(seq - high) <= 0;
}

static bool is_ucl_wrap(const struct window *w, uint32_t seq)
{
        return seq < UCL_WRAP_NEAR && w->high < RELIABLE_SEQ_MOD_UCL &&
               w->high >= RELIABLE_SEQ_MOD_UCL - UCL_WRAP_NEAR;
}

/* A UCL program's message from just before its wrap, that comes again just after it. */
static bool is_before_ucl_wrap(const struct window *w, uint32_t seq)
{
        return w->high < UCL_WRAP_NEAR && seq < RELIABLE_SEQ_MOD_UCL &&
               seq >= RELIABLE_SEQ_MOD_UCL - UCL_WRAP_NEAR;
}

/* Whether it was sent before the source started again, so that its SeqNum says nothing any more.
 * Only what precedes the first message of a life that came can be of that life and older. */
static bool is_of_old_life(const struct window *w, uint32_t seq, uint64_t timestamp)
{
        return w->has_old && timestamp < w->stamp_min &&
               (timestamp <= w->old_stamp_max || !is_behind(seq, w->first));
}

static enum window_verdict check_ahead(const struct window *w, uint32_t seq, uint64_t timestamp)
{
        if (is_before_ucl_wrap(w, seq) && timestamp <= w->stamp_max)
                return WINDOW_DUPLICATE;
        return is_of_old_life(w, seq, timestamp) ? WINDOW_STALE : WINDOW_NEW;
}

/* @seq was seen, and its time stamp is still remembered. One that is later, but not later than all,
 * is of a new life whose beginning was missed. */
static enum window_verdict check_stamped(const struct window *w, uint32_t seq, uint64_t timestamp)
{
        uint32_t stamp = w->stamps[seq % WINDOW_STAMPS];

        if (stamp == (uint32_t)timestamp)
                return WINDOW_DUPLICATE;
        if (timestamp > w->stamp_max)
                return WINDOW_RESTART;
        return (int32_t)((uint32_t)timestamp - stamp) > 0 ? WINDOW_NEW : WINDOW_STALE;
}

enum window_verdict window_check(const struct window *w, uint32_t seq, uint64_t timestamp)
{
        uint32_t behind = w->high - seq;

        if (!w->open)
                return WINDOW_NEW;
        if (is_ucl_wrap(w, seq) && timestamp >= w->stamp_max)
                return WINDOW_NEW;
        if (!is_behind(seq, w->high))
                return check_ahead(w, seq, timestamp);
        if (behind < WINDOW_STAMPS && bit_get(w, seq))
                return check_stamped(w, seq, timestamp);
        if (timestamp > w->stamp_max)
                return WINDOW_RESTART;
        if (behind >= WINDOW_BITS || is_of_old_life(w, seq, timestamp))
                return WINDOW_STALE;
        if (timestamp + REPEATED_MS_MAX < w->stamp_high)
                return WINDOW_STALE;
        /* The source's clock was set back: this came before that, or it is a new life after it. */
        if (timestamp > w->stamp_high && behind >= WINDOW_STAMPS)
                return WINDOW_STALE;
        if (!bit_get(w, seq))
                return WINDOW_NEW;
        return w->doubt ? WINDOW_STALE : WINDOW_DUPLICATE;
}

void window_doubt(struct window *w)
{
        w->doubt = true;
}

bool window_has_gap(const struct window *w, uint32_t seq)
{
        return w->open && !is_behind(seq, w->high + 1);
}

/* The window now ends at @seq; what lies between was not seen. */
static void advance(struct window *w, uint32_t seq)
{
        uint32_t gap = seq - w->high;

        if (gap >= WINDOW_BITS) {
                for (size_t i = 0; i < WINDOW_BITS / 64; ++i)
                        w->seen[i] = 0;
        } else {
                for (uint32_t s = w->high + 1; s != seq; ++s)
                        bit_clear(w, s);
        }
        w->high = seq;
}

static void begin(struct window *w, uint32_t seq, uint64_t timestamp)
{
        struct window fresh = { .open = true,
                                .high = seq,
                                .first = seq,
                                .stamp_max = timestamp,
                                .stamp_min = timestamp,
                                .has_old = w->open,
                                .old_stamp_max = w->stamp_max };

        *w = fresh;
}

void window_accept(struct window *w, uint32_t seq, uint64_t timestamp, enum window_verdict verdict)
{
        assert(verdict == WINDOW_NEW || verdict == WINDOW_RESTART);

        if (!w->open || verdict == WINDOW_RESTART)
                begin(w, seq, timestamp);
        else if (!is_behind(seq, w->high) || is_ucl_wrap(w, seq))
                advance(w, seq);
        bit_set(w, seq);
        if (seq == w->high)
                w->stamp_high = timestamp;
        if (w->high - seq < WINDOW_STAMPS)
                w->stamps[seq % WINDOW_STAMPS] = (uint32_t)timestamp;
        if (timestamp > w->stamp_max) {
                w->stamp_max = timestamp;
                w->doubt = false;
        }
}

void window_forget(struct window *w, uint32_t seq)
{
        if (w->open && is_behind(seq, w->high) && w->high - seq < WINDOW_BITS)
                bit_clear(w, seq);
}
