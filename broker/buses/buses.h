/*
 * buses.h - the door of buses/: the networks, each an engine of the core behind its sockets. Nobody
 * here knows of clients.
 */
#ifndef BROKER_BUSES_BUSES_H
#define BROKER_BUSES_BUSES_H

#include "bus.h"

#endif
