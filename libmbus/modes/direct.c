/*
 * direct.c - the bus over the network: an engine and its sockets.
 */
#include "modes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <core/seal.h>
#include <io/clock.h>
#include <io/entropy.h>
#include <io/udp.h>

#include "engine-mode.h"

/* Process ids below are what programs in containers have, all of them alike. */
#define PID_MIN 100
/* Around a payload, beside the two addresses: "mbus/1.0 ", SeqNum, TimeStamp, type, "()", CRLF. */
#define HEADER_MAX 48

struct direct {
        struct engine_mode base;
        struct udp *udp;
        bool blocked;   /* the socket takes no more until it says so */
        size_t mtu;     /* 0: it does not matter */
        size_t padding; /* the most that a cipher adds */
};

static const struct mode_ops direct_ops;

static struct direct *direct_of(const struct mode *mode)
{
        return container_of(engine_mode_of(mode), struct direct, base);
}

static void direct_take_remarks(struct bus_parts *bus, const struct config *config,
                                const struct udp *udp)
{
        const char *warning;

        for (unsigned i = 0; i < config->n_warnings; i++)
                remarks_add(&bus->remarks, config->warnings[i]);
        for (size_t i = 0; (warning = udp_warning(udp, i)); i++)
                remarks_add(&bus->remarks, warning);
}

static int direct_name_bus(struct direct *d)
{
        struct engine_mode *m = &d->base;
        pid_t pid = getpid();

        snprintf(m->host, sizeof(m->host), "%s", udp_host_id(d->udp));
        m->id = pid < PID_MIN ? random_u32(&m->random) : (uint32_t)pid;
        return bus_set_url(m->base.bus, "udp:", udp_name(d->udp));
}

/* Whatever it leaves is freed by direct_close(). */
static int direct_begin(struct direct *d, const struct config *config, uint64_t patience,
                        char *ret_error)
{
        int r = engine_mode_open(&d->base, config, patience, false);

        if (r == MBUS_E_CONFIG)
                snprintf(ret_error, BUS_ERROR_SIZE, "libgcrypt here has no %s or %s",
                         hash_name(config->hash), cipher_name(config->cipher));
        if (r == 0)
                r = udp_open(config, &d->udp, ret_error);
        if (r != 0)
                return r;
        if (config->scope == SCOPE_LINKLOCAL)
                d->mtu = udp_mtu(d->udp);
        d->padding = crypto_block_size(d->base.crypto) - 1;
        direct_take_remarks(d->base.base.bus, config, d->udp);
        return direct_name_bus(d);
}

static void direct_flush(struct direct *d)
{
        assert(d->udp && d->base.engine);
        d->blocked = udp_send(d->udp, d->base.engine) > 0;
}

static void direct_close(struct mode *mode)
{
        struct direct *d = direct_of(mode);

        if (d->udp) {
                direct_flush(d);
                udp_close(d->udp);
        }
        engine_mode_close(&d->base);
        free(d);
}

int direct_open(struct bus_parts *bus, const struct mbus_config *given, struct mode **ret_mode,
                char ret_error[static BUS_ERROR_SIZE])
{
        struct config config = CONFIG_INIT;
        struct direct *d;
        int r = config_read(given, &config, ret_error);

        if (r != 0)
                return r;
        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->base.base = (struct mode){ &direct_ops, bus };
        random_init(&d->base.random, entropy_number());
        r = direct_begin(d, &config, given->patience, ret_error);
        if (r != 0)
                direct_close(&d->base.base);
        else
                *ret_mode = &d->base.base;
        return r;
}

static void direct_abandon(struct mode *mode)
{
        struct direct *d = direct_of(mode);

        d->udp = udp_close(d->udp);
}

