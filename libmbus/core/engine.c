/*
 * engine.c - the life of an engine: its entities, its time, and what its owner asks.
 */
#include "engine.h"

#include <stdlib.h>

#include "engine-state.h"

static void init_sender(struct engine *e)
{
        size_t max = e->options.reliable_bytes_max;

        if (max == 0)
                max = RELIABLE_BYTES_MAX;
        if (e->options.dialect == DIALECT_UCL)
                retransmitter_init(&e->retransmitter, RELIABLE_T_R_UCL_MS * NSEC_PER_MSEC,
                                   RELIABLE_N_R_UCL, RELIABLE_WINDOW_UCL, max);
        else
                retransmitter_init(&e->retransmitter, RELIABLE_T_R_MS * NSEC_PER_MSEC, RELIABLE_N_R,
                                   RELIABLE_WINDOW, max);
}

int engine_new(const struct engine_options *options, struct engine **ret_engine)
{
        struct engine *e = malloc(sizeof(*e));

        if (!e)
                return -ENOMEM;
        *e = (struct engine){ .options = *options,
                              .outgoing = OUTGOING_INIT,
                              .hellos = DEADLINES_INIT,
                              .text = BUFFER_INIT,
                              .sealed = BUFFER_INIT,
                              .next_ticket = 1,
                              .datagram_max = options->dialect == DIALECT_UCL ? DATAGRAM_MAX_UCL
                                                                              : DATAGRAM_MAX };
        random_init(&e->random, options->seed);
        index_init(&e->locals, random_u64(&e->random));
        peers_init(&e->peers, random_u64(&e->random),
                   options->peers_max ? options->peers_max : PEERS_MAX);
        e->peers.brisk = options->dialect == DIALECT_UCL;
        init_sender(e);
        init_searches(e);
        events_init(&e->events, options->events_max ? options->events_max : EVENTS_MAX,
                    options->events_bytes_max ? options->events_bytes_max : EVENTS_BYTES_MAX);
        if (crypto_encrypts(options->crypto)) {
                e->scratch = malloc(DATAGRAM_BUFFER_SIZE);
                if (!e->scratch) {
                        engine_free(e);
                        return -ENOMEM;
                }
        }
        *ret_engine = e;
        return 0;
}

static void forget_peer(struct engine *e, struct peer *peer)
{
        struct delivery *delivery;
        struct acks *next;

        while ((delivery = send_queue_oldest(&peer->queue)))
                retransmitter_remove(&e->retransmitter, delivery);
        for (struct acks *acks = peer->acks; acks; acks = next) {
                next = acks->next;
                acks_free(acks);
        }
        peer->acks = NULL;
}

static void free_entity(struct engine *e, struct entity *entity)
{
        deadlines_set(&e->hellos, &entity->deadline, TIME_NEVER);
        deadlines_release(&e->hellos);
        index_remove(&e->locals, &entity->entry);
        free(entity);
}

struct engine *engine_free(struct engine *e)
{
        if (!e)
                return NULL;
        free_searches(e);
        for (size_t i = 0; i < e->peers.known.n; ++i)
                forget_peer(e, peer_of_entry(e->peers.known.all[i]));
        while (e->locals.n)
                free_entity(e, entity_of_entry(e->locals.all[0]));
        peers_deinit(&e->peers);
        index_deinit(&e->locals);
        retransmitter_deinit(&e->retransmitter);
        events_deinit(&e->events);
        outgoing_deinit(&e->outgoing);
        deadlines_deinit(&e->hellos);
        buffer_deinit(&e->text);
        buffer_deinit(&e->sealed);
        free(e->scratch);
        free(e);
        return NULL;
}

/* ---- entities ---- */

static int check_address(const struct engine *e, const struct address *address)
{
        if (index_find(&e->locals, address) || peers_find(&e->peers, address))
                return MBUS_E_TAKEN;
        return e->locals.n < ENTITIES_MAX ? 0 : MBUS_E_FULL;
}

/*
 * The old programs wait for five seconds, whoever else there is. So for them it is our own entities alone
 * that count, so many of them as one that keep the process below HELLOS_PER_SECOND_UCL.
 */
