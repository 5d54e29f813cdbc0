/*
 * world.c - see world.h. Nothing here takes memory: only the engines do.
 */
#include "world.h"

#include <stdio.h>

#include "fail-malloc.h"

#define WALL_MS UINT64_C(1700000000000)

const char *const world_names[NODES][ENTITIES] = {
        { "(app:a module:one id:1-1@127.0.0.1)", "(app:a module:two id:1-2@127.0.0.1)" },
        { "(app:b module:one id:2-1@127.0.0.1)", "(app:b module:two id:2-2@127.0.0.1)" },
        { "(app:c module:one id:3-1@127.0.0.1)", "(app:c module:two id:3-2@127.0.0.1)" },
};

static uint64_t wall_of(const struct world *w)
{
        return WALL_MS + w->now / NSEC_PER_MSEC;
}

static struct endpoint endpoint_of(unsigned node)
{
        return (struct endpoint){ .n = 1, .unique = true, .bytes = { (uint8_t)node } };
}

static struct address parse(struct world *w, const char *text)
{
        struct address a;

        trial_must(w->t, address_parse(span_of(text), STRICT, &a, NULL, NULL) == 0);
        return a;
}

/* ---- signs of trouble ---- */

static void notice_drops(struct world *w)
{
        static const enum mbus_drop signs[] = { MBUS_DROP_EVENTS, MBUS_DROP_PEERS, MBUS_DROP_SENT };

        for (unsigned i = 0; i < NODES; ++i)
                for (size_t k = 0; k < sizeof(signs) / sizeof(*signs); ++k)
                        if (w->nodes[i].engine && engine_dropped(w->nodes[i].engine, signs[k]))
                                trial_notice(w->t);
}

static void end_ticket(struct world *w, struct node *node, const struct event *event)
{
        for (size_t i = 0; i < node->n_tickets; ++i) {
                struct ticket *ticket = &node->tickets[i];

                if (ticket->number != event->ticket || ticket->entity != event->entity)
                        continue;
                ticket->entity = NULL;
                return;
        }
        trial_fail(w->t, __FILE__, __LINE__, "ticket %llu ends without having begun, or twice",
                   (unsigned long long)event->ticket);
}

/* ---- events ---- */

static void on_message(struct world *w, unsigned i, const struct event *event)
{
        const struct message *m = event->message;
        struct span command = m->payload.commands[0].text;
        bool own = false;

        for (size_t k = 0; k < event->n_recipients; ++k) {
                trial_note(w->t, "%u: %s hears %.*s", i,
                           (const char *)entity_data(event->recipients[k]), (int)command.n,
                           command.at);
                if (w->nodes[i].acknowledges && m->header.reliable)
                        engine_acknowledge(w->nodes[i].engine, w->now, event->recipients[k],
                                           &m->header.src, m->header.seq);
                own = own || address_equal(entity_address(event->recipients[k]), &m->header.src);
        }
        trial_must(w->t, event->n_recipients > 0 && !own);
}

/* The entity gets another first number, as a program would do. */
static void on_conflict(struct world *w, unsigned i, const struct event *event)
{
        struct node *node = &w->nodes[i];
        struct address a;
        int r;

        a = parse(w, i == 0 ? "(app:a module:one id:77-1@127.0.0.1)"
                            : "(app:a module:one id:88-1@127.0.0.1)");
        r = engine_rename_entity(node->engine, w->now, wall_of(w), event->entity, &a);
        trial_note(w->t, "%u: conflict, renamed: %d", i, r);
        trial_must(w->t, r == 0 || r == -ENOMEM || r == MBUS_E_TAKEN);
        trial_ok(w->t, r);
}

static void on_event(struct world *w, unsigned i, const struct event *event)
{
        switch (event->type) {
        case EVENT_MESSAGE:
                on_message(w, i, event);
                break;
        case EVENT_DELIVERED:
        case EVENT_FAILED:
                end_ticket(w, &w->nodes[i], event);
                trial_note(w->t, "%u: ticket %llu ends: %d", i, (unsigned long long)event->ticket,
                           event->reason);
                if (event->reason == MBUS_REASON_FULL)
                        trial_notice(w->t);
                break;
        case EVENT_JOINED:
        case EVENT_LEFT:
                trial_note(w->t, "%u: %s %.*s: %d", i,
                           event->type == EVENT_LEFT ? "left" : "joined",
                           (int)event->address->text.n, event->address->text.at, event->reason);
                break;
        case EVENT_OBSERVED:
                trial_note(w->t, "%u: observed %u of %s", i, event->message->header.seq,
                           event->message->src);
                break;
        case EVENT_CONFLICT:
                on_conflict(w, i, event);
                break;
        case EVENT_DROPPED:
                trial_notice(w->t);
                break;
        }
}

