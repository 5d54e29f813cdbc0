/*
 * mem.c - a bus inside the process: engines that hand their datagrams to each other (hub.h).
 *
 * For users' own tests, and for parts of one program. It repeats from run to run: seeds, ids and
 * the order of delivery come from the hub's name and the order in which buses were opened. Entities
 * know each other at once, where the RFC lets a second pass: a newcomer pings, and everybody else
 * does when there is one, for there is no network to spare.
 *
 * Whoever is there is known when all others have introduced themselves since our newest entity
 * came: then reliable messages are answered at once, and before they wait for that (mode_ops.send).
 */
#include "modes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <io/clock.h>
#include <io/descriptor.h>

#include "engine-mode.h"
#include "hub.h"

struct mem {
        struct engine_mode base;
        struct hub_member member;
};

struct mem_entity {
        struct engine_entity base;
        struct hub_claim *claim;
};

static const struct mode_ops mem_ops;

static struct mem *mem_of(const struct mode *mode)
{
        return container_of(engine_mode_of(mode), struct mem, base);
}

static struct mem_entity *mem_entity_of(struct mbus_entity *entity)
{
        return container_of(engine_entity_of(entity), struct mem_entity, base);
}

static struct config mem_config(void)
{
        struct config c = CONFIG_INIT;

        /* Nobody is kept out of a process; the digest is there because all messages have one. */
        c.hash = HASH_SHA1;
        c.hash_key = (struct config_key){ .bytes = { 1 }, .n = hash_key_size(HASH_SHA1) };
        c.cipher = CIPHER_NONE;
        return c;
}

static uint64_t seed_of(const char *name, uint32_t ordinal)
{
        uint64_t seed = UINT64_C(14695981039346656037) ^ ordinal;

        for (; *name; name++)
                seed = (seed ^ (unsigned char)*name) * UINT64_C(1099511628211);
        return seed;
}

/* Nobody has to be heard for that, as over a network. */
static int mem_claim(struct engine_entity *entity, const struct address *address)
{
        struct mem *m = mem_of(entity->base.mode);

        return hub_claim(&m->member, &mem_entity_of(&entity->base)->claim, address);
}

/* Whatever it leaves is freed by mem_close(). */
static int mem_begin(struct mem *m, uint64_t patience, const char *name)
{
        struct config config = mem_config();
        int r = bus_set_url(m->base.base.bus, "mem:", name);

        if (r != 0)
                return r;
        m->member.fd = descriptor_apart(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (m->member.fd < 0)
                return -errno;
        r = hub_join(name, &m->member);
        if (r != 0)
                return r;
        random_init(&m->base.random, seed_of(name, m->member.ordinal));
        strcpy(m->base.host, "127.0.0.1");
        m->base.id = m->member.ordinal;
        m->base.next_id = 1;
        m->base.claim = mem_claim;
        return engine_mode_open(&m->base, &config, patience, true);
}

/* Hands what the engine has queued to the others. */
static void mem_flush(struct mem *m)
{
        assert(m->base.engine);
        hub_spread(&m->member, m->base.engine);
}

static void mem_close(struct mode *mode)
{
        struct mem *m = mem_of(mode);

        if (m->base.engine)
                mem_flush(m);
        if (m->member.hub)
                hub_leave(&m->member);
        if (m->member.fd >= 0)
                close(m->member.fd);
        outgoing_deinit(&m->member.inbox);
        outgoing_deinit(&m->member.reading);
        engine_mode_close(&m->base);
        free(m);
}

int mem_open(struct bus_parts *bus, const struct mbus_config *given, const char *name,
             struct mode **ret_mode)
{
        struct mem *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        m->base.base = (struct mode){ &mem_ops, bus };
        m->member.fd = -1;
        r = mem_begin(m, given->patience, name);
        if (r != 0)
                mem_close(&m->base.base);
        else
                *ret_mode = &m->base.base;
        return r;
}

/* The descriptor's counter is the parent's, and the hub's mutex may be held by a thread of it. */
static void mem_abandon(struct mode *mode)
{
        struct mem *m = mem_of(mode);

        close(m->member.fd);
        m->member.fd = -1;
        hub_abandon(&m->member);
}

static int mem_process(struct mode *mode, const struct pollfd *fds);

static int mem_add_entity(struct mbus_entity *entity)
{
        struct mem *m = mem_of(entity->mode);
        struct mem_entity *e = mem_entity_of(entity);
        int r;

        /* Who had the address may have left. */
        if (address_get(entity->given, "id").at)
                (void)mem_process(entity->mode, NULL);
        r = engine_mode_add_entity(entity);
        if (!e->base.engine)
                hub_release(&m->member, &e->claim);
        if (r != 0 || !e->base.engine)
                return r;
        /* If it cannot be sent now, the first hello does the same later. */
        (void)engine_mode_ping(entity, &ADDRESS_ALL);
        mem_flush(m);
        hub_introduce(&m->member);
        return 0;
}

static void mem_remove_entity(struct mbus_entity *entity)
{
        struct mem *m = mem_of(entity->mode);
        struct mem_entity *e = mem_entity_of(entity);

        engine_mode_remove_entity(entity);
        if (!m->member.hub || !e->claim)
                return;
        mem_flush(m);
        hub_release(&m->member, &e->claim);
        hub_forget_entity(&m->member);
}

static int mem_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                    uint64_t *ret_ticket)
{
        struct mem *m = mem_of(entity->mode);
        int r;

        if (ret_ticket)
                engine_surveyed(m->base.engine, clock_now(), clock_wall_ms(),
                                hub_has_told(&m->member));
        r = engine_mode_send(entity, dest, payload, ret_ticket);
        mem_flush(m);
        return r;
}

