/*
 * waits.h - for what the entities of a bus wait, until mbus.go says that it is there (RFC
 * 3259, 9.5, 9.6).
 *
 * A wait says mbus.waiting again and again, for that is never acknowledged. It ends once: with the
 * first mbus.go of its condition that the application gets, when its time is over, or when it is
 * taken back.
 *
 *      waiting -- mbus.go --------------------------------> ended -- popped --> told
 *              -- cancelled ------------------------------>
 *              -- time is over --> late -- nothing queued ->
 *
 * A late wait says nothing any more, but an mbus.go that came in time may still stand in the queue:
 * so it ends only when the application has popped all that came before.
 */
#ifndef MBUS_BUS_WAITS_H
#define MBUS_BUS_WAITS_H

#include <core/bytes.h>
#include <core/limits.h>
#include <core/list.h>

#include <api/api.h>

/*
 * Invariants: what is in `waiting` has `said_next` no earlier than `next`, unless it is late, and
 * `late` of it are; what is in `ended` has an outcome. No two in `waiting` are of one entity and
 * one condition.
 */
struct waits {
        struct list waiting;
        struct list ended; /* in the order in which they are told */
        size_t n_late;
        uint64_t next;     /* nothing is due before; TIME_NEVER if `waiting` is empty */
        struct wait *told; /* whose texts the application looks at */
};

#define WAITS_INIT ((struct waits){ .next = TIME_NEVER })

void waits_deinit(struct waits *ws);
/*
 * Says it once, and from now on. @payload: mbus.waiting(CONDITION). 0, MBUS_E_FULL, MBUS_E_TAKEN
 * (it waits for that), -ENOMEM, or what sending says; then nothing waits.
 */
int waits_add(struct waits *ws, struct mbus_entity *entity, const struct address *destination,
              const char *condition, struct span payload, uint64_t now, uint64_t end);
/* 0 or MBUS_E_UNKNOWN. */
int waits_cancel(struct waits *ws, const struct mbus_entity *entity, const char *condition);
/* Nothing of @entity is waited for or told any more. */
void waits_forget(struct waits *ws, const struct mbus_entity *entity);

static inline uint64_t waits_next(const struct waits *ws)
{
        return ws->next;
}
/* Says what is due. */
void waits_say(struct waits *ws, uint64_t now);
/* Those whose time is over are late; called when all that has come is queued. */
void waits_expire(struct waits *ws, uint64_t now);

/* The application gets @message of @entity: ends what it says mbus.go for. */
void waits_heard(struct waits *ws, const struct mbus_entity *entity,
                 const struct mbus_message *message);
/* The application has popped all else: those that are late end. Whether one did. */
bool waits_give_up(struct waits *ws);
static inline bool waits_has_ended(const struct waits *ws)
{
        return !list_is_empty(&ws->ended);
}
/* Takes out the first that ended, as the event that says so; its texts stay until the next call. */
void waits_pop(struct waits *ws, struct mbus_event *ret_event);

#endif
