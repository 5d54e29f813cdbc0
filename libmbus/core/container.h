/*
 * container.h - from a member of a structure back to the structure.
 *
 * Deadlines, entries of an index and nodes of a list are members of what they stand for. Whoever is
 * handed one of them gets at the whole by the member's name, wherever in it the member is.
 */
#ifndef MBUS_CORE_CONTAINER_H
#define MBUS_CORE_CONTAINER_H

#include <stddef.h>

static inline void *container_at(const void *member, size_t offset)
{
        return member ? (char *)member - offset : NULL;
}

/* The @type whose @member is at @pointer; NULL if that is NULL. What points to anything else than
 * such a member does not compile. */
#define container_of(pointer, type, member)                                                        \
        ((type *)container_at(1 ? (pointer) : &((type *)0)->member, offsetof(type, member)))

#endif
