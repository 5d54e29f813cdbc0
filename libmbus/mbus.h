/*
 * mbus.h - join a message bus of RFC 3259 from any program and any main loop.
 *
 * A bus is opened, entities are added to it, messages are sent from entities, and events are
 * popped. Nothing here starts a thread, installs a signal handler, prints, or calls back. The same
 * calls work over multicast, through mbus-broker, and inside one process (mem:).
 *
 *      struct mbus_config *config;
 *      struct mbus_bus *bus;
 *      struct mbus_entity *me;
 *      const struct mbus_event *event;
 *      int r;
 *
 *      if (mbus_config_new(&config) != 0)
 *              die("no memory");
 *      if (mbus_bus_open(&bus, config) != 0)
 *              die(mbus_config_get_error(config));
 *      r = mbus_bus_add_entity(bus, "(app:player module:ui)", &me);
 *      if (r == 0)
 *              r = mbus_entity_send_text(me, "(module:engine)", "audio.input.mute(1)");
 *      while (r == 0 && (r = mbus_bus_wait(bus, -1)) == 0)
 *              while ((event = mbus_bus_pop_event(bus)))
 *                      handle(event);
 *      die(mbus_error_name(r));
 *
 * Return values: 0 is success, a negative one is -errno (memory, sockets), a positive one is an
 * enum mbus_error, an outcome that the function's comment names. Texts are UTF-8 and end in a zero
 * octet. Times are nanoseconds of CLOCK_MONOTONIC. An object may be used by one thread at a time;
 * two buses in two threads are fine.
 *
 * NULL where an object, a text or a place for the result is wanted crashes nothing: functions that
 * return int answer MBUS_E_MALFORMED, the others NULL, 0, false or "", and a payload remembers the
 * mistake. Where NULL means something, the function's comment says what.
 *
 * After fork() the child has copies of its parent's buses, whose sockets are the parent's. Calls
 * that return int and use such a bus answer -ECHILD, mbus_bus_pop_event() NULL,
 * mbus_bus_get_deadline() UINT64_MAX, mbus_bus_get_timeout_ms() -1. mbus_bus_close() and
 * mbus_entity_remove() only free, and close the child's descriptors: nothing is said, and the
 * parent's bus stays as it is. What is nothing but memory, such as messages, peers and commands,
 * can be used, and buses can be opened anew.
 */
#ifndef MBUS_H
#define MBUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MBUS_VERSION_MAJOR 1
#define MBUS_VERSION_MINOR 0
#define MBUS_VERSION_PATCH 0
#define MBUS_VERSION ((MBUS_VERSION_MAJOR << 16) | (MBUS_VERSION_MINOR << 8) | MBUS_VERSION_PATCH)

/* The compiler compares the arguments, from number FIRST on, with the format, number AT. */
#ifdef __GNUC__
#define MBUS_FORMAT(at, first) __attribute__((__format__(__printf__, at, first)))
#else
#define MBUS_FORMAT(at, first)
#endif

struct mbus_bus;
struct mbus_commands;
struct mbus_config;
struct mbus_entity;
struct mbus_message;
struct mbus_observation;
struct mbus_peers;
struct mbus_value;
struct pollfd;

/* Outcomes that are no failure of the system. */
enum mbus_error {
        MBUS_E_MALFORMED = 1, /* an address, command or value breaks the grammar */
        MBUS_E_TOO_LARGE,     /* a message or a number does not fit */
        MBUS_E_RESERVED,   /* a command that begins with "mbus." is not to be sent (so) (5.3, 9) */
        MBUS_E_UNKNOWN,    /* reliable: no known entity matches (7); there is no such wait */
        MBUS_E_NOT_UNIQUE, /* reliable: several known entities match the destination (7) */
        MBUS_E_FULL,       /* a queue or table of ours is at its limit; try again later */
        MBUS_E_CONFIG,     /* the configuration cannot be used; mbus_config_get_error() tells */
        MBUS_E_NO_BUS,     /* the broker or the network cannot be reached; the same tells why */
        MBUS_E_NOT_READY,  /* the link is down, or the entity was refused */
        MBUS_E_TAKEN,      /* another entity has this address; the entity waits for this already */
        MBUS_E_DENIED,     /* the broker's policy does not allow it */
        MBUS_E_TYPE,       /* the value is of another type */
};

/*
 * Why a ticket failed, an entity left, or an attachment was refused.
 *
 * A ticket that failed for TIMEOUT, BYE, RESTARTED or LINK_DOWN may have been delivered all the
 * same: the acknowledgement may be what was lost (7). Send again what does no harm when it is done
 * twice; of all else ask first what has come of it, or give it a number by which the receiver knows
 * a repetition. With the other reasons it was not delivered.
 */
enum mbus_reason {
        MBUS_REASON_NONE,
        MBUS_REASON_TIMEOUT,   /* not acknowledged in time, or not heard of for too long (7, 8.2) */
        MBUS_REASON_BYE,       /* the entity said mbus.bye (9.2) */
        MBUS_REASON_RESTARTED, /* the entity was replaced by a new one of the same address */
        MBUS_REASON_UNKNOWN,   /* no known entity matches */
        MBUS_REASON_NOT_UNIQUE, /* several known entities match */
        MBUS_REASON_FULL,       /* a queue on the way is at its limit */
        MBUS_REASON_LINK_DOWN,  /* the broker went away before it could tell */
        MBUS_REASON_DENIED,     /* the broker's policy does not allow it */
        MBUS_REASON_TAKEN,      /* another entity has this address */
        MBUS_REASON_MALFORMED,  /* the broker could not read it, or knows no such command */
        MBUS_REASON_MAX
};

