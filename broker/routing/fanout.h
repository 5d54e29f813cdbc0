/*
 * fanout.h - who gets what one entity sends to one destination, remembered.
 */
#ifndef BROKER_ROUTING_FANOUT_H
#define BROKER_ROUTING_FANOUT_H

#include "state.h"

/* Who gets a reliable message. */
enum resolution {
        FANOUT_UNRESOLVED,
        FANOUT_NOBODY,
        FANOUT_LOCAL,
        FANOUT_PEER,
        FANOUT_SEVERAL,
};

/* What the sender's rights let pass. */
enum permission {
        PERMIT_ALL,
        PERMIT_SOME, /* it depends on the command */
        PERMIT_NONE,
};

/*
 * Invariants: while its generation is the room's, `src` is an entity of the session that remembers
 * it, or, if it is routing.wide, of some session; `sessions` are those of all entities that `dest`
 * matches, but for `src`; with `only` there is at most that one's. `target` is there with
 * FANOUT_LOCAL and `remote` with FANOUT_PEER, and neither otherwise. A resolution stays as it is:
 * who would change it changes the generation.
 */
struct fanout {
        uint64_t generation;
        struct local_entity *src;
        enum permission permission;
        uint64_t lines;            /* with PERMIT_SOME: those of [policy] that let messages pass */
        struct address dest;       /* its text stands in `pattern` */
        struct local_entity *only; /* the local entity that dest names in full */
        bool is_peer;              /* dest names a remote entity in full */
        bool has_peers;            /* dest matches remote entities */
        bool exported;             /* what is sent may go to other buses, too */
        enum resolution resolution;
        struct local_entity *target;   /* with FANOUT_LOCAL */
        struct remote_address *remote; /* with FANOUT_PEER */
        struct session **sessions;     /* each once, even if several of its entities match */
        size_t n;
        size_t pattern_n;
        char pattern[]; /* "SRC DEST ", plain, as most headers have it */
};

/* The one for @h from @src, an entity of @s; NULL when memory is short. */
struct fanout *fanout_get(struct routing *routing, struct session *s, struct local_entity *src,
                          const struct header *h);
/* The one whose addresses stand at the start of *@rest, which is advanced behind them; or NULL. An
 * AckList begins there. */
struct fanout *fanout_recall(struct routing *routing, struct session *s, struct span *rest);
/* Who gets a reliable message. FANOUT_UNRESOLVED: memory is short. */
enum resolution fanout_resolve(struct routing *routing, struct fanout *fanout,
                               struct local_entity **ret_target,
                               struct remote_address **ret_remote);
/* Finds the *@ret_n local entities that @dest matches, for matches_at(), until the next call.
 * False when memory is short. */
bool match_entities(struct routing *routing, const struct address *dest, size_t *ret_n);
static inline struct local_entity *matches_at(const struct routing *routing, size_t i)
{
        return entity_data(routing->matches[i]);
}

/* What fanouts remember is not so any more, for all of them: an entity joined or left
 * (routing.c), a proxy came or went (bridge/proxy), routes between buses changed (bridge/plan),
 * or rights and options did (ops/reload). Whatever else comes to change what fanout_new() looks
 * at has to say so, too. */
static inline void fanouts_invalidate(struct routing *routing)
{
        routing->generation++;
}

/* Takes NULL, returns NULL. */
struct fanout *fanout_free(struct fanout *fanout);
/* Forgets what @s has sent to. */
void fanouts_forget(struct session *s);

#endif
