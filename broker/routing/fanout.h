/*
 * fanout.h - who gets what one entity sends to one destination, remembered.
 */
#ifndef BROKER_ROUTING_FANOUT_H
#define BROKER_ROUTING_FANOUT_H

#include <core/message.h>

#include <broker/net/connection.h>

/* Who gets a reliable message. */
enum resolution {
        ROUTE_UNRESOLVED,
        ROUTE_NOBODY,
        ROUTE_LOCAL,
        ROUTE_PEER,
        ROUTE_SEVERAL,
};

/* What the sender's rights let pass. */
enum permission {
        PERMIT_ALL,
        PERMIT_SOME, /* it depends on the command */
        PERMIT_NONE,
};

struct route {
        uint64_t generation; /* the route is valid as long as broker.generation is the same */
        struct attachment *src;
        enum permission permission;
        uint64_t lines;          /* with PERMIT_SOME: those of [policy] that let messages pass */
        struct address dest;     /* its text stands in `pattern` */
        struct attachment *only; /* the local entity that dest names in full */
        bool is_peer;            /* dest names a remote entity in full */
        bool has_peers;          /* dest matches remote entities */
        bool exported;           /* what is sent may go to other buses, too */
        enum resolution resolution;
        struct attachment *target; /* with ROUTE_LOCAL */
        struct name *name;         /* with ROUTE_PEER */
        struct client **clients;   /* each once, even if several of its entities match */
        size_t n;
        size_t pattern_n;
        char pattern[]; /* "SRC DEST ", plain, as most headers have it */
};

/* The route for @h from @src, an entity of @c; NULL when memory is short. */
struct route *route_get(struct broker *b, struct client *c, struct attachment *src,
                        const struct header *h);
/* The route whose addresses stand at the start of *@rest, which is advanced behind them; or NULL. An
 * AckList begins there. */
struct route *route_recall(struct broker *b, struct client *c, struct span *rest);
/* Who gets a reliable message. ROUTE_UNRESOLVED: memory is short. */
enum resolution route_resolve(struct broker *b, struct route *route, struct attachment **ret_target,
                              struct name **ret_name);
/* Fills broker.matches with the *@ret_n local entities that @dest matches. False when memory is
 * short. */
bool route_match(struct broker *b, const struct address *dest, size_t *ret_n);
/* Takes NULL, returns NULL. */
struct route *route_free(struct route *route);

#endif