size_t hello_entities(const struct engine *e)
{
        const size_t as_one = HELLOS_PER_SECOND_UCL * HELLO_FACTOR_MS / 1000;

        if (e->options.dialect != DIALECT_UCL)
                return engine_n_all(e);
        return (e->locals.n + e->n_elsewhere + as_one - 1) / as_one;
}

void engine_share_hellos(struct engine *e, size_t n_elsewhere)
{
        e->n_elsewhere = n_elsewhere;
}

bool engine_hellos_are_slow(const struct engine *e, size_t n)
{
        return e->options.dialect == DIALECT_UCL &&
               e->locals.n + e->n_elsewhere + n > HELLOS_PER_SECOND_UCL;
}

static void start_hello(struct engine *e, uint64_t now, struct entity *entity)
{
        entity->since = now;
        hello_start(&entity->hello, now, &e->random);
        deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
}

int engine_add_entity(struct engine *e, uint64_t now, const struct address *address, void *data,
                      struct entity **ret_entity)
{
        struct entity *entity;
        int r = check_address(e, address);

        if (r != 0)
                return r;
        entity = malloc(sizeof(*entity));
        if (!entity)
                return -ENOMEM;
        *entity = (struct entity){ .deadline = DEADLINE_INIT,
                                   .sent = REPLAY_WINDOW_INIT,
                                   .stamp_min = e->stamp_min,
                                   .data = data };
        r = index_add(&e->locals, &entity->entry, address);
        if (r == 0) {
                r = deadlines_reserve(&e->hellos);
                if (r < 0)
                        index_remove(&e->locals, &entity->entry);
        }
        if (r < 0) {
                free(entity);
                return r;
        }
        if (e->since == TIME_NEVER)
                e->since = now;
        if (e->options.dialect == DIALECT_UCL)
                entity->seq = 1 + random_below(&e->random, SEQ_FIRST_MAX_UCL);
        start_hello(e, now, entity);
        searches_note(&e->searches, now, address);
        *ret_entity = entity;
        return 0;
}

/* Tickets of @entity to @peer end without an event, and it owes the peer nothing any more. */
static void part(struct engine *e, struct entity *entity, struct peer *peer)
{
        struct acks **link = &peer->acks;
        struct delivery *delivery, *next;

        while (*link && (*link)->entity != entity)
                link = &(*link)->next;
        if (*link) {
                struct acks *acks = *link;

                *link = acks->next;
                drop_acks(e, acks);
        }
        for (unsigned pass = 0; pass < 2; ++pass) {
                for (delivery = pass ? peer->queue.in_flight : peer->queue.waiting; delivery;
                     delivery = next) {
                        next = delivery->next;
                        if (delivery->entity != entity)
                                continue;
                        retransmitter_remove(&e->retransmitter, delivery);
                        events_release(&e->events);
                        --entity->n_reliable;
                }
        }
}

/* Most entities that go owe nobody anything, and no peer has to be asked then. */
static void remove_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                          bool bye)
{
        flush_acks(e, now, wall_ms);
        forget_waiting(e, entity);
        for (size_t i = 0; i < e->peers.known.n && entity->n_acks + entity->n_reliable > 0; ++i) {
                struct peer *peer = peer_of_entry(e->peers.known.all[i]);

                part(e, entity, peer);
                pump_queue(e, now, wall_ms, &peer->queue);
        }
        if (bye) {
                say_to_all(e, wall_ms, entity, "mbus.bye()");
                peers_bury(&e->peers, now, entity->entry.address, &entity->sent);
        }
        events_forget(&e->events, entity);
        if (entity->sent.open && entity->sent.stamp_max >= e->stamp_min)
                e->stamp_min = entity->sent.stamp_max + 1;
        free_entity(e, entity);
        e->shrunk = true;
}

void engine_remove_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity)
{
        remove_entity(e, now, wall_ms, entity, true);
}

void engine_withdraw_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity)
{
        remove_entity(e, now, wall_ms, entity, false);
}

void engine_announce_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity)
{
        entity->conflict = false;
        say_to_all(e, wall_ms, entity, "mbus.hello()");
        hello_said(&entity->hello, now, hello_entities(e), &e->random);
        deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
}

