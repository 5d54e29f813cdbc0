/*
 * tcp-place.h - an address and a port, both as numbers: ADDRESS:PORT or [ADDRESS]:PORT.
 *
 * Names are not looked up: that would wait for a server that nobody bounds.
 */
#ifndef BROKER_TCP_PLACE_H
#define BROKER_TCP_PLACE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include <core/bytes.h>

/* "[ffff:...]:65535" */
#define TCP_PLACE_SIZE 64

union tcp_place {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

/* Copies @text to @ret_text if it is a place; "no" and nothing become "". False if it is neither. */
bool tcp_place_check(struct span text, char ret_text[static TCP_PLACE_SIZE]);
/* Fills *@ret_place and returns its size; 0 if @text, which is shorter than TCP_PLACE_SIZE, is no
 * place. */
socklen_t tcp_place_parse(const char *text, union tcp_place *ret_place);
void tcp_place_format(const union tcp_place *place, char ret_text[static TCP_PLACE_SIZE]);
bool tcp_place_is_loopback(const union tcp_place *place);

#endif
