/*
 * window.h - which messages of one source are new (spec/errata.md, 51, 52 and 60).
 *
 * A sliding window over (SeqNum, TimeStamp). Retransmissions carry the SeqNum and the TimeStamp of
 * the first transmission, so equal pairs are repetitions; a lower SeqNum with a higher TimeStamp is
 * a source that started again; one with a lower TimeStamp is old: late beyond use, or replayed.
 * SeqNums compare serially, so the wrap after 4294967295 is nothing special (MSG-04).
 */
#ifndef MBUS_CORE_WINDOW_H
#define MBUS_CORE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"

enum window_verdict {
        WINDOW_NEW,
        WINDOW_DUPLICATE, /* received before */
        WINDOW_STALE,     /* too old to tell, or from before the source started again */
        WINDOW_RESTART,   /* new, and the source started again: its window begins anew */
};

struct window {
        bool open;           /* something was accepted */
        uint32_t high;       /* the highest SeqNum accepted */
        uint64_t stamp_high; /* its TimeStamp */
        uint64_t stamp_max;  /* the highest TimeStamp accepted since the source started */
        uint32_t first;      /* the SeqNum of the first that came since the source started */
        uint64_t stamp_min;  /* and its TimeStamp */
        /* The source's life before it started again, against replays of it. */
        uint64_t old_stamp_max;
        bool has_old;
        bool doubt; /* something stale came, so this may be another life with an earlier clock */
        uint64_t seen[WINDOW_BITS / 64];
        uint32_t stamps[WINDOW_STAMPS]; /* low halves of time stamps, by SeqNum */
};

#define WINDOW_INIT ((struct window){ .open = false })

enum window_verdict window_check(const struct window *w, uint32_t seq, uint64_t timestamp);
/* Whether @seq, which is new, shows that messages before it have not come: lost, or overtaken. */
bool window_has_gap(const struct window *w, uint32_t seq);
/* Something came that window_check() called WINDOW_STALE. Until later time stamps come, only a SeqNum
 * whose time stamp is remembered can be a repetition. */
void window_doubt(struct window *w);
/* Remembers what window_check() called WINDOW_NEW or WINDOW_RESTART. */
void window_accept(struct window *w, uint32_t seq, uint64_t timestamp, enum window_verdict verdict);
/* Takes an accepted message back that could not be kept, so that its repetition will be new. */
void window_forget(struct window *w, uint32_t seq);

#endif
