/*
 * socket-file.h - the Unix socket that applications connect to, and its file.
 *
 * The lock file beside the socket settles who may replace a socket that nobody listens on: it is
 * held for the life of the broker and never removed, or two starters could hold two of them. It holds
 * the broker's pid, for people.
 *
 * Files are removed by others: a tidy of old files, a runtime directory that is made anew. Then nobody
 * finds the broker any more, so once a second it looks whether both files are there still, and makes
 * what is missing anew; links that are there stay. That is a look, and not a watch of inotify(7), which
 * some systems do not have, and which does not tell when a directory further up is moved away, mounted
 * over or unmounted. If another broker has taken the place meanwhile it is left alone, and so is its
 * socket when this one ends. A socket of the service manager is the manager's to make.
 */
#ifndef BROKER_BASE_SOCKET_FILE_H
#define BROKER_BASE_SOCKET_FILE_H

struct broker;

/*
 * Makes the socket, with its directory if that is missing. 0 or the exit status, with a line in the
 * log: another broker is there, the path cannot be used.
 */
int local_socket_open(struct broker *b);
/* Lets those open the socket whom the configuration names. 0 or the exit status, as above. */
int local_socket_share(struct broker *b);
/* Looks after the files from now on. 0 or -errno. */
int local_socket_start(struct broker *b);
/* Makes what is missing, if something is; as the loop does once a second. */
void local_socket_check(struct broker *b);
/* The socket's file goes away if it is ours still. */
void local_socket_remove(struct broker *b);
void local_socket_close(struct broker *b);

#endif