/* ---- the cable ---- */

static bool carry(struct world *w, unsigned i)
{
        struct node *node = &w->nodes[i];
        struct endpoint from = endpoint_of(i);
        struct datagram datagram;
        size_t cursor = 0, n = 0;

        while (engine_peek_datagram(node->engine, &cursor, &datagram)) {
                ++n;
                for (unsigned k = 0; k < NODES; ++k) {
                        bool meant = datagram.to->n == 0 || datagram.to->bytes[0] == k;

                        if (k != i && meant && !node->cut && !w->nodes[k].cut)
                                engine_receive(w->nodes[k].engine, w->now, wall_of(w), &from,
                                               datagram.bytes);
                }
        }
        engine_pop_datagrams(node->engine, n);
        return n > 0;
}

static bool pop_events(struct world *w, unsigned i)
{
        struct event event;
        bool any = false;

        while (engine_pop_event(w->nodes[i].engine, &event)) {
                on_event(w, i, &event);
                event_deinit(&event);
                any = true;
        }
        return any;
}

void world_settle(struct world *w)
{
        bool moved = true;

        while (moved) {
                moved = false;
                for (unsigned i = 0; i < NODES; ++i) {
                        if (engine_deadline(w->nodes[i].engine) <= w->now)
                                engine_tick(w->nodes[i].engine, w->now, wall_of(w));
                        moved = carry(w, i) || moved;
                        moved = pop_events(w, i) || moved;
                        moved = engine_deadline(w->nodes[i].engine) <= w->now || moved;
                }
        }
        notice_drops(w);
}

void world_run(struct world *w, unsigned ms)
{
        uint64_t end = w->now + ms * NSEC_PER_MSEC;

        world_settle(w);
        for (;;) {
                uint64_t next = end;

                for (unsigned i = 0; i < NODES; ++i) {
                        uint64_t deadline = engine_deadline(w->nodes[i].engine);

                        next = deadline < next ? deadline : next;
                }
                w->now = next;
                world_settle(w);
                if (next == end)
                        return;
        }
}

/* ---- the world ---- */

static int make_engine(struct world *w, unsigned i)
{
        struct engine_options options = w->options;

        options.crypto = w->crypto;
        options.seed = i + 1;
        return engine_new(&options, &w->nodes[i].engine);
}

static void free_all(struct world *w)
{
        for (unsigned i = 0; i < NODES; ++i)
                w->nodes[i].engine = engine_free(w->nodes[i].engine);
}

bool world_init(struct world *w, struct trial *t, struct crypto *crypto,
                const struct engine_options *options)
{
        /* What a peer has to repeat comes later. */
        t->any_order = true;
        *w = (struct world){ .t = t, .crypto = crypto, .options = *options, .now = NSEC_PER_SEC };
        for (unsigned i = 0; i < NODES; ++i) {
                w->nodes[i].acknowledges = options->owner_acknowledges;
                if (!trial_ok(t, make_engine(w, i))) {
                        free_all(w);
                        return false;
                }
        }
        return true;
}

bool world_replace(struct world *w, unsigned i)
{
        struct node *node = &w->nodes[i];

        engine_free(node->engine);
        *node = (struct node){ .acknowledges = node->acknowledges };
        if (trial_ok(w->t, make_engine(w, i)))
                return true;
        fail_malloc_stop();
        trial_must(w->t, make_engine(w, i) == 0);
        return false;
}

void world_add(struct world *w, unsigned node, unsigned i, const char *address)
{
        struct address a = parse(w, address);
        struct entity *entity;
        int r = engine_add_entity(w->nodes[node].engine, w->now, &a,
                                  (void *)(uintptr_t)world_names[node][i], &entity);

        trial_must(w->t, r == 0 || r == -ENOMEM || r == MBUS_E_TAKEN);
        if (trial_ok(w->t, r))
                w->nodes[node].entities[i] = entity;
}

