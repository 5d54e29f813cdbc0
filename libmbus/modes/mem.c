/*
 * mem.c - a bus inside the process: engines that hand their datagrams to each other.
 *
 * For users' own tests, and for parts of one program. It repeats from run to run: seeds, ids and
 * the order of delivery come from the hub's name and the order in which buses were opened. Entities
 * know each other at once, where the RFC lets a second pass: a newcomer pings, and everybody else
 * does when there is one, for there is no network to spare.
 *
 * Buses of one hub may live in different threads: inboxes and the list of members are the hub's
 * mutex's, everything else belongs to one bus.
 *
 * Whoever is there is known when all others have introduced themselves since our newest entity came: then
 * reliable messages are answered at once, and before they wait for that (bus_mode.send).
 */
#include <bus/bus.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <io/clock.h>
#include <io/descriptor.h>

struct mem {
        struct hub *hub;
        struct mem *next;
        struct outgoing inbox;   /* the hub's mutex; bounded by OUTGOING_BYTES_MAX */
        struct outgoing reading; /* what was taken out of it */
        uint64_t lost;           /* the hub's mutex: for which the inbox had no room */
        uint64_t introduced;     /* the hub's mutex: up to which of the hub's introductions */
        uint64_t asked;          /* the introductions when its newest entity was added */
        size_t n_entities;       /* the hub's mutex */
        uint32_t ordinal;
        int fd; /* readable while the inbox or the introductions have something */
};

/* An address that an entity of the hub has. */
struct claim {
        struct index_entry entry;
};

struct hub {
        struct hub *next;
        pthread_mutex_t mutex;
        struct mem *members;
        size_t n_members;       /* the registry's mutex */
        uint32_t n_ever;        /* the registry's mutex */
        uint64_t introductions; /* how often an entity was added */
        struct index claims;    /* the mutex: addresses that entities have */
        uint32_t process; /* fork_number() of who made it: a child's is another of that name */
        char name[];
};

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t registry_process; /* whose the mutex is */
static struct hub *registry;

static const struct bus_mode mem_mode;

/* ---- hubs ---------------------------------------------------------------------------------- */

/* Another thread of the parent may have held the mutex when this process was forked, and nobody gives it
 * back here. */
static void registry_lock(void)
{
        static const pthread_mutex_t new_mutex = PTHREAD_MUTEX_INITIALIZER;
        uint32_t process = fork_number();

        if (registry_process != process) {
                if (registry_process != 0)
                        registry_mutex = new_mutex;
                registry_process = process;
        }
        pthread_mutex_lock(&registry_mutex);
}

static struct hub *hub_new(const char *name)
{
        struct hub *hub = malloc(sizeof(*hub) + strlen(name) + 1);

        if (!hub)
                return NULL;
        *hub = (struct hub){ .next = registry,
                             .mutex = PTHREAD_MUTEX_INITIALIZER,
                             .process = fork_number() };
        strcpy(hub->name, name);
        index_init(&hub->claims, bus_entropy());
        registry = hub;
        return hub;
}

/* Makes @m a member of the hub @name. */
static int hub_join(const char *name, struct mem *m)
{
        struct hub *hub;
        struct mem **last;

        registry_lock();
        hub = registry;
        while (hub && (hub->process != fork_number() || strcmp(hub->name, name) != 0))
                hub = hub->next;
        if (!hub)
                hub = hub_new(name);
        if (hub) {
                hub->n_members++;
                m->ordinal = ++hub->n_ever;
        }
        pthread_mutex_unlock(&registry_mutex);
        if (!hub)
                return -ENOMEM;
        pthread_mutex_lock(&hub->mutex);
        for (last = &hub->members; *last; last = &(*last)->next)
                ;
        *last = m;
        m->hub = hub;
        m->introduced = hub->introductions;
        pthread_mutex_unlock(&hub->mutex);
        return 0;
}

/* With the hub's mutex held. */
static void wake(struct mem *m)
{
        /* It cannot fail but for a counter that is full, and so readable. */
        if (eventfd_write(m->fd, 1) < 0)
                return;
}

