/*
 * transport.c - see transport.h.
 */
#include "transport.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remark.h"
#include "unix.h"

void transport_disconnect(struct transport *t, struct bus_parts *bus)
{
        assert(t->fd >= 0);
        one_fd_forget(&bus->one_fd, t->fd);
        close(t->fd);
        t->fd = -1;
        one_fd_replaced(&bus->one_fd);
}

void transport_deinit(struct transport *t)
{
        if (t->fd >= 0)
                close(t->fd);
        link_tcp_free(t->tcp);
        link_proof_free(t->proof);
        free(t->path);
        *t = TRANSPORT_INIT;
}

/* ---- connecting once more ------------------------------------------------------------------ */

/* To a Unix socket whose broker must be on the bus that was named. MBUS_E_NOT_READY: it is on
 * its way. */
static int connect_proved(struct transport *t, struct bus_parts *bus)
{
        int fd, r = 0;

        if (!link_proof_is_going_on(t->proof)) {
                fd = unix_connect(t->path, false);
                if (fd < 0)
                        return fd;
                r = link_proof_begin(t->proof, fd);
        }
        if (r == 0)
                r = link_proof_go_on(t->proof, &t->fd);
        if (r == 0 && link_proof_is_old(t->proof))
                remark_old(bus, t->path, t->proof);
        if (r <= 0 || r == MBUS_E_NOT_READY)
                return r;
        remark_other_bus(bus, t->path, t->proof);
        return -EKEYREJECTED;
}

static int connect_plain(struct transport *t)
{
        int fd = unix_connect(t->path, false);

        if (fd < 0)
                return fd;
        t->fd = fd;
        return 0;
}

int transport_connect(struct transport *t, struct bus_parts *bus, uint64_t *ret_deadline)
{
        struct pollfd connecting;
        int r;

        assert(t->fd < 0 && !t->tcp == !!t->path);
        if (transport_get_pollfds(t, &connecting) > 0)
                one_fd_forget(&bus->one_fd, connecting.fd);
        if (t->tcp)
                r = link_tcp_connect(t->tcp, &t->fd);
        else
                r = t->proof ? connect_proved(t, bus) : connect_plain(t);
        one_fd_replaced(&bus->one_fd);
        assert((r == 0) == (t->fd >= 0));
        if (r != MBUS_E_NOT_READY)
                return r;
        *ret_deadline = t->tcp ? link_tcp_deadline(t->tcp) : link_proof_deadline(t->proof);
        return -EINPROGRESS;
}

bool transport_is_connecting(const struct transport *t)
{
        return t->tcp ? link_tcp_is_connecting(t->tcp)
                      : t->proof && link_proof_is_going_on(t->proof);
}

size_t transport_get_pollfds(const struct transport *t, struct pollfd *ret_fd)
{
        if (t->proof)
                return link_proof_get_pollfds(t->proof, ret_fd);
        return t->tcp ? link_tcp_get_pollfds(t->tcp, ret_fd) : 0;
}

uint32_t transport_first_seq(const struct transport *t)
{
        return t->proof ? link_proof_next_seq(t->proof) : 0;
}

int transport_resolve(struct transport *t, char ret_error[static 256])
{
        return t->tcp ? link_tcp_resolve(t->tcp, ret_error) : 0;
}