void world_remove(struct world *w, unsigned node, unsigned i)
{
        struct node *n = &w->nodes[node];

        if (!n->entities[i])
                return;
        engine_remove_entity(n->engine, w->now, wall_of(w), n->entities[i]);
        for (size_t k = 0; k < n->n_tickets; ++k)
                if (n->tickets[k].entity == n->entities[i])
                        n->tickets[k].entity = NULL;
        n->entities[i] = NULL;
}

static struct span payload(const char *text, char room[static 64])
{
        snprintf(room, 64, "x(\"%s\")", text);
        return span_of(room);
}

void world_send(struct world *w, unsigned node, const char *dest, const char *text)
{
        struct node *n = &w->nodes[node];
        struct address a = parse(w, dest);
        char room[64];
        int r;

        if (!n->entities[0])
                return;
        r = engine_send(n->engine, w->now, wall_of(w), n->entities[0], &a, payload(text, room));
        trial_must(w->t, r == 0 || r == -ENOMEM);
        trial_ok(w->t, r);
}

void world_send_reliable(struct world *w, unsigned node, const char *dest, const char *text)
{
        struct node *n = &w->nodes[node];
        struct address a = parse(w, dest);
        uint64_t ticket;
        char room[64];
        int r;

        if (!n->entities[0])
                return;
        r = engine_send_reliable(n->engine, w->now, wall_of(w), n->entities[0], &a,
                                 payload(text, room), &ticket);
        trial_must(w->t, r == 0 || r == -ENOMEM || r == MBUS_E_UNKNOWN);
        if (!trial_ok(w->t, r))
                return;
        trial_must(w->t, n->n_tickets < TICKETS_MAX);
        n->tickets[n->n_tickets++] = (struct ticket){ ticket, n->entities[0] };
}

/* Everybody hears everybody. */
static void check_works(struct world *w)
{
        for (unsigned i = 0; i < NODES; ++i) {
                w->nodes[i].cut = false;
                if (!w->nodes[i].entities[0])
                        world_add(w, i, 0, world_names[i][0]);
                /* After a conflict somebody else may have the name. */
                if (!w->nodes[i].entities[0])
                        world_add(w, i, 0, world_names[i][1]);
                trial_must(w->t, w->nodes[i].entities[0] != NULL);
        }
        /* Longer than a peer may be silent, and a tombstone stands. */
        world_run(w, 40000);
        for (unsigned i = 0; i < NODES; ++i) {
                size_t n = 0;

                for (unsigned k = 0; k < NODES; ++k)
                        n += k == i ? 0 : engine_n_entities(w->nodes[k].engine);
                trial_must(w->t, engine_n_peers(w->nodes[i].engine) == n);
        }
}

static void check_delivers(struct world *w)
{
        uint64_t ticket;

        for (unsigned i = 0; i < NODES; ++i) {
                struct node *from = &w->nodes[i], *to = &w->nodes[(i + 1) % NODES];
                size_t length = w->t->n;
                char expected[128];
                int r = engine_send_reliable(from->engine, w->now, wall_of(w), from->entities[0],
                                             entity_address(to->entities[0]), span_of("last()"),
                                             &ticket);

                trial_must(w->t, r == 0);
                from->tickets[from->n_tickets++] = (struct ticket){ ticket, from->entities[0] };
                world_run(w, 5000);
                snprintf(expected, sizeof(expected), "%u: ticket %llu ends: 0\n", i,
                         (unsigned long long)ticket);
                trial_must(w->t, strstr(w->t->outcome + length, expected) != NULL);
                trial_must(w->t, strstr(w->t->outcome + length, "hears last") != NULL);
        }
}

void world_end(struct world *w)
{
        size_t length;
        bool noticed;

        notice_drops(w);
        length = w->t->n;
        noticed = w->t->noticed;
        fail_malloc_stop();
        check_works(w);
        check_delivers(w);
        for (unsigned i = 0; i < NODES; ++i)
                for (size_t k = 0; k < w->nodes[i].n_tickets; ++k)
                        trial_must(w->t, w->nodes[i].tickets[k].entity == NULL);
        free_all(w);
        /* What happened here counts for itself. */
        w->t->n = length;
        w->t->outcome[length] = '\0';
        w->t->noticed = noticed;
}
