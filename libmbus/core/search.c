/*
 * search.c - the books of those that wait for a destination to become known.
 */
#include "search.h"

#include <assert.h>
#include <stdlib.h>

#include "error.h"
#include "limits.h"

/* A question that found no room in the queue is tried again after this. */
#define RETRY (10 * NSEC_PER_MSEC)

static struct search *search_of(struct index_entry *entry)
{
        return container_of(entry, struct search, entry);
}

void searches_init(struct searches *s, uint64_t seed, uint64_t survey, bool asks)
{
        *s = (struct searches){ .judgements = DEADLINES_INIT,
                                .patience = DEADLINES_INIT,
                                .survey = survey,
                                .asks = asks };
        index_init(&s->all, seed);
}

void searches_deinit(struct searches *s)
{
        assert(s->n_waiters == 0);
        while (s->all.n > 0)
                search_forget(s, search_of(s->all.all[0]));
        index_deinit(&s->all);
        deadlines_deinit(&s->judgements);
        deadlines_deinit(&s->patience);
}

struct search *searches_find(const struct searches *s, const struct address *dest)
{
        return s->all.n > 0 ? search_of(index_find(&s->all, dest)) : NULL;
}

/* ---- searches ------------------------------------------------------------------------------ */

void search_forget(struct searches *s, struct search *search)
{
        assert(!search_first_waiter(search));
        deadlines_set(&s->judgements, &search->deadline, TIME_NEVER);
        deadlines_release(&s->judgements);
        index_remove(&s->all, &search->entry);
        free(search);
}

static bool was_asked_lately(const struct search *search, uint64_t now)
{
        return search->is_asked && now - search->asked < SEARCH_PAUSE_MS * NSEC_PER_MSEC;
}

/* Forgets one that rests, so that there is room. False if there is none. */
static bool make_room(struct searches *s, uint64_t now)
{
        if (s->all.n < SEARCHES_MAX)
                return true;
        for (size_t i = 0; i < s->all.n; ++i) {
                struct search *search = search_of(s->all.all[i]);

                if (search_first_waiter(search) || was_asked_lately(search, now))
                        continue;
                search_forget(s, search);
                return true;
        }
        return false;
}

static int search_new(struct searches *s, uint64_t now, const struct address *dest,
                      struct search **ret_search)
{
        struct search *search;
        int r;

        if (!make_room(s, now))
                return MBUS_E_FULL;
        search = malloc(sizeof(*search));
        if (!search)
                return -ENOMEM;
        *search = (struct search){ .deadline = DEADLINE_INIT, .entry = INDEX_ENTRY_INIT };
        r = index_add(&s->all, &search->entry, dest);
        if (r == 0) {
                r = deadlines_reserve(&s->judgements);
                if (r < 0)
                        index_remove(&s->all, &search->entry);
        }
        if (r < 0) {
                free(search);
                return r;
        }
        *ret_search = search;
        return 0;
}

/* It is due at the end of its survey; else when there is news. */
static void go_on(struct searches *s, struct search *search)
{
        deadlines_set(&s->judgements, &search->deadline,
                      search->is_over ? TIME_NEVER : search->asked + s->survey);
}

/* Somebody begins to wait in @search: what was asked a moment ago is not asked again. */
static void begin(struct searches *s, struct search *search, uint64_t now)
{
        assert(!search_first_waiter(search));
        list_push(&s->waited_for, &search->node);
        if (was_asked_lately(search, now)) {
                go_on(s, search);
                return;
        }
        search->is_asked = false;
        search->is_over = false;
        deadlines_set(&s->judgements, &search->deadline, now);
}

/* Nobody waits in @search any more. */
static void end(struct searches *s, struct search *search)
{
        assert(list_is_empty(&search->waiters));
        list_remove(&s->waited_for, &search->node);
        /* The owner says at the next judgement how long it is remembered. */
        deadlines_set(&s->judgements, &search->deadline,
                      search->is_asked ? search->asked + SEARCH_PAUSE_MS * NSEC_PER_MSEC : 0);
}

/* ---- messages ------------------------------------------------------------------------------ */

/* Makes a message that is in no search yet. */
static struct waiter *waiter_new(struct searches *s, struct span bytes)
{
        struct waiter *w = malloc(sizeof(*w));

        if (!w)
                return NULL;
        *w = (struct waiter){ .deadline = DEADLINE_INIT, .bytes = BUFFER_INIT };
        buffer_add_span(&w->bytes, bytes);
        if (!w->bytes.failed && deadlines_reserve(&s->patience) == 0)
                return w;
        buffer_deinit(&w->bytes);
        free(w);
        return NULL;
}

