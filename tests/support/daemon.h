/*
 * daemon.h - an mbus-broker of a test's own, in a directory of its own.
 *
 * The program is $BROKER. Its home is the directory, so it finds the configuration there or makes
 * one. The calling process should be in a host of its own (namespace.h), where in-namespace removes
 * the directories of tests that failed.
 */
#ifndef MBUS_TESTS_DAEMON_H
#define MBUS_TESTS_DAEMON_H

#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

struct daemon {
        pid_t pid;
        char directory[64];
        char socket[96];
        char config[96];
        char log[96];
};

/* A directory, and nothing in it yet. */
void daemon_prepare(struct daemon *d);
/* Writes the configuration: [MBUS] with keys, and @lines. */
void daemon_configure(const struct daemon *d, const char *lines);
/* Starts it with @option and @value, which may be NULL; returns when it is ready. */
void daemon_start_with(struct daemon *d, const char *option, const char *value);
void daemon_start(struct daemon *d);
/* daemon_prepare() and daemon_start(). */
void daemon_new(struct daemon *d);
/* Starts it, which must fail; returns the exit status. Its lines are in the log. */
int daemon_start_in_vain(struct daemon *d, const char *option, const char *value);
/* Sends SIGTERM and returns the exit status; 128 and more: it died of a signal. */
int daemon_stop(struct daemon *d);
/* It ends by itself; as daemon_stop(). */
int daemon_await(struct daemon *d);
/* Stops it if need be (it must end well) and removes the directory. */
void daemon_free(struct daemon *d);

/* What it said so far, to be freed. */
char *daemon_read_log(const struct daemon *d);
/* The number of its descriptors, and octets of memory in use. */
unsigned daemon_open_files(const struct daemon *d);
size_t daemon_memory(const struct daemon *d);
/* It has no descriptors for more than it has open now; the limit before goes to *@ret_before. */
void daemon_take_descriptors(const struct daemon *d, struct rlimit *ret_before);
/* How often it has gone to sleep: a broker that is busy with nothing never does. */
unsigned long daemon_sleeps(const struct daemon *d);

#endif
