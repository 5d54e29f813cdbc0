/*
 * played-broker.h - as much of a broker as programs need to talk (spec/attach.md), for runs in which
 * something fails on their side. It looks only at what it is told and takes no memory.
 */
#ifndef MBUS_TESTS_PLAYED_BROKER_H
#define MBUS_TESTS_PLAYED_BROKER_H

#include <stdbool.h>

/* Listens at @path. */
void broker_start(const char *path);
void broker_stop(void);
/* Handles what came in; true if it did anything. */
bool broker_turn(void);
/* Forgets all links, and waits for new ones. */
void broker_hang_up(void);

#endif
