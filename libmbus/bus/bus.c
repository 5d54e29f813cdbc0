/*
 * bus.c - a bus is opened, fits into a main loop, and is closed.
 *
 * The one place of the library that looks at the environment: for the brokers' usual sockets, with
 * secure_getenv(). The configuration file's place is io/config-file's.
 */
#include "bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <io/clock.h>
#include <io/entropy.h>
#include <io/runtime-dir.h>

#define SYSTEM_SOCKET "/run/mbus/broker.sock"
#define USER_SOCKET "/mbus/broker.sock"

uint64_t bus_entropy(void)
{
        return entropy_number();
}

/* ---- opening ------------------------------------------------------------------------------- */

/* Where a broker of this user listens. NULL: only the system's may be there, or memory is short. If
 * $XDG_RUNTIME_DIR does not count, @ret_why says so. */
static char *own_socket(bool *ret_failed, char ret_why[static RUNTIME_DIR_ERROR_SIZE])
{
        const char *runtime = runtime_dir_get(ret_why);
        char *path;

        *ret_failed = false;
        if (!runtime)
                return NULL;
        path = malloc(strlen(runtime) + sizeof(USER_SOCKET));
        *ret_failed = !path;
        if (path) {
                strcpy(path, runtime);
                strcat(path, USER_SOCKET);
        }
        return path;
}

/*
 * The broker at a usual place: the user's own, else the system's. MBUS_E_UNKNOWN: there is none;
 * MBUS_E_DENIED: there is one of the system, but not for this user. Either is said in @ret_error.
 */
static int open_usual(struct mbus_bus *bus, const struct mbus_config *config, char *ret_error)
{
        char why[RUNTIME_DIR_ERROR_SIZE], remark[RUNTIME_DIR_ERROR_SIZE + 64];
        bool failed;
        char *own = own_socket(&failed, why);
        int r = MBUS_E_UNKNOWN;

        if (failed)
                return -ENOMEM;
        if (why[0]) {
                snprintf(remark, sizeof(remark), "%s: no broker is looked for there", why);
                bus_warn(bus, remark);
        }
        if (own)
                r = link_open(bus, own, config, true, ret_error);
        if (r == MBUS_E_UNKNOWN)
                r = link_open(bus, SYSTEM_SOCKET, config, true, ret_error);
        else if (r == MBUS_E_DENIED)
                r = MBUS_E_NO_BUS;
        if (r == MBUS_E_UNKNOWN)
                snprintf(ret_error, BUS_ERROR_SIZE, "no broker at %.160s%s" SYSTEM_SOCKET "%s%s%s",
                         own ? own : "", own ? " or " : "", why[0] ? " (" : "", why,
                         why[0] ? ")" : "");
        free(own);
        return r;
}

/* A broker that is not for this user is as good as none, which is remarked: who sees nobody else may
 * wonder why. */
static int open_auto(struct mbus_bus *bus, const struct mbus_config *config, char *ret_error)
{
        char error[BUS_ERROR_SIZE] = "", none[BUS_ERROR_SIZE] = "";
        int r = open_usual(bus, config, none);

        if (r == MBUS_E_DENIED)
                bus_warn(bus, none);
        if (r == MBUS_E_UNKNOWN || r == MBUS_E_DENIED) {
                r = direct_open(bus, config, error);
                if (error[0])
                        snprintf(ret_error, BUS_ERROR_SIZE, "%.220s%s; %.280s", none,
                                 strlen(none) > 220 ? "..." : "", error);
        } else if (r) {
                strcpy(ret_error, none);
        }
        return r;
}

static int open_unix(struct mbus_bus *bus, const char *path, const struct mbus_config *config,
                     char *ret_error)
{
        size_t n;
        int r;

        if (path[0])
                return link_open(bus, path, config, false, ret_error);
        r = open_usual(bus, config, ret_error);
        n = strlen(ret_error);
        if (r == MBUS_E_UNKNOWN)
                snprintf(ret_error + n, BUS_ERROR_SIZE - n, ": start mbus-broker, or use udp:");
        return r == MBUS_E_UNKNOWN || r == MBUS_E_DENIED ? MBUS_E_NO_BUS : r;
}

