/*
 * ip.h - recognises IP addresses as text, so that a configuration is checked without the operating
 * system (RFC 3259, sections 6.1 and 12).
 */
#ifndef MBUS_CORE_IP_H
#define MBUS_CORE_IP_H

#include "bytes.h"

enum ip_reach {
        IP_UNICAST,
        IP_MULTICAST_SCOPED, /* 239.0.0.0/8, and ff00::/12 whose fourth nibble is a scope */
        IP_MULTICAST_WIDE,   /* any other multicast address */
};

/* *@ret_version is 4 or 6. False if @text is no IP address. */
bool ip_parse(struct span text, unsigned *ret_version, enum ip_reach *ret_reach);

#endif
