/*
 * streams-none.c - streams.h where stdout and stderr cannot be replaced, since the C library has
 * them as constants: they are what it makes of them.
 */
#include "streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

volatile sig_atomic_t streams_ended;

void streams_begin(void)
{
}

void streams_end_with(int fd)
{
        (void)fd;
}

int streams_error(void)
{
        return ferror(stdout) ? EIO : 0;
}

bool streams_finish(const char *program)
{
        int error = fflush(stdout) == EOF ? errno : streams_error();

        if (!error || error == EPIPE || streams_ended)
                return true;
        fprintf(stderr, "%s: cannot write: %s\n", program, strerror(error));
        return false;
}