/* Claims of entities that are gone: in a child, of the parent's. If a thread of the parent was at it when
 * this process was forked they cannot be looked at, and are left. */
static void drop_claims(struct hub *hub)
{
        if (pthread_mutex_trylock(&hub->mutex) != 0)
                return;
        while (hub->claims.n > 0) {
                struct index_entry *entry = hub->claims.all[hub->claims.n - 1];

                index_remove(&hub->claims, entry);
                free((char *)entry - offsetof(struct claim, entry));
        }
        index_deinit(&hub->claims);
        pthread_mutex_unlock(&hub->mutex);
}

static void hub_unref(struct hub *hub)
{
        struct hub **place = &registry;

        registry_lock();
        if (--hub->n_members == 0) {
                while (*place != hub)
                        place = &(*place)->next;
                *place = hub->next;
                drop_claims(hub);
                free(hub);
        }
        pthread_mutex_unlock(&registry_mutex);
}

static void hub_leave(struct mem *m)
{
        struct hub *hub = m->hub;
        struct mem **link = &hub->members;

        pthread_mutex_lock(&hub->mutex);
        while (*link != m)
                link = &(*link)->next;
        *link = m->next;
        /* Nobody waits for its introduction any more. */
        for (struct mem *other = hub->members; other; other = other->next)
                wake(other);
        pthread_mutex_unlock(&hub->mutex);
        hub_unref(hub);
}

/* Everybody shall say who is there, because there is a newcomer at @m. */
static void hub_introduce(struct mem *m)
{
        struct hub *hub = m->hub;

        pthread_mutex_lock(&hub->mutex);
        /* Our own entities know the newcomer without. */
        if (m->introduced == hub->introductions)
                m->introduced++;
        m->asked = ++hub->introductions;
        m->n_entities++;
        for (struct mem *other = hub->members; other; other = other->next)
                if (other != m)
                        wake(other);
        pthread_mutex_unlock(&hub->mutex);
}

/* Takes what came for @m. *@ret_introductions is up to where it is to introduce its entities. */
static void hub_take(struct mem *m, uint64_t *ret_lost, uint64_t *ret_introductions)
{
        struct outgoing empty = m->reading;
        eventfd_t count;

        pthread_mutex_lock(&m->hub->mutex);
        if (m->reading.n == 0) {
                m->reading = m->inbox;
                m->inbox = empty;
                /* It fails if nobody woke us, which is as good. */
                (void)eventfd_read(m->fd, &count);
        }
        *ret_lost = m->lost;
        m->lost = 0;
        *ret_introductions = m->hub->introductions;
        pthread_mutex_unlock(&m->hub->mutex);
}

/* What @m had to say up to @introductions has been handed over. */
static void hub_introduced(struct mem *m, uint64_t introductions)
{
        struct hub *hub = m->hub;

        if (m->introduced == introductions)
                return;
        pthread_mutex_lock(&hub->mutex);
        m->introduced = introductions;
        for (struct mem *other = hub->members; other; other = other->next)
                if (other != m)
                        wake(other);
        pthread_mutex_unlock(&hub->mutex);
}

/* Whether all that others have to say to our entities about who they are has been read. */
static bool hub_has_told(struct mem *m)
{
        bool told;

        pthread_mutex_lock(&m->hub->mutex);
        told = m->reading.n == 0 && m->inbox.n == 0;
        for (const struct mem *other = m->hub->members; other && told; other = other->next)
                told = other == m || other->n_entities == 0 || other->introduced >= m->asked;
        pthread_mutex_unlock(&m->hub->mutex);
        return told;
}

/* Forgets which address @entity had. */
static void hub_release(struct hub *hub, struct mbus_entity *entity)
{
        if (!entity->claim || !hub)
                return;
        pthread_mutex_lock(&hub->mutex);
        index_remove(&hub->claims, &entity->claim->entry);
        pthread_mutex_unlock(&hub->mutex);
        free(entity->claim);
        entity->claim = NULL;
}