int searches_wait(struct searches *s, uint64_t now, const struct address *dest, void *owner,
                  uint64_t key, struct span bytes, uint64_t until, struct waiter **ret_waiter)
{
        struct search *search = searches_find(s, dest);
        struct waiter *w;
        int r = search ? 0 : search_new(s, now, dest, &search);

        if (r != 0)
                return r;
        w = waiter_new(s, bytes);
        if (!w) {
                if (!search_first_waiter(search) && search->deadline.slot == 0)
                        search_forget(s, search);
                return -ENOMEM;
        }
        if (!search_first_waiter(search))
                begin(s, search, now);
        w->search = search;
        w->owner = owner;
        w->key = key;
        list_push(&search->waiters, &w->node);
        deadlines_set(&s->patience, &w->deadline, until);
        ++s->n_waiters;
        assert(s->patience.reserved == s->n_waiters && s->judgements.reserved == s->all.n);
        s->bytes += w->bytes.n;
        *ret_waiter = w;
        return 0;
}

void searches_drop(struct searches *s, struct waiter *w)
{
        struct search *search = w->search;

        assert(s->n_waiters > 0 && s->bytes >= w->bytes.n);
        list_remove(&search->waiters, &w->node);
        if (!search_first_waiter(search))
                end(s, search);
        deadlines_set(&s->patience, &w->deadline, TIME_NEVER);
        deadlines_release(&s->patience);
        --s->n_waiters;
        s->bytes -= w->bytes.n;
        buffer_deinit(&w->bytes);
        free(w);
}

/* ---- what happens -------------------------------------------------------------------------- */

void searches_note(struct searches *s, uint64_t now, const struct address *address)
{
        for (struct list_node *node = s->waited_for.first; node; node = node->next) {
                struct search *search = search_of_node(node);
                const struct address *dest = search->entry.address;

                /* Before the survey is over only a whole address tells anything. */
                if ((search->is_over || dest->n == address->n) && address_is_subset(dest, address))
                        deadlines_set(&s->judgements, &search->deadline, now);
        }
}

struct search *searches_due(struct searches *s, uint64_t now)
{
        struct search *search =
                container_of(deadlines_pop(&s->judgements, now), struct search, deadline);

        if (search && search->is_asked && now - search->asked >= s->survey)
                search->is_over = true;
        return search;
}

void search_asked(struct searches *s, struct search *search, uint64_t now, bool asked)
{
        search->is_over = false;
        search->is_asked = asked;
        search->asked = now;
        deadlines_set(&s->judgements, &search->deadline, now + (asked ? s->survey : RETRY));
}

/* Whether another question would be answered in time: the first one, or its answers, may be
 * lost. */
static bool is_worth_asking(const struct searches *s, const struct search *search, uint64_t now)
{
        return s->asks && waiter_of_node(search->waiters.last)->deadline.at - now >= s->survey;
}

enum search_verdict search_judge(struct searches *s, struct search *search, uint64_t now,
                                 unsigned n, bool whole)
{
        assert(search->is_asked || !search->is_over);
        if (!search_first_waiter(search))
                return SEARCH_END;
        /* It may have come before it was asked for. */
        if (n == 1 && whole)
                return SEARCH_ANSWER;
        if (!search->is_asked)
                return SEARCH_ASK;
        go_on(s, search);
        if (n > 0 && search->is_over)
                return SEARCH_ANSWER;
        return n == 0 && search->is_over && is_worth_asking(s, search, now) ? SEARCH_ASK
                                                                            : SEARCH_WAIT;
}

bool searches_want(const struct searches *s, const struct address *dest, unsigned n, bool whole,
                   bool surveyed)
{
        const struct search *search = searches_find(s, dest);

        /* It keeps its place behind those who wait. */
        if (search && search_first_waiter(search))
                return true;
        return n == 0 || (n == 1 && !whole && !surveyed && !(search && search->is_over));
}

void search_rests(struct searches *s, struct search *search, uint64_t until)
{
        assert(!search_first_waiter(search));
        deadlines_set(&s->judgements, &search->deadline, until);
}

struct waiter *searches_given_up(struct searches *s, uint64_t now)
{
        return container_of(deadlines_pop(&s->patience, now), struct waiter, deadline);
}

uint64_t searches_deadline(const struct searches *s)
{
        uint64_t judgement = deadlines_next(&s->judgements);
        uint64_t patience = deadlines_next(&s->patience);

        return judgement < patience ? judgement : patience;
}

size_t searches_memory(const struct searches *s)
{
        return s->all.n * sizeof(struct search) + index_bytes(&s->all) +
               s->n_waiters * sizeof(struct waiter) + s->bytes +
               (s->judgements.size + s->patience.size) * sizeof(struct deadline *);
}
