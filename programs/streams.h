/*
 * streams.h - standard output and standard error that lose nothing silently.
 *
 * A descriptor that was inherited may be O_NONBLOCK, and must stay so: the flag belongs to all who
 * have it, the shell and the other side of a terminal among them. So these streams wait for room
 * themselves.
 */
#ifndef PROGRAMS_STREAMS_H
#define PROGRAMS_STREAMS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Puts streams of ours in the place of stdout and stderr: they write all they are given, wait where
 * there is no room, and what is not plain (visible.h) goes to stderr as it is shown. For the
 * beginning of main().
 */
void streams_begin(void);

/* Set by a signal handler, to its number, that asks the program to end, with @fd, which becomes
 * readable then: nothing is waited for any more, what there is no room for is an error, EINTR. */
extern volatile sig_atomic_t streams_ended;
void streams_end_with(int fd);

/* Why not all of what stdout was given could be written: the first errno, or 0. */
int streams_error(void);

/*
 * Writes what stdout still holds. False, and a line on stderr that begins with @program and names
 * the cause, if it could not take all it was given. That a pipe has no reader any more is no
 * failure: who read it had enough.
 */
bool streams_finish(const char *program);

#endif
