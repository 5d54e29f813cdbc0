/*
 * netlink-attribute.h - what the files of netlink share: how a message of the kernel is taken
 * apart. Nobody else includes it.
 */
#ifndef MBUS_IO_NETLINK_ATTRIBUTE_H
#define MBUS_IO_NETLINK_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The attributes of a message, one after the other. */
struct netlink_attributes {
        const char *at;
        size_t n;
};

struct netlink_attribute {
        unsigned type;
        const char *at;
        size_t n;
};

/* The next of @all, which are shorter by it then. False behind the last. */
bool netlink_next(struct netlink_attributes *all, struct netlink_attribute *ret_attribute);
/* A descriptor that hears of @groups (RTMGRP_...). 0 or -errno. */
int netlink_open_groups(uint32_t groups, int *ret_fd);

#endif