/* Why received datagrams did not become messages; see mbus_bus_get_dropped(). */
enum mbus_drop {
        MBUS_DROP_SHORT,      /* too short to hold a digest and a header */
        MBUS_DROP_FORMAT,     /* the first line is no digest */
        MBUS_DROP_DIGEST,     /* the digest is another: another key, a stranger, damage (11.1) */
        MBUS_DROP_CIPHERTEXT, /* no whole number of cipher blocks */
        MBUS_DROP_PROTOCOL,   /* what was inside does not begin with "mbus/" (11.4) */
        MBUS_DROP_VERSION,    /* another version than mbus/1.0 (3) */
        MBUS_DROP_MALFORMED,  /* header or commands break the grammar */
        MBUS_DROP_OWN,        /* our own datagram, looped back */
        MBUS_DROP_DUPLICATE,  /* received before */
        MBUS_DROP_STALE,      /* older than what the source sent since, or than MAX_AGE: a replay */
        MBUS_DROP_DEPARTED,   /* late, from an entity that said bye */
        MBUS_DROP_SUBSET,     /* reliable, but not addressed to our full address (7) */
        MBUS_DROP_PEERS,      /* from a new source while the table of known entities is full */
        MBUS_DROP_EVENTS,     /* the application did not pop its events fast enough */
        MBUS_DROP_SOCKET,     /* the kernel's socket buffer was full (SO_RXQ_OVFL) */
        MBUS_DROP_SENT,   /* going out: the queue to the socket was full or the socket refused */
        MBUS_DROP_COPIES, /* the broker had no room for copies that mbus_bus_observe() asked for */
        MBUS_DROP_NOBODY, /* through a broker: for an entity of ours that is not there any more */
        MBUS_DROP_DENIED, /* sent through a broker unreliably, whose [policy] forbids it: `why` */
        MBUS_DROP_MAX
};

/* What is the matter with the network; see MBUS_EVENT_NETWORK. */
enum mbus_network {
        MBUS_NETWORK_OK,      /* what was wrong is over */
        MBUS_NETWORK_MOVED,   /* the bus is on another interface now */
        MBUS_NETWORK_MUTE,    /* this host does not let out what is sent, or it reaches nobody */
        MBUS_NETWORK_DEAF,    /* nothing comes in, not even what was sent from here */
        MBUS_NETWORK_KEY,     /* only messages with another key are heard (11.1) */
        MBUS_NETWORK_DIALECT, /* only line-feed messages are heard, and DIALECT=UCL is not set */
        MBUS_NETWORK_MAX
};

/* The name of an error, reason or drop, e.g. "not-unique", in static storage; "unknown" if there is
 * none. For negative errors the text of strerror(). */
const char *mbus_error_name(int error);
const char *mbus_reason_name(enum mbus_reason reason);
const char *mbus_drop_name(enum mbus_drop drop);
/* A sentence about the same for people, without a full stop, in static storage; it may be worded
 * better in a later version. For negative errors the text of strerror(). */
const char *mbus_error_text(int error);
const char *mbus_reason_text(enum mbus_reason reason);
const char *mbus_drop_text(enum mbus_drop drop);
/*
 * What a call would have answered that had waited for @reason:
 *      NONE            0
 *      TIMEOUT         -ETIMEDOUT
 *      BYE, RESTARTED  -ECONNRESET
 *      LINK_DOWN       MBUS_E_NOT_READY
 *      UNKNOWN, NOT_UNIQUE, FULL, DENIED, TAKEN, MALFORMED: MBUS_E_ of the same name
 * MBUS_E_MALFORMED if @reason is none.
 */
int mbus_reason_error(enum mbus_reason reason);
/* MBUS_VERSION of the library that runs, which may be newer than the header. */
unsigned mbus_version(void);

/* ---- configuration ------------------------------------------------------------------------- */

/* 0 or -ENOMEM. */
int mbus_config_new(struct mbus_config **ret_config);
/* Takes NULL, returns NULL. A bus that was opened with it does not need it any more. */
struct mbus_config *mbus_config_free(struct mbus_config *config);

/*
 * Where the bus is; checked by mbus_bus_open():
 *      auto:           the user's broker, else the system's, if the user may connect to it, else
 *                      the network (the default); mbus_bus_get_warning() tells of one that the
 *                      user may not connect to
 *      udp:            the network, as the configuration file says
 *      unix:PATH       the broker at PATH; unix: is the user's, else the system's
 *      tcp:HOST:PORT   the broker there, which has the keys of the configuration file; HOST is a
 *                      name, an IPv4 address, or an IPv6 address in brackets ([fe80::1%eth0])
 *      mem:NAME        a bus of that name inside this process; entities know each other at once
 */
void mbus_config_set_url(struct mbus_config *config, const char *url);
/*
 * The configuration file for udp: and tcp: (RFC 3259, 12.1). NULL, the default: $MBUS, else
 * ~/.mbus. A file that is named here or by $MBUS is what the caller wants, also where a broker is
 * found: it must be there and of use, and the broker on its bus (keys, scope, address and port),
 * else mbus_bus_open() says MBUS_E_CONFIG; later a link to a broker on another bus does not come
 * up. ~/.mbus asks nothing of a broker.
 */
void mbus_config_set_file(struct mbus_config *config, const char *path);
/* The text of a configuration file, instead of a file; it asks the same of a broker. */
void mbus_config_set_text(struct mbus_config *config, const char *text);
/* How long, in ns, a reliable message waits for a destination that is not known yet: see
 * mbus_entity_send_reliable(). 2.5 s at first; 0: not at all. A broker has a limit of its own. */
void mbus_config_set_patience(struct mbus_config *config, uint64_t patience);
/* Why the last mbus_bus_open() or mbus_config_generate() with this configuration failed: one line
 * that says what is wrong, where, and how to mend it. "" if it did not. Valid until the next call
 * with @config. */
