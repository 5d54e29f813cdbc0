/*
 * rig-mqtt.c - mosquitto with a client of MQTT 3.1.1 that does nothing but what it must.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "flow.h"
#include "io/clock.h"
#include "server.h"
#include "stream.h"

#define PORT 1884
#define PROGRAM "/usr/sbin/mosquitto"
/* Messages of quality of service 1 that a source has no PUBACK for. */
#define UNFINISHED_MAX 1024

enum {
        CONNECT = 0x10,
        CONNACK = 0x20,
        PUBLISH = 0x30,
        PUBACK = 0x40,
        SUBSCRIBE = 0x82,
        SUBACK = 0x90,
};

static struct server mosquitto;

static bool start(void)
{
        if (access(PROGRAM, X_OK) < 0)
                return false;
        server_prepare(&mosquitto);
        server_exec(&mosquitto, (const char *const[]){ PROGRAM, "-c",
                                                       server_write(&mosquitto, "config",
                                                                    "listener 1884 127.0.0.1\n"
                                                                    "allow_anonymous true\n"
                                                                    "set_tcp_nodelay true\n"
                                                                    "max_inflight_messages 0\n"
                                                                    "max_queued_messages 0\n"),
                                                       NULL });
        return true;
}

static double stop(void)
{
        return server_stop(&mosquitto);
}

/* ---- packets ------------------------------------------------------------------------------- */

struct packet {
        unsigned char type; /* with its flags */
        unsigned char *body;
        size_t n;
};

/* Takes a whole packet. False if it is not all there. */
static bool take_packet(struct stream *s, struct packet *ret_packet)
{
        unsigned char *at = (unsigned char *)s->in + s->at;
        size_t left = s->n - s->at, size = 0, n = 1;

        do {
                if (n >= left)
                        return false;
                size |= (size_t)(at[n] & 0x7f) << 7 * (n - 1);
        } while (at[n++] & 0x80 && n < 5);
        if (size > left - n)
                return false;
        *ret_packet = (struct packet){ at[0], at + n, size };
        s->at += n + size;
        return true;
}

static size_t put_text(unsigned char *at, const char *text)
{
        size_t n = strlen(text);

        at[0] = (unsigned char)(n >> 8);
        at[1] = (unsigned char)n;
        memcpy(at + 2, text, n);
        return n + 2;
}

/* A PUBLISH whose packet identifier stands at `id`, with quality of service 1. */
struct publish {
        unsigned char at[256];
        size_t id;
        size_t n;
};

static struct publish make_publish(const char *topic, unsigned qos)
{
        struct publish p = { .at = { (unsigned char)(PUBLISH | qos << 1) } };

        p.n = 3 + put_text(p.at + 3, topic);
        p.id = p.n;
        p.n += 2 * qos;
        memcpy(p.at + p.n, flow_payload(), PAYLOAD_SIZE);
        p.n += PAYLOAD_SIZE;
        p.at[1] = (unsigned char)((p.n - 3) | 0x80);
        p.at[2] = (unsigned char)((p.n - 3) >> 7);
        return p;
}

static void put_id(unsigned char *at, uint64_t id)
{
        /* 0 is none. */
        id = id % 65535 + 1;
        at[0] = (unsigned char)(id >> 8);
        at[1] = (unsigned char)id;
}

static void expect(struct stream *s, unsigned char type)
{
        struct packet packet;

        while (!take_packet(s, &packet))
                stream_read(s);
        bench_check(packet.type == type, "an answer of mosquitto");
}

static struct stream *join(struct flow *f, const char *topic, unsigned char qos)
{
        struct stream *s = stream_open_tcp(PORT);
        unsigned char at[64] = { CONNECT, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2 };
        char name[24];

        snprintf(name, sizeof(name), "bench%d", (int)getpid());
        at[1] = (unsigned char)(10 + put_text(at + 12, name));
        stream_write(s, at, 2u + at[1]);
        expect(s, CONNACK);
        if (topic) {
                at[0] = SUBSCRIBE;
                at[2] = 0;
                at[3] = 1;
                at[1] = (unsigned char)(3 + put_text(at + 4, topic));
                at[1 + at[1]] = qos;
                stream_write(s, at, 2u + at[1]);
                expect(s, SUBACK);
        }
        flow_ready(f);
        return s;
}

