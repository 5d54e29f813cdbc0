/*
 * replay-window.h - which messages of one source are new (spec/errata.md, 51, 52 and 60).
 *
 * A sliding window over (SeqNum, TimeStamp). Retransmissions carry the SeqNum and the TimeStamp of
 * the first transmission, so equal pairs are repetitions, and nothing else is: a SeqNum that was
 * seen is of a new life of its source under a later TimeStamp, and of an old one, or replayed,
 * under an earlier one. SeqNums compare serially, so the wrap after 4294967295 is nothing special
 * (MSG-04).
 *
 * The time stamps of the last WINDOW_STAMPS messages are always known. A source that sends more
 * than that within the time in which a message may be repeated needs memory for those of
 * WINDOW_BITS; without it a repetition cannot be told, and is called stale.
 */
#ifndef MBUS_CORE_REPLAY_WINDOW_H
#define MBUS_CORE_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"

enum window_verdict {
        WINDOW_NEW,
        WINDOW_DUPLICATE, /* received before: this very message */
        WINDOW_STALE,     /* too old to tell, or from before the source started again */
        WINDOW_RESTART,   /* new, and the source started again: its window begins anew */
};

/*
 * One life of a source, and the end of the one before. Before anything was accepted it is not open,
 * and all else is zero. Then `first` <= `high` serially, stamp_min and stamp_high <= stamp_max, and
 * what is accepted next is ahead of `high`, or one of the WINDOW_BITS up to it that `seen` has no
 * bit for, or one that it has, under a later time stamp. The time stamp of a seen SeqNum is among
 * `stamps` or, if these are too few, in `all_stamps`, or else no later than `forgotten`.
 */
struct replay_window {
        bool open;        /* something was accepted */
        uint32_t wrapped; /* what the source's SeqNums are less than those here (errata.md, 32) */
        uint32_t high;    /* the highest SeqNum accepted */
        uint64_t stamp_high; /* its TimeStamp */
        uint64_t stamp_max;  /* the highest TimeStamp accepted since the source started */
        uint32_t first;      /* the SeqNum of the first that came since the source started */
        uint64_t stamp_min;  /* and its TimeStamp */
        /* The source's life before it started again, against replays of it. */
        uint64_t old_stamp_max;
        bool has_old;
        uint64_t forgotten; /* of what was seen and has no time stamp any more, none is later */
        uint64_t seen[WINDOW_BITS / 64];
        uint32_t stamps[WINDOW_STAMPS]; /* low halves of time stamps, by SeqNum */
        uint32_t *all_stamps;           /* instead of those: WINDOW_BITS of them */
};

/* Which SeqNums had been accepted at some moment. */
struct replay_window_past {
        uint32_t high;
        uint64_t seen[WINDOW_BITS / 64];
};

#define REPLAY_WINDOW_INIT ((struct replay_window){ .open = false })

enum window_verdict replay_window_check(const struct replay_window *w, uint32_t seq,
                                        uint64_t timestamp);
/* The same of a source whose lives begin at any SeqNum (errata.md, 79), so that one that is far
 * ahead is no gap, and whose messages may have waited in its queue with their numbers and
 * TimeStamps. */
enum window_verdict replay_window_check_old(const struct replay_window *w, uint32_t seq,
                                            uint64_t timestamp);
/* Whether @seq is the newest, or older. */
bool replay_window_is_behind(const struct replay_window *w, uint32_t seq);
/* Whether @seq, which is new, shows that messages before it have not come: lost, or overtaken. */
bool replay_window_has_gap(const struct replay_window *w, uint32_t seq);
/* Whether @seq, which is new, was seen in a former life of the source: this one began unnoticed. */
bool replay_window_has_seen(const struct replay_window *w, uint32_t seq);
/* Remembers what replay_window_check() called WINDOW_NEW or WINDOW_RESTART. */
void replay_window_accept(struct replay_window *w, uint32_t seq, uint64_t timestamp,
                          enum window_verdict verdict);
/* Takes an accepted message back that could not be kept, so that its repetition will be new. */
void replay_window_forget(struct replay_window *w, uint32_t seq);
/* What was accepted up to now, but for @seq. */
struct replay_window_past replay_window_get_past(const struct replay_window *w, uint32_t seq);
/* Whether @seq, one of those that replay_window_check() calls WINDOW_DUPLICATE now, had been
 * accepted then. */
bool replay_window_past_has(const struct replay_window_past *past, uint32_t seq);

/* Whether accepting this message loses a time stamp that may be asked for. */
bool replay_window_needs_stamps(const struct replay_window *w, uint32_t seq, uint64_t timestamp);
/* @stamps is memory for WINDOW_BITS of them, and stays the caller's: replay_window_take_stamps()
 * gives it back. */
void replay_window_give_stamps(struct replay_window *w, uint32_t *stamps);
uint32_t *replay_window_take_stamps(struct replay_window *w);
/* Whether it has that memory, and at @timestamp none of what it holds will be asked for any
 * more. */
bool replay_window_has_spare_stamps(const struct replay_window *w, uint64_t timestamp);

#endif
