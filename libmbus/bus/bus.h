/*
 * bus.h - what the files of the public library know of each other.
 *
 * A bus is one of three modes behind one vtable: direct (the network), link (a broker), mem (inside
 * the process). What all modes share, entities, the events that wait for the application, watches
 * and the table of entities that it was told of, is in struct mbus_bus.
 *
 * This header comes first in each file of the library, so that the public functions, and nothing
 * else, are visible in the shared object.
 */
#ifndef MBUS_BUS_H
#define MBUS_BUS_H

#pragma GCC visibility push(default)
#include "../mbus.h"
#pragma GCC visibility pop

#include <poll.h>
#include <stdatomic.h>

#include <core/engine.h>
#include <core/filter.h>
#include <core/index.h>
#include <core/random.h>

/* Addresses that one bus may watch: each is compared with each newcomer. */
#define WATCHES_MAX 64
/* Remarks of a bus that an application may read. */
#define WARNINGS_MAX 32
/* Messages that one mbus_bus_process() takes in, so that no flood keeps the application away. */
#define PROCESS_MAX 1024

/* ---- events that wait for the application (events.c) ----------------------------------- */

struct queued {
        struct mbus_event event; /* its message is a reference that is held, its `why` owned */
        char *text;              /* owned: what event.address is */
};

struct event_queue {
        struct queued *ring;
        size_t head;
        size_t n;
        size_t size; /* a power of two */
        size_t bytes;
        size_t promised; /* room that is kept for events that must not be lost */
};

/* ---- the bus ------------------------------------------------------------------------------- */

struct mbus_entity {
        struct mbus_bus *bus;
        struct mbus_entity *prev;
        struct mbus_entity *next;
        void *data;
        struct address *given; /* as the application gave it */
        char *text;            /* its full address, as the application has been told */
        char *next_text;       /* its new one; becomes `text` with the event that says so */
        struct entity *engine; /* direct and mem */
        struct claim *claim;   /* mem */
        /* link */
        struct index_entry attached; /* in link.attached while it is */
        size_t n_tickets;            /* entries of link.tickets about it */
        struct early *early;         /* what it sent before it was attached, oldest first */
        struct early *early_last;
        size_t n_early_reliable;
        bool refused; /* and said so: it is not asked for again; in all modes */
        bool anew;    /* asked for as `given`: the old address is taken */
        bool waits;   /* its old link has the address still: it asks again */
};

struct watch {
        struct address *address;
        uint32_t seq;  /* link: of the question */
        bool answered; /* link: since the link is up */
        bool told;     /* MBUS_EVENT_WATCHING was given */
};

/* What mbus_bus_observe() asked for. */
struct observing {
        bool on;
        bool hello;
        bool told;              /* MBUS_EVENT_OBSERVING was given */
        struct filter *filters; /* NULL: all */
};

/* An entity that the application was told of. */
struct told {
        struct index_entry entry;
        uint64_t since;
        bool stale; /* the link was lost since: not confirmed yet */
};

/* The descriptor of mbus_bus_get_fd(). */
struct one_fd {
        int epoll; /* -1: nobody asked for it */
        int timer;
        uint64_t armed;
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n_fds;
        unsigned generation;
};

struct mbus_bus {
        const struct bus_mode *mode;
        void *impl; /* of the mode */
        char *url;
        char error[512]; /* mbus_bus_get_error() */
        struct event_queue queue;
        struct queued current; /* what the application looks at */
        struct buffer
                to_text;   /* the destination that was sent to last, a zero octet behind it ... */
        struct address to; /* ... and what it parses into */
        struct mbus_entity *entities;
        size_t n_entities;
        struct watch watches[WATCHES_MAX];
        size_t n_watches;
        struct index told;
        size_t n_stale;
        struct observing observing;
        uint32_t process; /* fork_number() of who opened it */
        bool abandoned;   /* in a child: it has no descriptor any more */
        uint64_t n_lost;  /* messages that went with a link, since the last mbus_bus_flush() */
        uint64_t wall_ns; /* of the last mbus_bus_process() */
        uint64_t tick_ns; /* when bus_time_of_day() was last exact ... */
        uint64_t tick_ms; /* ... and what it said */
        struct random random;
        uint64_t patience;               /* ns: see mbus_config_set_patience() */
        uint64_t next_ticket;            /* link */
        size_t too_large;                /* link: see mbus_bus_get_sizes() */
        size_t largest;                  /* link */
        size_t n_early;                  /* link: messages that wait for an attachment */
        uint64_t dropped[MBUS_DROP_MAX]; /* link */
        int failure;  /* memory was short where nobody could be told; the next process() says so */
        bool stirred; /* a call has made events: the bus is due, so that they are popped soon */
        char *warnings[WARNINGS_MAX];
        size_t n_warnings;
        struct one_fd one;
        unsigned generation; /* of descriptors: counts when one is replaced */
        /* direct and mem */
        struct engine *engine;
        struct crypto *crypto;
        char host[64];    /* host-id of ids that are made here (4.1) */
        uint32_t id;      /* their first number */
        uint32_t next_id; /* mem: their second one */
};

