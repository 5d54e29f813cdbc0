/*
 * scene.h - a broker without a loop, for tests of the rooms from broker/sessions on: one session, whose queue
 * nobody reads but said().
 */
#ifndef MBUS_TESTS_BROKER_SCENE_H
#define MBUS_TESTS_BROKER_SCENE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <broker/sessions/sessions.h>
#include <core/frame.h>

struct scene {
        struct iteration it;
        struct quota quota;
        struct connections net;
        struct buses buses;
        struct sessions sessions;
        struct address self;
        struct session *s;
        char said[32768]; /* what said() returned last */
};

static inline void scene_init(struct scene *scene)
{
        struct limits limits;
        struct connection *c;
        enum limit limit;

        *scene = (struct scene){ .s = NULL };
        chunk_global_init();
        limits_init(&limits);
        quota_init(&scene->quota, &limits, "file");
        iteration_init(&scene->it);
        scene->it.now = 1000 * NSEC_PER_SEC;
        connections_init(&scene->net, &scene->it, &scene->quota, &scene->sessions.owner);
        sessions_init(&scene->sessions, &scene->it, &scene->net, &scene->buses);
        ck_assert_int_eq(address_parse(span_of("(app:mbus-broker id:1-1@h)"), STRICT, &scene->self,
                                       NULL, NULL),
                         0);
        scene->sessions.self_address = &scene->self;
        c = scene->sessions.owner.on_new(&scene->sessions.owner, NULL);
        ck_assert_ptr_nonnull(c);
        c->connections = &scene->net;
        c->fd = -1;
        c->uid = geteuid();
        c->is_blocked = true;
        c->user = quota_add_link(&scene->quota, c->uid, scene->it.now, &limit);
        ck_assert_ptr_nonnull(c->user);
        queue_init(&c->queue, c->user);
        scene->s = session_of(c);
        list_push_first(&scene->net.all, &c->node);
        scene->net.n++;
}

static inline void scene_deinit(struct scene *scene)
{
        struct connection *c = &scene->s->link;

        ck_assert(!c->is_dead);
        if (c->flush_pending)
                list_remove(&scene->net.unflushed, &c->unflushed_node);
        scene->sessions.owner.on_end(c);
        queue_deinit(&c->queue);
        quota_remove_link(c->user);
        list_remove(&scene->net.all, &c->node);
        scene->net.n--;
        free(scene->s);
        sessions_close(&scene->sessions);
        connections_deinit(&scene->net);
        iteration_deinit(&scene->it);
        quota_deinit(&scene->quota);
}

/* Takes what waits for the session: "DEST (ACKS) PAYLOAD" of each message, with a line for each. */
static inline const char *said(struct scene *scene)
{
        struct queue *q = &scene->s->link.queue;
        struct iovec iov[16];
        size_t n = 0;

        for (size_t i = queue_peek(q, iov, 16); i > 0; i = queue_peek(q, iov, 16)) {
                struct span rest = { iov[0].iov_base, iov[0].iov_len }, text;
                struct header h;
                size_t size;
                bool observed;

                while (frame_next(rest, &text, &observed, &size) == FRAME_OK) {
                        struct span payload;

                        ck_assert_int_eq(header_parse(text, &h, NULL), HEADER_OK);
                        payload = span_from(text, h.payload);
                        n += (size_t)snprintf(scene->said + n, sizeof(scene->said) - n,
                                              "%.*s %.*s %.*s\n", (int)h.dest.text.n,
                                              h.dest.text.at, (int)h.acks.n, h.acks.at,
                                              (int)payload.n, payload.at);
                        ck_assert_uint_lt(n, sizeof(scene->said));
                        rest = span_from(rest, size);
                }
                queue_pop(q, iov[0].iov_len);
        }
        scene->said[n] = '\0';
        return scene->said;
}

#endif
