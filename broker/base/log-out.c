/*
 * log-out.c - see log-out.h.
 *
 * A reader that stalls must not stop the bus. O_NONBLOCK on stderr would do that, and would do it
 * to the parent, its shell and all others, too, since the flag belongs to the open file that they
 * share. So there is a way for each kind of file:
 *
 *      socket          MSG_DONTWAIT, which holds for one call (the journal)
 *      pipe, terminal  opened once more by /proc: the same pipe, with flags of our own
 *      the same, where that is refused (no /proc, another user's): a write when poll() says there
 *                      is room, with an alarm, since somebody else may be faster
 *      all else        write(), which waits for no reader there
 */
#include "log-out.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <programs/inherited.h>

/* Room that poll() saw and that is gone: it is waited for no longer. */
#define ALARM_US 20000

enum way {
        WAY_NOWHERE,
        WAY_SEND,
        WAY_WRITE,
        WAY_ALARM,
};

static enum way way = WAY_WRITE;
static int own_fd = -1; /* stderr, opened once more */
/* A line was cut: the next one must not be its end. Whatever is put begins a line, so that who
 * reads never takes the end of one for a line of ours. */
static bool in_line;

static bool is_same_file(int fd, const struct stat *as)
{
        struct stat s;

        return fstat(fd, &s) == 0 && s.st_dev == as->st_dev && s.st_ino == as->st_ino;
}

static int open_again(const struct stat *as)
{
        int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd >= 0 && !is_same_file(fd, as)) {
                close(fd);
                return -1;
        }
        return fd;
}

void log_out_open(void)
{
        struct stat s;

        if (own_fd >= 0)
                close(own_fd);
        own_fd = -1;
        /* own_fd is there only with this one. */
        way = WAY_WRITE;
        if (fstat(STDERR_FILENO, &s) < 0 || !inherited_is_writable(STDERR_FILENO)) {
                way = WAY_NOWHERE;
        } else if (S_ISSOCK(s.st_mode)) {
                way = WAY_SEND;
        } else if (S_ISFIFO(s.st_mode) || isatty(STDERR_FILENO)) {
                own_fd = open_again(&s);
                if (own_fd < 0)
                        way = WAY_ALARM;
        }
}

static void on_alarm(int number)
{
        (void)number;
}

/* Writes at once, or nearly so, to what may make write() wait. */
static ssize_t write_in_time(const char *at, size_t n)
{
        struct sigaction interrupt = { .sa_handler = on_alarm }, before;
        struct itimerval soon = { .it_value.tv_usec = ALARM_US, .it_interval.tv_usec = ALARM_US };
        struct itimerval never = { .it_value.tv_sec = 0 };
        struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
        ssize_t got;
        int error;

        if (poll(&room, 1, 0) <= 0) {
                errno = EAGAIN;
                return -1;
        }
        sigemptyset(&interrupt.sa_mask);
        sigaction(SIGALRM, &interrupt, &before);
        /* Again and again, for the first one may come before the call that it is to end. */
        setitimer(ITIMER_REAL, &soon, NULL);
        got = write(STDERR_FILENO, at, n);
        error = errno;
        setitimer(ITIMER_REAL, &never, NULL);
        sigaction(SIGALRM, &before, NULL);
        errno = error;
        return got;
}

static ssize_t put(const char *at, size_t n)
{
        assert(own_fd < 0 || way == WAY_WRITE);
        switch (way) {
        case WAY_NOWHERE:
                return (ssize_t)n;
        case WAY_SEND:
                return send(STDERR_FILENO, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        case WAY_ALARM:
                return write_in_time(at, n);
        case WAY_WRITE:
                break;
        }
        return write(own_fd >= 0 ? own_fd : STDERR_FILENO, at, n);
}

bool log_out_put(const char *line, size_t n)
{
        ssize_t got;

        assert(n > 0 && n < PIPE_BUF && line[n - 1] == '\n');
        if (in_line && put("\n", 1) != 1)
                return false;
        got = put(line, n);
        in_line = got > 0 && (size_t)got < n;
        return got == (ssize_t)n;
}