/* A message that IP must fragment is worth a remark where it crosses a link (6, TRN-05). */
static void direct_check_size(struct direct *d, struct engine_entity *entity,
                              const struct address *dest, struct span payload)
{
        size_t n = SEAL_OVERHEAD + HEADER_MAX + entity_address(entity->engine)->text.n +
                   dest->text.n + payload.n + d->padding;
        char text[160];

        if (d->mtu == 0 || n <= d->mtu)
                return;
        snprintf(text, sizeof(text),
                 "messages larger than the %zu octets that the link takes in one piece were sent: "
                 "one lost fragment loses the whole message",
                 d->mtu);
        remarks_add(&d->base.base.bus->remarks, text);
}

static int direct_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                       uint64_t *ret_ticket)
{
        struct direct *d = direct_of(entity->mode);
        int r = engine_mode_send(entity, dest, payload, ret_ticket);

        if (r == 0)
                direct_check_size(d, engine_entity_of(entity), dest, payload);
        /* Who sends without pause gets whole batches to the socket meanwhile. */
        if (engine_n_datagrams(d->base.engine) >= UDP_BATCH && !d->blocked)
                direct_flush(d);
        return r;
}

static size_t direct_get_pollfds(struct mode *mode, struct pollfd ret_fds[static MBUS_POLLFDS_MAX])
{
        return udp_get_pollfds(direct_of(mode)->udp, ret_fds);
}

static uint64_t direct_get_deadline(struct mode *mode)
{
        const struct direct *d = direct_of(mode);
        uint64_t engine, udp;

        if (engine_n_datagrams(d->base.engine) > 0 && !d->blocked)
                return 0;
        engine = engine_deadline(d->base.engine);
        udp = udp_deadline(d->udp);
        return engine < udp ? engine : udp;
}

/* What became of the network is an event as soon as it is noticed. */
static void direct_report_network(struct direct *d, uint64_t now)
{
        enum mbus_network network;
        const char *text;

        udp_tick(d->udp, d->base.engine, now);
        while (udp_pop_notice(d->udp, &network, &text))
                event_queue_network(&d->base.base.bus->events, network, span_of(text));
}

static const char *direct_get_interface(const struct mode *mode)
{
        return udp_interface(direct_of(mode)->udp);
}

static const char *direct_get_network(struct mode *mode, enum mbus_network network)
{
        const struct direct *d = direct_of(mode);

        return udp_network(d->udp, d->base.engine, network);
}

/* Old programs take for dead who is silent for five seconds (spec/errata.md, 80). */
static void direct_check_hellos(struct direct *d)
{
        if (engine_hellos_are_slow(d->base.engine, 0))
                remarks_add(&d->base.base.bus->remarks,
                            "the entities of this program are too many to say hello every second: "
                            "old programs (DIALECT=UCL) may take some for dead");
}

static int direct_process(struct mode *mode, const struct pollfd *fds)
{
        struct direct *d = direct_of(mode);
        uint64_t now = clock_now(), wall_ms = clock_wall_ms();
        int r = udp_receive(d->udp, d->base.engine, now, wall_ms, fds);

        if (r < 0)
                return r;
        engine_tick(d->base.engine, now, wall_ms);
        direct_check_hellos(d);
        direct_flush(d);
        direct_report_network(d, now);
        return r;
}

static const struct mode_ops direct_ops = {
        .entity_size = sizeof(struct engine_entity),
        .close = direct_close,
        .abandon = direct_abandon,
        .add_entity = engine_mode_add_entity,
        .remove_entity = engine_mode_remove_entity,
        .send = direct_send,
        .ping = engine_mode_ping,
        .check_ready = engine_mode_check_ready,
        .watch = engine_mode_watch,
        .observe = engine_mode_observe,
        .list = engine_mode_list,
        .pull = engine_mode_pull,
        .get_pollfds = direct_get_pollfds,
        .get_deadline = direct_get_deadline,
        .process = direct_process,
        .get_interface = direct_get_interface,
        .get_network = direct_get_network,
        .get_dropped = engine_mode_get_dropped,
        .get_sizes = engine_mode_get_sizes,
        .n_left = engine_mode_n_left,
};
