/*
 * inherited.h - what a process gets from its parent, before it relies on it (spec/environment.md).
 */
#ifndef PROGRAMS_INHERITED_H
#define PROGRAMS_INHERITED_H

#include <stdbool.h>

/*
 * To be called first by main(). Descriptors 0, 1 and 2 are occupied if they were closed, by
 * something that cannot be read or written, so that nothing that is opened later gets their
 * numbers. No signal is blocked; SIGPIPE and SIGXFSZ are errors of write(2) and nothing else.
 * False: there is no descriptor to occupy them with.
 */
bool inherited_begin(void);

/* Whether @fd can be written to at all: it was not closed, nor opened for reading. */
bool inherited_is_writable(int fd);

#endif
