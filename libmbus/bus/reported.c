/*
 * reported.c - which other entities the application wants to hear of, and which it was told of.
 *
 * Modes report joins and leaves of everybody, some of them twice; here they are compared with what
 * is watched and what was told, so that an application sees exactly one JOINED and one LEFT of each
 * stay of an entity, also when watches overlap and links break.
 */
#include "bus.h"

#include <stdlib.h>

#include <io/clock.h>

/* ---- watches ------------------------------------------------------------------------------- */

bool bus_watches(const struct mbus_bus *bus, const struct address *address)
{
        for (size_t i = 0; i < bus->n_watches; i++)
                if (address_is_subset(bus->watches[i].address, address))
                        return true;
        return false;
}

static int parse_wanted(struct mbus_bus *bus, const char *text, struct address *ret_address)
{
        struct parse_error error = { 0, "" };
        int r = address_parse(span_of(text), LENIENT, ret_address, NULL, &error);

        return bus_refuse_text(bus, r, text, error.at, error.what);
}

int mbus_bus_watch(struct mbus_bus *bus, const char *address)
{
        struct address parsed;
        struct watch *watch;
        int r = bus_usable(bus, address);

        if (r == 0)
                r = parse_wanted(bus, address, &parsed);
        else
                r = bus_refuse(bus, r);
        if (r != 0)
                return r;
        if (bus->n_watches >= WATCHES_MAX)
                return bus_refuse(bus, MBUS_E_FULL);
        watch = &bus->watches[bus->n_watches];
        *watch = (struct watch){ .address = address_dup(&parsed) };
        if (!watch->address)
                return -ENOMEM;
        bus->n_watches++;
        r = bus->mode->watch(bus, watch);
        if (r != 0) {
                bus->n_watches--;
                free(watch->address);
        }
        bus_changed(bus);
        return bus_refuse(bus, r);
}

/* ---- what the application was told --------------------------------------------------------- */

static struct told *told_of_entry(struct index_entry *entry)
{
        return entry ? (struct told *)(void *)((char *)entry - offsetof(struct told, entry)) : NULL;
}

static void report_left(struct mbus_bus *bus, const struct address *address,
                        enum mbus_reason reason)
{
        struct mbus_event event = { .type = MBUS_EVENT_LEFT, .reason = reason };
        char *text = address_string(address);

        if (text)
                event_queue_push(bus, &event, text);
        else
                bus->failure = -ENOMEM;
}

void told_joined(struct mbus_bus *bus, const struct address *address, uint64_t since)
{
        struct told *told;
        char *text;

        if (!bus_watches(bus, address))
                return;
        told = told_of_entry(index_find(&bus->told, address));
        if (told) {
                bus->n_stale -= told->stale;
                told->stale = false;
                return;
        }
        if (bus->told.n >= PEERS_MAX)
                return;
        told = malloc(sizeof(*told));
        text = address_string(address);
        if (told)
                *told = (struct told){ .entry = INDEX_ENTRY_INIT, .since = since };
        if (!told || !text || event_queue_reserve(&bus->queue, 1) < 0 ||
            index_add(&bus->told, &told->entry, address) < 0) {
                free(told);
                free(text);
                bus->failure = -ENOMEM;
                return;
        }
        event_queue_push(bus, &(struct mbus_event){ .type = MBUS_EVENT_JOINED }, text);
}

static void told_free(struct mbus_bus *bus, struct told *told)
{
        bus->n_stale -= told->stale;
        index_remove(&bus->told, &told->entry);
        free(told);
}

void told_left(struct mbus_bus *bus, const struct address *address, enum mbus_reason reason)
{
        struct told *told = told_of_entry(index_find(&bus->told, address));

        if (!told)
                return;
        report_left(bus, told->entry.address, reason);
        told_free(bus, told);
}

static void leave_unwatched(struct mbus_bus *bus, enum mbus_reason reason)
{
        /* From the end: removing fills the gap with the last. */
        for (size_t i = bus->told.n; i > 0; i--) {
                struct told *told = told_of_entry(bus->told.all[i - 1]);

                if (bus_watches(bus, told->entry.address))
                        continue;
                report_left(bus, told->entry.address, reason);
                told_free(bus, told);
        }
}

