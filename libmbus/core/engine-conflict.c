/*
 * engine-conflict.c - see engine-conflict.h.
 */
#include "engine-conflict.h"

#include <assert.h>

#include "engine-hello.h"

/* Whether it was made before @entity took its address: a former bearer's, sent again by anybody. Of
 * three times that are cut to milliseconds, one more may be missing. */
static bool is_of_former_bearer(const struct inbound *in, const struct entity *entity)
{
        return in->timestamp + (in->now - entity->since) / NSEC_PER_MSEC + 1 < in->wall_ms;
}

/* Somebody else has the address that @entity is to keep (RFC 5227 has the same for those of hosts).
 * Whether he is to have it. */
static bool yields(struct engine *e, const struct inbound *in, struct entity *entity)
{
        uint64_t peace = in->now - entity->defended;

        if (in->now - entity->since < ADDRESS_PROBE_MS * NSEC_PER_MSEC)
                return true;
        if (entity->is_defended && peace < ADDRESS_PEACE_MS * NSEC_PER_MSEC)
                return peace >= ADDRESS_DEFENCE_MS * NSEC_PER_MSEC;
        entity->is_defended = true;
        entity->defended = in->now;
        announce_entity(e, in->now, in->wall_ms, entity);
        return false;
}

void receive_own(struct engine *e, const struct inbound *in, struct entity *entity)
{
        enum window_verdict verdict =
                replay_window_check(&entity->sent, in->header.seq, in->timestamp);

        if (verdict == WINDOW_NEW || verdict == WINDOW_RESTART)
                verdict = is_of_former_bearer(in, entity) ? WINDOW_STALE : WINDOW_NEW;
        if (verdict == WINDOW_DUPLICATE || verdict == WINDOW_STALE) {
                count_drop(e, verdict == WINDOW_STALE ? MBUS_DROP_STALE : MBUS_DROP_OWN);
                return;
        }
        if (entity->conflict || in->now < entity->conflict_pause_until ||
            (entity->keeps_address && !yields(e, in, entity)))
                return;
        /* Without memory the next message of the other one tells. */
        entity->conflict = events_push(&e->events, &(struct event){ .type = EVENT_CONFLICT,
                                                                    .entity = entity }) == 0;
        if (!entity->conflict)
                count_drop(e, MBUS_DROP_EVENTS);
}

void pause_conflicts(struct entity *entity, uint64_t now)
{
        const uint64_t max = RENAME_PAUSE_MAX_MS * NSEC_PER_MSEC;
        bool again = entity->conflict_pause > 0 &&
                     now < entity->conflict_pause_until + entity->conflict_pause;

        entity->conflict_pause =
                again ? 2 * entity->conflict_pause : RENAME_PAUSE_MIN_MS * NSEC_PER_MSEC;
        if (entity->conflict_pause > max)
                entity->conflict_pause = max;
        assert(entity->conflict_pause >= RENAME_PAUSE_MIN_MS * NSEC_PER_MSEC);
        entity->conflict_pause_until = now + entity->conflict_pause;
}
