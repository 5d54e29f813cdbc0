/*
 * search.h - destinations that are looked for, and the reliable messages that wait for them.
 *
 * Whoever exists need not have been heard yet. A message to a destination that nobody is known to
 * match, or that more may match than are known, waits here while the destination is asked to
 * announce itself (9.3) and all that match have had the time to: the survey. How a search is judged
 * and what becomes of its messages is the owner's business; the module keeps the books: who waits
 * where, in the order of the calls, when the question is to be asked, when the survey is over, and
 * when a message has waited for as long as its sender has patience. A search outlives its last
 * message, so that a destination is not asked more often than once in SEARCH_PAUSE_MS, and so that
 * what was found out is not asked again.
 *
 * Bounded: SEARCHES_MAX destinations; messages are counted by the owner, who knows whom to charge.
 */
#ifndef MBUS_CORE_SEARCH_H
#define MBUS_CORE_SEARCH_H

#include "deadline.h"
#include "index.h"
#include "list.h"

/* A message that waits, in exactly one search. */
struct waiter {
        struct deadline deadline; /* when its sender's patience ends */
        struct search *search;
        void *owner;           /* the entity that sends it */
        uint64_t key;          /* the owner's name for it */
        struct buffer bytes;   /* what there is to send */
        struct list_node node; /* in search.waiters */
};

/*
 * A destination. It is in searches.waited_for while somebody waits in it. First it is not asked;
 * then it is asked and its survey runs, which ends SEARCH_SURVEY_MS later (9.3: those who match
 * answer within c_hello_min; AWR-10); then it is over, as long as nobody asks again. is_over
 * implies is_asked.
 */
struct search {
        struct deadline deadline; /* when it is to be judged */
        struct index_entry entry; /* the destination */
        uint64_t asked;           /* when the question went out */
        bool is_asked;            /* it did */
        bool is_over;             /* all that match have had the time to say so since */
        struct list waiters;      /* in the order of the calls */
        struct list_node node;    /* in searches.waited_for */
};

struct searches {
        struct index all;
        struct list waited_for; /* those that somebody waits in, oldest first */
        struct deadlines judgements;
        struct deadlines patience;
        uint64_t survey; /* ns from the question to its end */
        bool asks; /* there is a question; else hellos are awaited, or the owner knows better */
        size_t n_waiters;
        size_t bytes; /* that they have to send */
};

static inline struct waiter *waiter_of_node(struct list_node *node)
{
        return container_of(node, struct waiter, node);
}

static inline struct search *search_of_node(struct list_node *node)
{
        return container_of(node, struct search, node);
}

/* Who has waited longest in @search, or in any; NULL if nobody does. */
static inline struct waiter *search_first_waiter(const struct search *search)
{
        return waiter_of_node(search->waiters.first);
}

static inline struct waiter *searches_first_waiter(const struct searches *s)
{
        const struct search *search = search_of_node(s->waited_for.first);

        return search ? search_first_waiter(search) : NULL;
}

void searches_init(struct searches *s, uint64_t seed, uint64_t survey, bool asks);
/* Nobody may wait any more. */
void searches_deinit(struct searches *s);

/* The search for exactly @dest, or NULL. */
struct search *searches_find(const struct searches *s, const struct address *dest);
/*
 * Puts a message of @owner in line for @dest, with a copy of @bytes; @until is when patience ends,
 * or TIME_NEVER. A search that is new, or that nobody has waited in for a while, is due for its
 * question at once: searches_due(). 0, MBUS_E_FULL (too many destinations) or -ENOMEM.
 */
int searches_wait(struct searches *s, uint64_t now, const struct address *dest, void *owner,
                  uint64_t key, struct span bytes, uint64_t until, struct waiter **ret_waiter);
/* Takes @waiter out and frees it. The search stays. */
void searches_drop(struct searches *s, struct waiter *waiter);

/* An entity with @address is known from now on: who looks for it is due. */
void searches_note(struct searches *s, uint64_t now, const struct address *address);
/* A search that is to be judged by @now, or NULL; call until NULL, search_judge() each. */
struct search *searches_due(struct searches *s, uint64_t now);

/* What is to be done about a search. */
enum search_verdict {
        SEARCH_ASK,    /* the question is due: search_asked() */
        SEARCH_ANSWER, /* its messages go to the one that matches, or fail: searches_drop() each */
        SEARCH_WAIT, /* nothing: it is due again at the end of its survey, or when there is news */
        SEARCH_END,  /* nobody waits in it: search_rests() or search_forget() */
};

/* @n entities are known to match (0, 1, 2 for more); @whole: see search_is_whole(), of the one. */
enum search_verdict search_judge(struct searches *s, struct search *search, uint64_t now,
                                 unsigned n, bool whole);
/* Whether @dest, which the entity with @address matches, can be no other's. An old address without
 * an id may be a part of others' (4.1). */
static inline bool search_is_whole(const struct address *dest, const struct address *address)
{
        return dest->n == address->n && address_get(address, "id").at;
}
/* Whether a message to @dest waits, which @n and @whole are said of as above; @surveyed: all that
 * match are known without a question. */
bool searches_want(const struct searches *s, const struct address *dest, unsigned n, bool whole,
                   bool surveyed);

/* The question went out; or, @asked false, could not: it is due again in a moment. */
void search_asked(struct searches *s, struct search *search, uint64_t now, bool asked);
/* Nobody waits in it: it is kept until @until, and due then. */
void search_rests(struct searches *s, struct search *search, uint64_t until);
/* Nobody waits in it: it is forgotten. */
void search_forget(struct searches *s, struct search *search);
/* A message whose sender's patience has ended by @now, or NULL. It is still in its search. */
struct waiter *searches_given_up(struct searches *s, uint64_t now);
/* When searches_due() or searches_given_up() has something: absolute ns or TIME_NEVER. */
uint64_t searches_deadline(const struct searches *s);
/* Octets of memory. */
size_t searches_memory(const struct searches *s);

#endif
