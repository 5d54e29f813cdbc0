/*
 * inherited.c - see inherited.h.
 *
 * What has taken the place of a closed descriptor answers EBADF to each read and write, as the
 * closed one would have done: whoever reads or writes there is told, and gets no empty file.
 */
#include "inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* The root directory is there where /dev may not be; O_PATH is for neither reading nor writing. */
static int open_nothing(void)
{
        int fd = open("/", O_PATH | O_NOCTTY);

        return fd < 0 ? open("/dev/null", O_RDONLY | O_NOCTTY) : fd;
}

static bool occupy_standard(void)
{
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
                        continue;
                /* The lowest number that is free is the one that is given. */
                if (open_nothing() != fd)
                        return false;
        }
        return true;
}

static void set_signals(void)
{
        struct sigaction ignore = { .sa_handler = SIG_IGN }, usual = { .sa_handler = SIG_DFL };
        sigset_t none;

        sigemptyset(&none);
        sigaction(SIGPIPE, &ignore, NULL);
        sigaction(SIGXFSZ, &ignore, NULL);
        sigaction(SIGCHLD, &usual, NULL);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

bool inherited_begin(void)
{
        set_signals();
        return occupy_standard();
}

bool inherited_is_writable(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}
