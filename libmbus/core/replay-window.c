/*
 * replay-window.c - the sliding window over the messages of one source.
 *
 * `seen` has a bit for each of the WINDOW_BITS SeqNums up to `high`, as bit seq % WINDOW_BITS;
 * `stamps` the time stamps of the last WINDOW_STAMPS of them, or `all_stamps` those of all. A life
 * may begin unnoticed, if the first that comes of it is ahead of all that came before. Then bits of
 * two lives are in one window, and it is their time stamps that keep them apart.
 */
#include "replay-window.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* UCL programs count modulo 10^6 (errata.md, 32), which is no restart. */
#define UCL_WRAP_NEAR 1000

/* What is late or repeated is no older than this against the newest message of its source: UCL
 * programs repeat for 5250 ms, all others for 600. What is older is of another life, or
 * replayed. */
#define REPEATED_MS_MAX 6000
/* But the old ones number and stamp a message when it is put into a queue, where each before it
 * that nobody acknowledges holds it up for five seconds. */
#define QUEUED_MS_MAX 60000

static bool bit_get(const struct replay_window *w, uint32_t seq)
{
        return w->seen[seq % WINDOW_BITS / 64] >> (seq % 64) & 1;
}

static void bit_set(struct replay_window *w, uint32_t seq)
{
        w->seen[seq % WINDOW_BITS / 64] |= UINT64_C(1) << (seq % 64);
}

static void bit_clear(struct replay_window *w, uint32_t seq)
{
        w->seen[seq % WINDOW_BITS / 64] &= ~(UINT64_C(1) << (seq % 64));
}

/* Whether @seq is behind @high, serially (RFC 1982). */
static bool is_behind(uint32_t seq, uint32_t high)
{
        return (int32_t)(seq - high) <= 0;
}

/*
 * The number of @seq here. A UCL program's SeqNums go on at 0 after a million; here they go on, so
 * that what comes late from just before that is as good as any other.
 */
static uint32_t unwrap(const struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        uint32_t high = w->high - w->wrapped;

        if (!w->open)
                return seq;
        if (seq < UCL_WRAP_NEAR && high < RELIABLE_SEQ_MOD_UCL &&
            high >= RELIABLE_SEQ_MOD_UCL - UCL_WRAP_NEAR && timestamp >= w->stamp_max)
                return seq + w->wrapped + RELIABLE_SEQ_MOD_UCL;
        if (high < UCL_WRAP_NEAR && seq < RELIABLE_SEQ_MOD_UCL &&
            seq >= RELIABLE_SEQ_MOD_UCL - UCL_WRAP_NEAR && timestamp <= w->stamp_max)
                return seq + w->wrapped - RELIABLE_SEQ_MOD_UCL;
        return seq + w->wrapped;
}

/* As that, of a message that was accepted, or is about to be. */
static uint32_t unwrap_accepted(const struct replay_window *w, uint32_t seq)
{
        return unwrap(w, seq, w->stamp_max);
}

/* Whether it was sent before the source started again, so that its SeqNum says nothing any more.
 * Only what precedes the first message of a life that came can be of that life and older. */
static bool is_of_old_life(const struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        return w->has_old && timestamp < w->stamp_min &&
               (timestamp <= w->old_stamp_max || !is_behind(seq, w->first));
}

static enum window_verdict check_ahead(const struct replay_window *w, uint32_t seq,
                                       uint64_t timestamp)
{
        return is_of_old_life(w, seq, timestamp) ? WINDOW_STALE : WINDOW_NEW;
}

/* The TimeStamp of @seq, which was seen; if it was forgotten, one that is not earlier. */
static uint64_t stamp_of(const struct replay_window *w, uint32_t seq)
{
        uint32_t stamp;

        if (w->all_stamps)
                stamp = w->all_stamps[seq % WINDOW_BITS];
        else if (w->high - seq < WINDOW_STAMPS)
                stamp = w->stamps[seq % WINDOW_STAMPS];
        else
                return w->forgotten;
        /* None is later than stamp_max. */
        return w->stamp_max - (uint32_t)((uint32_t)w->stamp_max - stamp);
}

