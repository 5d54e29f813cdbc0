/*
 * state.h - what the files of ops/ share.
 */
#ifndef BROKER_OPS_STATE_H
#define BROKER_OPS_STATE_H

#include <broker/control/control.h>

struct metrics;

struct ops {
        struct iteration *it;
        struct quota *quota;
        struct connections *net;
        struct tcp_listener *tcp;
        struct buses *buses;
        struct sessions *sessions;
        struct routing *routing;
        struct bridges *bridges;
        struct settings *settings;
        struct command_table commands; /* of ours (stats.c) */
        struct metrics *metrics;       /* NULL: nobody wants them */
        uint64_t started;
        uint64_t n_reloads;
        uint64_t n_reloads_refused;
        uv_timer_t status_timer;
        bool status_is_due; /* the service manager is to be told at the end of this iteration */
};

#endif