void watch_ended(struct mbus_bus *bus, size_t i, enum mbus_reason reason, struct span why)
{
        struct mbus_event event = { .type = MBUS_EVENT_UNWATCHED, .reason = reason };
        struct watch *watch = &bus->watches[i];
        char *text = address_string(watch->address);

        if (!text) {
                bus->failure = -ENOMEM;
                return;
        }
        free(watch->address);
        memmove(watch, watch + 1, (--bus->n_watches - i) * sizeof(*watch));
        leave_unwatched(bus, reason);
        event.why = why_string(why);
        event_queue_push(bus, &event, text);
}

void told_mark(struct mbus_bus *bus)
{
        for (size_t i = 0; i < bus->told.n; i++)
                told_of_entry(bus->told.all[i])->stale = true;
        bus->n_stale = bus->told.n;
}

void told_sweep(struct mbus_bus *bus)
{
        /* From the end: removing fills the gap with the last. */
        for (size_t i = bus->told.n; i > 0 && bus->n_stale > 0; i--) {
                struct told *told = told_of_entry(bus->told.all[i - 1]);

                if (!told->stale)
                        continue;
                report_left(bus, told->entry.address, MBUS_REASON_LINK_DOWN);
                told_free(bus, told);
        }
}

void told_deinit(struct mbus_bus *bus)
{
        while (bus->told.n > 0)
                told_free(bus, told_of_entry(bus->told.all[bus->told.n - 1]));
        index_deinit(&bus->told);
}

/* ---- snapshots ----------------------------------------------------------------------------- */

struct peers_item {
        char *address;
        uint64_t age;
};

struct mbus_peers {
        struct peers_item *items;
        size_t n;
        size_t size;
};

int peers_add(struct mbus_peers *peers, const struct address *address, uint64_t age)
{
        struct peers_item item = { address_string(address), age };

        if (peers->n == peers->size) {
                size_t size = peers->size ? peers->size * 2 : 16;
                struct peers_item *items = realloc(peers->items, size * sizeof(*items));

                if (!items) {
                        free(item.address);
                        return -ENOMEM;
                }
                peers->items = items;
                peers->size = size;
        }
        if (!item.address)
                return -ENOMEM;
        peers->items[peers->n++] = item;
        return 0;
}

int mbus_peers_new(struct mbus_bus *bus, const char *address, struct mbus_peers **ret_peers)
{
        struct mbus_peers *peers;
        struct address dest;
        int r = bus_usable(bus, address && ret_peers);

        if (r == 0)
                r = parse_wanted(bus, address, &dest);
        else
                r = bus_refuse(bus, r);
        if (r != 0)
                return r;
        peers = calloc(1, sizeof(*peers));
        if (!peers)
                return -ENOMEM;
        r = bus->mode->list(bus, &dest, peers);
        if (r != 0)
                mbus_peers_free(peers);
        else
                *ret_peers = peers;
        return r;
}

struct mbus_peers *mbus_peers_free(struct mbus_peers *peers)
{
        if (peers) {
                for (size_t i = 0; i < peers->n; i++)
                        free(peers->items[i].address);
                free(peers->items);
                free(peers);
        }
        return NULL;
}

size_t mbus_peers_get_n(const struct mbus_peers *peers)
{
        return peers ? peers->n : 0;
}

const char *mbus_peers_get_address(const struct mbus_peers *peers, size_t i)
{
        return peers && i < peers->n ? peers->items[i].address : NULL;
}

uint64_t mbus_peers_get_age(const struct mbus_peers *peers, size_t i)
{
        return peers && i < peers->n ? peers->items[i].age : 0;
}

int told_list(struct mbus_bus *bus, const struct address *dest, struct mbus_peers *peers)
{
        struct index_cursor cursor = index_match(&bus->told, dest);
        uint64_t now = clock_now();
        struct index_entry *entry;
        int r = 0;

        while (r == 0 && (entry = index_next(&cursor))) {
                uint64_t since = told_of_entry(entry)->since;

                r = peers_add(peers, entry->address, now > since ? now - since : 0);
        }
        return r;
}
