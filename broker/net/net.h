/*
 * net.h - the door of net/: connections of clients, as octets, frames and bounded queues. Nobody
 * here knows what a frame says; the owner of the connections is told what happens (struct
 * connection_owner).
 *
 *      connection     one of them, and all
 *      queue          what waits to be written
 *      admission      who may connect, and what its rights are
 *      unix-listener, tcp-listener, tcp-connection
 *                     where they come from, and over TCP prove themselves before
 */
#ifndef BROKER_NET_NET_H
#define BROKER_NET_NET_H

#include "admission.h"
#include "connection.h"
#include "queue.h"
#include "tcp-listener.h"
#include "unix-listener.h"

#endif
