/*
 * engine.h - one endpoint on the bus with any number of local entities (RFC 3259 as a whole).
 *
 * Bytes and time go in, bytes and events come out. The engine knows no socket and no clock: `now`
 * is monotonic ns, `wall_ms` is the time for the TimeStamp header, and every random delay comes
 * from the seed, so a whole bus can be run in one process on a virtual clock and repeats exactly.
 *
 * What can be asked without changing anything is in engine-query.h. The engine only routes between
 * the modules that hold the rules: replay window, peers, hello, retransmitter, search, acks.
 *
 *      engine_receive()        for each datagram that came in
 *      engine_tick()           after a batch of them, and when engine_deadline() has come
 *      engine_pop_event()      until there is none
 *      engine_peek_datagrams() to the socket, until there is none
 */
#ifndef MBUS_CORE_ENGINE_H
#define MBUS_CORE_ENGINE_H

#include "engine-options.h"
#include "engine-query.h"
#include "events.h"
#include "outgoing.h"

struct engine;
struct entity;
struct filter;

/* 0 or -ENOMEM. */
int engine_new(const struct engine_options *options, struct engine **ret_engine);
/* Says nothing on the bus. Takes NULL, returns NULL. */
struct engine *engine_free(struct engine *e);

/*
 * Adds an entity with the complete @address, id element included; it announces itself from now on.
 * 0, MBUS_E_TAKEN (an entity of this engine or a known peer), MBUS_E_FULL or -ENOMEM.
 */
int engine_add_entity(struct engine *e, uint64_t now, const struct address *address, void *data,
                      struct entity **ret_entity);
/* Queues mbus.bye (9.2), drops outstanding messages without an event, frees the entity. */
void engine_remove_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity);
/* The same without mbus.bye: somebody else has the address and lives on. */
void engine_withdraw_entity(struct engine *e, uint64_t now, uint64_t wall_ms,
                            struct entity *entity);
/*
 * The address of @entity was given by somebody who relies on it, and is not to be changed. Of two
 * that have it one has to go: who has it for less than ADDRESS_PROBE_MS goes at once, and is told
 * by EVENT_CONFLICT; who has it for longer says hello, so that the other one hears of him, and goes
 * if that does not help.
 */
void entity_keep_address(struct entity *entity);
/* All tickets of @entity fail for @reason. */
void engine_fail_tickets(struct engine *e, struct entity *entity, enum mbus_reason reason);
/* Says hello for @entity at once. A conflict about it that was reported may be reported again. */
void engine_announce_entity(struct engine *e, uint64_t now, uint64_t wall_ms,
                            struct entity *entity);
/* Gives an entity another complete address, after a conflict, and says hello with it. The next
 * conflict about it is reported after RENAME_PAUSE_MIN_MS, twice as long each time up to
 * RENAME_PAUSE_MAX_MS, until nobody has disturbed it for as long again. Errors as
 * engine_add_entity(). */
int engine_rename_entity(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                         const struct address *address);

/* A datagram came in. Everything that can be wrong with it is counted: engine_dropped(). */
void engine_receive(struct engine *e, uint64_t now, uint64_t wall_ms, const struct endpoint *from,
                    struct span datagram);
/* Does what is due: hellos, acknowledgements, retransmissions, expiries. */
void engine_tick(struct engine *e, uint64_t now, uint64_t wall_ms);
/* When engine_tick() is due next: absolute ns, TIME_NEVER, or 0 for at once. */
uint64_t engine_deadline(const struct engine *e);

/*
 * Sends @payload (well-formed text in the RFC's dialect; not empty) unreliably from @entity to all
 * that match @dest. 0, MBUS_E_TOO_LARGE, MBUS_E_FULL (outgoing queue) or -ENOMEM.
 */
