/*
 * state.h - what the files of ops/ share.
 */
#ifndef BROKER_OPS_STATE_H
#define BROKER_OPS_STATE_H

#include <broker/control/control.h>

struct metrics;

struct ops {
        struct control *control;
        struct settings *settings;
        struct tcp_listener *tcp;
        struct command_table commands;
        struct metrics *metrics; /* NULL: nobody wants them */
        uint64_t started;
        uint64_t n_reloads;
        uint64_t n_reloads_refused;
        uv_timer_t status_timer;
        bool status_is_due; /* the service manager is to be told at the end of this iteration */
};

#endif
