/*
 * connection-read.h - what comes in on a connection, cut into frames, at the rate that is allowed.
 */
#ifndef BROKER_NET_CONNECTION_READ_H
#define BROKER_NET_CONNECTION_READ_H

#include <uv.h>

/* The descriptor of the connection in poll->data is ready. */
void connection_on_ready(uv_poll_t *poll, int status, int events);

#endif
