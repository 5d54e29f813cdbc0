/*
 * mode.h - the door of libmbus/bus: what a mode is, and what of a bus it works on.
 *
 * A bus goes one of several ways, its mode: direct (the network), link (a broker), mem (inside the
 * process). The bus knows its mode as struct mode and calls it through struct mode_ops; a mode
 * knows its bus as struct bus_parts, and the verbs of those parts are all that it calls. Modes are
 * above the bus, so nothing here names one.
 */
#ifndef MBUS_BUS_MODE_H
#define MBUS_BUS_MODE_H

#include <api/api.h>

#include "entity.h"
#include "events.h"
#include "fork.h"
#include "observing.h"
#include "one-fd.h"
#include "peer-list.h"
#include "remarks.h"
#include "reported.h"
#include "time-of-day.h"
#include "watches.h"

/* Messages that one mbus_bus_process() takes in, so that no flood keeps the application away. */
#define PROCESS_MAX 1024

/* What a bus and its mode have in common. */
struct bus_parts {
        struct event_queue events;
        struct list entities; /* of struct mbus_entity, the newest first */
        struct watches watches;
        struct reported reported;
        struct observing observing;
        struct one_fd one_fd;
        struct remarks remarks;
        char *url;
        bool stirred; /* a call has made events: the bus is due, so that they are popped soon */
};

/* What each mode begins with. */
struct mode {
        const struct mode_ops *ops;
        struct bus_parts *bus;
};

struct mode_ops {
        /* Of a struct that begins with struct mbus_entity; what is behind that is zeros before
         * add_entity(). */
        size_t entity_size;
        /* Frees the mode, after a bye of each entity. */
        void (*close)(struct mode *mode);
        /* In a child of the process that opened the bus: closes what descriptors there are, and
         * does nothing else with them. What is called later must find none. */
        void (*abandon)(struct mode *mode);
        /* Puts @entity, whose `given` is set, on the bus; reports READY, now or later. */
        int (*add_entity)(struct mbus_entity *entity);
        /* Before the entities are removed: what they have to send gets a moment. May be NULL. */
        void (*settle)(struct mode *mode);
        void (*remove_entity)(struct mbus_entity *entity);
        /* @ret_ticket: reliably. */
        int (*send)(struct mbus_entity *entity, const struct address *dest, struct span payload,
                    uint64_t *ret_ticket);
        int (*ping)(struct mbus_entity *entity, const struct address *dest);
        /* 0: @entity, which was not refused, is on the bus; MBUS_E_NOT_READY: not yet, or not now;
         * MBUS_E_FULL: nor before the application has popped events. */
        int (*check_ready)(const struct mbus_entity *entity);
        int (*watch)(struct mode *mode, struct watch *watch);
        /* As bus_parts.observing says. */
        int (*observe)(struct mode *mode);
        /* Calls peer_list_add() for each known and watched entity that matches @dest. */
        int (*list)(struct mode *mode, const struct address *dest, struct mbus_peers *peers);
        /* Queues at least one event if there is one. NULL: they are queued as they come. */
        bool (*pull)(struct mode *mode);
        /* The application has seen @message: drops the bus's reference. NULL: message_unref()
         * does. */
        void (*let_go)(struct mode *mode, struct message *message);
        size_t (*get_pollfds)(struct mode *mode, struct pollfd ret_fds[static MBUS_POLLFDS_MAX]);
        uint64_t (*get_deadline)(struct mode *mode);
        /* @fds: what poll() has just said of get_pollfds(); NULL: it was not asked. */
        int (*process)(struct mode *mode, const struct pollfd *fds);
        /* Writes what waits, if that is all that is due; whether it is. May be NULL. */
        bool (*write)(struct mode *mode);
        /* As mbus_bus_get_interface(). NULL: there is none. */
        const char *(*get_interface)(const struct mode *mode);
        /* The sentence about @network if that is the matter now, or NULL. NULL: nothing ever is. */
        const char *(*get_network)(struct mode *mode, enum mbus_network network);
        /* As mbus_bus_get_dropped() and mbus_bus_get_sizes(). */
        uint64_t (*get_dropped)(const struct mode *mode, enum mbus_drop drop);
        void (*get_sizes)(const struct mode *mode, size_t *ret_size, size_t *ret_largest);
        /* Messages of the application that have not left yet: all that the mode keeps counts
         * here. */
        size_t (*n_left)(struct mode *mode);
        /* Messages that went with a link since this was called last. NULL: there is none that
         * could. */
        uint64_t (*take_lost)(struct mode *mode);
        /* As mbus_bus_resolve(). NULL: nothing has a name. */
        int (*resolve)(struct mode *mode);
};

/* For who opens a bus (libmbus/open): one without a mode, and the mode that it has got.
 * mbus_bus_close() ends it, with or without one. NULL: there is no memory. */
struct mbus_bus *bus_new(void);
struct bus_parts *bus_get_parts(struct mbus_bus *bus);
void bus_set_mode(struct mbus_bus *bus, struct mode *mode);

/* What mbus_bus_get_url() says: @scheme, as "udp:", and @name. 0 or -ENOMEM. */
int bus_set_url(struct bus_parts *bus, const char *scheme, const char *name);

/* What bus_parts.entities has there; NULL behind the last. */
static inline struct mbus_entity *entity_of_node(struct list_node *node)
{
        return container_of(node, struct mbus_entity, node);
}

#endif
