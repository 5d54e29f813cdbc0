/*
 * directory.h - the directory that the socket stands in: who could replace the socket.
 *
 * Whoever can put a socket of his own in the place of ours is told everything by our clients. So
 * only the broker's user and root may write the directory, unless it has the sticky bit, as /tmp
 * has, with which nobody takes away what is another's; and not everybody may write a directory
 * above it, where he could put another one in its place.
 *
 * Many systems give each user a group of his own and let it write what he makes (umask 002). Such a
 * group is the user, and no reason to refuse: it is the broker's own primary group, bears the name
 * of the broker's user, and has no other members. By the name, because who else has it for his
 * primary group cannot be found out everywhere: a directory of users in the network need not list
 * them.
 */
#ifndef BROKER_BASE_DIRECTORY_H
#define BROKER_BASE_DIRECTORY_H

/* Whether the socket @path is safe in @directory. 0 or the exit status, with a line in the log. */
int directory_check(const char *path, const char *directory);

#endif
