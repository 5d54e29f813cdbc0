/*
 * scene.c - what most tests of the broker begin with: a host, a broker, two clients with an entity.
 */
#include "scene.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stranger.h"

#define PATIENCE_MS 10000

void scene_prepare(struct scene *s)
{
        *s = (struct scene){ .host = host_new() };
        daemon_prepare(&s->broker);
}

void scene_open(struct scene *s)
{
        raw_open(&s->a, s->broker.socket);
        raw_open(&s->b, s->broker.socket);
        s->connected = true;
}

void scene_connect(struct scene *s, const char *lines)
{
        scene_prepare(s);
        if (lines)
                daemon_configure(&s->broker, lines);
        daemon_start(&s->broker);
        scene_open(s);
}

void scene_init(struct scene *s, const char *lines)
{
        scene_connect(s, lines);
        free(raw_attach(&s->a, A));
        free(raw_attach(&s->b, B));
}

void scene_deinit(struct scene *s)
{
        if (s->connected) {
                raw_close(&s->a);
                raw_close(&s->b);
        }
        daemon_free(&s->broker);
        close(s->host);
}

void expect_in_log(const struct daemon *d, const char *text)
{
        char *log = daemon_read_log(d);

        ck_assert_msg(strstr(log, text) != NULL, "\"%s\" is not in: %s", text, log);
        free(log);
}

static unsigned count(const char *log, const char *text)
{
        unsigned n = 0;

        for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
                n++;
        return n;
}

unsigned count_in_log(const struct daemon *d, const char *text)
{
        char *log = daemon_read_log(d);
        unsigned n = count(log, text);

        free(log);
        return n;
}

char *await_in_log(const struct daemon *d, const char *text, unsigned n)
{
        for (unsigned ms = 0;; ms++) {
                char *log = daemon_read_log(d);

                if (count(log, text) >= n)
                        return log;
                ck_assert_msg(ms < PATIENCE_MS, "\"%s\" is not in: %s", text, log);
                free(log);
                usleep(1000);
        }
}

void open_as_stranger(struct raw_client *c, const struct daemon *d)
{
        char run[128];

        snprintf(run, sizeof(run), "%s/run", d->directory);
        ck_assert_int_eq(chmod(d->directory, 0755), 0);
        ck_assert_int_eq(chmod(run, 0755), 0);
        ck_assert_int_eq(chmod(d->socket, 0666), 0);
        ck_assert_int_eq(seteuid(STRANGER), 0);
        raw_open(c, d->socket);
        ck_assert_int_eq(seteuid(0), 0);
}

bool is_readable(int fd)
{
        struct pollfd p = { .fd = fd, .events = POLLIN };

        return poll(&p, 1, 0) == 1;
}