static int open_url(struct mbus_bus *bus, const struct mbus_config *config, char *ret_error)
{
        const char *url = config->url ? config->url : "auto:";

        if (config->file && !config->file[0]) {
                strcpy(ret_error, "the name of the configuration file is empty: name one, or none");
                return MBUS_E_CONFIG;
        }
        if (strcmp(url, "auto:") == 0)
                return open_auto(bus, config, ret_error);
        if (strcmp(url, "udp:") == 0)
                return direct_open(bus, config, ret_error);
        if (strncmp(url, "unix:", 5) == 0)
                return open_unix(bus, url + 5, config, ret_error);
        if (strncmp(url, "tcp:", 4) == 0)
                return link_open_tcp(bus, url + 4, config, ret_error);
        if (strncmp(url, "mem:", 4) == 0 && url[4])
                return mem_open(bus, url + 4, ret_error);
        snprintf(ret_error, BUS_ERROR_SIZE,
                 "URL %.200s: use auto:, udp:, unix:PATH, tcp:HOST:PORT or mem:NAME", url);
        return MBUS_E_CONFIG;
}

int mbus_bus_open(struct mbus_bus **ret_bus, struct mbus_config *config)
{
        struct mbus_config defaults = MBUS_CONFIG_INIT;
        struct mbus_bus *bus;
        uint64_t entropy;
        int r = -ENOMEM;

        if (!ret_bus)
                return MBUS_E_MALFORMED;
        bus = malloc(sizeof(*bus));
        entropy = bus_entropy();
        if (!config)
                config = &defaults;
        config_clear_result(config);
        if (bus && !config->failed) {
                *bus = (struct mbus_bus){ .one = { .epoll = -1, .timer = -1 },
                                          .patience = config->patience,
                                          .process = fork_number() };
                index_init(&bus->told, entropy);
                random_init(&bus->random, entropy);
                crypto_global_init();
                r = open_url(bus, config, config->error);
                if (r == 0)
                        config_take_warnings(config, bus);
                else
                        bus = mbus_bus_close(bus);
        } else {
                free(bus);
        }
        if (r < 0 && !config->error[0])
                snprintf(config->error, sizeof(config->error), "%s", strerror(-r));
        if (config == &defaults)
                config_clear_result(config);
        if (r == 0)
                *ret_bus = bus;
        return r;
}

struct mbus_bus *mbus_bus_close(struct mbus_bus *bus)
{
        if (!bus)
                return NULL;
        bus_abandon(bus);
        if (bus->mode && bus->mode->settle && !bus->abandoned)
                bus->mode->settle(bus);
        while (bus->entities)
                mbus_entity_remove(bus->entities);
        if (bus->mode)
                bus->mode->close(bus);
        queued_deinit(&bus->current);
        event_queue_deinit(&bus->queue);
        buffer_deinit(&bus->to_text);
        told_deinit(bus);
        filters_free(bus->observing.filters);
        for (size_t i = 0; i < bus->n_watches; i++)
                free(bus->watches[i].address);
        for (size_t i = 0; i < bus->n_warnings; i++)
                free(bus->warnings[i]);
        one_fd_deinit(&bus->one);
        free(bus->url);
        free(bus);
        return NULL;
}

void bus_abandon(struct mbus_bus *bus)
{
        if (bus_usable(bus, true) == 0 || bus->abandoned)
                return;
        bus->abandoned = true;
        one_fd_deinit(&bus->one);
        if (bus->mode)
                bus->mode->abandon(bus);
}

/* ---- what is known about it ---------------------------------------------------------------- */

const char *mbus_bus_get_url(const struct mbus_bus *bus)
{
        return bus ? bus->url : NULL;
}

uint64_t mbus_bus_get_dropped(const struct mbus_bus *bus, enum mbus_drop reason)
{
        if (!bus || (unsigned)reason >= MBUS_DROP_MAX)
                return 0;
        return bus->dropped[reason] + (bus->engine ? engine_dropped(bus->engine, reason) : 0);
}

void mbus_bus_get_sizes(const struct mbus_bus *bus, size_t *ret_size, size_t *ret_largest)
{
        size_t size = 0, largest = 0;

        if (bus) {
                size = bus->engine ? engine_too_large(bus->engine) : bus->too_large;
                largest = bus->engine ? engine_largest(bus->engine) : bus->largest;
        }
        if (ret_size)
                *ret_size = size;
        if (ret_largest)
                *ret_largest = largest;
}

const char *mbus_bus_get_warning(const struct mbus_bus *bus, size_t i)
{
        return bus && i < bus->n_warnings ? bus->warnings[i] : NULL;
}

const char *mbus_bus_get_interface(const struct mbus_bus *bus)
{
        return bus && bus->mode->get_interface ? bus->mode->get_interface(bus) : NULL;
}

