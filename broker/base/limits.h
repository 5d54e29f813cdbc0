/*
 * limits.h - every number that bounds what a client of the broker can make grow, with its reason.
 *
 * What entities of the bus can make grow is bounded in libmbus/core/limits.h.
 */
#ifndef BROKER_BASE_LIMITS_H
#define BROKER_BASE_LIMITS_H

/* Clients are read into chunks of this size, which they share: large enough that a full socket
 * buffer fits, small enough to stay in a second-level cache. */
#define CHUNK_SIZE (256u << 10)
/* So many that nobody refers to are kept for the next messages ... */
#define CHUNKS_SPARE_MAX 4
/* ... and so many may be held by clients that do not keep up before their messages are copied out
 * of them: a client that is behind for a moment, as any may be, costs nothing. Those that stay
 * behind for ever can hold all of these, and then others are copied again; that is all that comes
 * of it. */
#define CHUNKS_HELD_MAX 16
/* The most that one client may put into a chunk in one iteration, so that all get their turn ... */
#define READ_MAX (128u << 10)
/* ... and the least room with which reading begins. */
#define READ_MIN (32u << 10)
/* Chunks that a slow client's messages are copied into: so large that each is a mapping of its own,
 * which goes back to the system when it is freed (chunk.c). */
#define CHUNK_COMPACTED_SIZE (128u << 10)

/* What waits for one client: enough for seconds of audio control, not for a client that sleeps.
 * From here to COMMAND_RATE the numbers are defaults, which [limits] changes (config/limit.h). */
#define QUEUE_BYTES_MAX (8u << 20)
#define QUEUE_MESSAGES_MAX 65536
/* The least that the limits of octets can be set to: two messages of the largest size. */
#define QUEUE_BYTES_MIN (128u << 10)
/* Answers and acknowledgements must not be lost, so they have as much again; a client that does
 * not read them either has its link closed. */
#define QUEUE_ANSWERS_FACTOR 2
/* What waits for all clients together: a small part of any machine's memory. A message costs 24
 * octets beside its own. */
#define QUEUES_BYTES_MAX (256u << 20)
#define QUEUES_MESSAGES_MAX (2u << 20)

/* Entities of one link, and of all: the engine takes ENTITIES_MAX, of which one is the broker's. */
#define LOCAL_ENTITIES_MAX 16384
#define LOCAL_ENTITIES_TOTAL_MAX 65535
/* Reliable messages of one link, and of all, whose end is not known yet; 40 octets each. */
#define TICKETS_MAX 65536
#define TICKETS_TOTAL_MAX (1u << 20)
/* Octets of reliable messages that one bus has not acknowledged, whoever sent them: no less than
 * what BYTES lets all clients have, so that their shares decide who gets how much, and not who came
 * first. */
#define BUS_RELIABLE_BYTES_MAX (256u << 20)
/* Links: each costs a descriptor and 1 KB. */
#define LINKS_MAX 16384
/* Addresses that one link watches: each is compared with every entity that comes. */
#define WATCHES_MAX 64
/* A link that is not read, for a rate, hears of us so often: its tickets are to end with the signs
 * of life of the broker (LINK_SILENCE_MS), and not because they wait. */
#define PAUSE_SIGN_MS 5000
/* A reliable message waits for its destination no longer, in ms: it takes a ticket and octets
 * meanwhile. */
#define PATIENCE_MAX_MS 60000
/* broker.* commands of one user a second: an attach is a hello on the bus, and new fanouts for all
 * that send. At first an application, or a few of them, may attach all that they have at once. */
#define COMMAND_RATE 1000
#define COMMAND_BURST 20000
/* No limit can be set higher: sums of them cannot overflow. */
#define LIMIT_VALUE_MAX (UINT64_C(1) << 40)

/* Lines of [policy] that are for one link: a bit each of a fanout's uint64_t. */
#define RIGHTS_MAX 64
/* Supplementary groups of a peer that are looked at; Linux knows up to 65536. */
#define PEER_GROUPS_MAX 65536

