/*
 * engine-search.c - see engine-search.h.
 */
#include "engine-search.h"

#include <assert.h>

#include "engine-delivery.h"
#include "engine-query.h"

/* What comes on top of an interval: the way of a datagram, and of a program that is waited for. */
#define SLACK_MS 50

/* Of a survey that ends when the owner says so: longer than anything, and a sum with it is a time
 * still. */
#define NO_TIME_OF_ITS_OWN (TIME_NEVER / 4)

void init_searches(struct engine *e)
{
        uint64_t survey = SEARCH_SURVEY_MS * NSEC_PER_MSEC;

        if (e->options.owner_surveys)
                survey = NO_TIME_OF_ITS_OWN;
        else if (e->options.dialect == DIALECT_UCL)
                survey = SEARCH_SURVEY_UCL_MS * NSEC_PER_MSEC;
        searches_init(&e->searches, random_u64(&e->random), survey,
                      e->options.dialect != DIALECT_UCL && !e->options.owner_surveys);
        e->since = TIME_NEVER;
}

/* When everybody has said hello since the engine began to listen. */
static uint64_t known_from(const struct engine *e)
{
        uint64_t silence = (uint64_t)((double)hello_interval(engine_n_all(e)) * HELLO_DITHER_MAX) +
                           SLACK_MS * NSEC_PER_MSEC;

        if (e->since == TIME_NEVER)
                return TIME_NEVER;
        return e->since + (silence > e->searches.survey ? silence : e->searches.survey);
}

/* Whoever comes later says so (9.1): who knew all once does not lose that when there are more. */
bool knows_all(struct engine *e, uint64_t now)
{
        if (e->options.owner_surveys)
                return e->all_known;
        if (!e->all_known)
                e->all_known = known_from(e) <= now;
        return e->all_known;
}

bool must_search(struct engine *e, uint64_t now, const struct address *dest, unsigned n,
                 const struct address *address)
{
        if (e->patience == 0 || n > 1 || (e->options.owner_surveys && e->all_known))
                return false;
        return searches_want(&e->searches, dest, n, n == 1 && search_is_whole(dest, address),
                             knows_all(e, now));
}

int await_destination(struct engine *e, uint64_t now, const struct outbound *out, uint64_t ticket)
{
        uint64_t until = e->patience < TIME_NEVER - now ? now + e->patience : TIME_NEVER;
        struct entity *from = out->from;
        struct waiter *w;
        int r;

        /* None is given up before an earlier one. */
        if (from->n_waiting > 0 && until <= from->waiting_until && until < TIME_NEVER)
                until = from->waiting_until < TIME_NEVER ? from->waiting_until + 1 : TIME_NEVER;
        if (out->payload.n > e->retransmitter.bytes_max - e->searches.bytes)
                return MBUS_E_FULL;
        r = searches_wait(&e->searches, now, out->dest, from, ticket, out->payload, until, &w);
        if (r != 0)
                return r;
        ++from->n_waiting;
        from->waiting_until = until;
        return 0;
}

/* ---- what becomes of them ------------------------------------------------------------------ */

static void drop_waiter(struct engine *e, struct waiter *w)
{
        struct entity *entity = w->owner;

        assert(entity->n_waiting > 0 && entity->n_waiting <= entity->n_reliable);
        --entity->n_waiting;
        searches_drop(&e->searches, w);
}

static void fail_waiter(struct engine *e, struct waiter *w, enum mbus_reason reason)
{
        events_push_reserved(&e->events, &(struct event){ .type = EVENT_FAILED,
                                                          .entity = w->owner,
                                                          .ticket = w->key,
                                                          .reason = reason });
        drop_waiter(e, w);
}

/* Sends it to the one that matches, as if it were sent now. */
static void release_waiter(struct engine *e, uint64_t now, uint64_t wall_ms, struct waiter *w,
                           struct entity *local, const struct address *address)
{
        struct outbound out = { .from = w->owner,
                                .dest = address,
                                .reliable = true,
                                .payload = buffer_span(&w->bytes) };
        int r = send_reliable_to(e, now, wall_ms, &out, local, w->key);

        if (r == 0)
                drop_waiter(e, w);
        else
                fail_waiter(e, w, r == MBUS_E_TOO_LARGE ? MBUS_REASON_MALFORMED : MBUS_REASON_FULL);
}

