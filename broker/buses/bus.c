/*
 * bus.c - the buses that the broker is on: engines behind their sockets, in the loop.
 */
#include "bus.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <io/clock.h>
#include <io/entropy.h>

#include <broker/base/base.h>
#include <broker/config/config.h>

/* ---- all of them --------------------------------------------------------------------------- */

void buses_init(struct buses *buses, struct iteration *it)
{
        *buses = (struct buses){ .it = it };
}

struct bus *buses_get(struct buses *buses, size_t i)
{
        if (i == 0)
                return &buses->main;
        return i <= buses->n_others ? buses->others[i - 1] : NULL;
}

struct bus *buses_find(struct buses *buses, const char *name)
{
        struct bus *bus;

        for (size_t i = 0; (bus = buses_get(buses, i)); i++)
                if (span_equal_nocase(span_of(name), bus->name))
                        return bus;
        return NULL;
}

bool bus_is_main(const struct bus *bus)
{
        return bus == &bus->buses->main;
}

void bus_note_loss(struct bus *bus, enum mbus_drop reason, uint64_t n)
{
        if (reason == MBUS_DROP_SOCKET)
                bus->loss.n_datagrams += n;
        else
                bus->loss.n_messages += n;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int open_engine(struct bus *bus, const struct config *config, bool relays)
{
        struct engine_options options = { .dialect = config->dialect,
                                          .max_age_ms = config->max_age_ms,
                                          .send_unicast = config->send_unicast,
                                          .owner_routes = true,
                                          .owner_acknowledges = true,
                                          .owner_relays = relays,
                                          .reliable_bytes_max = BUS_RELIABLE_BYTES_MAX };
        int r;

        crypto_global_init();
        r = crypto_new(config, &bus->crypto);
        if (r) {
                log_error("bus %s: libgcrypt cannot do what the configuration asks for", bus->name);
                return r > 0 ? EXIT_CONFIG : EXIT_SYSTEM;
        }
        options.crypto = bus->crypto;
        options.seed = entropy_number();
        return engine_new(&options, &bus->engine) < 0 ? EXIT_SYSTEM : 0;
}

/* The line of the INTERFACE that @error begins with, 0 if it does with none. */
static unsigned line_of(const struct config *config, const char *error)
{
        char begin[sizeof(config->interfaces[0]) + sizeof("INTERFACE=: ")];

        for (unsigned i = 0; i < config->n_interfaces; i++) {
                snprintf(begin, sizeof(begin), "INTERFACE=%s: ", config->interfaces[i]);
                if (span_begins(span_of(error), begin))
                        return config->interface_lines[i];
        }
        return 0;
}

static void log_udp_error(const struct bus *bus, const struct config *config, const char *error)
{
        unsigned line = line_of(config, error);

        if (line > 0)
                log_error_at(bus->buses->config_path, line, "INTERFACE", "%s",
                             strchr(error, '=') + 1);
        else
                log_error("bus %s: %s", bus->name, error);
}

int bus_open(struct bus *bus, struct buses *buses, const char *name, const struct config *config,
             bool relays)
{
        char error[512];
        int r;

        assert(buses->owner && strlen(name) <= BUS_NAME_MAX);
        *bus = (struct bus){ .buses = buses,
                             .number = ++buses->last_number,
                             .dialect = config->dialect };
        snprintf(bus->name, sizeof(bus->name), "%s", name);
        r = open_engine(bus, config, relays);
        if (r)
                return r;
        bus->largest = engine_largest(bus->engine);
        /* DIALECT=UCL adds no more than an octet for each. */
        bus->surely_fits = bus->dialect == DIALECT_UCL ? bus->largest / 2 : bus->largest;
        r = udp_open(config, &bus->udp, error);
        if (r) {
                log_udp_error(bus, config, r > 0 ? error : strerror(-r));
                return r == MBUS_E_CONFIG ? EXIT_CONFIG : r > 0 ? EXIT_NO_BUS : EXIT_SYSTEM;
        }
        for (size_t i = 0; udp_warning(bus->udp, i); i++)
                log_warning("bus %s: %s", bus->name, udp_warning(bus->udp, i));
        return 0;
}

void bus_close(struct bus *bus)
{
        bus->udp = udp_close(bus->udp);
        bus->engine = engine_free(bus->engine);
        bus->crypto = crypto_free(bus->crypto);
}

/* ---- descriptors --------------------------------------------------------------------------- */

/* Receives from the one descriptor that is ready. 0, 1 or -errno as udp_receive(). */
static int receive_udp(struct bus *bus, size_t i, short revents)
{
        struct pollfd fds[UDP_POLLFDS];

        memcpy(fds, bus->fds, bus->n_fds * sizeof(*fds));
        for (size_t k = 0; k < bus->n_fds; k++)
                fds[k].revents = k == i ? revents : 0;
        return udp_receive(bus->udp, bus->engine, bus->buses->it->now, bus->buses->it->wall_ms,
                           fds);
}

static void on_udp(uv_poll_t *poll, int status, int events)
{
        struct bus *bus = poll->data;
        size_t i = (size_t)(poll - bus->polls);

        assert(bus->udp && i < bus->n_fds);
        iteration_wake(bus->buses->it);
        /* An error waits there, as when news of interfaces were lost: reading takes it away, but
         * libuv has stopped to look, which update_bus_polls() mends. */
        if (status < 0)
                bus->fds[i].events = 0;
        if (status < 0 || events & UV_READABLE) {
                int r = receive_udp(bus, i, status < 0 ? POLLERR : POLLIN);

                bus->received = true;
                if (r < 0) {
                        log_error("bus %s cannot be received any more: %s", bus->name,
                                  strerror(-r));
                        iteration_stop(bus->buses->it, false);
                }
        }
}

static int uv_events(short events)
{
        return (events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0);
}

int bus_start(struct bus *bus)
{
        assert(bus->udp && bus->n_handles == 0);
        bus->n_fds = udp_get_pollfds(bus->udp, bus->fds);
        for (size_t i = 0; i < bus->n_fds; i++) {
                int r = uv_poll_init(&bus->buses->it->loop, &bus->polls[i], bus->fds[i].fd);

                if (r == 0)
                        bus->n_handles++;
                if (r == 0)
                        r = uv_poll_start(&bus->polls[i], uv_events(bus->fds[i].events), on_udp);
                if (r)
                        return r;
                bus->polls[i].data = bus;
        }
        return 0;
}

static void on_bus_closed(uv_handle_t *handle)
{
        struct bus *bus = handle->data;

        assert(!bus->udp && bus->n_handles > 0);
        if (--bus->n_handles == 0)
                free(bus);
}

void bus_retire(struct bus *bus)
{
        size_t n = bus->n_handles;

        assert(!bus_is_main(bus));
        for (size_t i = 0; i < n; i++) {
                uv_poll_stop(&bus->polls[i]);
                bus->polls[i].data = bus;
                uv_close((uv_handle_t *)&bus->polls[i], on_bus_closed);
        }
        bus_close(bus);
        if (n == 0)
                free(bus);
}

/* The descriptors stay, what is awaited from them changes with what waits to be sent. */
static void update_bus_polls(struct bus *bus)
{
        struct pollfd fds[UDP_POLLFDS];
        size_t n = udp_get_pollfds(bus->udp, fds);

        for (size_t i = 0; i < n && i < bus->n_fds; i++) {
                if (fds[i].events == bus->fds[i].events)
                        continue;
                bus->fds[i].events = fds[i].events;
                uv_poll_start(&bus->polls[i], uv_events(fds[i].events), on_udp);
        }
}

/* ---- iterations -------------------------------------------------------------------------- */

/* The hellos of all buses of DIALECT=UCL share one limit, since it is for what a process says. */
static void watch_hellos(struct bus *bus)
{
        struct buses *buses = bus->buses;
        struct bus *other;
        size_t n = 0;

        if (bus->dialect != DIALECT_UCL)
                return;
        for (size_t i = 0; (other = buses_get(buses, i)); i++)
                if (other != bus && other->engine && other->dialect == DIALECT_UCL)
                        n += engine_n_entities(other->engine);
        engine_share_hellos(bus->engine, n);
        if (!engine_hellos_are_slow(bus->engine, 0)) {
                if (log_trouble_is_over(&bus->slow))
                        log_info("bus %s: all entities say hello every second again", bus->name);
        } else if (log_trouble_is_due(&bus->slow, buses->it->now)) {
                log_warning("bus %s: more than %d entities here cannot say hello every second; old "
                            "programs (DIALECT=UCL) may take some for dead after five seconds",
                            bus->name, HELLOS_PER_SECOND_UCL);
        }
}

void bus_tick(struct bus *bus)
{
        const struct iteration *it = bus->buses->it;
        struct bus_owner *owner = bus->buses->owner;
        enum mbus_network network;
        const char *text;

        assert(bus->engine && bus->udp);
        udp_tick(bus->udp, bus->engine, it->now);
        while (udp_pop_notice(bus->udp, &network, &text))
                owner->on_network(owner, bus, network, text);
        if (!bus->received && engine_deadline(bus->engine) > it->now)
                return;
        bus->received = false;
        watch_hellos(bus);
        engine_tick(bus->engine, it->now, it->wall_ms);
}

uint64_t bus_deadline(const struct bus *bus)
{
        uint64_t engine = engine_deadline(bus->engine), udp = udp_deadline(bus->udp);

        return engine < udp ? engine : udp;
}

void bus_send(struct bus *bus)
{
        if (engine_n_datagrams(bus->engine) > 0)
                udp_send(bus->udp, bus->engine);
        update_bus_polls(bus);
}

void bus_drain(struct bus *bus)
{
        uint64_t end = bus->buses->it->stop_at;
        struct pollfd fds[UDP_POLLFDS];

        if (end == 0)
                end = clock_now() + STOP_MS * NSEC_PER_MSEC;
        while (engine_n_datagrams(bus->engine) > 0 && udp_send(bus->udp, bus->engine) > 0 &&
               clock_now() < end) {
                nfds_t n = udp_get_pollfds(bus->udp, fds);

                for (nfds_t i = 0; i < n; i++)
                        fds[i].events &= POLLOUT;
                poll(fds, n, 10);
        }
}
