/*
 * brokers.c - the daemon, begun, turned and ended by hand.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <broker/base/chunk.h>
#include <core/frame.h>

#include "../memory.h"
#include "world.h"

#define KEYS                                                                                       \
        "CONFIG_VERSION=1\nSCOPE=HOSTLOCAL\nENCRYPTIONKEY=(NOENCR,)\n"                             \
        "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
#define KEYS_BEYOND                                                                                \
        "HASHKEY=(HMAC-MD5-96,AQIDBAUGBwgJCgsMDQ4PEA==)\nENCRYPTIONKEY=(NOENCR,)\n"                \
        "SCOPE=HOSTLOCAL\nPORT=47001\n"

static const char config_broker[] = "[MBUS]\n" KEYS "[broker]\nTCP=127.0.0.1:%u\n%s%s";
static const char config_small[] = "[limits]\nBYTES_PER_LINK=128K\n";
static const char config_bridge[] = "[bus beyond]\n" KEYS_BEYOND "ROUTE=to=main\nROUTE=from=main\n";
static const char config_app[] = "[MBUS]\n" KEYS;
static const char config_beyond[] = "[MBUS]\nCONFIG_VERSION=1\n" KEYS_BEYOND;

char *config_of(uint32_t process)
{
        const struct link_options *o = &links->scenario->links;
        char *text;
        int n;

        if (process < links->n_brokers)
                n = asprintf(&text, config_broker, TCP_PORT_FIRST + process,
                             o->small ? config_small : "", o->n_beyond ? config_bridge : "");
        else
                n = asprintf(&text, "%s",
                             links->apps[process - links->n_brokers].beyond ? config_beyond
                                                                            : config_app);
        return n < 0 ? must(NULL) : text;
}

/* Whoever is at the broker notices. */
static void trouble_clients(const struct process *broker)
{
        for (uint32_t i = 0; i < links->n_apps; ++i) {
                if (app_broker(&links->apps[i]) == broker)
                        app_trouble(&links->apps[i]);
        }
}

void broker_begin(uint32_t i)
{
        struct options options = OPTIONS_INIT;
        struct broker *b;

        if (links->running[i])
                return;
        options.log_level = LOG_LEVEL_ERROR;
        limits_init(&options.limits);
        b = must(calloc(1, sizeof(*b)));
        process_begin(&links->brokers[i]);
        process_enter(&links->brokers[i]);
        if (broker_open(b, &options) == 0 && broker_start(b) == 0)
                links->running[i] = b;
        else
                machine_fail("can-start", "broker %u does not start", i);
        process_leave();
        trouble_clients(&links->brokers[i]);
}

static void finish(uint32_t i)
{
        struct broker *b = links->running[i];

        broker_stop(b);
        broker_close(b);
        free(b);
        links->running[i] = NULL;
        if (descriptors_of(&links->brokers[i]) > 0)
                machine_fail("descriptors", "broker %u ends with %zu open descriptors", i,
                             descriptors_of(&links->brokers[i]));
        trouble_clients(&links->brokers[i]);
}

void broker_end(uint32_t i, bool killed)
{
        if (!links->running[i])
                return;
        if (killed)
                process_kill(&links->brokers[i]);
        process_enter(&links->brokers[i]);
        if (!killed)
                loop_signal(&links->running[i]->it.loop, SIGTERM);
        finish(i);
        process_leave();
}

static void check_queues(uint32_t i)
{
        const struct broker *b = links->running[i];
        uint64_t max = b->quota.limits.of[LIMIT_BYTES_PER_LINK];

        for (const struct connection *c = connections_first(&b->net); c; c = connection_next(c)) {
                if (c->queue.bytes > QUEUE_ANSWERS_FACTOR * max + FRAME_HEADER_SIZE + FRAME_MAX)
                        machine_fail("bounded-memory", "broker %u: %zu octets wait for a link", i,
                                     c->queue.bytes);
        }
}

void broker_turn(uint32_t i)
{
        struct process *p = &links->brokers[i];

        if (!process_goes_on(p))
                return;
        process_enter(p);
        if (!loop_turn(&links->running[i]->it.loop))
                finish(i);
        else
                check_queues(i);
        process_leave();
}

void broker_check_empty(uint32_t i)
{
        const struct broker *b = links->running[i];

        if (!b)
                return;
        if (b->net.n || b->sessions.senders.first || b->routing.n_watchers ||
            b->routing.n_observers || b->routing.n_retained)
                machine_fail("all-given-back", "broker %u keeps %zu clients, %zu watchers", i,
                             b->net.n, b->routing.n_watchers);
        for (unsigned kind = 0; kind < QUOTA_MAX; ++kind) {
                if (b->quota.use[kind])
                        machine_fail("all-given-back", "broker %u: %llu of quota %u are in use", i,
                                     (unsigned long long)b->quota.use[kind], kind);
        }
}

/* ---- strangers ----------------------------------------------------------------------------- */

static const char *const phrases[] = {
        "mbus/1.0 0 1 R (app:babble) (app:mbus-broker) ()\r\nbroker.attach(1)",
        "mbus/1.0 1 1 U (app:babble) () ()\r\nbabble()",
        "mbus/1.0 4294967295 1 R () (app:mbus-broker) ()\r\nbroker.observe(1)",
        "mbus/1.0 7 1 U () (app:mbus-broker) (1 2 3)\r\nbroker.watch(\"()\")",
        "mbus/2.0 1 1 U () () ()\r\n",
        "",
};

/* A frame, or something that begins like one. */
static void write_phrase(struct random *r, struct buffer *out)
{
        const char *text = phrases[random_below(r, sizeof(phrases) / sizeof(*phrases))];
        char head[FRAME_HEADER_SIZE];

        frame_put_length(head, random_u32(r) % 8 ? strlen(text) : random_below(r, FRAME_MAX),
                         false);
        buffer_add(out, head, sizeof(head));
        buffer_add_text(out, text);
}

void stranger_babble(uint32_t broker, uint64_t seed)
{
        char name[NAME_MAX_SIZE];
        struct buffer text = BUFFER_INIT;
        struct descriptor *listener;
        struct random r;
        int fds[2];

        random_init(&r, seed);
        snprintf(name, sizeof(name), random_u32(&r) % 2 ? "/broker-%u" : "tcp:%u",
                 random_u32(&r) % 2 ? broker : TCP_PORT_FIRST + broker);
        listener = find_listener(name);
        if (!listener || listener->n_waiting == BACKLOG_MAX)
                return;
        process_enter(&links->stranger);
        stream_pair(listener->owner, false, fds);
        listener->backlog[listener->n_waiting++] = fds[1];
        for (uint64_t n = random_below(&r, 5); n > 0; --n)
                write_phrase(&r, &text);
        if (random_u32(&r) % 2)
                text.n = random_below(&r, text.n + 1);
        for (uint64_t n = random_below(&r, 2) * random_below(&r, 50); n > 0; --n)
                buffer_add_char(&text, (char)random_u32(&r));
        if (text.n > 0)
                (void)stream_write(fds[0], text.at, text.n);
        if (random_u32(&r) % 2)
                descriptor_close(fds[0]);
        buffer_deinit(&text);
        process_leave();
}
