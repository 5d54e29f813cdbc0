/*
 * ops.c - what the administrator has of the broker.
 */
#include "ops.h"

void ops_init(struct ops *ops, struct control *control, struct settings *settings,
              struct tcp_listener *tcp)
{
        *ops = (struct ops){
                .control = control, .settings = settings, .tcp = tcp, .started = control->it->now
        };
        stats_init(ops);
}