const char *mbus_config_get_error(const struct mbus_config *config);
/* What the last mbus_bus_open() found odd but usable, a line each; NULL behind the last. */
const char *mbus_config_get_warning(const struct mbus_config *config, size_t i);
/* The configuration file that @config means: that of mbus_config_set_file(), else $MBUS, else
 * ~/.mbus. NULL if the user has no home directory, or memory is short. Valid until the next call
 * with @config. */
const char *mbus_config_get_file(struct mbus_config *config);
/* The text of mbus_config_set_text(), or that mbus_config_generate() made; NULL: there is none. */
const char *mbus_config_get_text(const struct mbus_config *config);

/*
 * Says how a new configuration is to be: @key is one of the file's (RFC 3259, 12.1, and those that
 * we add), @value is written as there, with the name of an algorithm where the file has a key of
 * it:
 *      "SCOPE"          "HOSTLOCAL" (the default), "LINKLOCAL"
 *      "HASHKEY"        "HMAC-SHA1-96", "HMAC-MD5-96"
 *      "ENCRYPTIONKEY"  "AES", "DES", "3DES", "IDEA", "NOENCR"
 *      "DIALECT"        "RFC3259" (the default), "UCL": for old programs, with their ADDRESS, MD5
 *                       and DES unless other entries say otherwise
 * A later @value takes the place of an earlier one, NULL is the default again. Mistakes are
 * reported by mbus_config_generate(); nothing else looks at entries.
 */
void mbus_config_set_entry(struct mbus_config *config, const char *key, const char *value);

enum mbus_generate {
        MBUS_GENERATE_REPLACE =
                1,              /* a file that is there is replaced; who has its keys is cut off */
        MBUS_GENERATE_TEXT = 2, /* no file: the text becomes that of mbus_config_set_text() */
};

/*
 * Makes a configuration with new random keys of full length, as mbus_config_set_entry() has said,
 * and writes it into a new file, that of mbus_config_get_file(), which its owner only can read
 * (0600). It is there whole or not at all. @flags are of enum mbus_generate. -EEXIST: there is a
 * file, which may be one that somebody has made meanwhile, or something that is no file: it was
 * left as it was. MBUS_E_CONFIG: an entry cannot be used, or there is no place for a file; -ENOMEM,
 * another -errno: it cannot be written. The text is in mbus_config_get_error().
 */
int mbus_config_generate(struct mbus_config *config, unsigned flags);

/* ---- the bus and the main loop ------------------------------------------------------------- */

/*
 * Opens a bus. @config may be NULL: auto: with the usual file. The bus has no entity yet and says
 * nothing. A name in tcp: is looked up, which may take as long as the system's resolver does, and
 * up to eight of its addresses are tried, for three seconds each. Errors: MBUS_E_CONFIG,
 * MBUS_E_NO_BUS, -ENOMEM, -errno of a socket call; the text, which says what to do (without keys
 * and a broker: mbus-cli keygen), is in mbus_config_get_error().
 */
int mbus_bus_open(struct mbus_bus **ret_bus, struct mbus_config *config);
/* Says bye for all entities (9.2), frees them and the bus. What has not left is given up;
 * mbus_bus_flush() waits for it, which is of use with a broker that reads slowly (SEND_RATE). Takes
 * NULL, returns NULL. In a child of the process that opened it: only frees. */
struct mbus_bus *mbus_bus_close(struct mbus_bus *bus);

/*
 * For a main loop: wait until one of the descriptors has one of its events or the deadline has
 * come, call mbus_bus_process(), pop events until there are none; then ask for both again.
 */

/* Up to this many descriptors belong to a bus. */
#define MBUS_POLLFDS_MAX 16

/* Fills @fds, of @size entries (NULL if 0), with descriptors and poll(2) events; *@ret_n is their
 * number. MBUS_E_FULL if @size is less than that (MBUS_POLLFDS_MAX is always enough). */
int mbus_bus_get_pollfds(struct mbus_bus *bus, struct pollfd *fds, size_t size, size_t *ret_n);
/* When mbus_bus_process() is due even if no descriptor is ready: absolute, CLOCK_MONOTONIC, ns.
 * UINT64_MAX is never, 0 is now. A time-out in ms is to be rounded up. */
uint64_t mbus_bus_get_deadline(struct mbus_bus *bus);
/* How long that is from now on, in ms, for poll(2): -1 for ever, 0 not at all, else rounded up. */
int mbus_bus_get_timeout_ms(struct mbus_bus *bus);
/* One descriptor that becomes readable whenever mbus_bus_process() is due (Linux: epoll with a
 * timer). It belongs to the bus. 0 or -errno. */
int mbus_bus_get_fd(struct mbus_bus *bus, int *ret_fd);
/* Does what is due: receives, acknowledges, retransmits, announces, sends what waits. A bounded
 * amount: 1 means call again soon, 0 that it is all done. < 0: -errno, the bus cannot go on. */
int mbus_bus_process(struct mbus_bus *bus);
/* For simple programs: waits until an event can be popped, processing meanwhile. @timeout in ns,
 * negative: for ever. 0: pop; MBUS_E_NOT_READY: time is over; < 0: as mbus_bus_process(), and
 * -EINTR if a signal came. */
int mbus_bus_wait(struct mbus_bus *bus, int64_t timeout);
/*
 * Waits until @entity is on the bus, processing meanwhile; @timeout as above. It pops no event:
 * READY, and whatever comes meanwhile, is popped afterwards in its order. Over the network and in
 * mem: an entity is there at once. 0; MBUS_E_NOT_READY: time is over, or the link is down still; if
 * the entity was refused, what mbus_reason_error() says of the reason; MBUS_E_FULL: through a
 * broker, too many events wait, and READY is behind them; < 0: as mbus_bus_wait(). Each positive
 * one with a sentence in mbus_bus_get_error().
 */
int mbus_bus_wait_ready(struct mbus_entity *entity, int64_t timeout);

