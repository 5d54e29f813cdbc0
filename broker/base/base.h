/*
 * base.h - the door of base/: what the broker stands on. Nothing here knows of clients, entities or
 * buses.
 *
 *      limits           every number that bounds what others can make grow
 *      iteration        the clocks and the shared memory of one iteration of the loop
 *      chunk, pipe      memory that messages pass through
 *      drop-cause       what goes wrong, by cause
 *      log, exit, version
 *                       lines for the administrator, and the exit status
 *      excerpt          what others wrote, as far as a line repeats it
 *      listen-address, socket-file, own-file, directory
 *                       addresses to listen at, and files of ours that others may remove
 *      tcp-socket       what is asked of the system for TCP
 *      descriptors      how many there may be
 *      service-manager  what it hands over and is told
 */
#ifndef BROKER_BASE_BASE_H
#define BROKER_BASE_BASE_H

#include "chunk.h"
#include "descriptors.h"
#include "directory.h"
#include "drop-cause.h"
#include "excerpt.h"
#include "exit.h"
#include "iteration.h"
#include "limits.h"
#include "listen-address.h"
#include "log.h"
#include "own-file.h"
#include "pipe.h"
#include "service-manager.h"
#include "socket-file.h"
#include "tcp-socket.h"
#include "version.h"

#endif
