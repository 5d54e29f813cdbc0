/*
 * descriptors.c - how many the process may have.
 */
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exit.h"
#include "limits.h"
#include "log.h"

void descriptors_raise(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
                return;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                log_warning("the limit of descriptors cannot be raised: %s", strerror(errno));
}

int descriptors_check(void)
{
        int fds[DESCRIPTORS_MIN], error = 0;
        unsigned n = 0;

        while (n < DESCRIPTORS_MIN && !error) {
                fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
                error = fds[n] < 0 ? errno : 0;
                n += !error;
        }
        for (unsigned i = 0; i < n; i++)
                close(fds[i]);
        if (!error)
                return 0;
        log_error(
                "a broker without clients takes %u descriptors, and there are %u: %s; raise their "
                "limit (ulimit -n, LimitNOFILE=)",
                DESCRIPTORS_MIN, n, strerror(error));
        return EXIT_SYSTEM;
}