/* ---- the ends ------------------------------------------------------------------------------ */

/* Takes messages, acknowledges those that want it, and counts them and the acknowledgements. */
static uint64_t take(struct stream *s, uint64_t *n_acknowledged)
{
        static unsigned char acks[STREAM_SIZE];
        struct packet packet;
        size_t n_acks = 0;
        uint64_t n = 0;

        while (take_packet(s, &packet)) {
                size_t topic = 0;

                if (packet.type == PUBACK)
                        ++*n_acknowledged;
                if ((packet.type & 0xf0) != PUBLISH)
                        continue;
                n++;
                if (!(packet.type & 0x06))
                        continue;
                topic = (size_t)packet.body[0] << 8 | packet.body[1];
                acks[n_acks++] = PUBACK;
                acks[n_acks++] = 2;
                acks[n_acks++] = packet.body[2 + topic];
                acks[n_acks++] = packet.body[3 + topic];
        }
        if (n_acks > 0)
                stream_write(s, acks, n_acks);
        return n;
}

static void run_sink(struct flow *f, unsigned i, unsigned char qos)
{
        struct stream *s = join(f, "sink", qos);
        uint64_t n_acknowledged = 0;

        while (!flow_is_over(f)) {
                stream_read(s);
                flow_count_received(f, i, take(s, &n_acknowledged));
        }
        stream_close(s);
}

static void run_source(struct flow *f, unsigned i, unsigned qos)
{
        static unsigned char batch[FLOW_BATCH * sizeof(struct publish)];
        struct publish p = make_publish("sink", qos);
        struct stream *s = join(f, NULL, 0);
        uint64_t n, n_sent = 0, n_acknowledged = 0;

        while ((n = flow_next_batch(f, i, NULL, NULL)) > 0) {
                for (uint64_t k = 0; k < n; k++) {
                        memcpy(batch + k * p.n, p.at, p.n);
                        if (qos)
                                put_id(batch + k * p.n + p.id, n_sent + k);
                }
                stream_write(s, batch, n * p.n);
                n_sent += n;
                flow_count_sent(f, i, n);
                while (qos && n_sent - n_acknowledged > UNFINISHED_MAX - FLOW_BATCH &&
                       !flow_is_over(f)) {
                        stream_read(s);
                        take(s, &n_acknowledged);
                }
        }
        while (!flow_is_over(f))
                usleep(1000);
        stream_close(s);
}

static void sink(struct flow *f, unsigned i)
{
        run_sink(f, i, 0);
}

static void source(struct flow *f, unsigned i)
{
        run_source(f, i, 0);
}

static void sink_reliable(struct flow *f, unsigned i)
{
        run_sink(f, i, 1);
}

static void source_reliable(struct flow *f, unsigned i)
{
        run_source(f, i, 1);
}

static bool await_message(struct flow *f, struct stream *s)
{
        uint64_t n_acknowledged;

        while (take(s, &n_acknowledged) == 0) {
                if (flow_is_over(f))
                        return false;
                stream_read(s);
        }
        return true;
}

static void echo(struct flow *f, unsigned i)
{
        struct publish p = make_publish("ask", 0);
        struct stream *s = join(f, "echo", 0);

        (void)i;
        while (await_message(f, s))
                stream_write(s, p.at, p.n);
        stream_close(s);
}

static void ask(struct flow *f, unsigned i)
{
        struct publish p = make_publish("echo", 0);
        struct stream *s = join(f, "ask", 0);

        for (unsigned n = 0; n < TRIPS_N; n++) {
                uint64_t begin = clock_now();

                stream_write(s, p.at, p.n);
                if (!await_message(f, s))
                        break;
                f->times[n] = (double)(clock_now() - begin);
                flow_count_received(f, i, 1);
        }
        stream_close(s);
}

const struct rig rig_mqtt = {
        .name = "mosquitto, QoS 0",
        .start = start,
        .stop = stop,
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
        .divisor = 8,
};

const struct rig rig_mqtt_reliable = {
        .name = "mosquitto, QoS 1",
        .start = start,
        .stop = stop,
        .sink = sink_reliable,
        .source = source_reliable,
        .divisor = 8,
};