/* @seq was seen. Under a later time stamp it is of a new life whose beginning was missed. */
static enum window_verdict check_seen(const struct replay_window *w, uint32_t seq,
                                      uint64_t timestamp)
{
        uint64_t stamp = stamp_of(w, seq);

        if (timestamp > stamp)
                return WINDOW_NEW;
        if (timestamp < stamp)
                return WINDOW_STALE;
        return w->high - seq < WINDOW_STAMPS || stamp > w->forgotten ? WINDOW_DUPLICATE
                                                                     : WINDOW_STALE;
}

/*
 * @seq was not seen. Whether it does not fit between those around it that were: what was sent
 * before it is later, and no clock was set back there. Then it is of another life, whose clock was.
 */
static bool is_misfit(const struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        uint32_t below = seq, above = seq;

        while (!bit_get(w, below)) {
                if (w->high - --below >= WINDOW_BITS)
                        return false;
        }
        while (!bit_get(w, above)) {
                if (above++ == w->high)
                        return false;
        }
        return timestamp < stamp_of(w, below) && stamp_of(w, below) <= stamp_of(w, above);
}

/* @late: what waited longer before it came is not of this life. */
static enum window_verdict check(const struct replay_window *w, uint32_t seq, uint64_t timestamp,
                                 uint64_t late)
{
        if (!w->open)
                return WINDOW_NEW;
        seq = unwrap(w, seq, timestamp);
        if (!is_behind(seq, w->high))
                return check_ahead(w, seq, timestamp);
        if (timestamp > w->stamp_max)
                return WINDOW_RESTART;
        if (w->high - seq >= WINDOW_BITS)
                return WINDOW_STALE;
        if (bit_get(w, seq))
                return check_seen(w, seq, timestamp);
        if (is_of_old_life(w, seq, timestamp) || timestamp + late < w->stamp_high ||
            is_misfit(w, seq, timestamp))
                return WINDOW_STALE;
        return WINDOW_NEW;
}

enum window_verdict replay_window_check(const struct replay_window *w, uint32_t seq,
                                        uint64_t timestamp)
{
        return check(w, seq, timestamp, REPEATED_MS_MAX);
}

/* Whether @seq is farther ahead than a source gets unheard. */
static bool is_leap(const struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        return w->open && timestamp >= w->stamp_max &&
               !is_behind(unwrap(w, seq, timestamp), w->high + WINDOW_BITS);
}

enum window_verdict replay_window_check_old(const struct replay_window *w, uint32_t seq,
                                            uint64_t timestamp)
{
        enum window_verdict verdict = check(w, seq, timestamp, QUEUED_MS_MAX);

        return verdict == WINDOW_NEW && is_leap(w, seq, timestamp) ? WINDOW_RESTART : verdict;
}

bool replay_window_is_behind(const struct replay_window *w, uint32_t seq)
{
        return w->open && is_behind(unwrap_accepted(w, seq), w->high);
}

bool replay_window_has_gap(const struct replay_window *w, uint32_t seq)
{
        return w->open && !is_behind(unwrap_accepted(w, seq), w->high + 1);
}

bool replay_window_has_seen(const struct replay_window *w, uint32_t seq)
{
        seq = unwrap_accepted(w, seq);
        return w->open && w->high - seq < WINDOW_BITS && bit_get(w, seq);
}

/* ---- time stamps ---- */

/* How many of the oldest of `stamps` make room when the window ends at @seq. */
static uint32_t n_leaving(const struct replay_window *w, uint32_t seq)
{
        uint32_t gap = seq - w->high;

        return gap < WINDOW_STAMPS ? gap : WINDOW_STAMPS;
}

static void forget_stamp(struct replay_window *w, uint32_t seq)
{
        if (bit_get(w, seq) && stamp_of(w, seq) > w->forgotten)
                w->forgotten = stamp_of(w, seq);
}

static void remember_stamp(struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        if (w->all_stamps)
                w->all_stamps[seq % WINDOW_BITS] = (uint32_t)timestamp;
        else if (w->high - seq < WINDOW_STAMPS)
                w->stamps[seq % WINDOW_STAMPS] = (uint32_t)timestamp;
        else if (timestamp > w->forgotten)
                w->forgotten = timestamp;
}

bool replay_window_needs_stamps(const struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        uint32_t oldest = w->high - (WINDOW_STAMPS - 1);

        if (w->all_stamps || !w->open)
                return false;
        seq = unwrap(w, seq, timestamp);
        if (is_behind(seq, w->high))
                return w->high - seq >= WINDOW_STAMPS;
        for (uint32_t i = n_leaving(w, seq); i > 0; --i) {
                if (bit_get(w, oldest + i - 1) &&
                    stamp_of(w, oldest + i - 1) + REPEATED_MS_MAX >= timestamp)
                        return true;
        }
        return false;
}