struct bus_mode {
        /* Frees bus->impl, which may be NULL, after a bye of each entity. */
        void (*close)(struct mbus_bus *bus);
        /* In a child of the process that opened the bus: closes what descriptors there are, and does
         * nothing else with them. What is called later must find none. */
        void (*abandon)(struct mbus_bus *bus);
        /* Puts @entity, whose `given` is set, on the bus; reports READY, now or later. */
        int (*add_entity)(struct mbus_entity *entity);
        /* Before the entities are removed: what they have to send gets a moment. May be NULL. */
        void (*settle)(struct mbus_bus *bus);
        void (*remove_entity)(struct mbus_entity *entity);
        /* @entity, of direct or mem mode, is to have @address. MBUS_E_TAKEN: somebody of whom the engine
         * has not heard has it. May be NULL. */
        int (*claim)(struct mbus_entity *entity, const struct address *address);
        /* @ret_ticket: reliably. */
        int (*send)(struct mbus_entity *entity, const struct address *dest, struct span payload,
                    uint64_t *ret_ticket);
        int (*ping)(struct mbus_entity *entity, const struct address *dest);
        int (*watch)(struct mbus_bus *bus, struct watch *watch);
        int (*observe)(struct mbus_bus *bus);
        /* Calls peers_add() for each known and watched entity that matches @dest. */
        int (*list)(struct mbus_bus *bus, const struct address *dest, struct mbus_peers *peers);
        /* Queues at least one event if there is one. */
        bool (*pull)(struct mbus_bus *bus);
        /* The application has seen @message: drops the bus's reference. NULL: message_unref() does. */
        void (*let_go)(struct mbus_bus *bus, struct message *message);
        size_t (*get_pollfds)(struct mbus_bus *bus, struct pollfd ret_fds[static MBUS_POLLFDS_MAX]);
        uint64_t (*get_deadline)(struct mbus_bus *bus);
        /* @fds: what poll() has just said of get_pollfds(); NULL: it was not asked. */
        int (*process)(struct mbus_bus *bus, const struct pollfd *fds);
        /* As mbus_bus_get_interface(). NULL: there is none. */
        const char *(*get_interface)(const struct mbus_bus *bus);
        /* The sentence about @network if that is the matter now, or NULL. NULL: nothing ever is. */
        const char *(*get_network)(struct mbus_bus *bus, enum mbus_network network);
        /* How many messages are left, as mbus_bus_flush() counts them. */
        size_t (*n_left)(struct mbus_bus *bus);
        /* Writes what waits, if that is all that is due; whether it is. May be NULL. */
        bool (*write)(struct mbus_bus *bus);
};

/*
 * Each fills @bus, whose fields are INIT values; on failure a line of reason goes to @ret_error,
 * and the caller closes the bus. 0, MBUS_E_CONFIG, MBUS_E_NO_BUS, -ENOMEM or another -errno.
 */
#define BUS_ERROR_SIZE 512
struct config;
int direct_open(struct mbus_bus *bus, const struct mbus_config *config,
                char ret_error[static BUS_ERROR_SIZE]);
/* @probe: also MBUS_E_UNKNOWN (nobody listens there) and MBUS_E_DENIED (to others than this user). */
int link_open(struct mbus_bus *bus, const char *path, const struct mbus_config *given, bool probe,
              char ret_error[static BUS_ERROR_SIZE]);
int link_open_tcp(struct mbus_bus *bus, const char *place, const struct mbus_config *given,
                  char ret_error[static BUS_ERROR_SIZE]);
