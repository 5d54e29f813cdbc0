/*
 * entropy.c - numbers that nobody can guess, from the operating system.
 *
 * getrandom(2) waits for the kernel's generator to be seeded. Where it is missing (an old kernel, a
 * sandbox) the device is what is left.
 */
#include "entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"

static int read_device(uint8_t *bytes, size_t n)
{
        int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC | O_NOCTTY), r = 0;

        if (fd < 0)
                return -errno;
        while (n > 0 && !r) {
                ssize_t got = read(fd, bytes, n);

                if (got < 0 && errno != EINTR)
                        r = -errno;
                else if (got == 0)
                        r = -EIO;
                else if (got > 0) {
                        bytes += got;
                        n -= (size_t)got;
                }
        }
        close(fd);
        return r;
}

int entropy_fill(void *bytes, size_t n)
{
        uint8_t *at = bytes;

        while (n > 0) {
                ssize_t got = getrandom(at, n, 0);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return read_device(at, n);
                at += got;
                n -= (size_t)got;
        }
        return 0;
}

uint64_t entropy_number(void)
{
        uint64_t number;

        if (entropy_fill(&number, sizeof(number)) < 0)
                number = clock_now() ^ clock_wall_ns() ^ (uint64_t)getpid() << 32;
        return number;
}
