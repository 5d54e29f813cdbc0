/*
 * udp-state.h - a bus on UDP: its sockets, where they are, and what is the matter with them.
 *
 * A file of it has one noun and stands on those above it:
 *
 *      udp-notice   what there is to tell about the network
 *      udp-sockets  how the sockets are opened, and joined to the group
 *      udp-follow   the bus moves with the interfaces of the host
 *      udp-network  the bus finds out that it is mute, deaf, or among strangers
 *      udp          datagrams in and out
 *      udp-open     a bus is opened and closed
 *
 * Invariants: what is sent leaves by the own socket only, whose port is never the bus port; the
 * host-id does not change while the bus is open, wherever it moves; no error of the network ends a
 * bus that was opened.
 */
#ifndef MBUS_IO_UDP_STATE_H
#define MBUS_IO_UDP_STATE_H

#include "batch.h"
#include "interface.h"
#include "udp-limits.h"

/* How long a refusal of the kernel must be past before the bus is said to speak again. */
#define MUTE_AFTERMATH (10 * NSEC_PER_SEC)
/* After so long without a sound, in which so many messages should have come back, the bus is
 * deaf. */
#define DEAF_AFTER (3 * NSEC_PER_SEC)
#define DEAF_MESSAGES 3
/* How long nothing but messages of strangers is heard before that is remarkable. */
#define STRANGE_AFTER (2 * NSEC_PER_SEC)
/* Without netlink: how often the interfaces are looked at. */
#define LOOK_EVERY (5 * NSEC_PER_SEC)

/* Addresses that we sent from lately: datagrams with an old one may still come back. */
#define SOURCES_MAX 8
/* A sentence for each option that a system may lack. */
#define UDP_LACKS_MAX 768

/* Something to tell, and whether it lasts. */
struct notice {
        bool pending;
        bool lasts;
        char text[UDP_NOTICE_MAX];
};

/*
 * What is the matter with the network (udp-network.c). Nothing is counted twice: n_sent and n_heard
 * only grow, sent_seen and heard_seen are what they were once, and so never more.
 *
 * Mute: a refusal of the kernel, or an interface that is gone or has no carrier (`stuck`), lasts
 * until neither was for MUTE_AFTERMATH. Deaf: deaf_at is set when something was sent to the group
 * since the last sound; if DEAF_MESSAGES of it have brought none by then the groups are joined once
 * more (`repaired`), and if that did not help until the next time, it is told.
 */
struct udp_network {
        struct notice notices[MBUS_NETWORK_MAX];
        int refusal;                  /* -errno of the last refusal; 0: none since it was over */
        uint64_t refused_at;          /* when that, or what `stuck` is about, was last */
        char missing[UDP_NOTICE_MAX]; /* of several interfaces the first that is not there; "" */
        int join_error;               /* -errno of joining, as far as it was told */
        bool stuck;         /* the interface that is sent from is gone, or has no carrier */
        uint64_t deaf_at;   /* when to see if what was sent came back; TIME_NEVER: nothing was */
        uint64_t n_sent;    /* to the group, ever */
        uint64_t n_heard;   /* from the group, own datagrams included, ever */
        uint64_t sent_seen; /* n_sent and n_heard when a sound was last heard */
        uint64_t heard_seen;
        uint32_t skipped_seen; /* the kernel's count of own datagrams that it did not give us */
        bool repaired;         /* joined once more, which did not help yet */
        uint64_t strange_since[MBUS_NETWORK_MAX]; /* 0: not */
        char current[UDP_NOTICE_MAX];             /* what udp_network() made */
        bool dialect_is_ucl;
};

/*
 * Invariants: the group's socket and the own one are open as long as the bus is. `choice` has at
 * least one interface, the first of which is sent from unless it is absent. What is in `out`
 * between two calls is nothing: datagrams wait in the engine.
 */
struct udp {
        struct interface_rule rule;
        struct interface_choice choice;
        int group_fd;
        int own_fd;
        int watch_fd;   /* news of interfaces; -1: there is no netlink */
        int netlink_fd; /* and more about them, if asked */
        uint16_t own_port;
        bool blocked; /* datagrams wait for the own socket */
        union socket_address sources[SOURCES_MAX];
        unsigned n_sources; /* ever; the newest is at (n - 1) % SOURCES_MAX */
        uint32_t lost[2];   /* the kernel's counts for the group and the own socket */
        bool skips_own;     /* the group socket does not take what we send ... */
        uint32_t n_unheard; /* ... of which the kernel counts each as lost there */
        bool gathers;       /* the own socket takes several datagrams as one piece */
        size_t mtu;
        char name[SOCKET_ADDRESS_TEXT_MAX];
        char host_id[HOST_ID_MAX];
        const char *failed_call; /* while opening */
        int failed;
        char lacks[UDP_LACKS_MAX]; /* what the system has not, and what comes of it */
        struct udp_traffic traffic;
        struct udp_network network;
        uint64_t now;     /* as far as is known */
        uint64_t look_at; /* without netlink: when to look at the interfaces; else TIME_NEVER */
        char warnings[2][INTERFACE_WARNING_MAX]; /* beside that of the choice */
        unsigned n_warnings;
        char opened_with[INTERFACE_WARNING_MAX]; /* that of the choice when it was made first */
        char where[UDP_INTERFACES_MAX];
        struct receive_batch in;
        struct send_batch out;
};

static inline const struct interface *udp_sender(const struct udp *u)
{
        return &u->choice.interfaces[0];
}

static inline int udp_family(const struct udp *u)
{
        return u->rule.group.any.sa_family;
}

#endif