int mem_open(struct mbus_bus *bus, const char *name, char ret_error[static BUS_ERROR_SIZE]);

/* Reads the configuration that @given names. Errors as above. */
int bus_read_config(const struct mbus_config *given, struct config *ret_config,
                    char ret_error[static BUS_ERROR_SIZE]);

/* ---- configuration (api/config.c) ---------------------------------------------------------- */

enum config_setting {
        SETTING_URL = 1,
        SETTING_FILE = 2,
        SETTING_TEXT = 4,
};

/* Entries that a new configuration can be given: more than there are keys. */
#define ENTRIES_MAX 24

struct config_entry {
        char *key;
        char *value;
};

/* Answers to a ping take a second, twice, and a little. */
#define PATIENCE_DEFAULT_MS 2500

struct mbus_config {
        char *url;
        char *file;
        char *text;
        uint64_t patience;
        unsigned failed; /* the settings whose last setter had no memory */
        char error[BUS_ERROR_SIZE];
        char *warnings[WARNINGS_MAX];
        size_t n_warnings;
        char *path; /* what mbus_config_get_file() returned */
        struct config_entry entries[ENTRIES_MAX];
        size_t n_entries;
        int entries_failed; /* -ENOMEM or MBUS_E_FULL: one could not be kept */
};

#define MBUS_CONFIG_INIT ((struct mbus_config){ .patience = PATIENCE_DEFAULT_MS * NSEC_PER_MSEC })

void config_clear_result(struct mbus_config *config);
void config_entry_deinit(struct config_entry *entry);
/* Copies what @bus has to remark. */
void config_take_warnings(struct mbus_config *config, const struct mbus_bus *bus);

/* ---- shared by the modes (bus.c, events.c, entities.c, observing.c, reported.c) --- */

/* To be called at the end of each call of the application that may have moved the deadline. */
void bus_changed(struct mbus_bus *bus);
/* Both return @error and, if it is positive, keep a sentence for mbus_bus_get_error(): a general one, or
 * @what, which is wrong with @text at the offset @at. */
int bus_refuse(struct mbus_bus *bus, int error);
int bus_refuse_text(struct mbus_bus *bus, int error, const char *text, size_t at, const char *what);
/* Parses an address of our own: by the grammar, and with an id of the form of 4.1, if any. */
int address_parse_own(struct span text, struct address *ret_address, struct parse_error *error);
/* Messages of the application that have not left yet: all that the library keeps counts here. */
size_t bus_n_left(struct mbus_bus *bus);
/* When @timeout of mbus_bus_wait() and mbus_bus_flush() is over. */
uint64_t bus_end_of(int64_t timeout);
/* Sleeps until a descriptor is ready or @until has come, and then does what is due. As
 * mbus_bus_process(), or -errno. */
int bus_sleep_and_process(struct mbus_bus *bus, uint64_t until);
/* A remark for mbus_bus_get_warning(); the same one is kept once. */
void bus_warn(struct mbus_bus *bus, const char *text);
/* In ms, for a TimeStamp. */
uint64_t bus_time_of_day(struct mbus_bus *bus);
void one_fd_deinit(struct one_fd *one);
/* @fd is about to be closed. A copy of it in a child would keep it in the set. */
void bus_forget_fd(struct mbus_bus *bus, int fd);
/* Before an inherited bus is freed, or something of it. Does nothing in the process that opened it. */
void bus_abandon(struct mbus_bus *bus);
/* A number that nobody can guess, for seeds and ids. */
uint64_t bus_entropy(void);

/* Makes room for @n events, so that as many event_queue_push() cannot fail. */
int event_queue_reserve(struct event_queue *q, size_t n);
/* Keeps room for one event until event_queue_redeem(), behind which one event_queue_push() cannot fail. 0 or
 * -ENOMEM. */
int event_queue_promise(struct event_queue *q);
void event_queue_redeem(struct event_queue *q);
/* Appends @event; takes over its message's reference and @text (may be NULL), also on failure,
 * which bus->failure remembers. */
void event_queue_push(struct mbus_bus *bus, const struct mbus_event *event, char *text);
/* Queues @message for @entity, as MESSAGE or QUIT, if it has something for an application. Takes a
 * reference of its own. 0 or -ENOMEM. */
