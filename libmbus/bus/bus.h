/*
 * bus.h - what the files of the public bus share: struct mbus_bus, which is theirs alone.
 *
 *      life.c          a bus begins and ends
 *      bus.c           what is known about it; a child lets go of its parent's
 *      entities.c      entities of the application
 *      sending.c       what they send ...
 *      sendf.c         ... from a format
 *      rendezvous.c    what they wait for, and who says that it is there
 *      watching.c      which others it wants to hear of
 *      observe.c       which messages it wants to see
 *      loop.c          how the bus fits into a main loop
 *      pop.c           events become the application's
 *      wait.c          calls that sleep
 *      refuse.c        why a call was refused
 */
#ifndef MBUS_BUS_H
#define MBUS_BUS_H

#include <core/bytes.h>

#include "mode.h"
#include "waits.h"

struct mbus_bus {
        struct bus_parts parts;
        struct mode *mode; /* NULL while it is being opened */
        char error[512];   /* mbus_bus_get_error() */
        struct waits waits;
        struct queued current; /* what the application looks at */
        struct buffer
                to_text;   /* the destination that was sent to last, a zero octet behind it ... */
        struct address to; /* ... and what it parses into */
        size_t n_entities;
        uint32_t process; /* fork_number() of who opened it */
        bool abandoned;   /* in a child: it has no descriptor any more */
};

/* What a call answers before it does anything: 0; MBUS_E_MALFORMED without a bus; -ECHILD if
 * that is the parent's; MBUS_E_MALFORMED unless all its arguments are @there. */
static inline int bus_usable(const struct mbus_bus *bus, bool there)
{
        if (!bus)
                return MBUS_E_MALFORMED;
        if (bus->process != atomic_load_explicit(fork_mark, memory_order_relaxed))
                return -ECHILD;
        return there ? 0 : MBUS_E_MALFORMED;
}

/* Before an inherited bus is freed, or something of it. Does nothing in the process that opened
 * it. */
void bus_abandon(struct mbus_bus *bus);

/* Both return @error and, if it is positive, keep a sentence for mbus_bus_get_error(): a general
 * one, or @what, which is wrong with @text at the offset @at. */
int bus_refuse(struct mbus_bus *bus, int error);
int bus_refuse_text(struct mbus_bus *bus, int error, const char *text, size_t at, const char *what);
/* The same for an error that comes of @reason. */
int bus_refuse_reason(struct mbus_bus *bus, enum mbus_reason reason);

/* To be called at the end of each call of the application that may have moved the deadline. */
void bus_changed(struct mbus_bus *bus);
/* mbus_bus_process(); @fds as in mode_ops.process. */
int bus_process(struct mbus_bus *bus, const struct pollfd *fds);

/* Whether an event can be popped; pulls the next one from the mode. */
bool bus_has_event(struct mbus_bus *bus);

#endif