/* @entity has @address from now on, which nobody else has. 0, MBUS_E_TAKEN or -ENOMEM. */
static int hub_claim(struct hub *hub, struct mbus_entity *entity, const struct address *address)
{
        struct claim *claim = malloc(sizeof(*claim));
        int r = MBUS_E_TAKEN;

        if (!claim)
                return -ENOMEM;
        claim->entry = INDEX_ENTRY_INIT;
        pthread_mutex_lock(&hub->mutex);
        if (!index_find(&hub->claims, address))
                r = index_add(&hub->claims, &claim->entry, address);
        pthread_mutex_unlock(&hub->mutex);
        if (r != 0) {
                free(claim);
                return r;
        }
        hub_release(hub, entity);
        entity->claim = claim;
        return 0;
}

/* ---- the mode ------------------------------------------------------------------------------ */

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

int mem_open(struct mbus_bus *bus, const char *name, char ret_error[static BUS_ERROR_SIZE])
{
        struct config config = mem_config();
        struct mem *m = calloc(1, sizeof(*m));
        int r;

        (void)ret_error;
        bus->mode = &mem_mode;
        bus->impl = m;
        bus->url = malloc(strlen(name) + sizeof("mem:"));
        if (!m || !bus->url)
                return -ENOMEM;
        strcpy(bus->url, "mem:");
        strcat(bus->url, name);
        m->fd = descriptor_apart(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (m->fd < 0)
                return -errno;
        r = hub_join(name, m);
        if (r != 0)
                return r;
        random_init(&bus->random, seed_of(name, m->ordinal));
        strcpy(bus->host, "127.0.0.1");
        bus->id = m->ordinal;
        bus->next_id = 1;
        return engine_mode_open(bus, &config, random_u64(&bus->random), true);
}

/* Hands what the engine has queued to the others. */
static void flush(struct mbus_bus *bus)
{
        struct mem *m = bus->impl;
        struct endpoint from = { .n = sizeof(m->ordinal) };
        struct datagram datagram;
        size_t cursor = 0, n = 0;

        if (engine_n_datagrams(bus->engine) == 0 || !m->hub)
                return;
        memcpy(from.bytes, &m->ordinal, sizeof(m->ordinal));
        pthread_mutex_lock(&m->hub->mutex);
        for (; engine_peek_datagram(bus->engine, &cursor, &datagram); n++) {
                for (struct mem *to = m->hub->members; to; to = to->next)
                        if (to != m && outgoing_push(&to->inbox, datagram.bytes, &from) != 0)
                                to->lost++;
        }
        for (struct mem *to = m->hub->members; to; to = to->next)
                if (to != m)
                        wake(to);
        pthread_mutex_unlock(&m->hub->mutex);
        engine_pop_datagrams(bus->engine, n);
}

static void mem_close(struct mbus_bus *bus)
{
        struct mem *m = bus->impl;

        if (m) {
                if (bus->engine)
                        flush(bus);
                if (m->hub)
                        hub_leave(m);
                if (m->fd > 0)
                        close(m->fd);
                outgoing_deinit(&m->inbox);
                outgoing_deinit(&m->reading);
                free(m);
        }
        engine_mode_close(bus);
}

/* The descriptor's counter is the parent's, and the hub's mutex may be held by a thread of it. */
static void mem_abandon(struct mbus_bus *bus)
{
        struct mem *m = bus->impl;

        if (!m)
                return;
        if (m->fd > 0)
                close(m->fd);
        m->fd = 0;
        if (m->hub)
                hub_unref(m->hub);
        m->hub = NULL;
}

static int mem_process(struct mbus_bus *bus, const struct pollfd *fds);

/* Nobody has to be heard for that, as over a network. */
static int mem_claim(struct mbus_entity *entity, const struct address *address)
{
        const struct mem *m = entity->bus->impl;

        return hub_claim(m->hub, entity, address);
}

static int mem_add_entity(struct mbus_entity *entity)
{
        struct mbus_bus *bus = entity->bus;
        const struct mem *m = bus->impl;
        int r;

        /* Who had the address may have left. */
        if (address_get(entity->given, "id").at)
                (void)mem_process(bus, NULL);
        r = engine_mode_add_entity(entity);

        if (!entity->engine)
                hub_release(m->hub, entity);
        if (r != 0 || !entity->engine)
                return r;
        /* If it cannot be sent now, the first hello does the same later. */
        (void)engine_mode_ping(entity, &ADDRESS_ALL);
        flush(bus);
        hub_introduce(bus->impl);
        return 0;
}

static void mem_remove_entity(struct mbus_entity *entity)
{
        struct mbus_bus *bus = entity->bus;
        struct mem *m = bus->impl;

        engine_mode_remove_entity(entity);
        if (!m->hub || !entity->claim)
                return;
        flush(bus);
        hub_release(m->hub, entity);
        pthread_mutex_lock(&m->hub->mutex);
        m->n_entities--;
        pthread_mutex_unlock(&m->hub->mutex);
}

static int mem_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                    uint64_t *ret_ticket)
{
        struct mbus_bus *bus = entity->bus;
        int r;

        if (ret_ticket)
                engine_surveyed(bus->engine, clock_now(), clock_wall_ms(), hub_has_told(bus->impl));
        r = engine_mode_send(entity, dest, payload, ret_ticket);
        flush(bus);
        return r;
}