/*
 * Waits until all that was sent has left, processing meanwhile; @timeout as above. Returns how many
 * messages are left: 0, they have all left; more: time is over. They are on their way still, and
 * mbus_bus_close() then says bye behind them without waiting for them. Left are:
 *      reliable messages that are neither acknowledged nor failed, wherever they wait;
 *      over the network and in mem:, datagrams that the socket has not taken;
 *      through a broker, messages that it has not taken: it may read slowly (SEND_RATE in
 *      mbus-broker.conf(5)). They are estimated by their octets. Those that went with a broken
 *      link are counted once.
 * What comes meanwhile waits to be popped. < 0: -errno as mbus_bus_wait(); -EINVAL: @bus is NULL.
 */
int mbus_bus_flush(struct mbus_bus *bus, int64_t timeout);
/*
 * Asks anew where HOST of tcp:HOST:PORT is, and waits for the answer as mbus_bus_open() did; what
 * is found counts when the link is lost the next time. Nothing else asks again: a link that was
 * lost tries the addresses that are known. 0, also where there is no name; MBUS_E_NO_BUS: it is not
 * known, which mbus_bus_get_warning() tells, the addresses stay; -ENOMEM.
 */
int mbus_bus_resolve(struct mbus_bus *bus);
/* Where the bus turned out to be: "unix:/run/mbus/broker.sock", "udp:239.255.255.247:47000". */
const char *mbus_bus_get_url(const struct mbus_bus *bus);
/* How many received datagrams were dropped for @reason since the bus was opened. */
uint64_t mbus_bus_get_dropped(const struct mbus_bus *bus, enum mbus_drop reason);
/* The interface that is sent from, "eth0", and others that are listened on behind it: "eth0 eth1".
 * That of its bus if a broker tells, which it does with MBUS_EVENT_WATCHING; else, and in mem:,
 * NULL. Valid until the next call with @bus. */
const char *mbus_bus_get_interface(const struct mbus_bus *bus);
/* A sentence if @network is the matter at this moment, else NULL: what MBUS_EVENT_NETWORK told and
 * did not take back, and at once what it would wait a moment with. Valid until the next call with
 * @bus. */
const char *mbus_bus_get_network(struct mbus_bus *bus, enum mbus_network network);
/* How many octets the last message that was refused with MBUS_E_TOO_LARGE would have had on the
 * bus, header included, 0 if there was none; and how many one may have. Through a broker those of
 * its bus are known from the first MBUS_EVENT_READY on. Each may be NULL. */
void mbus_bus_get_sizes(const struct mbus_bus *bus, size_t *ret_size, size_t *ret_largest);
/* Why the last call with @bus, or an entity of it, that answered a positive error did: a line that
 * says what is wrong, and where and how to mend it if that is known. "" if none did. Valid until
 * the next call. */
const char *mbus_bus_get_error(const struct mbus_bus *bus);
/* What is odd but usable, a line each; NULL behind the last: what mbus_bus_open() found, and since
 * then what was sent that the link must split into fragments (6). */
const char *mbus_bus_get_warning(const struct mbus_bus *bus, size_t i);

/* ---- events -------------------------------------------------------------------------------- */

enum mbus_event_type {
        MBUS_EVENT_READY,   /* `entity` is on the bus as `address`; again if the address changed */
        MBUS_EVENT_REFUSED, /* `entity` cannot be on the bus: `reason`; remove it */
        MBUS_EVENT_MESSAGE, /* `message` for `entity` */
        MBUS_EVENT_DELIVERED,  /* `ticket` of `entity` was acknowledged by its destination (7) */
        MBUS_EVENT_FAILED,     /* `ticket` of `entity` was not: `reason`; see enum mbus_reason */
        MBUS_EVENT_JOINED,     /* another entity, `address`, that is watched, became known (8) */
        MBUS_EVENT_LEFT,       /* it left: `reason` */
        MBUS_EVENT_WATCHING,   /* a broker has told all entities known at mbus_bus_watch() */
        MBUS_EVENT_OBSERVED,   /* `message` seen by mbus_bus_observe(), whoever it is for */
        MBUS_EVENT_DROPPED,    /* `count` messages were lost for the reason `drop`; see `why` */
        MBUS_EVENT_LINK_DOWN,  /* the broker went away; the library tries to get it back */
        MBUS_EVENT_LINK_UP,    /* it is back; MBUS_EVENT_READY follows for each entity */
        MBUS_EVENT_QUIT,       /* `message` for `entity` holds mbus.quit: somebody asks it to end */
        MBUS_EVENT_OBSERVING,  /* what mbus_bus_observe() asked for is given from now on */
        MBUS_EVENT_UNOBSERVED, /* it is not, or not any more: `reason` */
        MBUS_EVENT_UNWATCHED,  /* the watch of `address` is not granted, or ended: `reason` */
        MBUS_EVENT_NETWORK, /* the bus moved, is mute or deaf, or is so no more: `network`, `why` */
        MBUS_EVENT_GO, /* the wait of `entity` for `condition` ended: `go`, said by `address` */
        MBUS_EVENT_MAX
};

/* How a mbus_entity_wait() ended; see MBUS_EVENT_GO. */
enum mbus_go {
        MBUS_GO_CAME,      /* somebody said mbus.go: go on */
        MBUS_GO_TIMED_OUT, /* nobody did in time */
        MBUS_GO_CANCELLED, /* mbus_entity_cancel_wait() */
        MBUS_GO_MAX
};

/* What is not named at the type is 0 or NULL. Later versions add members at the end. */
struct mbus_event {
        enum mbus_event_type type;
        struct mbus_entity *entity;
        const struct mbus_message *message;
        const char *address;
        uint64_t ticket;
        enum mbus_reason reason;
        enum mbus_drop drop;
        uint64_t count;
        uint64_t time; /* CLOCK_REALTIME ns when a message was received */
        /* A sentence about `reason`, `drop` or `network`, for people; or NULL. */
        const char *why;
        enum mbus_network network;
        /* MBUS_EVENT_DELIVERED: ns from when the message was first sent, to the network or the
         * broker, to its acknowledgement; 0 if it never left this bus. What waited for its
         * destination or for MBUS_EVENT_READY, or in line behind others to it, was not sent yet. */
        uint64_t round_trip;
        const char *condition; /* of MBUS_EVENT_GO, as it was given to mbus_entity_wait() */
        enum mbus_go go;
};

