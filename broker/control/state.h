/*
 * state.h - what the files of control/ share.
 *
 * Invariants: a session is in `listing` exactly when is_listing is set: it has lists to be told,
 * and room for more. lists_bytes is what its `lists` cost, which its user is charged for.
 */
#ifndef BROKER_CONTROL_STATE_H
#define BROKER_CONTROL_STATE_H

#include <core/proof.h>

#include <broker/bridge/bridge.h>

struct command_table;
struct listing;

/* What is remembered of a session. */
struct session_control {
        struct control *all;
        struct session *session;
        struct listing *lists; /* that are told (lists.h) */
        size_t lists_bytes;
        struct list_node listing_node;
        bool is_listing;
        uint8_t nonce[PROOF_NONCE_SIZE]; /* for the next broker.same-bus */
        bool has_nonce;
};

#define COMMAND_TABLES_MAX 8

struct control {
        struct session_listener listener;
        struct broker_commands commands; /* what routing/ is given */
        struct bridges *bridges;
        struct routing *routing;
        struct sessions *sessions;
        struct buses *buses;
        struct iteration *it;
        struct quota *quota;
        const struct settings *settings;
        const struct socket_file *socket; /* that clients connect to */
        const struct command_table *tables[COMMAND_TABLES_MAX];
        unsigned n_tables;
        struct list listing; /* sessions that are to be told more of a list */
};

#endif