int engine_send(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                const struct address *dest, struct span payload);
/*
 * The same reliably (7), to the one known entity that @dest matches. The ticket ends in exactly one
 * EVENT_DELIVERED or EVENT_FAILED. Also MBUS_E_UNKNOWN and MBUS_E_NOT_UNIQUE, and MBUS_E_FULL when
 * RELIABLE_OUTSTANDING_MAX messages of the entity are not finished, or their ends not popped, or
 * when those of all entities to peers would take more than reliable_bytes_max.
 */
int engine_send_reliable(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                         const struct address *dest, struct span payload, uint64_t *ret_ticket);
/*
 * How long, in ns, reliable messages wait from now on until it is known who matches their
 * destination: somebody who was not heard yet, or others than the one who was. 0, as at first: not
 * at all. Else MBUS_E_UNKNOWN and MBUS_E_NOT_UNIQUE come as the reason of EVENT_FAILED, unless
 * several are known to match already. The message gets SeqNum and TimeStamp when it leaves; those
 * of one entity to one destination leave in the order of the calls. MBUS_E_FULL, too, when they
 * wait for SEARCHES_MAX others.
 */
void engine_set_patience(struct engine *e, uint64_t patience);
/* Whether all that are on the bus must have been heard: they have said hello since the first entity
 * was added here, as far as is known how many they are. With owner_surveys what the owner says. */
bool engine_knows_all(struct engine *e, uint64_t now);
/* With owner_surveys: whether all that are on the bus are known now; if so, all that waits is
 * answered. */
void engine_surveyed(struct engine *e, uint64_t now, uint64_t wall_ms, bool all);
/* The largest message, header included, that the bus takes, in octets. */
size_t engine_largest(const struct engine *e);
/* mbus.ping from @entity to all that match @dest (9.3). Errors as engine_send(). In DIALECT_UCL
 * nothing is said (spec/errata.md, 81). */
int engine_ping(struct engine *e, uint64_t now, uint64_t wall_ms, struct entity *entity,
                const struct address *dest);
/* The owner carried a ping to the local entities that @dest matches: they answer on the bus. */
void engine_answer_ping(struct engine *e, uint64_t now, const struct address *dest);
/* With owner_acknowledges: the reliable message @seq of @src has arrived at @entity. Nothing
 * happens if it is not waited for. */
void engine_acknowledge(struct engine *e, uint64_t now, struct entity *entity,
                        const struct address *src, uint32_t seq);
/* The opposite: it was lost on the way, and @src may repeat it as if it had never come. */
void engine_refuse(struct engine *e, struct entity *entity, const struct address *src,
                   uint32_t seq);

/* Asks for EVENT_OBSERVED of every message that is received or sent; @hello: also of those that
 * hold only mbus.hello or nothing. */
void engine_observe(struct engine *e, bool on, bool hello);
/* Of these only what passes one of @filters as a message on BUS_MAIN; they stay valid until the
 * next call. NULL: all. */
void engine_observe_only(struct engine *e, const struct filter *filters);
/* So many entities of the same process are on other buses of DIALECT=UCL, whose hellos share one
 * limit. */
void engine_share_hellos(struct engine *e, size_t n_elsewhere);
/* Whether the entities here, and @n more, are too many to say hello every second, as DIALECT=UCL
 * wants it. */
bool engine_hellos_are_slow(const struct engine *e, size_t n);
/* engine_options.owner_relays from now on. */
void engine_relay(struct engine *e, bool on);

/* The oldest event, which the caller then owns: event_deinit(). */
bool engine_pop_event(struct engine *e, struct event *ret_event);
/* The oldest @n of those that engine_peek_datagram() gives went out. */
void engine_pop_datagrams(struct engine *e, size_t n);

/* Counts what the owner lost on the way to or from the engine; what was lost on the way here
 * (MBUS_DROP_SOCKET) is reported as EVENT_DROPPED, too. */
void engine_count_drop(struct engine *e, enum mbus_drop reason, uint64_t n);

#endif