static int mem_ping(struct mbus_entity *entity, const struct address *dest)
{
        int r = engine_mode_ping(entity, dest);

        flush(entity->bus);
        return r;
}

static size_t mem_get_pollfds(struct mbus_bus *bus, struct pollfd ret_fds[static MBUS_POLLFDS_MAX])
{
        const struct mem *m = bus->impl;

        ret_fds[0] = (struct pollfd){ .fd = m->fd, .events = POLLIN };
        return 1;
}

static uint64_t mem_get_deadline(struct mbus_bus *bus)
{
        const struct mem *m = bus->impl;

        if (m->reading.n > 0 || engine_n_datagrams(bus->engine) > 0)
                return 0;
        return engine_deadline(bus->engine);
}

static void introduce(struct mbus_bus *bus)
{
        for (struct mbus_entity *entity = bus->entities; entity; entity = entity->next)
                (void)engine_mode_ping(entity, &ADDRESS_ALL);
}

static int mem_process(struct mbus_bus *bus, const struct pollfd *fds)
{
        struct mem *m = bus->impl;
        uint64_t now = clock_now(), wall_ms = clock_wall_ms(), lost, introductions;
        struct datagram datagram;

        (void)fds;
        hub_take(m, &lost, &introductions);
        if (lost > 0)
                engine_count_drop(bus->engine, MBUS_DROP_SOCKET, lost);
        for (size_t i = 0; i < PROCESS_MAX && m->reading.n > 0; i++) {
                size_t cursor = 0;

                outgoing_peek(&m->reading, &cursor, &datagram);
                engine_receive(bus->engine, now, wall_ms, datagram.to, datagram.bytes);
                outgoing_pop(&m->reading, 1);
        }
        if (m->introduced != introductions)
                introduce(bus);
        engine_surveyed(bus->engine, now, wall_ms, hub_has_told(m));
        engine_tick(bus->engine, now, wall_ms);
        flush(bus);
        hub_introduced(m, introductions);
        return m->reading.n > 0;
}

static const struct bus_mode mem_mode = {
        .close = mem_close,
        .abandon = mem_abandon,
        .add_entity = mem_add_entity,
        .remove_entity = mem_remove_entity,
        .claim = mem_claim,
        .send = mem_send,
        .ping = mem_ping,
        .watch = engine_mode_watch,
        .observe = engine_mode_observe,
        .list = engine_mode_list,
        .pull = engine_mode_pull,
        .n_left = engine_mode_n_left,
        .get_pollfds = mem_get_pollfds,
        .get_deadline = mem_get_deadline,
        .process = mem_process,
};