void replay_window_give_stamps(struct replay_window *w, uint32_t *stamps)
{
        assert(!w->all_stamps);
        for (uint32_t back = 0; back < WINDOW_BITS; ++back) {
                uint32_t seq = w->high - back;

                stamps[seq % WINDOW_BITS] = bit_get(w, seq) ? (uint32_t)stamp_of(w, seq) : 0;
        }
        w->all_stamps = stamps;
}

uint32_t *replay_window_take_stamps(struct replay_window *w)
{
        uint32_t *stamps = w->all_stamps;

        if (!stamps)
                return NULL;
        for (uint32_t back = WINDOW_BITS; back > 0; --back) {
                uint32_t seq = w->high - (back - 1);

                if (back > WINDOW_STAMPS)
                        forget_stamp(w, seq);
                else
                        w->stamps[seq % WINDOW_STAMPS] = stamps[seq % WINDOW_BITS];
        }
        w->all_stamps = NULL;
        return stamps;
}

bool replay_window_has_spare_stamps(const struct replay_window *w, uint64_t timestamp)
{
        return w->all_stamps && w->stamp_high + REPEATED_MS_MAX < timestamp;
}

/* ---- what came ---- */

/* The window now ends at @seq; what lies between was not seen. */
static void advance(struct replay_window *w, uint32_t seq)
{
        uint32_t gap = seq - w->high;

        for (uint32_t i = 0; !w->all_stamps && i < n_leaving(w, seq); ++i)
                forget_stamp(w, w->high - (WINDOW_STAMPS - 1) + i);
        if (gap >= WINDOW_BITS) {
                for (size_t i = 0; i < WINDOW_BITS / 64; ++i)
                        w->seen[i] = 0;
        } else {
                for (uint32_t s = w->high + 1; s != seq; ++s)
                        bit_clear(w, s);
        }
        w->high = seq;
}

static void begin(struct replay_window *w, uint32_t seq, uint64_t timestamp)
{
        struct replay_window fresh = { .open = true,
                                       .high = seq,
                                       .first = seq,
                                       .stamp_max = timestamp,
                                       .stamp_min = timestamp,
                                       .has_old = w->open,
                                       .old_stamp_max = w->stamp_max,
                                       .all_stamps = w->all_stamps };

        *w = fresh;
}

void replay_window_accept(struct replay_window *w, uint32_t seq, uint64_t timestamp,
                          enum window_verdict verdict)
{
        assert(verdict == WINDOW_NEW || verdict == WINDOW_RESTART);

        if (!w->open || verdict == WINDOW_RESTART) {
                begin(w, seq, timestamp);
        } else {
                uint32_t at = unwrap(w, seq, timestamp);

                if (!is_behind(at, w->high)) {
                        advance(w, at);
                        w->wrapped = at - seq;
                }
                seq = at;
        }
        assert(w->high - seq < WINDOW_BITS);
        bit_set(w, seq);
        if (seq == w->high)
                w->stamp_high = timestamp;
        if (timestamp > w->stamp_max)
                w->stamp_max = timestamp;
        assert(w->stamp_high <= w->stamp_max && w->stamp_min <= w->stamp_max);
        remember_stamp(w, seq, timestamp);
}

void replay_window_forget(struct replay_window *w, uint32_t seq)
{
        seq = unwrap_accepted(w, seq);
        if (w->open && is_behind(seq, w->high) && w->high - seq < WINDOW_BITS)
                bit_clear(w, seq);
}

struct replay_window_past replay_window_get_past(const struct replay_window *w, uint32_t seq)
{
        struct replay_window now = *w;
        struct replay_window_past past = { .high = w->high };

        replay_window_forget(&now, seq);
        memcpy(past.seen, now.seen, sizeof(past.seen));
        return past;
}

/* What is not of the window of then came after it. */
bool replay_window_past_has(const struct replay_window_past *past, uint32_t seq)
{
        return past->high - seq < WINDOW_BITS &&
               (past->seen[seq % WINDOW_BITS / 64] >> (seq % 64) & 1);
}
