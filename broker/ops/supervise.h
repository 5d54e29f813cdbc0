/*
 * supervise.h - what a service manager and the broker tell each other.
 *
 * Two variables and a datagram, as sd_listen_fds(3) and sd_notify(3) document them for programs that
 * do without the library: the listening socket may be handed over, and the manager is told when the
 * broker is ready, reloads and ends, how it is doing, and that it is alive. Without a manager none of
 * this happens.
 */
#ifndef BROKER_OPS_SUPERVISE_H
#define BROKER_OPS_SUPERVISE_H

#include <stdbool.h>

#include <uv.h>

struct broker;

struct supervise {
        uv_timer_t timer;
        bool due; /* the manager is to be told at the end of this turn */
};

/* The listening Unix socket that was handed over goes to *@ret_fd, and its name to *@ret_path, to be
 * freed. 0; -ENOENT: there is none; -EINVAL: what was handed over is something else; -ENOMEM. */
int supervise_take_listener(int *ret_fd, char **ret_path);

/* Tells the manager @state, lines of NAME=VALUE. */
void supervise_say(const char *state);

/* Tells the manager that the broker is ready, and how it is doing. */
void supervise_ready(const struct broker *b);

/* Begins to tell that the broker is alive, twice as often as the manager wants to hear it. */
int supervise_start(struct broker *b);
/* All that this turn had to do is done: that is what being alive means. */
void supervise_turn(struct broker *b);

#endif
