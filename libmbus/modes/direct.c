/*
 * direct.c - the bus over the network: an engine and its sockets.
 */
#include <bus/bus.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <core/seal.h>
#include <io/account.h>
#include <io/clock.h>
#include <io/config-file.h>
#include <io/udp.h>

/* Process ids below are what programs in containers have, all of them alike. */
#define PID_MIN 100
/* Around a payload, beside the two addresses: "mbus/1.0 ", SeqNum, TimeStamp, type, "()", CRLF. */
#define HEADER_MAX 48

struct direct {
        struct udp *udp;
        bool blocked;   /* the socket takes no more until it says so */
        size_t mtu;     /* 0: it does not matter */
        size_t padding; /* the most that a cipher adds */
};

static const struct bus_mode direct_mode;

int bus_read_config(const struct mbus_config *given, struct config *ret_config,
                    char ret_error[static BUS_ERROR_SIZE])
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        char *path;
        int r;

        if (given->text) {
                char text_error[256] = "";

                r = config_parse(span_of(given->text), "configuration", ret_config, text_error);
                snprintf(ret_error, BUS_ERROR_SIZE, "%s", text_error);
                return r;
        }
        r = config_file_path(given->file, &path);
        if (r == -ENOMEM)
                return r;
        if (r != 0 && r != -ENOENT) {
                snprintf(ret_error, BUS_ERROR_SIZE,
                         "the home directory for .mbus cannot be looked up: %s; set MBUS to a "
                         "configuration file",
                         account_error(r));
                return MBUS_E_CONFIG;
        }
        if (r != 0) {
                snprintf(ret_error, BUS_ERROR_SIZE,
                         "there is no home directory for .mbus: set MBUS to a configuration file, "
                         "which mbus-cli keygen -o FILE makes");
                return MBUS_E_CONFIG;
        }
        r = config_file_read(path, ret_config, error);
        free(path);
        snprintf(ret_error, BUS_ERROR_SIZE, "%s", r == 0 ? "" : error);
        return r == 0 || r == -ENOMEM ? r : MBUS_E_CONFIG;
}

static void take_remarks(struct mbus_bus *bus, const struct config *config, const struct udp *udp)
{
        const char *warning;

        for (unsigned i = 0; i < config->n_warnings; i++)
                bus_warn(bus, config->warnings[i]);
        for (size_t i = 0; (warning = udp_warning(udp, i)); i++)
                bus_warn(bus, warning);
}

static int name_bus(struct mbus_bus *bus, const struct udp *udp)
{
        const char *name = udp_name(udp);
        pid_t pid = getpid();

        bus->url = malloc(strlen(name) + sizeof("udp:"));
        if (!bus->url)
                return -ENOMEM;
        strcpy(bus->url, "udp:");
        strcat(bus->url, name);
        snprintf(bus->host, sizeof(bus->host), "%s", udp_host_id(udp));
        bus->id = pid < PID_MIN ? random_u32(&bus->random) : (uint32_t)pid;
        return 0;
}

int direct_open(struct mbus_bus *bus, const struct mbus_config *given,
                char ret_error[static BUS_ERROR_SIZE])
{
        struct config config = CONFIG_INIT;
        struct direct *d;
        int r = bus_read_config(given, &config, ret_error);

        if (r != 0)
                return r;
        bus->mode = &direct_mode;
        bus->impl = d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        r = engine_mode_open(bus, &config, random_u64(&bus->random), false);
        if (r == MBUS_E_CONFIG)
                snprintf(ret_error, BUS_ERROR_SIZE, "libgcrypt here has no %s or %s",
                         hash_name(config.hash), cipher_name(config.cipher));
        if (r == 0)
                r = udp_open(&config, &d->udp, ret_error);
        if (r != 0)
                return r;
        if (config.scope == SCOPE_LINKLOCAL)
                d->mtu = udp_mtu(d->udp);
        d->padding = crypto_block_size(bus->crypto) - 1;
        take_remarks(bus, &config, d->udp);
        return name_bus(bus, d->udp);
}

static void flush(struct mbus_bus *bus)
{
        struct direct *d = bus->impl;

        d->blocked = udp_send(d->udp, bus->engine) > 0;
}

static void direct_close(struct mbus_bus *bus)
{
        struct direct *d = bus->impl;

        if (d && d->udp) {
                flush(bus);
                udp_close(d->udp);
        }
        free(d);
        engine_mode_close(bus);
}

