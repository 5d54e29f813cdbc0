/*
 * peer.h - the rest of the bus: an engine of its own on sockets of its own, with one entity.
 */
#ifndef MBUS_TESTS_BROKER_PEER_H
#define MBUS_TESTS_BROKER_PEER_H

#include <io/clock.h>
#include <io/config-make.h>
#include <io/udp.h>

#include "scene.h"

#define P "(app:p module:engine id:2-1@127.0.0.1)"

/* An entity that is on the bus without a broker. */
struct peer {
        struct crypto *crypto;
        struct udp *udp;
        struct engine *engine;
        struct entity *entity;
};

/* On the bus at @port, which has the broker's keys. */
void peer_init_at(struct peer *p, const struct daemon *d, uint16_t port);
void peer_init(struct peer *p, const struct daemon *d);
void peer_deinit(struct peer *p);
/* Adds its entity to its engine, as peer_init() does. */
void peer_add(struct peer *p);
void peer_turn(struct peer *p);
/* The next event of @type, within ten seconds; others are passed over. */
struct event peer_expect(struct peer *p, enum event_type type);
void peer_expect_message(struct peer *p, const char *payload);
/* Passes over what comes and goes until it is @address of which @type tells. */
enum mbus_reason peer_expect_about(struct peer *p, enum event_type type, const char *address);
struct address parse(const char *text);
void peer_say(struct peer *p, const char *dest, const char *payload);

/* A scene whose client b watches the peer, which is on the bus at @port and has joined. */
void scene_meet_at(struct scene *s, struct peer *p, const char *lines, uint16_t port);
/* The same on the bus main, where the peer knows the broker's entities, too. */
void scene_meet(struct scene *s, struct peer *p, const char *lines);
void scene_part(struct scene *s, struct peer *p);

#endif