/* Commands of one entity whose last value is kept, and what they take of a link and of all. A name
 * counts for RETAINED_COST octets, so that there are at most 16384, each of which is compared with
 * every entity that attaches; one that takes more counts for that. */
#define RETAINED_NAMES_MAX 16
#define RETAINED_COST 1024
#define RETAINED_BYTES_MAX (1u << 20)
#define RETAINED_BYTES_TOTAL_MAX (16u << 20)
#define RETAINED_BYTES_MIN (4u << 10)

/* Destinations of a link that are remembered (routing/fanout.h), and recipients of a remembered
 * one. */
#define FANOUTS_MAX 4
#define FANOUT_CLIENTS_MAX 64

/* Octets of one broker.joined: a reader needs no larger buffer than for other messages. */
#define JOINED_BYTES_MAX 16384
/* Octets of one answer that routes may fill, which people write as long as they like; the rest of
 * the answer, and its header, need less than what is left of a frame. */
#define ANSWER_BYTES_MAX 49152
/* The next piece of a list of entities or links is made when less than this waits for the link:
 * half of the least limit, so that a list cannot fill it, and enough for the link to be busy
 * with. */
#define LISTS_MARK (64u << 10)
/* Questions that wait for the lists before them: more than all that a link watches, of the longest
 * addresses. */
#define LISTS_BYTES_MAX (512u << 10)

/* Wrong proofs of the bus's keys in PROOFS_MINUTE_MS, of each user who is not the owner: each is a
 * guess. */
#define PROOFS_MAX 10
#define PROOFS_MINUTE_MS 60000

/* TCP links: lines TCP=, and the addresses that names in them may have; what waits on its way in
 * each direction, and what is read at once; connections that have not proved that they
 * have the key, and how long they may take; and when silence is asked about, so that who was
 * unplugged is gone after 25 s. */
#define TCP_PLACES_MAX 8
#define TCP_LISTENERS_MAX 16
#define TCP_PIPE_MAX (256u << 10)
#define TCP_READ_SIZE (64u << 10)
#define TCP_STRANGERS_MAX 64
#define TCP_PROOF_MS 5000
#define TCP_IDLE_S 10
#define TCP_INTERVAL_S 5
#define TCP_PROBES 3
/* Letters of a bus's name, buses of one broker, and routes between them, each of which is asked
 * about every newcomer. */
#define BUS_NAME_MAX 32
#define BUSES_MAX 16
#define EXPORT_RULES_MAX 256
/* Entities that are not to be seen on another bus for a while, of each two buses. */
#define HOLDS_MAX 65536

/* Slices that one system call sends; the kernel takes up to 1024. */
#define FLUSH_SLICES_MAX 256
#define ACCEPT_BATCH 64
/* Without descriptors, accepting rests for this long. */
#define ACCEPT_PAUSE_MS 100
/* How often the socket's file is looked for, since nobody finds a broker without one; and how long
 * a second broker waits for the first to listen, to make its socket again, or to end, and how often
 * it looks. */
#define SOCKET_CHECK_MS 1000
#define LOCK_PATIENCE_MS 2500
#define LOCK_PAUSE_MS 50
/* How long the last messages may take at the end, to the bus and to clients: all of it is over
 * within a second, which is what a service manager, and who waits for a restart, can live with. */
#define STOP_MS 500
/* Those who read metrics: a few scrapers, and somebody who looks. A request is short; one that does
 * not come to its end within some seconds is none. */
#define METRICS_CONNECTIONS_MAX 16
#define METRICS_CONNECTION_BYTES_MAX (16u << 10)
#define METRICS_TIMEOUT_S 10
/* What the sockets, the loop and the first client take, with some to spare. */
#define DESCRIPTORS_MIN 32
/* A line whose rate is limited is logged again after this long. */
#define LOG_INTERVAL_MS 10000
/* Lines of the log that were lost are told of so soon after that was tried. */
#define LOG_RETRY_MS 1000
/* All clients are told of what the bus lost, which is work for many when there is too much
 * already. */
#define LOSS_PAUSE_MS 1000
/* A link is told of what it may not send, in sum. */
#define DENIALS_PAUSE_MS 1000

#endif