const char *mbus_bus_get_network(struct mbus_bus *bus, enum mbus_network network)
{
        if (!bus || !bus->mode->get_network || (unsigned)network >= MBUS_NETWORK_MAX)
                return NULL;
        return bus->mode->get_network(bus, network);
}

void bus_warn(struct mbus_bus *bus, const char *text)
{
        for (size_t i = 0; i < bus->n_warnings; i++)
                if (strcmp(bus->warnings[i], text) == 0)
                        return;
        if (bus->n_warnings < WARNINGS_MAX) {
                bus->warnings[bus->n_warnings] = strdup(text);
                bus->n_warnings += bus->warnings[bus->n_warnings] != NULL;
        }
}

/* ---- the main loop ------------------------------------------------------------------------- */

int mbus_bus_get_pollfds(struct mbus_bus *bus, struct pollfd *fds, size_t size, size_t *ret_n)
{
        struct pollfd all[MBUS_POLLFDS_MAX];
        int r = bus_usable(bus, (fds || size == 0) && ret_n);
        size_t n;

        if (r != 0)
                return r;
        n = bus->mode->get_pollfds(bus, all);
        if (n > size)
                return MBUS_E_FULL;
        for (size_t i = 0; i < n; i++)
                fds[i] = all[i];
        *ret_n = n;
        return 0;
}

/* Who sends many messages a millisecond would pay a quarter of all that sending costs to read the
 * clock, so what it says holds until the kernel's ticks. */
uint64_t bus_time_of_day(struct mbus_bus *bus)
{
        uint64_t tick = clock_wall_tick_ns();

        if (tick != bus->tick_ns) {
                bus->tick_ns = tick;
                bus->tick_ms = clock_wall_ms();
        }
        return bus->tick_ms;
}

uint64_t mbus_bus_get_deadline(struct mbus_bus *bus)
{
        if (bus_usable(bus, true) != 0)
                return TIME_NEVER;
        return bus->failure || bus->stirred ? 0 : bus->mode->get_deadline(bus);
}

/* @fds: as in bus_mode.process. */
static int process(struct mbus_bus *bus, const struct pollfd *fds)
{
        int r = bus->failure;

        bus->failure = 0;
        bus->stirred = false;
        bus->wall_ns = clock_wall_ns();
        if (r == 0)
                r = bus->mode->process(bus, fds);
        bus_changed(bus);
        return r;
}

int mbus_bus_process(struct mbus_bus *bus)
{
        int r = bus_usable(bus, true);

        return r != 0 ? r : process(bus, NULL);
}

int bus_sleep_and_process(struct mbus_bus *bus, uint64_t until)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n = bus->mode->get_pollfds(bus, fds);
        uint64_t now = clock_now();
        uint64_t left = until > now ? until - now : 0;
        struct timespec time = { .tv_sec = (time_t)(left / NSEC_PER_SEC),
                                 .tv_nsec = (long)(left % NSEC_PER_SEC) };

        if (ppoll(fds, n, until == TIME_NEVER ? NULL : &time, NULL) < 0)
                return -errno;
        return process(bus, fds);
}

static bool write_only(struct mbus_bus *bus)
{
        bool all = !bus->failure && bus->mode->write && bus->mode->write(bus);

        if (all)
                bus_changed(bus);
        return all;
}

uint64_t bus_end_of(int64_t timeout)
{
        uint64_t now = clock_now();

        return timeout < 0 || (uint64_t)timeout > TIME_NEVER - now ? TIME_NEVER
                                                                   : now + (uint64_t)timeout;
}

int mbus_bus_wait(struct mbus_bus *bus, int64_t timeout)
{
        uint64_t start = clock_now(), end = bus_end_of(timeout);
        bool more = false;
        int r = bus_usable(bus, true);

        if (r != 0)
                return r;
        /* An application that pops one event a call must not keep the bus from its duties. But when
         * there is only something to write, reading waits until there is something to read. */
        if (mbus_bus_get_deadline(bus) <= start && !write_only(bus)) {
                r = mbus_bus_process(bus);
                if (r < 0)
                        return r;
                more = r > 0;
        }
        while (!bus_has_event(bus)) {
                uint64_t deadline = more ? 0 : mbus_bus_get_deadline(bus);

                r = bus_sleep_and_process(bus, deadline < end ? deadline : end);
                if (r < 0)
                        return r;
                more = r > 0;
                if (end <= clock_now() && !bus_has_event(bus))
                        return MBUS_E_NOT_READY;
        }
        return 0;
}
