/*
 * patience.c - reliable messages of clients that wait until their destination is known.
 */
#include "patience.h"

#include <assert.h>
#include <errno.h>

void patience_open(struct routing *routing)
{
        bool is_ucl = routing->buses->main.dialect == DIALECT_UCL;

        searches_init(&routing->searches, routing->it->now,
                      (is_ucl ? SEARCH_SURVEY_UCL_MS : SEARCH_SURVEY_MS) * NSEC_PER_MSEC, !is_ucl);
}

/* ---- who waits ----------------------------------------------------------------------------- */

static struct local_entity *sender_of(const struct waiter *w)
{
        return w->owner;
}

static size_t size_of(const struct waiter *w)
{
        return reliable_size(SPAN_NULL, w->search->entry.address->text, buffer_span(&w->bytes));
}

static void patience_drop(struct routing *routing, struct waiter *w)
{
        struct local_entity *e = sender_of(w);

        assert(e->session && e->n_held > 0);
        e->n_held--;
        reliable_discharge(e->session, size_of(w));
        searches_drop(&routing->searches, w);
}

uint64_t patience_of(const struct routing *routing, const struct local_entity *e)
{
        uint64_t most = routing->quota->limits.of[LIMIT_PATIENCE] * NSEC_PER_MSEC;

        return e->patience < most ? e->patience : most;
}

bool patience_is_wanted(const struct inbound *in, bool is_one)
{
        struct routing *routing = in->routing;
        const struct address *address = NULL;
        struct entity *entity;
        unsigned n;

        if (in->waited || patience_of(routing, in->fanout->src) == 0 || in->payload.n == 0)
                return false;
        /* Which nearly all are. */
        if (is_one && list_is_empty(&routing->searches.waited_for) &&
            engine_knows_all(routing->engine, routing->it->now))
                return false;
        n = engine_resolve(routing->engine, &in->fanout->dest, &entity, &address);
        return n < 2 && searches_want(&routing->searches, &in->fanout->dest, n,
                                      n == 1 && search_is_whole(&in->fanout->dest, address),
                                      engine_knows_all(routing->engine, routing->it->now));
}

void patience_hold(struct inbound *in)
{
        struct routing *routing = in->routing;
        struct local_entity *e = in->fanout->src;
        uint64_t until = routing->it->now + patience_of(routing, e);
        struct waiter *w;
        int r;

        /* What it may not say it need not wait for. */
        if (inbound_judge(in, true) == VERDICT_STOP)
                return;
        r = reliable_check(in->s, reliable_size(SPAN_NULL, in->fanout->dest.text, in->payload));
        if (r) {
                inbound_refuse_more(in, r);
                return;
        }
        /* None is given up before an earlier one. */
        if (e->n_held > 0 && until <= e->held_until)
                until = e->held_until + 1;
        r = searches_wait(&routing->searches, routing->it->now, &in->fanout->dest, e, in->h.seq,
                          in->payload, until, &w);
        if (r == 0) {
                assert(e->n_held == 0 || until > e->held_until);
                e->n_held++;
                e->held_until = until;
                reliable_charge(in->s, size_of(w));
        } else if (r == MBUS_E_FULL) {
                inbound_undelivered(in, MBUS_REASON_FULL,
                                    "too many destinations are waited for until they are known");
        } else {
                inbound_undelivered(in, MBUS_REASON_FULL, "the broker's memory is short");
        }
}

void patience_forget(struct routing *routing, const struct local_entity *e)
{
        struct list_node *at = routing->searches.waited_for.first, *next_search;

        for (; at && e->n_held > 0; at = next_search) {
                struct list_node *node = search_of_node(at)->waiters.first, *next;

                next_search = at->next;
                for (; node && e->n_held > 0; node = next) {
                        struct waiter *w = waiter_of_node(node);

                        next = node->next;
                        if (w->owner == e)
                                patience_drop(routing, w);
                }
        }
        assert(e->n_held == 0);
}

void patience_close(struct routing *routing)
{
        struct waiter *w;

        while ((w = searches_first_waiter(&routing->searches)))
                patience_drop(routing, w);
        searches_deinit(&routing->searches);
}

/* ---- what becomes of it -------------------------------------------------------------------- */

/* Sends it as if it came only now, or says what hinders. */
static void patience_resend(struct routing *routing, struct waiter *w,
                            int (*resend)(struct routing *routing, struct session *s,
                                          struct span text))
{
        struct local_entity *e = sender_of(w);
        struct header_spec spec = { .seq = (uint32_t)w->key,
                                    .timestamp = routing->it->wall_ms,
                                    .reliable = true,
                                    .src = local_entity_text(e),
                                    .dest = w->search->entry.address->text };
        int r;

        buffer_clear(&routing->it->text);
        r = message_format(&spec, buffer_span(&w->bytes), DIALECT_RFC3259, &routing->it->text);
        patience_drop(routing, w);
        if (r == 0)
                r = resend(routing, e->session, buffer_span(&routing->it->text));
        if (r)
                reply_undelivered(e->session, local_entity_text(e), spec.seq, MBUS_REASON_FULL,
                                  "the broker's memory is short");
}

/* In the name of who has waited longest. */
static void patience_ask(struct routing *routing, struct search *search)
{
        const struct local_entity *e = sender_of(search_first_waiter(search));
        bool asked = !routing->searches.asks ||
                     engine_ping(routing->engine, routing->it->now, routing->it->wall_ms, e->entity,
                                 search->entry.address) == 0;

        if (asked && routing->searches.asks)
                connection_charge(&e->session->link, 1);
        search_asked(&routing->searches, search, routing->it->now, asked);
}

static void patience_judge(struct routing *routing, struct search *search,
                           int (*resend)(struct routing *routing, struct session *s,
                                         struct span text))
{
        const struct address *dest = search->entry.address, *address;
        struct entity *entity;
        struct waiter *w;
        unsigned n = engine_resolve(routing->engine, dest, &entity, &address);

        switch (search_judge(&routing->searches, search, routing->it->now, n,
                             n == 1 && search_is_whole(dest, address))) {
        case SEARCH_ASK:
                patience_ask(routing, search);
                break;
        case SEARCH_ANSWER:
                while ((w = search_first_waiter(search)))
                        patience_resend(routing, w, resend);
                break;
        case SEARCH_WAIT:
                break;
        case SEARCH_END:
                if (search->is_over && !engine_knows_all(routing->engine, routing->it->now))
                        search_rests(&routing->searches, search,
                                     routing->it->now + routing->searches.survey);
                else
                        search_forget(&routing->searches, search);
        }
}

void patience_note(struct routing *routing, const struct address *address)
{
        searches_note(&routing->searches, routing->it->now, address);
}

void patience_process(struct routing *routing,
                      int (*resend)(struct routing *routing, struct session *s, struct span text))
{
        struct search *search;
        struct waiter *w;

        if (routing->searches.all.n == 0)
                return;
        while ((search = searches_due(&routing->searches, routing->it->now)))
                patience_judge(routing, search, resend);
        while ((w = searches_given_up(&routing->searches, routing->it->now)))
                patience_resend(routing, w, resend);
}

uint64_t patience_deadline(const struct routing *routing)
{
        return searches_deadline(&routing->searches);
}
