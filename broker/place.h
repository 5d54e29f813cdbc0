/*
 * place.h - a place on this host to listen at: 127.0.0.1:PORT, [::1]:PORT or unix:PATH.
 *
 * What is served there has no password, so no other host may reach it.
 */
#ifndef BROKER_PLACE_H
#define BROKER_PLACE_H

#include <core/bytes.h>

/* The longest is that of a Unix socket (108 octets in sockaddr_un). */
#define PLACE_SIZE 128

/* Copies @text to @ret_text if it is a place; "" stands for none. False if it is not one. */
bool place_parse(struct span text, char ret_text[static PLACE_SIZE]);
/* Listens at @place; a Unix socket has mode 0600, and one that nobody listens on is replaced. The
 * descriptor, or -errno. */
int place_listen(const char *place);
/* Removes a Unix socket that place_listen() made. */
void place_remove(const char *place);

#endif