/* The oldest event, or NULL. It and all it points to are valid until the next call with @bus; a
 * message may be kept with mbus_message_ref(). */
const struct mbus_event *mbus_bus_pop_event(struct mbus_bus *bus);

/* ---- entities ------------------------------------------------------------------------------ */

/*
 * Puts an entity with @address on the bus; an id element is added where there is none (4.1). It
 * receives at once over the network, and after MBUS_EVENT_READY through a broker. What it sends
 * before its first READY waits for that, and is sent in order; if it is refused, tickets end with
 * MBUS_EVENT_FAILED, and MBUS_EVENT_DROPPED (MBUS_DROP_SENT) tells how many others were lost.
 * Errors: MBUS_E_MALFORMED, MBUS_E_TAKEN (an entity of this bus), MBUS_E_FULL, -ENOMEM.
 */
int mbus_bus_add_entity(struct mbus_bus *bus, const char *address, struct mbus_entity **ret_entity);
/* Says bye, forgets its tickets, frees it. Takes NULL, returns NULL. Events of it are gone, too. */
struct mbus_entity *mbus_entity_remove(struct mbus_entity *entity);
/* Its full address, canonical, once it is ready, else NULL. Valid until the next READY or
 * remove. */
const char *mbus_entity_get_address(const struct mbus_entity *entity);
void mbus_entity_set_data(struct mbus_entity *entity, void *data);
void *mbus_entity_get_data(const struct mbus_entity *entity);

/*
 * Sends one message to all entities that @destination matches, without acknowledgement. Errors:
 * MBUS_E_MALFORMED (destination), MBUS_E_RESERVED, MBUS_E_TOO_LARGE, MBUS_E_FULL, MBUS_E_NOT_READY,
 * -ENOMEM, and whatever mbus_commands_check() says of @commands.
 */
int mbus_entity_send(struct mbus_entity *entity, const char *destination,
                     const struct mbus_commands *commands);
/*
 * Sends one message reliably to the one entity that @destination matches (7). Its ticket ends in
 * exactly one of MBUS_EVENT_DELIVERED and MBUS_EVENT_FAILED.
 *
 * Whoever is not known yet is asked to announce himself (9.3), and the message waits for that, for
 * as long as mbus_config_set_patience() says: a whole address until it is heard, a part of one
 * until all who match had the time to answer, about a second, unless they must be known already. It
 * never goes to the first of several. Messages of one entity to one destination leave in the order
 * of the calls. If nobody matches by then, or several do, the reason is MBUS_REASON_UNKNOWN or
 * MBUS_REASON_NOT_UNIQUE.
 *
 * Errors as above, and MBUS_E_NOT_UNIQUE if several are known to match already (through a broker
 * that comes with FAILED), MBUS_E_UNKNOWN if nobody is and there is nothing to wait for: without
 * patience, or in mem: when all have introduced themselves; MBUS_E_FULL, too, when 16384 messages
 * of the entity, or 64 MB of them all, are not acknowledged yet, or 1024 destinations are waited
 * for.
 */
int mbus_entity_send_reliable(struct mbus_entity *entity, const char *destination,
                              const struct mbus_commands *commands, uint64_t *ret_ticket);
/*
 * Sends one message reliably to each known and watched entity that @destination matches, a ticket
 * each, written to @ret_tickets, which has room for @size; *@ret_n is how many were sent.
 * MBUS_E_FULL, and nothing sent, if more than @size match. If a send fails, its error: those before
 * it went out.
 */
int mbus_entity_send_each(struct mbus_entity *entity, const char *destination,
                          const struct mbus_commands *commands, uint64_t *ret_tickets, size_t size,
                          size_t *ret_n);
/* As mbus_entity_send() with commands as text, one a line. */
int mbus_entity_send_text(struct mbus_entity *entity, const char *destination, const char *text);
/*
 * As mbus_entity_send() and mbus_entity_send_reliable() with commands as mbus_commands_addf() makes
 * them:
 *      mbus_entity_sendf(me, "(module:engine)", "player.load(%s %d)", uri, 3);
 * MBUS_E_MALFORMED, too, if they cannot be made: mbus_bus_get_error() says where in the format, and
 * why.
 */
int mbus_entity_sendf(struct mbus_entity *entity, const char *destination, const char *format, ...)
        MBUS_FORMAT(3, 4);
int mbus_entity_sendf_reliable(struct mbus_entity *entity, const char *destination,
                               uint64_t *ret_ticket, const char *format, ...) MBUS_FORMAT(4, 5);
/* Asks the entities that match to announce themselves: mbus.ping (9.3). */
int mbus_entity_ping(struct mbus_entity *entity, const char *destination);

/* ---- waiting for each other ---------------------------------------------------------------- */

/*
 * Says mbus.waiting(@condition) to all that @destination matches, at once and then every second (a
 * tenth more or less), until mbus.go(@condition) comes, or @timeout is over (ns; negative: for
 * ever) (9.5). One MBUS_EVENT_GO ends it, whose `go` says how (`address` is NULL if nobody said
 * mbus.go, or memory was short). The call returns at once: go on processing and popping.
 *
 * Several conditions of one entity with one destination share a message. While the link to a broker
 * is down nothing is said, and time goes on. The message with mbus.go is an event of its own,
 * MBUS_EVENT_MESSAGE (or _QUIT), right before; so are mbus.waiting and mbus.go to those who wait
 * for nothing. A time that is over is told behind all that came before. With mbus_entity_remove()
 * waits end without an event.
 *
 * @condition is one name, of 1 to 255 octets. Errors: MBUS_E_TAKEN (the entity waits for that
 * already), MBUS_E_FULL (it waits for 64, or they wait to be popped), MBUS_E_MALFORMED,
 * MBUS_E_TOO_LARGE (the name), and what mbus_entity_send() says. Then nothing is waited for.
 */
