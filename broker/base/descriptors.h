/*
 * descriptors.h - how many the process may have.
 */
#ifndef BROKER_BASE_DESCRIPTORS_H
#define BROKER_BASE_DESCRIPTORS_H

/* As many as the system allows: each client is one. */
void descriptors_raise(void);
/* Whether there are enough for a broker without clients, since libuv aborts where it cannot open
 * what its loop needs. 0 or the exit status, with a line in the log. */
int descriptors_check(void);

#endif