/* How long it keeps the address that it takes now, whoever else uses it (spec/errata.md, 27). */
static void pause_conflicts(struct entity *entity, uint64_t now)
{
        const uint64_t max = RENAME_PAUSE_MAX_MS * NSEC_PER_MSEC;
        bool again = entity->conflict_pause > 0 &&
                     now < entity->conflict_pause_until + entity->conflict_pause;

        entity->conflict_pause =
                again ? 2 * entity->conflict_pause : RENAME_PAUSE_MIN_MS * NSEC_PER_MSEC;
        if (entity->conflict_pause > max)
                entity->conflict_pause = max;
        entity->conflict_pause_until = now + entity->conflict_pause;
}

int engine_rename_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                         const struct address *address)
{
        struct index_entry fresh;
        int r = check_address(e, address);

        if (r == 0)
                r = index_add(&e->locals, &fresh, address);
        if (r != 0)
                return r;
        /* The old address belongs to somebody else who lives on: no bye for it. */
        index_remove(&e->locals, &entity->entry);
        index_move(&e->locals, &entity->entry, &fresh);
        entity->conflict = false;
        pause_conflicts(entity, now);
        start_hello(e, now, entity);
        searches_note(&e->searches, now, address);
        say_to_all(e, wall_ms, entity, "mbus.hello()");
        return 0;
}

void entity_keep_address(struct entity *entity)
{
        entity->keeps_address = true;
}

const struct address *entity_address(const struct entity *entity)
{
        return entity->entry.address;
}

void *entity_data(const struct entity *entity)
{
        return entity->data;
}

/* ---- time ---- */

static void say_hellos(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        struct deadline *d;

        while ((d = deadlines_pop(&e->hellos, now))) {
                struct entity *entity = (struct entity *)(void *)d;

                if (hello_expire(&entity->hello, now, hello_entities(e), &e->random))
                        say_to_all(e, wall_ms, entity, "mbus.hello()");
                deadlines_set(&e->hellos, d, hello_next(&entity->hello));
        }
}

/* Reverse reconsideration (8.1.4), once for all that left since the last tick. */
static void reconsider(struct engine *e, uint64_t now)
{
        size_t n = engine_n_all(e);

        if (!e->shrunk)
                return;
        e->shrunk = false;
        /* In DIALECT=UCL the interval depends on nobody who left, or hardly. */
        for (size_t i = 0; i < e->locals.n && e->options.dialect != DIALECT_UCL; ++i) {
                struct entity *entity = entity_of_entry(e->locals.all[i]);

                hello_shrink(&entity->hello, now, n);
                deadlines_set(&e->hellos, &entity->deadline, hello_next(&entity->hello));
        }
        peers_shrink(&e->peers, n);
}