int mbus_entity_wait(struct mbus_entity *entity, const char *destination, const char *condition,
                     int64_t timeout);
/* Ends a wait: MBUS_EVENT_GO with MBUS_GO_CANCELLED. MBUS_E_UNKNOWN: the entity does not wait for
 * that, or the event that ends it can be popped already. */
int mbus_entity_cancel_wait(struct mbus_entity *entity, const char *condition);
/*
 * Says mbus.go(@condition) to the one entity that @destination matches, which waits for it: the
 * source of its mbus.waiting. It is always reliable (9.6), and everything is as with
 * mbus_entity_send_reliable(); several who wait are told one by one, or with
 * mbus_entity_send_each(). Errors: as there, and MBUS_E_TOO_LARGE.
 */
int mbus_entity_go(struct mbus_entity *entity, const char *destination, const char *condition,
                   uint64_t *ret_ticket);
/* Says mbus.quit: asks to end (9.4), which is an MBUS_EVENT_QUIT to who is asked, and his to
 * decide. With @ret_ticket reliably, the one entity that @destination matches; NULL: unreliably,
 * all that do. Errors: as mbus_entity_send_reliable() and mbus_entity_send(). */
int mbus_entity_quit(struct mbus_entity *entity, const char *destination, uint64_t *ret_ticket);

/* ---- other entities ------------------------------------------------------------------------ */

/*
 * Asks for MBUS_EVENT_JOINED and MBUS_EVENT_LEFT of the entities that match @address; "()" for all.
 * Those known already are reported at once, then comes MBUS_EVENT_WATCHING (over the network, all
 * that are known is what has been heard so far). A broker may refuse, by its policy or its limits,
 * or end it later: MBUS_EVENT_UNWATCHED. Watching several addresses adds up. Errors:
 * MBUS_E_MALFORMED, MBUS_E_FULL, -ENOMEM.
 */
int mbus_bus_watch(struct mbus_bus *bus, const char *address);

/* A snapshot of the known and watched entities that match @address, our own left out. 0,
 * MBUS_E_MALFORMED or -ENOMEM. */
int mbus_peers_new(struct mbus_bus *bus, const char *address, struct mbus_peers **ret_peers);
struct mbus_peers *mbus_peers_free(struct mbus_peers *peers);
size_t mbus_peers_get_n(const struct mbus_peers *peers);
const char *mbus_peers_get_address(const struct mbus_peers *peers, size_t i);
/* For how long it has been known, in ns. */
uint64_t mbus_peers_get_age(const struct mbus_peers *peers, size_t i);

/* ---- observing ----------------------------------------------------------------------------- */

/* 0 or -ENOMEM. */
int mbus_observation_new(struct mbus_observation **ret_observation);
/* Takes NULL, returns NULL. */
struct mbus_observation *mbus_observation_free(struct mbus_observation *observation);
/* Also messages that hold nothing but mbus.hello, and bare acknowledgements. */
void mbus_observation_set_hello(struct mbus_observation *observation, bool hello);
/*
 * Adds a filter, of which there may be MBUS_FILTERS_MAX; one of them is enough for a message to be
 * seen. It passes if @address matches its source, or its destination has all elements of @address;
 * if the name of one of its commands begins with @beginning; and if it is on the bus that the
 * broker calls @bus. NULL is any address, any command, and the bus that our entities are on
 * ("main"). The first mistake is remembered, and mbus_bus_observe() reports it.
 */
void mbus_observation_add_filter(struct mbus_observation *observation, const char *address,
                                 const char *beginning, const char *bus);
#define MBUS_FILTERS_MAX 16

/*
 * Asks for a MBUS_EVENT_OBSERVED of each message on the bus, whoever it is for, those of our own
 * entities included, or of those that pass a filter of @observation, which is not needed any more
 * then. NULL, and one without filters, is all messages but bare hellos and acknowledgements, or
 * all. It takes the place of what was asked for before. MBUS_EVENT_OBSERVING tells when it begins,
 * MBUS_EVENT_DROPPED of gaps; MBUS_EVENT_UNOBSERVED that it does not or ends: the policy of a
 * broker forbids it (MBUS_REASON_DENIED), or it is on no bus of a filter's name
 * (MBUS_REASON_UNKNOWN). Errors: the first mistake in @observation, MBUS_E_MALFORMED (an address, a
 * beginning that no command has, an empty name) or MBUS_E_FULL (too many filters); MBUS_E_FULL (the
 * output to the broker is full), -ENOMEM.
 */
int mbus_bus_observe(struct mbus_bus *bus, const struct mbus_observation *observation);

/* ---- datagrams ----------------------------------------------------------------------------- */

/* Octets that a datagram has more than its message at most: digest, line end, padding (11.4). */
#define MBUS_DATAGRAM_OVERHEAD 34

/*
 * For programs that look at a network themselves, such as one that reads what was captured: opens a
 * datagram with the keys of the configuration file or text of @config, which is read with the first
 * call and after each mbus_config_set_file() or _set_text(). Nothing is said of whether it is a
 * repetition, or old. *@ret_message is to be unreferenced. MBUS_E_MALFORMED: it is none of this
 * bus: *@ret_drop is why, and *@ret_what a sentence about that (each may be NULL); *@ret_drop is
 * MBUS_DROP_MALFORMED or _VERSION only if the digest was right. MBUS_E_CONFIG: the text is in
 * mbus_config_get_error(); -ENOMEM, or -errno.
 */
