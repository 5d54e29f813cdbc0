/*
 * engine.c - the life of an engine, its time, and what its owner calls: each goes to the file of
 * the engine that has the noun (engine-state.h).
 */
#include "engine.h"

#include <assert.h>
#include <stdlib.h>

#include "engine-acks.h"
#include "engine-delivery.h"
#include "engine-entities.h"
#include "engine-hello.h"
#include "engine-presence.h"
#include "engine-receive.h"
#include "engine-search.h"
#include "engine-send.h"

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

int engine_add_entity(struct engine *e, uint64_t now, const struct address *address, void *data,
                      struct entity **ret_entity)
{
        return add_entity(e, now, address, data, ret_entity);
}

void engine_remove_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity)
{
        remove_entity(e, now, wall_ms, entity, true);
}

void engine_withdraw_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity)
{
        remove_entity(e, now, wall_ms, entity, false);
}

int engine_rename_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                         const struct address *address)
{
        return rename_entity(e, now, wall_ms, entity, address);
}

void engine_announce_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity)
{
        announce_entity(e, now, wall_ms, entity);
}

void entity_keep_address(struct entity *entity)
{
        entity->keeps_address = true;
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

/* ---- messages ---- */

void engine_receive(struct engine *e, uint64_t now, uint64_t wall_ms, const struct endpoint *from,
                    struct span datagram)
{
        receive_datagram(e, now, wall_ms, from, datagram);
}

int engine_send(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                const struct address *dest, struct span payload)
{
        return send_unreliable(e, now, wall_ms, entity, dest, payload);
}

int engine_send_reliable(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                         const struct address *dest, struct span payload, uint64_t *ret_ticket)
{
        return send_reliable(e, now, wall_ms, entity, dest, payload, ret_ticket);
}

void engine_fail_tickets(struct engine *e, struct entity *entity, enum mbus_reason reason)
{
        fail_waiting(e, entity, reason);
        fail_deliveries_of(e, entity, reason);
}

size_t engine_largest(const struct engine *e)
{
        return largest_message(e);
}

int engine_ping(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                const struct address *dest)
{
        return send_ping(e, now, wall_ms, entity, dest);
}

void engine_answer_ping(struct engine *e, uint64_t now, const struct address *dest)
{
        answer_ping(e, now, dest);
}

void engine_acknowledge(struct engine *e, uint64_t now, struct entity *entity,
                        const struct address *src, uint32_t seq)
{
        (void)now;
        acknowledge(e, entity, src, seq);
}

void engine_refuse(struct engine *e, struct entity *entity, const struct address *src, uint32_t seq)
{
        refuse_message(e, entity, src, seq);
}

/* ---- destinations that are not known yet ---- */

void engine_set_patience(struct engine *e, uint64_t patience)
{
        e->patience = patience;
}

bool engine_knows_all(struct engine *e, uint64_t now)
{
        return knows_all(e, now);
}

void engine_surveyed(struct engine *e, uint64_t now, uint64_t wall_ms, bool all)
{
        end_survey(e, now, wall_ms, all);
}

/* ---- time ---- */

void engine_tick(struct engine *e, uint64_t now, uint64_t wall_ms)
{
        struct peer *peer;

        repeat_deliveries(e, now, wall_ms);
        while ((peer = peers_due(&e->peers, now, engine_n_all(e))))
                leave_peer(e, now, peer, MBUS_REASON_TIMEOUT);
        tick_searches(e, now, wall_ms);
        shrink_hellos(e, now);
        say_hellos(e, now, wall_ms);
        /* Well within T_c of the datagrams that they are for, which came just before (REL-09). */
        flush_acks(e, now, wall_ms);
        assert(!e->acks_due && !e->shrunk);
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

/* ---- what comes out ---- */

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
        if (ret_event->type == EVENT_DELIVERED || ret_event->type == EVENT_FAILED) {
                assert(ret_event->entity->n_reliable > 0);
                --ret_event->entity->n_reliable;
        }
        if (ret_event->type == EVENT_DROPPED && ret_event->drop == MBUS_DROP_EVENTS)
                e->dropped[ret_event->drop] += ret_event->count;
        return true;
}

void engine_pop_datagrams(struct engine *e, size_t n)
{
        outgoing_pop(&e->outgoing, n);
}

void engine_count_drop(struct engine *e, enum mbus_drop reason, uint64_t n)
{
        e->dropped[reason] += n;
        if (reason == MBUS_DROP_SOCKET)
                e->events.n_lost += n;
}
