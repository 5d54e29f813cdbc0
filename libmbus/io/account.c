/*
 * account.c - see account.h.
 */
#include "account.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>

#define ROOM_FIRST 4096
/* Whoever is interrupted all the time has other troubles. */
#define INTERRUPTIONS_MAX 100

/* One of the four look-ups, with memory of @n octets at @room. As getgrnam_r(); *@ret_found: it is
 * there. */
struct question {
        int (*ask)(const struct question *q, char *room, size_t n, bool *ret_found);
        const char *name;
        uid_t uid;
        gid_t gid;
        struct passwd *user;
        struct group *group;
};

static int ask_user(const struct question *q, char *room, size_t n, bool *ret_found)
{
        struct passwd *found = NULL;
        int r = q->name ? getpwnam_r(q->name, q->user, room, n, &found)
                        : getpwuid_r(q->uid, q->user, room, n, &found);

        *ret_found = found != NULL;
        return r;
}

static int ask_group(const struct question *q, char *room, size_t n, bool *ret_found)
{
        struct group *found = NULL;
        int r = q->name ? getgrnam_r(q->name, q->group, room, n, &found)
                        : getgrgid_r(q->gid, q->group, room, n, &found);

        *ret_found = found != NULL;
        return r;
}

/* A database whose file is not there has nobody in it. */
static bool is_none(int error)
{
        return error == 0 || error == ENOENT || error == ESRCH;
}

static int find(const struct question *q, char **ret_room)
{
        unsigned n_interruptions = 0;
        size_t n = ROOM_FIRST;

        while (n <= ACCOUNT_BYTES_MAX) {
                char *room = malloc(n);
                bool found;
                int error;

                if (!room)
                        return -ENOMEM;
                error = q->ask(q, room, n, &found);
                if (found) {
                        *ret_room = room;
                        return 0;
                }
                free(room);
                if (is_none(error))
                        return MBUS_E_UNKNOWN;
                if (error == ERANGE)
                        n *= 2;
                else if (error != EINTR || ++n_interruptions > INTERRUPTIONS_MAX)
                        return -error;
        }
        return -ERANGE;
}

int account_find_user(const char *name, uid_t uid, struct account_user *ret_user)
{
        struct account_user user = { .room = NULL };
        const struct question q = {
                .ask = ask_user, .name = name, .uid = uid, .user = &user.entry
        };
        int r = find(&q, &user.room);

        if (r == 0)
                *ret_user = user;
        return r;
}

int account_find_group(const char *name, gid_t gid, struct account_group *ret_group)
{
        struct account_group group = { .room = NULL };
        const struct question q = {
                .ask = ask_group, .name = name, .gid = gid, .group = &group.entry
        };
        int r = find(&q, &group.room);

        if (r == 0)
                *ret_group = group;
        return r;
}

const char *account_error(int error)
{
        return error == -ERANGE ? "its entry is larger than 16 MiB" : strerror(-error);
}
