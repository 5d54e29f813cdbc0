/*
 * connect.c - see connect.h.
 */
#include "connect.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <io/descriptor.h>

int link_connect(const char *path, bool patient)
{
        struct timeval time = { .tv_sec = LINK_PATIENCE_MS / 1000,
                                .tv_usec = LINK_PATIENCE_MS % 1000 * 1000 };
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

void link_warn_of_old(struct bus_parts *bus, const char *path, const struct link_proof *p)
{
        char text[BUS_ERROR_SIZE];

        snprintf(text, sizeof(text),
                 "broker at %.200s: it is too old to tell whether it is on the bus of %.200s", path,
                 link_proof_name(p));
        remarks_add(&bus->remarks, text);
}

/* The broker that is there now is not on the bus that was named, which is remarked. */
static int connect_other_bus(struct link *l)
{
        struct bus_parts *bus = l->base.bus;
        char text[BUS_ERROR_SIZE];

        snprintf(text, sizeof(text), "broker at %.160s: %.330s", l->path,
                 link_proof_error(l->proof));
        remarks_add(&bus->remarks, text);
        return -EKEYREJECTED;
}

/* The same for a Unix socket whose broker must be on the bus that was named. */
static int connect_prove(struct link *l)
{
        struct bus_parts *bus = l->base.bus;
        struct pollfd asked;
        int fd = -1, r = 0;

        if (link_proof_get_pollfds(l->proof, &asked) > 0)
                one_fd_forget(&bus->one_fd, asked.fd);
        if (!link_proof_is_going_on(l->proof)) {
                fd = link_connect(l->path, false);
                if (fd < 0)
                        return fd;
                r = link_proof_begin(l->proof, fd);
        }
        if (r == 0)
                r = link_proof_go_on(l->proof, &fd);
        one_fd_replaced(&bus->one_fd);
        if (r == MBUS_E_NOT_READY) {
                l->retry_at = link_proof_deadline(l->proof);
                return -EINPROGRESS;
        }
        if (r > 0)
                return connect_other_bus(l);
        if (r < 0)
                return r;
        if (link_proof_is_old(l->proof))
                link_warn_of_old(bus, l->path, l->proof);
        l->seq = link_proof_next_seq(l->proof);
        return fd;
}

int link_connect_again(struct link *l)
{
        struct bus_parts *bus = l->base.bus;
        struct pollfd connecting;
        int fd, r;

        if (!l->tcp)
                return l->proof ? connect_prove(l) : link_connect(l->path, false);
        if (link_tcp_get_pollfds(l->tcp, &connecting) > 0)
                one_fd_forget(&bus->one_fd, connecting.fd);
        r = link_tcp_connect(l->tcp, &fd);
        one_fd_replaced(&bus->one_fd);
        if (r == MBUS_E_NOT_READY)
                l->retry_at = link_tcp_deadline(l->tcp);
        return r == MBUS_E_NOT_READY ? -EINPROGRESS : r < 0 ? r : fd;
}