int mbus_datagram_open(struct mbus_config *config, const void *octets, size_t n,
                       struct mbus_message **ret_message, enum mbus_drop *ret_drop,
                       const char **ret_what);
/*
 * The other way: encrypts @text, of @n octets, and puts the digest in front. It is not looked at,
 * so that what is malformed can be made for tests; a message begins with "mbus/1.0 " (5.2), as what
 * mbus_message_get_text() gives. *@ret_n octets go to @datagram, which has room for @size: @n and
 * MBUS_DATAGRAM_OVERHEAD are enough. MBUS_E_TOO_LARGE: there is not enough room, or it does not fit
 * a UDP datagram; else as above.
 */
int mbus_datagram_seal(struct mbus_config *config, const char *text, size_t n, void *datagram,
                       size_t size, size_t *ret_n);

/* ---- received messages --------------------------------------------------------------------- */

struct mbus_message *mbus_message_ref(const struct mbus_message *message);
/* Takes NULL, returns NULL. */
struct mbus_message *mbus_message_unref(struct mbus_message *message);
/* Canonical texts, as all addresses that the library gives: see "addresses" below. */
const char *mbus_message_get_source(const struct mbus_message *message);
const char *mbus_message_get_destination(const struct mbus_message *message);
uint32_t mbus_message_get_seq(const struct mbus_message *message);
/* When the sender made it: ms since 1970-01-01 UTC by the sender's clock (3). */
uint64_t mbus_message_get_timestamp(const struct mbus_message *message);
bool mbus_message_is_reliable(const struct mbus_message *message);
/* The i-th SeqNum it acknowledges into *@ret_seq; false behind the last. */
bool mbus_message_get_ack(const struct mbus_message *message, size_t i, uint32_t *ret_seq);
/* The message as it was on the wire, digest and encryption taken off; *@ret_n octets. */
const char *mbus_message_get_text(const struct mbus_message *message, size_t *ret_n);
size_t mbus_message_get_n_commands(const struct mbus_message *message);
/* The name of the i-th command, e.g. "audio.input.mute"; NULL behind the last. */
const char *mbus_message_get_command(const struct mbus_message *message, size_t i);
/* Its parameters, a list; NULL behind the last. */
const struct mbus_value *mbus_message_get_args(const struct mbus_message *message, size_t i);

/* The kinds of parameters (5.3). */
enum mbus_value_type {
        MBUS_VALUE_INTEGER,
        MBUS_VALUE_FLOAT,
        MBUS_VALUE_STRING,
        MBUS_VALUE_LIST,
        MBUS_VALUE_SYMBOL,
        MBUS_VALUE_DATA,
        MBUS_VALUE_MAX
};

/* MBUS_VALUE_MAX of NULL. */
enum mbus_value_type mbus_value_get_type(const struct mbus_value *value);
/* MBUS_E_TYPE; MBUS_E_TOO_LARGE if it does not fit: mbus_value_get_raw() has its digits. */
int mbus_value_get_integer(const struct mbus_value *value, int64_t *ret_integer);
/* Of an integer, too. MBUS_E_TYPE. */
int mbus_value_get_float(const struct mbus_value *value, double *ret_real);
/* The octets of a string, symbol or data, with a zero octet behind them; *@ret_n (may be NULL) is
 * their number. NULL for other types. */
const char *mbus_value_get_text(const struct mbus_value *value, size_t *ret_n);
/* The value as it was written; *@ret_n octets, no zero octet behind. */
const char *mbus_value_get_raw(const struct mbus_value *value, size_t *ret_n);
/* The items of a list; 0 for other types. */
size_t mbus_value_get_n(const struct mbus_value *value);
/* The first item of a list, and the item behind one; NULL where there is none:
 *      for (v = mbus_value_first(list); v; v = mbus_value_next(list, v)) */
const struct mbus_value *mbus_value_first(const struct mbus_value *list);
const struct mbus_value *mbus_value_next(const struct mbus_value *list,
                                         const struct mbus_value *item);

/*
 * Reads the parameters @args, a list, into variables, as @signature says:
 *      if (mbus_value_scan(args, "s i [f]", &uri, &track, &gain) == 0)
 * The signature has, with spaces where they please:
 *      s   a string        const char **
 *      y   a symbol        const char **
 *      i   an integer      int64_t *
 *      f   a number        double *, a float, or an integer
 *      b   a boolean       bool *, an integer that is 0 or not (5.3)
 *      d   data            const void **, size_t *
 *      l   any list        const struct mbus_value **
 *      v   any value       const struct mbus_value **
 *      ( ) a list with what is between the brackets
 *      [ ] what is between them may be left out, all of it, at the end of a list: behind it stand
 *          further brackets [ ] or the rest only. Variables of what is left out stay as they are
 *      *   the rest of a list, at its end and not in [ ]: const struct mbus_value ** is the first
 *          of what is left, or NULL, and size_t * how many there are, for
 *          mbus_value_next(args, ...)
 * What is written belongs to the message. NULL for a variable: it is looked at and not written.
 * Unless it returns 0, nothing is written. MBUS_E_TYPE: a parameter is of another type or missing,
 * or there are more; MBUS_E_TOO_LARGE: an integer has more than 64 bits; MBUS_E_MALFORMED:
 * @signature is none, or @args is no list. mbus_value_check() tells which and why.
 */
int mbus_value_scan(const struct mbus_value *args, const char *signature, ...);
/*
 * What mbus_value_scan() would return, and what is wrong: *@ret_argument is the parameter, counted
 * from 0 (in a list in it, that of the outermost list), *@ret_at the offset in @signature of what
 * it is not, and *@ret_what a sentence in static storage. Each may be NULL, and is written unless 0
 * is returned.
 */
int mbus_value_check(const struct mbus_value *args, const char *signature, size_t *ret_argument,
                     size_t *ret_at, const char **ret_what);

