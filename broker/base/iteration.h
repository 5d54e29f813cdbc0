/*
 * iteration.h - one iteration of the loop: its clocks, and memory that all may use until it ends.
 *
 * Each callback of the loop begins with iteration_wake(), so that the clocks are read once and all
 * that happens in the iteration happens at one moment. What is read from clients and what the
 * broker makes for them stands in the shared chunk, behind each other: a frame that is made never
 * moves again, and whoever keeps it takes a reference.
 *
 * Invariants: `now` does not go back; what is filled of the shared chunk does not change while
 * anybody else refers to it; `text` is valid only until the next use, by whomever.
 */
#ifndef BROKER_BASE_ITERATION_H
#define BROKER_BASE_ITERATION_H

#include <uv.h>

#include <core/bytes.h>

#include "chunk.h"

struct iteration {
        uv_loop_t loop;
        uint64_t now;     /* monotonic ns */
        uint64_t wall_ms; /* since 1970 */
        struct chunk *chunk;
        struct chunk_pool chunks;
        struct buffer text; /* scratch memory for one message */
        bool stopping;      /* the loop ends with this iteration, as was asked for */
        uint64_t stop_at;   /* the last messages are out by then, or lost; 0: the broker goes on */
};

/* A frame in a chunk, with its length in front. */
struct frame_slice {
        struct chunk *chunk;
        size_t at;
        size_t n;
};

/* Reads the clocks. The loop is not there yet. */
void iteration_init(struct iteration *it);
/* Frees all but the loop. Nobody may refer to a chunk of it any more. */
void iteration_deinit(struct iteration *it);
/* Reads the clocks for what follows. */
void iteration_wake(struct iteration *it);
/* Ends the loop after this iteration: @asked, or something broke. */
void iteration_stop(struct iteration *it, bool asked);

/* Room for @n octets (at most FRAME_HEADER_SIZE + FRAME_MAX) behind what is filled of the shared
 * chunk, or NULL when memory is short. */
char *iteration_reserve(struct iteration *it, size_t n);
/* Makes a frame of @text, which is not in the shared chunk unless somebody refers to it; @is_copy:
 * for one who observes. False: it fits into no frame, or memory is short. */
bool iteration_put_frame(struct iteration *it, struct span text, bool is_copy,
                         struct frame_slice *ret_frame);

#endif
