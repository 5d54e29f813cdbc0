/*
 * scene.h - what most tests of the broker begin with: a host, a broker, two clients with an entity.
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
        struct raw_client a;
        struct raw_client b;
};

/* @lines go into the configuration; NULL: the broker makes it. */
static inline void scene_init(struct scene *s, const char *lines)
{
        s->host = host_new();
        daemon_prepare(&s->broker);
        if (lines)
                daemon_configure(&s->broker, lines);
        daemon_start(&s->broker);
        raw_open(&s->a, s->broker.socket);
        raw_open(&s->b, s->broker.socket);
        free(raw_attach(&s->a, A));
        free(raw_attach(&s->b, B));
}

static inline void scene_deinit(struct scene *s)
{
        raw_close(&s->a);
        raw_close(&s->b);
        daemon_free(&s->broker);
        close(s->host);
}

#endif