/* ---- commands to send ---------------------------------------------------------------------- */

/*
 * A payload under construction. The first mistake is remembered, what follows is ignored, and
 * mbus_commands_check() or the send call reports it.
 *
 *      mbus_commands_begin(c, "audio.input.gain");
 *      mbus_commands_add_integer(c, 70);
 *      mbus_commands_end(c);
 */
int mbus_commands_new(struct mbus_commands **ret_commands);
struct mbus_commands *mbus_commands_free(struct mbus_commands *commands);
/* Empties it, forgets mistakes, keeps the memory. */
void mbus_commands_clear(struct mbus_commands *commands);
/*
 * Of the commands that begin with "mbus." three are for applications, among others or alone:
 * mbus.quit() asks who gets it to end (9.4); mbus.waiting(CONDITION) says for what one waits, is
 * sent unreliably only, and again and again (9.5); mbus.go(CONDITION) says reliably, and only so,
 * that it is there (9.6). Other sends of them are MBUS_E_RESERVED. A condition is one symbol or
 * string: it goes as a symbol where it can be one, in DIALECT=UCL as a string.
 */
void mbus_commands_begin(struct mbus_commands *commands, const char *name);
void mbus_commands_end(struct mbus_commands *commands);
void mbus_commands_begin_list(struct mbus_commands *commands);
void mbus_commands_end_list(struct mbus_commands *commands);
void mbus_commands_add_integer(struct mbus_commands *commands, int64_t integer);
void mbus_commands_add_float(struct mbus_commands *commands, double real); /* finite */
void mbus_commands_add_string(struct mbus_commands *commands, const char *text);
void mbus_commands_add_symbol(struct mbus_commands *commands, const char *symbol);
void mbus_commands_add_data(struct mbus_commands *commands, const void *bytes, size_t n);
/* A copy of a received value. */
void mbus_commands_add_value(struct mbus_commands *commands, const struct mbus_value *value);
/* Commands as text, one a line, added behind the last whole command. *@ret_at (may be NULL) is the
 * offset and *@ret_what (may be NULL) a sentence about what is wrong there; an escape in a string
 * that is none of \n, \" and \\ is. 0, MBUS_E_MALFORMED, MBUS_E_RESERVED or -ENOMEM. */
int mbus_commands_add_text(struct mbus_commands *commands, const char *text, size_t *ret_at,
                           const char **ret_what);
/*
 * Commands as printf(3) writes texts, one a line, added behind the last whole command; or, in a
 * command or list that is not ended, parameters:
 *      mbus_commands_addf(c, "player.load(%s %d FAST)", uri, 3);
 * A conversion is one whole parameter:
 *      %s              a string, quoted and escaped, of UTF-8; not NULL
 *      %d %i %u        an integer; with hh h l ll j z t as in printf(3)
 *      %f %g           a float, finite, as the RFC writes it in every locale, without exponent,
 *                      with all its digits; %.3f is rounded to 3 places behind the point, %.3g
 *                      to 3 in all
 * Others, flags, a width, "*", "%%", and a quote in @format are MBUS_E_MALFORMED, as is what does
 * not become commands. Symbols stand in @format or come, as data does, by
 * mbus_commands_add_symbol() and _data() between mbus_commands_begin() and _end(). Returns the
 * first mistake, as mbus_commands_check() does, with which @commands can be cleared only;
 * mbus_commands_get_error() tells where in @format, and why.
 */
int mbus_commands_addf(struct mbus_commands *commands, const char *format, ...) MBUS_FORMAT(2, 3);
int mbus_commands_vaddf(struct mbus_commands *commands, const char *format, va_list arguments)
        MBUS_FORMAT(2, 0);
/* 0, or the first mistake: MBUS_E_MALFORMED (a name or symbol that is none, a number that is not
 * finite, text that is no UTF-8, calls out of order, an open list, parameters that mbus.quit,
 * mbus.waiting or mbus.go do not have), MBUS_E_RESERVED, -ENOMEM. */
int mbus_commands_check(const struct mbus_commands *commands);
/* What that mistake is, a sentence in static storage; "" if there is none. *@ret_at (may be NULL)
 * is where it stands in the text or format that was added, 0 if none was. */
const char *mbus_commands_get_error(const struct mbus_commands *commands, size_t *ret_at);
/* The payload so far, in the canonical form of the RFC; "" after a mistake. */
const char *mbus_commands_get_text(const struct mbus_commands *commands);

/* ---- addresses ----------------------------------------------------------------------------- */

/*
 * The order of elements and white space mean nothing (4). What the library gives, in events,
 * messages and snapshots, is one text for each address: the elements sorted by the octets of their
 * tags, the id last, one space between them, no other white space: "(app:player module:ui
 * id:7-1@10.1.0.2)". So addresses are equal if their texts are. mbus_message_get_text() has them as
 * they were written.
 */

/* 0 if @address follows the grammar (4), else MBUS_E_MALFORMED with the offset and a sentence about
 * what is wrong there (each may be NULL). */
int mbus_address_check(const char *address, size_t *ret_at, const char **ret_what);
/* The same for an address that mbus_bus_add_entity() is to take: if there is an id element, it has
 * the form of 4.1, NUMBER-NUMBER@HOST. */
int mbus_address_check_own(const char *address, size_t *ret_at, const char **ret_what);
/* Whether all elements of @target are among those of @address (6.2). False if one is malformed. */
bool mbus_address_matches(const char *target, const char *address);
/* The i-th element of @address in the order of the tags, as offsets and lengths into it (each may
 * be NULL); false behind the last, or if it is malformed. */
bool mbus_address_get_element(const char *address, size_t i, size_t *ret_tag, size_t *ret_tag_n,
                              size_t *ret_value, size_t *ret_value_n);

#ifdef __cplusplus
}
#endif

#endif
