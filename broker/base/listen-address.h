/*
 * listen-address.h - an address of this host to listen at: 127.0.0.1:PORT, [::1]:PORT or unix:PATH.
 *
 * What is served there has no password, so no other host may reach it.
 */
#ifndef BROKER_BASE_LISTEN_ADDRESS_H
#define BROKER_BASE_LISTEN_ADDRESS_H

#include <core/bytes.h>

#include "own-file.h"

/* The longest is that of a Unix socket (108 octets in sockaddr_un). */
#define LISTEN_ADDRESS_SIZE 128

/* Copies @text to @ret_text if it is one; "" stands for none. False if it is not one. */
bool listen_address_parse(struct span text, char ret_text[static LISTEN_ADDRESS_SIZE]);
/* Listens at @address; a Unix socket has mode 0600, and one that nobody listens on is replaced. Its
 * file is noted in @file, which is empty, and to be removed before the descriptor is closed. The
 * descriptor, or -errno. */
int listen_address_open(const char *address, struct own_file *file);
/* Whether one who comes to @address finds what listen_address_open() made. */
bool listen_address_is_there(const char *address, const struct own_file *file);

#endif
