/*
 * limits.h - every number that bounds what a peer, a client or a file can make grow.
 *
 * A limit stands here with its reason; the section numbers are those of RFC 3259. The constants of
 * RFC 3259, section 10 stand here too, because a reader looks for them in one place.
 */
#ifndef MBUS_CORE_LIMITS_H
#define MBUS_CORE_LIMITS_H

#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)

/* A point in time that never comes. */
#define TIME_NEVER UINT64_MAX

/* What a UDP datagram over IPv4 can carry at most; the RFC's 64 KByte (6) is a little more. */
#define DATAGRAM_MAX 65507
/* What a receiver's buffer must hold, whatever the sender did. */
#define DATAGRAM_BUFFER_SIZE 65536
/* The UCL library reads into 1500 octets; DIALECT=UCL keeps clear of that. */
#define DATAGRAM_MAX_UCL 1400

/* Elements of one address. The RFC names none; deployed addresses have 2 to 6. */
#define ADDRESS_ELEMENTS_MAX 32
#define ADDRESS_TAG_MAX 32   /* section 4 */
#define ADDRESS_VALUE_MAX 64 /* section 4 */
/* "(" elements with a space each ")". More white space may be received, and is not kept. */
#define ADDRESS_TEXT_MAX (2 + ADDRESS_ELEMENTS_MAX * (ADDRESS_TAG_MAX + 1 + ADDRESS_VALUE_MAX + 1))

/* Lists in lists: deep enough for every profile, and no recursion can exhaust a stack. */
#define VALUE_DEPTH_MAX 64
/* Values and lists of one message: bounds what 64 KByte of "(" and digits cost in memory. */
#define VALUES_MAX 32768
/* SeqNums in one AckList. */
#define ACKS_MAX 1024
/* SeqNums that one acknowledgement of ours carries, so that it stays under an Ethernet MTU. */
#define ACKS_SENT_MAX 64

/* Section 10. */
#define HELLO_FACTOR_MS 200
#define HELLO_MIN_MS 1000
#define HELLO_DITHER_MIN 0.9
#define HELLO_DITHER_MAX 1.1
#define HELLO_DEAD 5
#define RELIABLE_T_R_MS 100
#define RELIABLE_N_R 3
#define RELIABLE_T_C_MS 70

/* Old UCL programs send for about five seconds and take one reliable message at a time. */
#define RELIABLE_T_R_UCL_MS 250
#define RELIABLE_N_R_UCL 6
#define RELIABLE_SEQ_MOD_UCL 1000000
/* They tell a new message from a repetition by its SeqNum alone: a life begins anywhere from 1 to
 * here, far enough below the end (spec/errata.md, 79). */
#define SEQ_FIRST_MAX_UCL 900000
/* They take for dead who says nothing for five seconds, whoever else there is: all say hello every
 * second, unless that would be more than so many hellos a second of one process (80). */
#define HELLOS_PER_SECOND_UCL 200
/* Who says hello as often as that is missed after 5.5 seconds, too. */
#define HELLO_BRISK_MS 1500

/* Reliable messages in flight to one peer; more wait in line. */
#define RELIABLE_WINDOW 256
#define RELIABLE_WINDOW_UCL 1
/* Reliable messages of one entity that are not finished, in flight or in line. */
#define RELIABLE_OUTSTANDING_MAX 16384
/* Octets of those of one engine, which keeps them to send them again: a peer that does not
 * acknowledge could otherwise be made to cost 1 GB an entity. */
#define RELIABLE_BYTES_MAX (64u << 20)

/* Destinations of one engine that reliable messages wait for until they are known. */
#define SEARCHES_MAX 1024
/* A destination is asked no more often than this: mbus.ping (9.3). */
#define SEARCH_PAUSE_MS 1000
/* All that match have answered by then: they may take HELLO_MIN_MS, and a little for the way ... */
#define SEARCH_SURVEY_MS 1050
/* ... or, where nobody is pinged, have said hello: each interval of a second and its dither, and
 * the same. */
#define SEARCH_SURVEY_UCL_MS 1200

