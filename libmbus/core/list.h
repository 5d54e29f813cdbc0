/*
 * list.h - a doubly linked list of whatever has a node of it inside.
 *
 * The list owns nothing and allocates nothing: a node is a member of its element (container.h) and
 * taken out before that goes away. What is in several lists at a time has a node for each.
 *
 *      for (struct list_node *node = list.first; node; node = node->next)
 *
 * walks from the oldest push to the newest; who takes elements out on the way reads `next` before.
 *
 * Invariants: `first` and `last` are both NULL or both not; of two neighbours each points to the
 * other; nothing is before `first` or behind `last`; the pointers of a node that is in no list are
 * NULL. Hence all zeros is an empty list and a free node, and a list may be copied as long as only
 * one of the copies is used.
 */
#ifndef MBUS_CORE_LIST_H
#define MBUS_CORE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "container.h"

struct list_node {
        struct list_node *previous;
        struct list_node *next;
};

struct list {
        struct list_node *first;
        struct list_node *last;
};

#define LIST_NODE_INIT ((struct list_node){ NULL, NULL })
#define LIST_INIT ((struct list){ NULL, NULL })

static inline bool list_is_empty(const struct list *list)
{
        assert(!list->first == !list->last);
        return !list->first;
}

/* Whether what stands around @node says that it is in @list. */
static inline bool list_may_have(const struct list *list, const struct list_node *node)
{
        return (node->previous ? node->previous->next : list->first) == node &&
               (node->next ? node->next->previous : list->last) == node;
}

/* Puts @node, which is in no list, before @next, or behind the last if that is NULL. */
static inline void list_insert(struct list *list, struct list_node *node, struct list_node *next)
{
        struct list_node *previous = next ? next->previous : list->last;

        assert(!node->previous && !node->next && list->first != node);
        assert(!next || list_may_have(list, next));
        *node = (struct list_node){ previous, next };
        *(previous ? &previous->next : &list->first) = node;
        *(next ? &next->previous : &list->last) = node;
}

/* Puts @node behind the last. */
static inline void list_push(struct list *list, struct list_node *node)
{
        list_insert(list, node, NULL);
}

/* Puts @node before the first. */
static inline void list_push_first(struct list *list, struct list_node *node)
{
        list_insert(list, node, list->first);
}

/* Takes @node out of @list, in which it is. */
static inline void list_remove(struct list *list, struct list_node *node)
{
        assert(list_may_have(list, node));
        *(node->previous ? &node->previous->next : &list->first) = node->next;
        *(node->next ? &node->next->previous : &list->last) = node->previous;
        *node = LIST_NODE_INIT;
}

/* Takes the first out and returns it; NULL if the list is empty. */
static inline struct list_node *list_pop(struct list *list)
{
        struct list_node *node = list->first;

        if (node)
                list_remove(list, node);
        return node;
}

#endif
