/*
 * answer.h - an answer that is lists of names and values.
 *
 * An answer is a command of the same name as the question. It may take several messages; the first
 * parameter is 1 if more follow, and 0 in the last one. What comes behind are lists, each a name
 * and a value, or lists of such lists.
 */
#ifndef BROKER_CONTROL_ANSWER_H
#define BROKER_CONTROL_ANSWER_H

#include "request.h"

struct answer {
        struct request *request;
        const char *name;
        struct buffer items;
};

struct answer answer_to(struct request *request, const char *name);
/* Says what is left of it. */
void answer_end(struct answer *a);
/* An item, which began with " (", is complete; what there is so far is said if it is enough for
 * a message. */
void answer_end_item(struct answer *a);
/* A piece of a list is complete; @more follow. */
void answer_end_piece(struct answer *a, bool more);
bool answer_is_full(const struct answer *a);

/* Appends (NAME VALUE). */
void answer_add_number(struct answer *a, const char *name, uint64_t number);
void answer_add_seconds(struct answer *a, const char *name, uint64_t ns);
void answer_add_string(struct answer *a, const char *name, struct span text);
void answer_add_address(struct answer *a, const struct address *address);
/* (NAME (ITEM ...)), a list of strings: between begin and end, each with add_item(). */
void answer_begin_list(struct answer *a, const char *name);
void answer_add_item(struct answer *a, struct span text);
/* False, and nothing is added, if there is no room for it. */
bool answer_add_item_that_fits(struct answer *a, struct span text);
void answer_end_list(struct answer *a);

#endif