static void direct_abandon(struct mbus_bus *bus)
{
        struct direct *d = bus->impl;

        if (d)
                d->udp = udp_close(d->udp);
}

/* A message that IP must fragment is worth a remark where it crosses a link (6, TRN-05). */
static void check_size(struct mbus_bus *bus, const struct mbus_entity *entity,
                       const struct address *dest, struct span payload)
{
        const struct direct *d = bus->impl;
        size_t n = SEAL_OVERHEAD + HEADER_MAX + entity_address(entity->engine)->text.n +
                   dest->text.n + payload.n + d->padding;
        char text[160];

        if (d->mtu == 0 || n <= d->mtu)
                return;
        snprintf(text, sizeof(text),
                 "messages larger than the %zu octets that the link takes in one piece were sent: "
                 "one lost fragment loses the whole message",
                 d->mtu);
        bus_warn(bus, text);
}

static int direct_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                       uint64_t *ret_ticket)
{
        struct mbus_bus *bus = entity->bus;
        const struct direct *d = bus->impl;
        int r = engine_mode_send(entity, dest, payload, ret_ticket);

        if (r == 0)
                check_size(bus, entity, dest, payload);
        /* Who sends without pause gets whole batches to the socket meanwhile. */
        if (engine_n_datagrams(bus->engine) >= UDP_BATCH && !d->blocked)
                flush(bus);
        return r;
}

static size_t direct_get_pollfds(struct mbus_bus *bus,
                                 struct pollfd ret_fds[static MBUS_POLLFDS_MAX])
{
        const struct direct *d = bus->impl;

        return udp_get_pollfds(d->udp, ret_fds);
}

static uint64_t direct_get_deadline(struct mbus_bus *bus)
{
        const struct direct *d = bus->impl;

        uint64_t engine, udp;

        if (engine_n_datagrams(bus->engine) > 0 && !d->blocked)
                return 0;
        engine = engine_deadline(bus->engine);
        udp = udp_deadline(d->udp);
        return engine < udp ? engine : udp;
}

/* What became of the network is an event as soon as it is noticed. */
static void report(struct mbus_bus *bus, uint64_t now)
{
        const struct direct *d = bus->impl;
        enum mbus_network network;
        const char *text;

        udp_tick(d->udp, bus->engine, now);
        while (udp_pop_notice(d->udp, &network, &text))
                event_queue_network(bus, network, span_of(text));
}

static const char *direct_get_interface(const struct mbus_bus *bus)
{
        const struct direct *d = bus->impl;

        return udp_interface(d->udp);
}

static const char *direct_get_network(struct mbus_bus *bus, enum mbus_network network)
{
        const struct direct *d = bus->impl;

        return udp_network(d->udp, bus->engine, network);
}

/* Old programs take for dead who is silent for five seconds (spec/errata.md, 80). */
static void check_hellos(struct mbus_bus *bus)
{
        if (engine_hellos_are_slow(bus->engine, 0))
                bus_warn(bus,
                         "the entities of this program are too many to say hello every second: "
                         "old programs (DIALECT=UCL) may take some for dead");
}

static int direct_process(struct mbus_bus *bus, const struct pollfd *fds)
{
        struct direct *d = bus->impl;
        uint64_t now = clock_now(), wall_ms = clock_wall_ms();
        int r = udp_receive(d->udp, bus->engine, now, wall_ms, fds);

        if (r < 0)
                return r;
        engine_tick(bus->engine, now, wall_ms);
        check_hellos(bus);
        flush(bus);
        report(bus, now);
        return r;
}

static const struct bus_mode direct_mode = {
        .close = direct_close,
        .abandon = direct_abandon,
        .add_entity = engine_mode_add_entity,
        .remove_entity = engine_mode_remove_entity,
        .send = direct_send,
        .ping = engine_mode_ping,
        .watch = engine_mode_watch,
        .observe = engine_mode_observe,
        .list = engine_mode_list,
        .pull = engine_mode_pull,
        .n_left = engine_mode_n_left,
        .get_pollfds = direct_get_pollfds,
        .get_deadline = direct_get_deadline,
        .process = direct_process,
        .get_interface = direct_get_interface,
        .get_network = direct_get_network,
};
