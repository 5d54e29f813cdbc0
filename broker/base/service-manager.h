/*
 * service-manager.h - what a service manager hands over, wants to hear and is told.
 *
 * Two variables and a datagram, as sd_listen_fds(3) and sd_notify(3) document them for programs
 * that do without the library: the listening socket may be handed over, and the manager is told
 * when the broker is ready, reloads and ends, how it is doing, and that it is alive. Without a
 * manager none of this happens.
 */
#ifndef BROKER_BASE_SERVICE_MANAGER_H
#define BROKER_BASE_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

/* The listening Unix socket that was handed over goes to *@ret_fd, and its name to *@ret_path, to
 * be freed. 0; -ENOENT: there is none; -EINVAL: what was handed over is something else; -ENOMEM. */
int service_manager_take_listener(int *ret_fd, char **ret_path);
/* Tells the manager @state, lines of NAME=VALUE. */
void service_manager_say(const char *state);
/* Whether there is one to be told. */
bool service_manager_listens(void);
/* How often it wants a sign of life, in ms; 0: it does not. */
uint64_t service_manager_watchdog_ms(void);

#endif
