/*
 * config-fields.h - what a configuration says (RFC 3259, section 12): plain fields, read and
 * written by others.
 */
#ifndef MBUS_CORE_CONFIG_FIELDS_H
#define MBUS_CORE_CONFIG_FIELDS_H

#include "bytes.h"
#include "command.h"
#include "limits.h"

#define CONFIG_VERSION 1
#define CONFIG_PORT_DEFAULT 47000

enum hash {
        HASH_SHA1, /* HMAC-SHA1-96 */
        HASH_MD5,  /* HMAC-MD5-96 */
        HASH_MAX,
};

enum cipher {
        CIPHER_NONE, /* NOENCR */
        CIPHER_AES,
        CIPHER_DES,
        CIPHER_3DES,
        CIPHER_IDEA,
        CIPHER_MAX,
};

enum scope {
        SCOPE_HOSTLOCAL,
        SCOPE_LINKLOCAL,
};

struct config_key {
        uint8_t bytes[CONFIG_KEY_MAX];
        size_t n;
};

struct config {
        unsigned version;
        enum hash hash;
        struct config_key hash_key;
        enum cipher cipher;
        struct config_key cipher_key; /* exactly as long as the cipher wants it */
        enum scope scope;
        bool broadcast;      /* ADDRESS=BROADCAST */
        char address[46];    /* ADDRESS as text, IPv4 or IPv6; "" is the default */
        unsigned ip_version; /* IPVERSION=4|6; 0: as ADDRESS says, else 4 */
        uint16_t port;
        enum dialect dialect; /* DIALECT=RFC3259|UCL */
        bool send_unicast;    /* SEND_UNICAST=yes|no */
        uint64_t max_age_ms;  /* MAX_AGE=SECONDS, 0: any age is accepted */
        /* INTERFACE=name, altname, address or label, repeatable */
        char interfaces[CONFIG_INTERFACES_MAX][CONFIG_INTERFACE_NAME_MAX];
        unsigned interface_lines[CONFIG_INTERFACES_MAX]; /* where each of them was read */
        unsigned n_interfaces;
        /* Lines "FILE:LINE: KEY: ..." worth telling the user, each a full sentence. */
        char warnings[CONFIG_WARNINGS_MAX][160];
        unsigned n_warnings;
};

/* The group of the old programs, which all files that they make have (spec/errata.md, 68). */
#define CONFIG_ADDRESS_UCL "224.255.222.239"

#define CONFIG_INIT ((struct config){ .version = CONFIG_VERSION, .port = CONFIG_PORT_DEFAULT })

#endif