void engine_tick(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        struct peer *peer;

        repeat_deliveries(e, now, wall_ms);
        while ((peer = peers_due(&e->peers, now, engine_n_all(e))))
                leave_peer(e, now, peer, MBUS_REASON_TIMEOUT);
        tick_searches(e, now, wall_ms);
        reconsider(e, now);
        say_hellos(e, now, wall_ms);
        flush_acks(e, now, wall_ms);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

uint64_t engine_deadline(const struct engine *e)
{
        if (e->acks_due || e->shrunk)
                return 0;
        return earlier(earlier(deadlines_next(&e->hellos), searches_deadline(&e->searches)),
                       earlier(deadlines_next(&e->peers.deadlines),
                               deadlines_next(&e->retransmitter.deadlines)));
}

/* ---- what the owner asks ---- */

void engine_relay(struct engine *e, bool on)
{
        e->options.owner_relays = on;
}

void engine_observe(struct engine *e, bool on, bool hello)
{
        e->observe = on;
        e->observe_hello = hello;
}

void engine_observe_only(struct engine *e, const struct filter *filters)
{
        e->filters = filters;
}

bool engine_pop_event(struct engine *e, struct event *ret_event)
{
        if (!events_pop(&e->events, ret_event))
                return false;
        if (ret_event->type == EVENT_DELIVERED || ret_event->type == EVENT_FAILED)
                --ret_event->entity->n_reliable;
        if (ret_event->type == EVENT_DROPPED && ret_event->drop == MBUS_DROP_EVENTS)
                e->dropped[ret_event->drop] += ret_event->count;
        return true;
}

bool engine_peek_datagram(const struct engine *e, size_t *cursor, struct datagram *ret_datagram)
{
        return outgoing_peek(&e->outgoing, cursor, ret_datagram);
}

void engine_pop_datagrams(struct engine *e, size_t n)
{
        outgoing_pop(&e->outgoing, n);
}

size_t engine_n_datagrams(const struct engine *e)
{
        return e->outgoing.n;
}

size_t engine_n_unfinished(const struct engine *e)
{
        return e->retransmitter.n + e->searches.n_waiters;
}

size_t engine_n_peers(const struct engine *e)
{
        return e->peers.known.n;
}

size_t engine_n_entities(const struct engine *e)
{
        return e->locals.n;
}

static struct peer_info describe(const struct engine *e, const struct peer *peer)
{
        return (struct peer_info){ .address = peer->entry.address,
                                   .endpoint = &peer->endpoint,
                                   .joined = peer->joined,
                                   .heard = peer->heard,
                                   .deadline = peers_deadline(&e->peers, peer, engine_n_all(e)),
                                   .legacy = peer->legacy };
}

bool engine_next_peer(const struct engine *e, const struct address *dest, size_t *cursor,
                      struct peer_info *ret_info)
{
        struct index_cursor at = index_match(&e->peers.known, dest);
        struct peer *peer;

        at.i = *cursor;
        peer = peer_of_entry(index_next(&at));
        *cursor = at.i;
        if (!peer)
                return false;
        *ret_info = describe(e, peer);
        return true;
}

bool engine_walk_peers(const struct engine *e, const struct address *dest, struct index_walk *walk,
                       struct peer_info *ret_info)
{
        const struct peer *peer = peer_of_entry(index_walk(&e->peers.known, dest, walk));

        if (peer)
                *ret_info = describe(e, peer);
        return peer;
}

struct entity *engine_walk_entities(const struct engine *e, const struct address *dest,
                                    struct index_walk *walk)
{
        return entity_of_entry(index_walk(&e->locals, dest, walk));
}

bool engine_has_peer(const struct engine *e, const struct address *address)
{
        return peers_find(&e->peers, address);
}

struct entity *engine_find(const struct engine *e, const struct address *address)
{
        return entity_of_entry(index_find(&e->locals, address));
}

unsigned engine_resolve(const struct engine *e, const struct address *dest,
                        struct entity **ret_entity, const struct address **ret_address)
{
        struct index_cursor locals = index_match(&e->locals, dest);
        struct index_cursor peers = index_match(&e->peers.known, dest);
        struct index_entry *local = index_next(&locals), *peer = index_next(&peers);

        if (!local && !peer)
                return 0;
        if ((local && (peer || index_next(&locals))) || (peer && index_next(&peers)))
                return 2;
        *ret_entity = entity_of_entry(local);
        *ret_address = local ? local->address : peer->address;
        return 1;
}

size_t engine_match(const struct engine *e, const struct address *dest,
                    struct entity **ret_entities, size_t size)
{
        struct index_cursor cursor = index_match(&e->locals, dest);
        struct index_entry *entry;
        size_t n = 0;

        while ((entry = index_next(&cursor))) {
                if (n < size)
                        ret_entities[n] = entity_of_entry(entry);
                ++n;
        }
        return n;
}

uint64_t engine_dropped(const struct engine *e, enum mbus_drop reason)
{
        return e->dropped[reason] + (reason == MBUS_DROP_EVENTS ? e->events.n_dropped : 0);
}

struct engine_heard engine_heard(const struct engine *e)
{
        return (struct engine_heard){ .n = e->n_heard,
                                      .n_line_feed = e->n_line_feed,
                                      .n_strangers = e->dropped[MBUS_DROP_DIGEST] +
                                                     e->dropped[MBUS_DROP_CIPHERTEXT] +
                                                     e->dropped[MBUS_DROP_PROTOCOL] };
}

void engine_count_drop(struct engine *e, enum mbus_drop reason, uint64_t n)
{
        e->dropped[reason] += n;
        if (reason == MBUS_DROP_SOCKET)
                e->events.n_lost += n;
}

size_t engine_memory(const struct engine *e)
{
        return sizeof(*e) + peers_bytes(&e->peers) + e->locals.n * sizeof(struct entity) +
               index_bytes(&e->locals) + e->hellos.size * sizeof(*e->hellos.heap) +
               retransmitter_bytes(&e->retransmitter) + searches_memory(&e->searches) +
               e->outgoing.size + events_memory(&e->events) + e->text.size + e->sealed.size;
}
