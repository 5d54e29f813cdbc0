/*
 * socket-file.h - the Unix socket that applications connect to, and its file.
 *
 * The lock file beside the socket settles who may replace a socket that nobody listens on: it is
 * held for the life of the broker and never removed, or two starters could hold two of them. It
 * holds the broker's pid, for people.
 *
 * Files are removed by others: a tidy of old files, a runtime directory that is made anew. Then
 * nobody finds the broker any more, so once a second it looks whether both files are there still,
 * and makes what is missing anew; links that are there stay. That is a look, and not a watch of
 * inotify(7), which some systems do not have, and which does not tell when a directory further up
 * is moved away, mounted over or unmounted. If another broker has taken the place meanwhile it is
 * left alone, and so is its socket when this one ends. A socket of the service manager is the
 * manager's to make.
 */
#ifndef BROKER_BASE_SOCKET_FILE_H
#define BROKER_BASE_SOCKET_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "log.h"
#include "own-file.h"

/* Who may open it, beside the broker's own user. */
struct socket_access {
        unsigned mode;
        gid_t group;             /* (gid_t)-1: that of the broker */
        const char *config_path; /* where that is written; the caller's */
        unsigned group_line;     /* ... of the group */
};

/*
 * Invariants: of one that was handed over there is no lock, and its file is noted only to find out
 * that it is gone. Of one of our own the lock is held before anything is removed, made or given to
 * others at the path, and `file` is what we have made there.
 */
struct socket_file {
        int fd;   /* that listens */
        int lock; /* the lock file beside it */
        char *path;
        bool is_default;
        bool is_handed_over; /* the service manager's: it stays when the broker ends */
        bool made_directory; /* that it stands in */
        struct own_file file;
        struct socket_access access;
        struct log_trouble trouble; /* it is not where it belongs */
};

#define SOCKET_FILE_INIT                                                                           \
        ((struct socket_file){ .fd = -1,                                                           \
                               .lock = -1,                                                         \
                               .file = OWN_FILE_INIT,                                              \
                               .access = { .mode = 0600, .group = (gid_t)-1 } })

/*
 * Makes the socket at @path (NULL: the usual place), with its directory if that is missing, unless
 * the service manager hands one over. 0 or the exit status, with a line in the log: another broker
 * is there, the path cannot be used. It is to be closed in either case.
 */
int socket_file_open(struct socket_file *s, const char *path);
/* Lets those open the socket whom the configuration names. 0 or the exit status, as above. */
int socket_file_share(struct socket_file *s, const struct socket_access *access);
/* Makes what is missing, if something is. A descriptor that listens from now on, which the caller
 * is to put in the place of s->fd; -1: none. */
int socket_file_check(struct socket_file *s, uint64_t now);
/* The socket's file goes away if it is ours still. */
void socket_file_remove(struct socket_file *s);
void socket_file_close(struct socket_file *s);

#endif
