/*
 * told.h - entities that are told something reliably, one after the other, and what became of it.
 */
#ifndef CLI_TOLD_H
#define CLI_TOLD_H

#include "loop.h"
#include "session.h"

/* Invariant: n_open of the n have neither been delivered nor failed. */
struct told {
        struct told_one {
                char *address;
                uint64_t ticket;
                bool is_open;
        } * all;
        size_t n;
        size_t n_open;
        int status; /* EXITS_OK, or that of the first that failed */
};

void told_deinit(struct told *told);
bool told_has(const struct told *told, const char *address);
/* @address was sent a message with @ticket. LOOP_ON or EXITS_FAILED. */
int told_add(struct told *told, const char *address, uint64_t ticket);
/* DELIVERED prints the address, FAILED says why; others are nothing to it. LOOP_ON, or the exit
 * status of a reader that went away. */
int told_on_event(struct told *told, const struct mbus_event *event);

#endif
