/*
 * scene.h - what most tests of the broker begin with: a host, a broker, two clients with an entity; and what
 * they ask of it: what stands in its log, a client of another user.
 *
 * A scene is prepared, then a broker runs in it, then two clients are connected, then each has its entity; a
 * test begins with as much of that as it wants. scene_deinit() takes back whatever there is.
 */
#ifndef MBUS_TESTS_BROKER_SCENE_H
#define MBUS_TESTS_BROKER_SCENE_H

#include <stdbool.h>

#include "daemon.h"
#include "namespace.h"
#include "raw-client.h"
#include "run.h"

#define A "(app:a module:ui id:1-1@127.0.0.1)"
#define B "(app:b module:engine id:1-2@127.0.0.1)"

struct scene {
        int host;
        struct daemon broker;
        bool connected; /* a and b are */
        struct raw_client a;
        struct raw_client b;
};

/* A host, and a broker that does not run yet. */
void scene_prepare(struct scene *s);
/* Connects two clients to a broker that runs. */
void scene_open(struct scene *s);
/* All of that. @lines go into the configuration; NULL: the broker makes it. */
void scene_connect(struct scene *s, const char *lines);
/* With an entity each. */
void scene_init(struct scene *s, const char *lines);
void scene_deinit(struct scene *s);

/* What the broker has said in its log. */
void expect_in_log(const struct daemon *d, const char *text);
/* How often @text is there. */
unsigned count_in_log(const struct daemon *d, const char *text);
/* Waits until it is there @n times, and returns the log, to be freed. */
char *await_in_log(const struct daemon *d, const char *text, unsigned n);

/* The broker's socket is one that everybody can reach, and a client connects to it as STRANGER
 * (stranger.h). */
void open_as_stranger(struct raw_client *c, const struct daemon *d);
bool is_readable(int fd);

#endif
