/*
 * hub.c - see hub.h.
 */
#include "hub.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bus/mode.h>
#include <core/container.h>
#include <io/entropy.h>

struct hub {
        struct list_node node; /* the registry's mutex */
        pthread_mutex_t mutex;
        struct list members;
        size_t n_members;       /* the registry's mutex */
        uint32_t n_ever;        /* the registry's mutex */
        uint64_t introductions; /* how often an entity was added */
        struct index claims;    /* the mutex: addresses that entities have */
        uint32_t process; /* fork_number() of who made it: a child's is another of that name */
        char name[];
};

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t registry_process; /* whose the mutex is */
static struct list registry;

static struct hub *hub_of_node(struct list_node *node)
{
        return container_of(node, struct hub, node);
}

static struct hub_member *member_of_node(struct list_node *node)
{
        return container_of(node, struct hub_member, node);
}

/* Another thread of the parent may have held the mutex when this process was forked, and nobody
 * gives it back here. */
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
        *hub = (struct hub){ .mutex = PTHREAD_MUTEX_INITIALIZER, .process = fork_number() };
        strcpy(hub->name, name);
        index_init(&hub->claims, entropy_number());
        list_push_first(&registry, &hub->node);
        return hub;
}

/* With the registry's mutex held; of this process, or NULL. */
static struct hub *hub_find(const char *name)
{
        for (struct list_node *node = registry.first; node; node = node->next) {
                struct hub *hub = hub_of_node(node);

                if (hub->process == fork_number() && strcmp(hub->name, name) == 0)
                        return hub;
        }
        return NULL;
}

int hub_join(const char *name, struct hub_member *m)
{
        struct hub *hub;

        assert(!m->hub);
        registry_lock();
        hub = hub_find(name);
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
        list_push(&hub->members, &m->node);
        m->hub = hub;
        m->introduced = hub->introductions;
        pthread_mutex_unlock(&hub->mutex);
        return 0;
}

/* With the hub's mutex held. */
static void hub_wake(struct hub_member *m)
{
        /* It cannot fail but for a counter that is full, and so readable. */
        if (eventfd_write(m->fd, 1) < 0)
                return;
}

/* All but @m, which may have left. With the hub's mutex held. */
static void hub_wake_others(struct hub *hub, const struct hub_member *m)
{
        for (struct list_node *node = hub->members.first; node; node = node->next)
                if (member_of_node(node) != m)
                        hub_wake(member_of_node(node));
}

/* Claims of entities that are gone: in a child, of the parent's. If a thread of the parent was
 * at it when this process was forked they cannot be looked at, and are left. */
static void drop_claims(struct hub *hub)
{
        if (pthread_mutex_trylock(&hub->mutex) != 0)
                return;
        while (hub->claims.n > 0) {
                struct index_entry *entry = hub->claims.all[hub->claims.n - 1];

                index_remove(&hub->claims, entry);
                free(container_of(entry, struct hub_claim, entry));
        }
        index_deinit(&hub->claims);
        pthread_mutex_unlock(&hub->mutex);
}

static void hub_unref(struct hub *hub)
{
        registry_lock();
        assert(hub->n_members > 0);
        if (--hub->n_members == 0) {
                list_remove(&registry, &hub->node);
                drop_claims(hub);
                free(hub);
        }
        pthread_mutex_unlock(&registry_mutex);
}

void hub_leave(struct hub_member *m)
{
        struct hub *hub = m->hub;

        pthread_mutex_lock(&hub->mutex);
        list_remove(&hub->members, &m->node);
        /* Nobody waits for its introduction any more. */
        hub_wake_others(hub, m);
        pthread_mutex_unlock(&hub->mutex);
        m->hub = NULL;
        hub_unref(hub);
}

void hub_abandon(struct hub_member *m)
{
        if (m->hub)
                hub_unref(m->hub);
        m->hub = NULL;
}