static int mem_ping(struct mbus_entity *entity, const struct address *dest)
{
        int r = engine_mode_ping(entity, dest);

        mem_flush(mem_of(entity->mode));
        return r;
}

static size_t mem_get_pollfds(struct mode *mode, struct pollfd ret_fds[static MBUS_POLLFDS_MAX])
{
        ret_fds[0] = (struct pollfd){ .fd = mem_of(mode)->member.fd, .events = POLLIN };
        return 1;
}

static uint64_t mem_get_deadline(struct mode *mode)
{
        const struct mem *m = mem_of(mode);

        if (m->member.reading.n > 0 || engine_n_datagrams(m->base.engine) > 0)
                return 0;
        return engine_deadline(m->base.engine);
}

static void introduce_all(struct mem *m)
{
        const struct list *entities = &m->base.base.bus->entities;

        for (struct list_node *node = entities->first; node; node = node->next)
                (void)engine_mode_ping(entity_of_node(node), &ADDRESS_ALL);
}

static int mem_process(struct mode *mode, const struct pollfd *fds)
{
        struct mem *m = mem_of(mode);
        struct engine *engine = m->base.engine;
        struct outgoing *reading = &m->member.reading;
        uint64_t now = clock_now(), wall_ms = clock_wall_ms(), lost, introductions;
        struct datagram datagram;

        (void)fds;
        hub_take(&m->member, &lost, &introductions);
        if (lost > 0)
                engine_count_drop(engine, MBUS_DROP_SOCKET, lost);
        for (size_t i = 0; i < PROCESS_MAX && reading->n > 0; i++) {
                size_t cursor = 0;

                outgoing_peek(reading, &cursor, &datagram);
                engine_receive(engine, now, wall_ms, datagram.to, datagram.bytes);
                outgoing_pop(reading, 1);
        }
        if (m->member.introduced != introductions)
                introduce_all(m);
        engine_surveyed(engine, now, wall_ms, hub_has_told(&m->member));
        engine_tick(engine, now, wall_ms);
        mem_flush(m);
        hub_introduced(&m->member, introductions);
        return reading->n > 0;
}

static const struct mode_ops mem_ops = {
        .entity_size = sizeof(struct mem_entity),
        .close = mem_close,
        .abandon = mem_abandon,
        .add_entity = mem_add_entity,
        .remove_entity = mem_remove_entity,
        .send = mem_send,
        .ping = mem_ping,
        .check_ready = engine_mode_check_ready,
        .watch = engine_mode_watch,
        .observe = engine_mode_observe,
        .list = engine_mode_list,
        .pull = engine_mode_pull,
        .get_pollfds = mem_get_pollfds,
        .get_deadline = mem_get_deadline,
        .process = mem_process,
        .get_dropped = engine_mode_get_dropped,
        .get_sizes = engine_mode_get_sizes,
        .n_left = engine_mode_n_left,
};
