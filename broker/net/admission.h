/*
 * admission.h - a new connection: who is at its other end, whether it is taken, and what it may do.
 */
#ifndef BROKER_NET_ADMISSION_H
#define BROKER_NET_ADMISSION_H

#include "connection.h"

struct admission {
        pid_t pid;
        uid_t uid;
        struct quota_user *user; /* charged with the connection */
        struct rights *rights;   /* NULL: all */
};

/* Looks at who connected @fd; @is_tcp: what came over TCP is behind it, and has proved itself.
 * False, with the reason said and logged, if it is to be closed. */
bool admit(struct connections *connections, int fd, bool is_tcp, struct admission *ret_admission);
/* What @c may do by @policy. 0 or -ENOMEM. */
int admit_again(const struct connection *c, const struct policy *policy,
                struct rights **ret_rights);
/* Gives back what admit() charged and allocated. */
void admit_undo(const struct admission *a);

#endif