void hub_introduce(struct hub_member *m)
{
        struct hub *hub = m->hub;

        pthread_mutex_lock(&hub->mutex);
        assert(m->introduced <= hub->introductions);
        /* Our own entities know the newcomer without. */
        if (m->introduced == hub->introductions)
                m->introduced++;
        m->asked = ++hub->introductions;
        assert(m->introduced <= m->asked);
        m->n_entities++;
        hub_wake_others(hub, m);
        pthread_mutex_unlock(&hub->mutex);
}

void hub_forget_entity(struct hub_member *m)
{
        pthread_mutex_lock(&m->hub->mutex);
        assert(m->n_entities > 0);
        m->n_entities--;
        pthread_mutex_unlock(&m->hub->mutex);
}

void hub_take(struct hub_member *m, uint64_t *ret_lost, uint64_t *ret_introductions)
{
        struct outgoing empty = m->reading;
        eventfd_t count;

        pthread_mutex_lock(&m->hub->mutex);
        if (m->reading.n == 0) {
                m->reading = m->inbox;
                m->inbox = empty;
                assert(m->inbox.n == 0);
                /* It fails if nobody woke us, which is as good. */
                (void)eventfd_read(m->fd, &count);
        }
        *ret_lost = m->lost;
        m->lost = 0;
        *ret_introductions = m->hub->introductions;
        pthread_mutex_unlock(&m->hub->mutex);
}

void hub_introduced(struct hub_member *m, uint64_t introductions)
{
        struct hub *hub = m->hub;

        if (m->introduced == introductions)
                return;
        pthread_mutex_lock(&hub->mutex);
        assert(m->introduced < introductions && introductions <= hub->introductions);
        m->introduced = introductions;
        hub_wake_others(hub, m);
        pthread_mutex_unlock(&hub->mutex);
}

bool hub_has_told(struct hub_member *m)
{
        bool told;

        pthread_mutex_lock(&m->hub->mutex);
        told = m->reading.n == 0 && m->inbox.n == 0;
        for (struct list_node *node = m->hub->members.first; node && told; node = node->next) {
                const struct hub_member *other = member_of_node(node);

                told = other == m || other->n_entities == 0 || other->introduced >= m->asked;
        }
        pthread_mutex_unlock(&m->hub->mutex);
        return told;
}

void hub_spread(struct hub_member *m, struct engine *engine)
{
        struct endpoint from = { .n = sizeof(m->ordinal) };
        struct datagram datagram;
        size_t cursor = 0, n = 0;

        if (engine_n_datagrams(engine) == 0 || !m->hub)
                return;
        memcpy(from.bytes, &m->ordinal, sizeof(m->ordinal));
        pthread_mutex_lock(&m->hub->mutex);
        for (; engine_peek_datagram(engine, &cursor, &datagram); n++) {
                for (struct list_node *node = m->hub->members.first; node; node = node->next) {
                        struct hub_member *to = member_of_node(node);

                        if (to != m && outgoing_push(&to->inbox, datagram.bytes, &from) != 0)
                                to->lost++;
                }
        }
        hub_wake_others(m->hub, m);
        pthread_mutex_unlock(&m->hub->mutex);
        engine_pop_datagrams(engine, n);
}

void hub_release(struct hub_member *m, struct hub_claim **claim)
{
        if (!*claim || !m->hub)
                return;
        pthread_mutex_lock(&m->hub->mutex);
        index_remove(&m->hub->claims, &(*claim)->entry);
        pthread_mutex_unlock(&m->hub->mutex);
        free(*claim);
        *claim = NULL;
}

int hub_claim(struct hub_member *m, struct hub_claim **claim, const struct address *address)
{
        struct hub_claim *new_claim = malloc(sizeof(*new_claim));
        struct hub *hub = m->hub;
        int r = MBUS_E_TAKEN;

        if (!new_claim)
                return -ENOMEM;
        new_claim->entry = INDEX_ENTRY_INIT;
        pthread_mutex_lock(&hub->mutex);
        if (!index_find(&hub->claims, address))
                r = index_add(&hub->claims, &new_claim->entry, address);
        pthread_mutex_unlock(&hub->mutex);
        if (r != 0) {
                free(new_claim);
                return r;
        }
        hub_release(m, claim);
        *claim = new_claim;
        return 0;
}
