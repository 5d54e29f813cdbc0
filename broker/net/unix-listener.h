/*
 * unix-listener.h - connections that come over the Unix socket (base/socket-file.h).
 */
#ifndef BROKER_NET_UNIX_LISTENER_H
#define BROKER_NET_UNIX_LISTENER_H

#include "connection.h"

struct unix_listener {
        struct connections *connections;
        int fd;
        const char *path; /* for the log */
        uv_poll_t poll;
        uv_timer_t timer;                  /* while there are no descriptors */
        struct log_trouble no_descriptors; /* clients wait */
};

/* Takes connections from now on from @fd, which listens at @path; both stay the caller's. 0 or
 * -errno. */
int unix_listener_start(struct unix_listener *l, struct connections *connections, int fd,
                        const char *path);
/* Takes them from @fd, which listens and is closed here, instead of from the socket so far. */
void unix_listener_replace(struct unix_listener *l, int fd);
/* No more connections. */
void unix_listener_stop(struct unix_listener *l);

#endif