/* Conditions that one entity waits for: programs wait for their children, a few each. */
#define WAITS_MAX 64
/* Octets of a condition: a token, or a name such as "rat-ui-requested". */
#define CONDITION_MAX 255
/* How often mbus.waiting is said (9.5 leaves it to the application): as often as the quickest
 * hello. */
#define WAITING_REPEAT_MS 1000
/* Octets of the conditions that are said in one message: with its header it goes in one datagram of
 * any link, and of the old programs. */
#define WAITING_BYTES_MAX 1000

/* Known entities of one engine. An authenticated flood of made-up sources stops here. */
#define PEERS_MAX 65536
/* Whoever has taken a full address that somebody gave him gives it up again if it is heard from
 * somebody else within this, twice what it takes to say and to answer a first hello. */
#define ADDRESS_PROBE_MS 2000
/* Whoever has it for longer says so, once, and waits for so long for the other to go ... */
#define ADDRESS_DEFENCE_MS 1000
/* ... and gives it up if it is heard from somebody else again within this. */
#define ADDRESS_PEACE_MS 10000

/* Entities that said bye or fell silent, remembered against late and replayed messages. */
#define TOMBSTONES_MAX 4096
#define TOMBSTONE_MS 10000
/* Local entities of one engine: an application has one or a few, a broker thousands. */
#define ENTITIES_MAX 65536
/* An entity that was given another address is given the next one after this pause, twice as long
 * each time, up to the longest: who echoes all that we say, or a loop of networks, must not make us
 * change names, greet everybody and write it into logs at the rate of his datagrams. */
#define RENAME_PAUSE_MIN_MS 1000
#define RENAME_PAUSE_MAX_MS 64000

/* Sequence numbers that the duplicate filter remembers of one source: a bit each ... */
#define WINDOW_BITS 1024
/* ... and with their time stamps, to tell a repetition from a restarted sender: the last ones
 * always, */
#define WINDOW_STAMPS 32
/* and all of them for so many sources that send more within the time of a repetition: 4 KB each, 32
 * MB in all. */
#define PEERS_STAMPED_MAX 8192

/* Acknowledgement lists kept to be sent again (section 7, T_k), per peer. */
#define ACK_COPIES_MAX 32

/* Reliable messages of one peer to one entity that its owner has not acknowledged yet. */
#define WITHHELD_MAX 1024

/* Events that wait for the application, and the memory that they take. Beyond: see engine.h. */
#define EVENTS_MAX 65536
#define EVENTS_BYTES_MAX (64u << 20)
/* Datagrams that wait for the socket, in octets. */
#define OUTGOING_BYTES_MAX (8u << 20)

/* A configuration file is a dozen lines. */
#define CONFIG_BYTES_MAX 65536
#define CONFIG_INTERFACES_MAX 8
/* The longest name that the kernel gives an interface, an altname, and a zero octet. */
#define CONFIG_INTERFACE_NAME_MAX 128
#define CONFIG_WARNINGS_MAX 16
/* HMAC takes a key of any length (RFC 2104); nobody needs a longer one than this. */
#define CONFIG_KEY_MAX 256

/* Filters of one observer: each message is compared with them. */
#define OBSERVE_FILTERS_MAX 16

/* A frame on a broker link carries one message. */
#define FRAME_MAX 65536
/* On a link over TCP, the longest that comes before the other side has proved that it has the
 * key. */
#define STREAM_HELLO_MAX 64

/* What a client has not yet handed to the broker: beyond it sending says "full". */
#define LINK_OUTPUT_MAX (4u << 20)
/* Events that wait for a client's application, and the memory that they take, beyond which it stops
 * reading: the broker's own limits then work on those who send. */
#define LINK_EVENTS_HIGH 16384
#define LINK_EVENTS_BYTES_HIGH (16u << 20)
/* The broker's sentence about something that failed, which waits with the event: longer than any
 * that it says. */
#define WHY_MAX 1024
/* A link that shows no sign of life for so long ends the tickets of its client, unless the broker
 * has named a longer time: longer than anything may take that a broker does not say anything
 * meanwhile. */
#define LINK_SILENCE_MS 15000
/* The last reliable messages that a client keeps in mind, for those that are repeated to the next
 * broker: more in the time of its repetitions (7) are seldom acknowledged just before a broker
 * dies. */
#define LINK_SEEN_MAX 1024

#endif
