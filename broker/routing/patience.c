/*
 * patience.c - reliable messages of clients that wait until their destination is known.
 */
#include "patience.h"

#include <errno.h>

#include <broker/broker.h>
#include <broker/control/control.h>
#include <broker/net/unix-listener.h>
#include <broker/sessions/reliable.h>
#include "router.h"

void patience_open(struct broker *b)
{
        bool is_ucl = b->bus.dialect == DIALECT_UCL;

        searches_init(&b->searches, b->it.now,
                      (is_ucl ? SEARCH_SURVEY_UCL_MS : SEARCH_SURVEY_MS) * NSEC_PER_MSEC, !is_ucl);
}

/* ---- who waits ----------------------------------------------------------------------------- */

static struct attachment *sender_of(const struct waiter *w)
{
        return w->owner;
}

static size_t size_of(const struct waiter *w)
{
        return reliable_size(SPAN_NULL, w->search->entry.address->text, buffer_span(&w->bytes));
}

static void drop(struct broker *b, struct waiter *w)
{
        struct attachment *a = sender_of(w);

        a->n_held--;
        reliable_discharge(a->client, size_of(w));
        searches_drop(&b->searches, w);
}

uint64_t patience_of(const struct broker *b, const struct attachment *a)
{
        uint64_t most = b->quota.limits.of[LIMIT_PATIENCE] * NSEC_PER_MSEC;

        return a->patience < most ? a->patience : most;
}

bool patience_is_wanted(const struct passage *p, bool is_one)
{
        struct broker *b = p->b;
        const struct address *address = NULL;
        struct entity *entity;
        unsigned n;

        if (p->waited || patience_of(b, p->route->src) == 0 || p->payload.n == 0)
                return false;
        /* Which nearly all are. */
        if (is_one && list_is_empty(&b->searches.waited_for) && engine_knows_all(b->engine, b->it.now))
                return false;
        n = engine_resolve(b->engine, &p->route->dest, &entity, &address);
        return n < 2 && searches_want(&b->searches, &p->route->dest, n,
                                      n == 1 && search_is_whole(&p->route->dest, address),
                                      engine_knows_all(b->engine, b->it.now));
}

void patience_hold(struct passage *p)
{
        struct broker *b = p->b;
        struct attachment *a = p->route->src;
        uint64_t until = b->it.now + patience_of(b, a);
        struct waiter *w;
        int r;

        /* What it may not say it need not wait for. */
        if (passage_judge(p, true) == VERDICT_STOP)
                return;
        r = reliable_check(p->c, reliable_size(SPAN_NULL, p->route->dest.text, p->payload));
        if (r) {
                router_refuse_more(p, r);
                return;
        }
        /* None is given up before an earlier one. */
        if (a->n_held > 0 && until <= a->held_until)
                until = a->held_until + 1;
        r = searches_wait(&b->searches, b->it.now, &p->route->dest, a, p->h.seq, p->payload, until,
                          &w);
        if (r == 0) {
                a->n_held++;
                a->held_until = until;
                reliable_charge(p->c, size_of(w));
        } else if (r == MBUS_E_FULL) {
                passage_undelivered(p, MBUS_REASON_FULL,
                                    "too many destinations are waited for until they are known");
        } else {
                passage_undelivered(p, MBUS_REASON_FULL, "the broker's memory is short");
        }
}

void patience_forget(struct broker *b, const struct attachment *a)
{
        struct list_node *at = b->searches.waited_for.first, *next_search;

        for (; at && a->n_held > 0; at = next_search) {
                struct list_node *node = search_of_node(at)->waiters.first, *next;

                next_search = at->next;
                for (; node && a->n_held > 0; node = next) {
                        struct waiter *w = waiter_of_node(node);

                        next = node->next;
                        if (w->owner == a)
                                drop(b, w);
                }
        }
}

void patience_close(struct broker *b)
{
        struct waiter *w;

        while ((w = searches_first_waiter(&b->searches)))
                drop(b, w);
        searches_deinit(&b->searches);
}

/* ---- what becomes of it -------------------------------------------------------------------- */

/* Sends it as if it came only now, or says what hinders. */
static void answer(struct broker *b, struct waiter *w)
{
        struct attachment *a = sender_of(w);
        struct header_spec spec = { .seq = (uint32_t)w->key,
                                    .timestamp = b->it.wall_ms,
                                    .reliable = true,
                                    .src = attachment_text(a),
                                    .dest = w->search->entry.address->text };
        int r;

        buffer_clear(&b->it.text);
        r = message_format(&spec, buffer_span(&w->bytes), DIALECT_RFC3259, &b->it.text);
        drop(b, w);
        if (r == 0)
                r = router_again(b, a->client, buffer_span(&b->it.text));
        if (r)
                control_undelivered(b, a->client, attachment_text(a), spec.seq, MBUS_REASON_FULL,
                                    "the broker's memory is short");
}

/* In the name of who has waited longest. */
static void ask(struct broker *b, struct search *search)
{
        const struct attachment *a = sender_of(search_first_waiter(search));
        bool asked = !b->searches.asks || engine_ping(b->engine, b->it.now, b->it.wall_ms, a->entity,
                                                      search->entry.address) == 0;

        if (asked && b->searches.asks)
                link_local_charge(a->client, 1);
        search_asked(&b->searches, search, b->it.now, asked);
}

static void judge(struct broker *b, struct search *search)
{
        const struct address *dest = search->entry.address, *address;
        struct entity *entity;
        struct waiter *w;
        unsigned n = engine_resolve(b->engine, dest, &entity, &address);

        switch (search_judge(&b->searches, search, b->it.now, n,
                             n == 1 && search_is_whole(dest, address))) {
        case SEARCH_ASK:
                ask(b, search);
                break;
        case SEARCH_ANSWER:
                while ((w = search_first_waiter(search)))
                        answer(b, w);
                break;
        case SEARCH_WAIT:
                break;
        case SEARCH_END:
                if (search->is_over && !engine_knows_all(b->engine, b->it.now))
                        search_rests(&b->searches, search, b->it.now + b->searches.survey);
                else
                        search_forget(&b->searches, search);
        }
}

void patience_note(struct broker *b, const struct address *address)
{
        searches_note(&b->searches, b->it.now, address);
}

void patience_process(struct broker *b)
{
        struct search *search;
        struct waiter *w;

        if (b->searches.all.n == 0)
                return;
        while ((search = searches_due(&b->searches, b->it.now)))
                judge(b, search);
        while ((w = searches_given_up(&b->searches, b->it.now)))
                answer(b, w);
}

uint64_t patience_deadline(const struct broker *b)
{
        return searches_deadline(&b->searches);
}
