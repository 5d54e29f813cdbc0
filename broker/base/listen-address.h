/*
 * listen-address.h - a place on this host to listen at: 127.0.0.1:PORT, [::1]:PORT or unix:PATH.
 *
 * What is served there has no password, so no other host may reach it.
 */
#ifndef BROKER_BASE_LISTEN_ADDRESS_H
#define BROKER_BASE_LISTEN_ADDRESS_H

#include <core/bytes.h>

#include "own-file.h"

/* The longest is that of a Unix socket (108 octets in sockaddr_un). */
#define PLACE_SIZE 128

/* Copies @text to @ret_text if it is a place; "" stands for none. False if it is not one. */
bool place_parse(struct span text, char ret_text[static PLACE_SIZE]);
/* Listens at @place; a Unix socket has mode 0600, and one that nobody listens on is replaced. Its
 * file is noted in @file, which is empty, and to be removed before the descriptor is closed. The
 * descriptor, or -errno. */
int place_listen(const char *place, struct own_file *file);
/* Whether one who comes to @place finds what place_listen() made. */
bool place_is_there(const char *place, const struct own_file *file);

#endif
