/*
 * descriptor.c - see descriptor.h.
 */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int descriptor_apart(int fd)
{
        int apart, error;

        if (fd < 0 || fd > STDERR_FILENO)
                return fd;
        apart = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        error = errno;
        close(fd);
        errno = error;
        return apart;
}