int event_queue_message(struct mbus_bus *bus, struct mbus_entity *entity, struct message *message);
/* MBUS_EVENT_NETWORK. */
void event_queue_network(struct mbus_bus *bus, enum mbus_network network, struct span why);
void event_queue_forget(struct event_queue *q, const struct mbus_entity *entity);
/* Whether an event can be popped; pulls the next one from the mode. */
bool bus_has_event(struct mbus_bus *bus);
void event_queue_deinit(struct event_queue *q);
void queued_deinit(struct queued *item);
/* What becomes the `why` of an event: the beginning of @why, at most WHY_MAX octets, to be freed. NULL
 * if it is empty, or memory is short: an event is worth more than its explanation. */
char *why_string(struct span why);

/* The canonical text of @a as a string of its own, or NULL. */
char *address_string(const struct address *a);
/* @entity is on the bus as @address: keeps the text and reports it. 0 or -ENOMEM. */
int entity_ready(struct mbus_entity *entity, const struct address *address);

/* What mbus_bus_observe() asked for is given, which is told once; or it is not, or ends. */
void observe_begun(struct mbus_bus *bus);
void observe_ended(struct mbus_bus *bus, enum mbus_reason reason, struct span why);
/* bus->watches[@i] is not granted, or ends: it is forgotten, and who is not watched any more leaves. */
void watch_ended(struct mbus_bus *bus, size_t i, enum mbus_reason reason, struct span why);

bool bus_watches(const struct mbus_bus *bus, const struct address *address);
/* A remote entity is known: reports it if that is asked for and new. */
void told_joined(struct mbus_bus *bus, const struct address *address, uint64_t since);
void told_left(struct mbus_bus *bus, const struct address *address, enum mbus_reason reason);
/* The link was lost: what is not reported again until told_sweep() has left. */
void told_mark(struct mbus_bus *bus);
void told_sweep(struct mbus_bus *bus);
void told_deinit(struct mbus_bus *bus);
/* bus_mode.list for a mode whose known entities are those that were told of. */
int told_list(struct mbus_bus *bus, const struct address *dest, struct mbus_peers *peers);
int peers_add(struct mbus_peers *peers, const struct address *address, uint64_t age);

/* ---- fork (fork.c) ------------------------------------------------------------------------- */

/* A number that is another in a child, 0 until it opens a bus of its own. */
extern _Atomic uint32_t *fork_mark;
/* The same, not 0. */
uint32_t fork_number(void);

/* What a call answers before it does anything: 0; MBUS_E_MALFORMED without a bus; -ECHILD if that is the
 * parent's; MBUS_E_MALFORMED unless all its arguments are @there. */
static inline int bus_usable(const struct mbus_bus *bus, bool there)
{
        if (!bus)
                return MBUS_E_MALFORMED;
        if (bus->process != atomic_load_explicit(fork_mark, memory_order_relaxed))
                return -ECHILD;
        return there ? 0 : MBUS_E_MALFORMED;
}

/* ---- direct and mem (modes/engine-mode.c) --------------------------------------------------------- */

/* @surveys: engine_options.owner_surveys. */
int engine_mode_open(struct mbus_bus *bus, const struct config *config, uint64_t seed,
                     bool surveys);
void engine_mode_close(struct mbus_bus *bus);
int engine_mode_add_entity(struct mbus_entity *entity);
void engine_mode_remove_entity(struct mbus_entity *entity);
int engine_mode_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                     uint64_t *ret_ticket);
int engine_mode_ping(struct mbus_entity *entity, const struct address *dest);
int engine_mode_watch(struct mbus_bus *bus, struct watch *watch);
int engine_mode_observe(struct mbus_bus *bus);
int engine_mode_list(struct mbus_bus *bus, const struct address *dest, struct mbus_peers *peers);
size_t engine_mode_n_left(struct mbus_bus *bus);
bool engine_mode_pull(struct mbus_bus *bus);

/* ---- names and payloads -------------------------------------------------------------------- */

enum mbus_reason reason_from_name(struct span name);
enum mbus_drop drop_from_name(struct span name);
/* The payload that @c has become; MBUS_E_MALFORMED if it is empty, MBUS_E_RESERVED if it may not be sent
 * so (9.5, 9.6), else as mbus_commands_check(). */
int commands_payload(const struct mbus_commands *c, bool reliable, struct span *ret_payload);

#endif
