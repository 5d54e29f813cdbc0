/*
 * watches.h - which other entities the application wants to hear of.
 */
#ifndef MBUS_BUS_WATCHES_H
#define MBUS_BUS_WATCHES_H

#include <api/api.h>

/* Addresses that one bus may watch: each is compared with each newcomer. */
#define WATCHES_MAX 64

struct watch {
        struct address *address; /* owned */
        uint32_t seq;            /* link: of the question */
        bool answered;           /* link: since the link is up */
        bool announced;          /* MBUS_EVENT_WATCHING was given */
};

struct watches {
        struct watch all[WATCHES_MAX];
        size_t n;
};

/* The new one; NULL: there is no memory. There are less than WATCHES_MAX. */
struct watch *watches_add(struct watches *ws, const struct address *address);
/* Those behind it move up. */
void watches_remove(struct watches *ws, size_t i);
/* Whether one of them matches @address. */
bool watches_match(const struct watches *ws, const struct address *address);
void watches_deinit(struct watches *ws);

#endif