/* Today's answer: what would be said of it to somebody without patience. */
static void answer_waiter(struct engine *e, uint64_t now, uint64_t wall_ms, struct waiter *w)
{
        const struct address *address;
        struct entity *local;
        unsigned n = engine_resolve(e, w->search->entry.address, &local, &address);

        if (n == 1)
                release_waiter(e, now, wall_ms, w, local, address);
        else
                fail_waiter(e, w, n ? MBUS_REASON_NOT_UNIQUE : MBUS_REASON_UNKNOWN);
}

static void answer_all(struct engine *e, uint64_t now, uint64_t wall_ms, struct search *search)
{
        struct waiter *w;

        while ((w = search_first_waiter(search)))
                answer_waiter(e, now, wall_ms, w);
}

/* Asks who matches, in the name of who has waited longest; in DIALECT=UCL everybody's hello is
 * awaited, for mbus.ping ends old programs. */
static void ask(struct engine *e, uint64_t now, uint64_t wall_ms, struct search *search)
{
        struct outbound out = { .from = search_first_waiter(search)->owner,
                                .dest = search->entry.address,
                                .payload = span_of("mbus.ping()") };
        bool asked = !e->searches.asks || outbound_send(e, wall_ms, &out) == 0;

        search_asked(&e->searches, search, now, asked);
}

static void judge(struct engine *e, uint64_t now, uint64_t wall_ms, struct search *search)
{
        const struct address *dest = search->entry.address, *address;
        struct entity *local;
        unsigned n = engine_resolve(e, dest, &local, &address);

        switch (search_judge(&e->searches, search, now, n,
                             n == 1 && search_is_whole(dest, address))) {
        case SEARCH_ASK:
                ask(e, now, wall_ms, search);
                break;
        case SEARCH_ANSWER:
                answer_all(e, now, wall_ms, search);
                break;
        case SEARCH_WAIT:
                break;
        case SEARCH_END:
                /* What the survey found out holds until everybody is known without. */
                if (search->is_over && !knows_all(e, now))
                        search_rests(&e->searches, search, known_from(e));
                else
                        search_forget(&e->searches, search);
        }
}

void tick_searches(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        struct search *search;
        struct waiter *w;

        (void)knows_all(e, now);
        if (e->searches.all.n == 0)
                return;
        while ((search = searches_due(&e->searches, now)))
                judge(e, now, wall_ms, search);
        while ((w = searches_given_up(&e->searches, now)))
                answer_waiter(e, now, wall_ms, w);
}

void end_survey(struct engine *e, uint64_t now, uint64_t wall_ms, bool all)
{
        assert(e->options.owner_surveys);
        e->all_known = all;
        while (all && !list_is_empty(&e->searches.waited_for))
                answer_all(e, now, wall_ms, search_of_node(e->searches.waited_for.first));
}

/* @reason: MBUS_REASON_NONE: without an event. */
static void end_waiter(struct engine *e, struct waiter *w, enum mbus_reason reason)
{
        if (reason) {
                fail_waiter(e, w, reason);
        } else {
                drop_waiter(e, w);
                events_release(&e->events);
        }
}

/* A search without its last waiter leaves the list, but stays. */
static void end_waiting(struct engine *e, const struct entity *entity, enum mbus_reason reason)
{
        struct list_node *at = e->searches.waited_for.first, *next_search;

        for (; at && entity->n_waiting > 0; at = next_search) {
                struct list_node *node = search_of_node(at)->waiters.first, *next;

                next_search = at->next;
                for (; node && entity->n_waiting > 0; node = next) {
                        struct waiter *w = waiter_of_node(node);

                        next = node->next;
                        if (w->owner == entity)
                                end_waiter(e, w, reason);
                }
        }
}

void forget_waiting(struct engine *e, const struct entity *entity)
{
        end_waiting(e, entity, MBUS_REASON_NONE);
}

void fail_waiting(struct engine *e, const struct entity *entity, enum mbus_reason reason)
{
        end_waiting(e, entity, reason);
}

void free_searches(struct engine *e)
{
        struct waiter *w;

        while ((w = searches_first_waiter(&e->searches)))
                searches_drop(&e->searches, w);
        searches_deinit(&e->searches);
}
