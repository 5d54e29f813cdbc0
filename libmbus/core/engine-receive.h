/*
 * engine-receive.h - a datagram comes in: authentic? new? for us? only then its payload is read.
 */
#ifndef MBUS_CORE_ENGINE_RECEIVE_H
#define MBUS_CORE_ENGINE_RECEIVE_H

#include "engine-state.h"

void receive_datagram(struct engine *e, uint64_t now, uint64_t wall_ms, const struct endpoint *from,
                      struct span datagram);

#endif
