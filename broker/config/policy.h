/*
 * policy.h - what a client may do, by its user and groups: the section [policy].
 *
 *      allow user=alice attach=(app:rat media:audio *) send=(module:engine) commands=audio.,rat.
 *      allow group=audio,video watch=yes observe=yes
 *      deny user=mallory
 *      allow user=* attach=(app:visitor) send=(app:doorbell) commands=doorbell.ring
 *
 * The owner of the broker (its effective uid) and root may do everything. Whoever else has no line
 * may do nothing. In a user namespace that does not map all ids the overflow id is nobody
 * (io/nobody.h): no owner, and only allow lines for * are for him; deny lines that name his number
 * are, too. Lines are read from the top: what the allow lines for a client grant adds up, until a
 * deny line for it ends the reading.
 *
 *      user=  group=   whom the line is for: names or numbers, several with commas between, * for
 *                      everybody; one that matches is enough. Supplementary groups count.
 *      attach=ADDRESS  an entity with exactly these elements and an id; with a * before the ")" it
 *                      may have others, too. An address is what messages are received by, so
 *                      attach=* lets a client hear whatever it likes.
 *      send=ADDRESS    messages to this address and to those that name more elements: whoever gets
 *                      them has the elements of ADDRESS. send=* is everybody.
 *      commands=LIST   with send=: only these commands; one that ends in "." stands for all that
 *                      begin with it. Without it, all but mbus.go and mbus.quit, which have to be
 *                      named.
 *      watch=yes|no    learn who comes and goes; yes unless it says no, if attach= or send= is
 *                      there
 *      observe=yes|no  get a copy of everything; no
 *      all             everything
 *
 * attach= and send= may stand several times in a line. Acknowledgements need no grant: they answer
 * a message that somebody sent.
 */
#ifndef BROKER_CONFIG_POLICY_H
#define BROKER_CONFIG_POLICY_H

#include <stdint.h>
#include <sys/types.h>

#include <core/address.h>
#include <io/nobody.h>

#include "ini.h"

struct policy;

/* Nobody but @owner and root may do anything, until lines are read. NULL when memory is short. */
struct policy *policy_new(uid_t owner);
/* Rights that were found by it must be gone. Takes NULL, returns NULL. */
struct policy *policy_free(struct policy *p);
/* Reads a line of [policy], for ini_read(); @data is the struct policy. */
bool policy_on_line(void *data, const struct ini_line *line);

/* Who is at the other end of a socket. */
struct credentials {
        uid_t uid;
        gid_t gid;
        const gid_t *groups; /* supplementary ones */
        size_t n_groups;
        struct nobody nobody; /* in the eyes of who looks; all zero: everybody has a number */
};

struct rights;

/* What @who may do. *@ret_rights is NULL if it is everything, else to be freed. 0 or -ENOMEM. */
int policy_judge(const struct policy *p, const struct credentials *who, struct rights **ret_rights);
/* More lines than RIGHTS_MAX are for this client; those behind do not count. */
bool rights_are_cut(const struct rights *rights);

bool rights_may_attach(const struct rights *rights, const struct address *address);
bool rights_may_watch(const struct rights *rights);
bool rights_may_observe(const struct rights *rights);

/* The lines that let messages to @dest pass, a bit each; 0: none may. */
uint64_t rights_to(const struct rights *rights, const struct address *dest);
/* Whether by these lines every command may be sent, but for those that have to be named, ... */
bool rights_for_all_commands(const struct rights *rights, uint64_t lines);
/* ... and whether @command may. */
bool rights_for_command(const struct rights *rights, uint64_t lines, struct span command);

#endif
