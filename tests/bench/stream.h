/*
 * stream.h - the client's side of a stream socket: whole writes, and a buffer of what was read.
 */
#ifndef MBUS_BENCH_STREAM_H
#define MBUS_BENCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#define STREAM_SIZE (256u << 10)

struct stream {
        int fd;
        size_t at; /* what is read stands from here ... */
        size_t n;  /* ... to here */
        char in[STREAM_SIZE];
};

/* Both wait a while for the server to be there. To be freed with stream_close(). */
struct stream *stream_open_unix(const char *path);
struct stream *stream_open_tcp(unsigned port);
void stream_close(struct stream *s);
void stream_write(struct stream *s, const void *at, size_t n);
/* Reads behind what is there. False if nothing came for a tenth of a second. */
bool stream_read(struct stream *s);

#endif
