/*
 * status.c - how the broker is doing, for the service manager.
 */
#include "status.h"

#include <stdio.h>

/* How often the status is told where nobody wants signs of life. */
#define STATUS_MS 10000

static void status_on_timer(uv_timer_t *timer)
{
        struct ops *ops = timer->data;

        ops->status_is_due = true;
}

int status_start(struct ops *ops)
{
        uint64_t ms = service_manager_watchdog_ms();
        int r = uv_timer_init(&ops->it->loop, &ops->status_timer);

        if (r || !service_manager_listens())
                return r;
        ops->status_timer.data = ops;
        ms = ms > 0 ? (ms + 1) / 2 : STATUS_MS;
        return uv_timer_start(&ops->status_timer, status_on_timer, ms, ms);
}

/* Says @what, and how the broker is doing. */
static void say_with_status(const struct ops *ops, const char *what)
{
        const struct engine *engine = ops->routing->engine;
        char state[160];

        snprintf(state, sizeof(state), "%s\nSTATUS=%zu clients, %zu local and %zu remote entities",
                 what, ops->net->n, engine_n_entities(engine), engine_n_peers(engine));
        service_manager_say(state);
}

void status_ready(const struct ops *ops)
{
        say_with_status(ops, "READY=1");
}

void status_end_iteration(struct ops *ops)
{
        if (!ops->status_is_due)
                return;
        ops->status_is_due = false;
        say_with_status(ops, "WATCHDOG=1");
}
