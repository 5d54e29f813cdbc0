/*
 * server.h - a server that a measurement starts, watches and ends.
 */
#ifndef MBUS_BENCH_SERVER_H
#define MBUS_BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
        pid_t pid;
        char directory[32]; /* of its own, removed with it */
        char socket[64];    /* where it listens, if that is a Unix socket */
};

struct usage {
        uint64_t resident; /* octets */
        uint64_t peak;     /* the most that was ever resident */
        double cpu;        /* seconds, in user and kernel mode */
        unsigned n_files;
};

/* Makes the directory. */
void server_prepare(struct server *s);
/* Writes a file into the directory and returns its path, which the next call overwrites. */
const char *server_write(const struct server *s, const char *name, const char *text);
/* Starts a program with its output in the file "log" of the directory. */
void server_exec(struct server *s, const char *const *argv);
/* Ends it and removes the directory. Returns the seconds of CPU time that it took. */
double server_stop(struct server *s);
struct usage server_usage(const struct server *s);
/* Whether its output holds @text. */
bool server_said(const struct server *s, const char *text);

/* Starts mbus-broker with @lines in its configuration file and waits until it is ready. */
void server_start_broker(struct server *s, const char *lines);

/* A child that does not outlive its parent; 0 in the child. */
pid_t server_fork(void);
/* Waits for its end, which must be a good one unless it is @killed. As server_stop(). */
double server_await(pid_t pid, bool killed);
/* Connects to a Unix socket. */
int server_connect(const char *path);

#endif
