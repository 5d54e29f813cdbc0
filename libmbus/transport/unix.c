/*
 * unix.c - see unix.h.
 */
#include "unix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <io/descriptor.h>

/* How long opening may wait for a broker that does not accept. */
#define PATIENCE_MS 1000

int unix_connect(const char *path, bool patient)
{
        struct timeval time = { .tv_sec = PATIENCE_MS / 1000,
                                .tv_usec = PATIENCE_MS % 1000 * 1000 };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd, r = 0;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = descriptor_apart(
                socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (patient ? 0 : SOCK_NONBLOCK), 0));
        if (fd < 0)
                return -errno;
        /* Without it connect() is as patient as a broker is stopped. */
        if (patient)
                (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}
