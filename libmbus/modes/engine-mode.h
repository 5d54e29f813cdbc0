/*
 * engine-mode.h - what direct and mem mode share: an engine of our own behind the bus.
 */
#ifndef MBUS_MODES_ENGINE_MODE_H
#define MBUS_MODES_ENGINE_MODE_H

#include <bus/mode.h>
#include <core/engine.h>
#include <core/random.h>

struct engine_entity {
        struct mbus_entity base;
        struct entity *engine; /* NULL: it is not on the bus, or not any more */
};

/* The beginning of either mode. */
struct engine_mode {
        struct mode base;
        struct engine *engine;
        struct crypto *crypto;
        struct random random;
        struct time_of_day time;
        char host[64];    /* host-id of ids that are made here (4.1) */
        uint32_t id;      /* their first number */
        uint32_t next_id; /* their second one, if that is of this bus alone; else 0 */
        /* @entity is to have @address. MBUS_E_TAKEN: somebody of whom the engine has not heard
         * has it. May be NULL. */
        int (*claim)(struct engine_entity *entity, const struct address *address);
};

static inline struct engine_mode *engine_mode_of(const struct mode *mode)
{
        return container_of(mode, struct engine_mode, base);
}

static inline struct engine_entity *engine_entity_of(struct mbus_entity *entity)
{
        return container_of(entity, struct engine_entity, base);
}

/* `base` and `random` are set. @surveys: engine_options.owner_surveys. */
int engine_mode_open(struct engine_mode *m, const struct config *config, uint64_t patience,
                     bool surveys);
void engine_mode_close(struct engine_mode *m);

/* Those of mode_ops. */
int engine_mode_add_entity(struct mbus_entity *entity);
void engine_mode_remove_entity(struct mbus_entity *entity);
int engine_mode_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
                     uint64_t *ret_ticket);
int engine_mode_check_ready(const struct mbus_entity *entity);
int engine_mode_ping(struct mbus_entity *entity, const struct address *dest);
int engine_mode_watch(struct mode *mode, struct watch *watch);
int engine_mode_observe(struct mode *mode);
int engine_mode_list(struct mode *mode, const struct address *dest, struct mbus_peers *peers);
bool engine_mode_pull(struct mode *mode);
uint64_t engine_mode_get_dropped(const struct mode *mode, enum mbus_drop drop);
void engine_mode_get_sizes(const struct mode *mode, size_t *ret_size, size_t *ret_largest);
size_t engine_mode_n_left(struct mode *mode);

#endif
