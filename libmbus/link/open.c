/*
 * open.c - a link to a broker is opened, over a Unix socket or over TCP.
 */
#include "open.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect.h"
#include "mode.h"

/* While opening waits for TCP. */
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

/* ---- which bus ------------------------------------------------------------------------------ */

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
static int prove(struct bus_parts *bus, const char *path, const struct mbus_config *given, int *fd,
                 struct link_proof **ret_proof, char *ret_error)
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
                link_warn_of_old(bus, path, p);
        *ret_proof = p;
        return r;
}

/* ---- connecting to a Unix socket ------------------------------------------------------------ */

int link_open(struct bus_parts *bus, const char *path, const struct mbus_config *given, bool probe,
              struct mode **ret_mode, char ret_error[static BUS_ERROR_SIZE])
{
        int fd = link_connect(path, true), r;
        struct link_proof *proof;
        struct link *l;

        if (fd < 0 && probe && is_nobody_there(fd))
                return MBUS_E_UNKNOWN;
        if (fd < 0) {
                snprintf(ret_error, BUS_ERROR_SIZE, "broker at %.300s: %s: %s", path, strerror(-fd),
                         advice(fd));
                if (fd == -ENOMEM)
                        return fd;
                return probe && fd == -EACCES ? MBUS_E_DENIED : MBUS_E_NO_BUS;
        }
        r = prove(bus, path, given, &fd, &proof, ret_error);
        if (r)
                return r;
        l = link_new(bus, fd, given->patience);
        if (!l) {
                link_proof_free(proof);
                return -ENOMEM;
        }
        l->proof = proof;
        l->seq = proof ? link_proof_next_seq(proof) : 0;
        l->path = strdup(path);
        if (!l->path || bus_set_url(bus, "unix:", path) < 0) {
                link_free(l);
                return -ENOMEM;
        }
        *ret_mode = &l->base;
        return 0;
}

/* ---- connecting over TCP ------------------------------------------------------------------- */

/* Why one address could not be connected. */
struct failure {
        int error;
        bool connected; /* somebody was there */
        char address[TCP_ADDRESS_TEXT_SIZE];
};

static const char *tcp_advice(const struct failure *f)
{
        if (f->error == -EPROTO || f->error == -EPIPE)
                return "its bus has another key than the configuration here, or it is no "
                       "mbus-broker";
        if (f->connected)
                return "it takes connections and does not answer; is it an mbus-broker?";
        switch (f->error) {
        case -ECONNREFUSED:
                return "start mbus-broker with TCP= in its configuration";
        case -EACCES:
        case -EPERM:
                return "a firewall of this host does not let it pass";
        default:
                return "is it reachable?";
        }
}

/* Of several addresses the one that tells most of what is to be mended: the closer one came, the
 * more. */
static unsigned how_telling(const struct failure *f)
{
        if (f->error == 0)
                return 0;
        if (f->error == -EPROTO)
                return 7;
        if (f->connected)
                return 6;
        switch (f->error) {
        case -ECONNREFUSED:
                return 5;
        case -EACCES:
        case -EPERM:
                return 4;
        case -ETIMEDOUT:
                return 3;
        case -EHOSTUNREACH:
        case -ENETUNREACH:
                return 2;
        default:
                return 1;
        }
}

/* Waits until the next address is connected, or is not to be had. */
static int connect_address(struct link_tcp *tcp, int *ret_fd)
{
        int r;

        do {
                struct pollfd fd;
                nfds_t n;

                r = link_tcp_connect(tcp, ret_fd);
                n = (nfds_t)link_tcp_get_pollfds(tcp, &fd);
                if (r == MBUS_E_NOT_READY)
                        poll(&fd, n, POLL_MS);
        } while (r == MBUS_E_NOT_READY);
        return r;
}

/* Waits until one of its addresses is connected; *@ret_failure is the most telling one if none is. */
static int connect_tcp(struct link_tcp *tcp, int *ret_fd, struct failure *ret_failure)
{
        struct failure best = { .error = 0 };
        int r = MBUS_E_NOT_READY;

        for (size_t tries = 0; tries < link_tcp_n_addresses(tcp) && r != 0; tries++) {
                struct failure f = { .error = 0 };

                tcp_address_format(link_tcp_get_address(tcp), f.address);
                f.error = r = connect_address(tcp, ret_fd);
                f.connected = link_tcp_was_connected(tcp);
                if (how_telling(&f) > how_telling(&best))
                        best = f;
        }
        *ret_failure = best;
        return r;
}

static void open_tcp_explain(const struct link_tcp *tcp, const struct failure *f,
                             char ret_error[static 256])
{
        bool several = link_tcp_n_addresses(tcp) > 1;

        snprintf(ret_error, 256, "%s%s%.64s: %s", several ? f->address : "", several ? ": " : "",
                 strerror(f->error == -EPROTO ? EKEYREJECTED : -f->error), tcp_advice(f));
}

int link_open_tcp(struct bus_parts *bus, const char *name, const struct mbus_config *given,
                  struct mode **ret_mode, char ret_error[static BUS_ERROR_SIZE])
{
        struct config config = CONFIG_INIT;
        struct link_tcp *tcp = NULL;
        struct failure failure;
        char error[256] = "";
        struct link *l;
        int fd, r = config_read(given, &config, ret_error);

        if (r)
                return r;
        r = link_tcp_new(name, &config, &tcp, error);
        explicit_bzero(&config, sizeof(config));
        if (r == 0)
                r = connect_tcp(tcp, &fd, &failure);
        if (r < 0 && r != -ENOMEM && tcp) {
                open_tcp_explain(tcp, &failure, error);
                r = MBUS_E_NO_BUS;
        }
        if (r) {
                snprintf(ret_error, BUS_ERROR_SIZE, "broker at tcp:%.200s: %s", name, error);
                link_tcp_free(tcp);
                return r;
        }
        l = link_new(bus, fd, given->patience);
        if (!l) {
                link_tcp_free(tcp);
                return -ENOMEM;
        }
        l->tcp = tcp;
        if (bus_set_url(bus, "tcp:", name) < 0) {
                link_free(l);
                return -ENOMEM;
        }
        *ret_mode = &l->base;
        return 0;
}
