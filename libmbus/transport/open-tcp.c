/*
 * open-tcp.c - a broker is connected over TCP, at the first of its addresses that answers.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "transport.h"

/* While opening waits. */
#define POLL_MS 100

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

/* Waits until one of its addresses is connected; *@ret_failure is the most telling one if none
 * is. */
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

int transport_open_tcp(struct transport *ret_t, const char *name, const struct mbus_config *given,
                       char ret_error[static BUS_ERROR_SIZE])
{
        struct transport t = TRANSPORT_INIT;
        struct config config = CONFIG_INIT;
        struct failure failure;
        char error[256] = "";
        int r = config_read(given, &config, ret_error);

        if (r)
                return r;
        r = link_tcp_new(name, &config, &t.tcp, error);
        explicit_bzero(&config, sizeof(config));
        if (r == 0)
                r = connect_tcp(t.tcp, &t.fd, &failure);
        if (r < 0 && r != -ENOMEM && t.tcp) {
                open_tcp_explain(t.tcp, &failure, error);
                r = MBUS_E_NO_BUS;
        }
        if (r) {
                snprintf(ret_error, BUS_ERROR_SIZE, "broker at tcp:%.200s: %s", name, error);
                transport_deinit(&t);
                return r;
        }
        *ret_t = t;
        return 0;
}
