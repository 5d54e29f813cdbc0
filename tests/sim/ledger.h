/*
 * ledger.h - each message by its serial number: who sent it, whom it was for, who got it, what became
 * of its ticket.
 */
#ifndef MBUS_TESTS_SIM_LEDGER_H
#define MBUS_TESTS_SIM_LEDGER_H

#include "core/engine.h"
#include "members.h"

struct world;
struct node;
struct member;

struct letter {
        uint32_t from; /* member */
        bool reliable;
        bool must_arrive; /* reliable, and nothing can stop it but a death */
        bool is_unheard;  /* whom it is for was not known to the sender */
        bool ended;
        bool orphaned; /* the sender died with it */
        enum mbus_reason reason;
        uint64_t ticket;
        uint64_t sent;
        uint64_t first; /* transmission; 0: none yet */
        uint64_t print; /* of what was transmitted then */
        unsigned n_transmissions;
        unsigned n_commands;
        uint32_t node, slot; /* the place that a reliable one is for */
        struct address *dest;
        struct members expected;
        struct members seen;
};

struct ledger {
        struct letter *letters; /* by serial number */
        size_t n;
        size_t size;
        size_t first_open; /* no older one is reliable and has not ended */
        uint64_t n_arrived;
        uint64_t n_delivered;
        uint64_t n_failed;
};

void ledger_deinit(struct ledger *ledger);

/* Writes the payload of the next message and books it; NULL if @dest cannot get a reliable one. */
struct letter *ledger_write(struct world *w, const struct member *from, const struct address *dest,
                            bool reliable, struct buffer *ret_payload);
/* The last one written could not be sent. */
void ledger_tear(struct world *w);
/* A datagram goes out. */
void ledger_transmitted(struct world *w, const struct node *node, struct span datagram);
void ledger_arrived(struct world *w, const struct member *at, const struct message *message);
void ledger_ended(struct world *w, const struct node *node, const struct event *event);
/* @member is gone: its tickets end without a word. */
void ledger_forget(struct world *w, const struct member *member);

#endif
