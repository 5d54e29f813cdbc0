/*
 * open-unix.c - a Unix socket is opened, and its broker asked whether it is on the bus that was
 * named.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "remark.h"
#include "transport.h"
#include "unix.h"

/* While opening waits. */
#define POLL_MS 100

static bool is_nobody_there(int error)
{
        return error == -ENOENT || error == -ENOTDIR || error == -ECONNREFUSED;
}

static const char *advice(int error)
{
        if (is_nobody_there(error))
                return "start mbus-broker, or use udp:";
        if (error == -EACCES)
                return "the broker is not for this user";
        return "is it mbus-broker's socket?";
}

/* Waits for what the broker says to @p. */
static int await_proof(struct link_proof *p, int *fd)
{
        int r = link_proof_begin(p, *fd);

        if (r == 0)
                r = MBUS_E_NOT_READY;
        *fd = -1;
        while (r == MBUS_E_NOT_READY) {
                struct pollfd wait;
                nfds_t n;

                r = link_proof_go_on(p, fd);
                n = (nfds_t)link_proof_get_pollfds(p, &wait);
                if (r == MBUS_E_NOT_READY)
                        poll(&wait, n, POLL_MS);
        }
        return r;
}

/* If a configuration is named, the broker behind *@fd must be on its bus. *@fd is the caller's
 * again if it is, else closed. */
static int prove_bus(struct bus_parts *bus, const char *path, const struct mbus_config *given,
                     int *fd, struct link_proof **ret_proof, char *ret_error)
{
        struct link_proof *p = NULL;
        int r = link_proof_new(given, &p);

        if (r == 0 && p)
                r = await_proof(p, fd);
        else if (r < 0)
                close(*fd);
        if (r > 0)
                snprintf(ret_error, BUS_ERROR_SIZE, "broker at %.160s: %.330s", path,
                         link_proof_error(p));
        if (r < 0 && r != -ENOMEM) {
                snprintf(ret_error, BUS_ERROR_SIZE, "broker at %.200s: %s%s", path,
                         r == -ETIMEDOUT ? "it does not answer"
                                         : "it does not tell which bus it is on: ",
                         r == -ETIMEDOUT ? "" : strerror(-r));
                r = MBUS_E_NO_BUS;
        }
        if (r)
                p = link_proof_free(p);
        else if (p && link_proof_is_old(p))
                remark_old(bus, path, p);
        *ret_proof = p;
        return r;
}

int transport_open_unix(struct transport *ret_t, struct bus_parts *bus, const char *path,
                        const struct mbus_config *given, bool probe,
                        char ret_error[static BUS_ERROR_SIZE])
{
        struct transport t = TRANSPORT_INIT;
        int r;

        t.fd = unix_connect(path, true);
        if (t.fd < 0 && probe && is_nobody_there(t.fd))
                return MBUS_E_UNKNOWN;
        if (t.fd < 0) {
                snprintf(ret_error, BUS_ERROR_SIZE, "broker at %.300s: %s: %s", path,
                         strerror(-t.fd), advice(t.fd));
                if (t.fd == -ENOMEM)
                        return t.fd;
                return probe && t.fd == -EACCES ? MBUS_E_DENIED : MBUS_E_NO_BUS;
        }
        r = prove_bus(bus, path, given, &t.fd, &t.proof, ret_error);
        if (r)
                return r;
        t.path = strdup(path);
        if (!t.path) {
                transport_deinit(&t);
                return -ENOMEM;
        }
        *ret_t = t;
        return 0;
}
