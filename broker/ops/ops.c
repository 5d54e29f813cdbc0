/*
 * ops.c - what the administrator has of the broker.
 */
#include "ops.h"

void ops_init(struct ops *ops, struct control *control, struct settings *settings,
              struct tcp_listener *tcp)
{
        *ops = (struct ops){ .it = control->it,
                             .quota = control->quota,
                             .net = control->sessions->net,
                             .tcp = tcp,
                             .buses = control->buses,
                             .sessions = control->sessions,
                             .routing = control->routing,
                             .bridges = control->bridges,
                             .settings = settings,
                             .started = control->it->now };
        stats_init(ops, control);
}
