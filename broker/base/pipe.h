/*
 * pipe.h - octets on their way from one socket to another, TCP_PIPE_MAX and what one read brings.
 *
 * Invariants: at <= bytes.n. What is done with is never more than what is not, but for a pipe that
 * is empty: that one has no memory.
 */
#ifndef BROKER_BASE_PIPE_H
#define BROKER_BASE_PIPE_H

#include <assert.h>
#include <stdbool.h>

#include <core/bytes.h>

struct pipe {
        struct buffer bytes;
        size_t at; /* those before are done with */
};

static inline size_t pipe_n(const struct pipe *p)
{
        assert(p->at <= p->bytes.n);
        return p->bytes.n - p->at;
}

static inline struct span pipe_span(const struct pipe *p)
{
        return span_from(buffer_span(&p->bytes), p->at);
}

/* The first @n octets are done with. */
void pipe_shift(struct pipe *p, size_t n);
/* Whether more may be read into it. */
bool pipe_has_room(const struct pipe *p);
/* Reads once, @size octets at most. 1: something came; 0: nothing is there; -errno, -EPIPE for the
 * end. */
int pipe_read(struct pipe *p, int fd, size_t size);
/* 0, with something left if the socket takes no more, or -errno. */
int pipe_write(struct pipe *p, int fd);

#endif
