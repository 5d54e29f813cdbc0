/*
 * link-engine.c - the same flood and round trip by the engine and its sockets, as an application
 * that needs no broker has them: authenticated, addressed, without duplicates.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/engine.h"
#include "io/clock.h"
#include "io/udp.h"
#include "link.h"

#define TURN_MS 100

struct side {
        struct config config;
        struct crypto *crypto;
        struct engine *engine;
        struct udp *udp;
        struct entity *entity;
        struct pollfd fds[UDP_POLLFDS];
        bool polled; /* and what it said is in `fds` */
        bool more;   /* the sockets were not emptied */
};

static struct address parse_address(const char *text)
{
        struct address address;

        bench_check(!address_parse(span_of(text), STRICT, &address, NULL, NULL), "an address");
        return address;
}

static void read_config(struct config *ret_config)
{
        char text[256], error[256];

        snprintf(text, sizeof(text),
                 "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                 "ENCRYPTIONKEY=(NOENCR)\nPORT=%d\n",
                 BENCH_PORT);
        bench_check(!config_parse(span_of(text), "bench", ret_config, error), error);
}

/* An engine with one entity, and sockets unless @offline. */
static void side_init(struct side *side, const char *module, unsigned i, bool offline)
{
        struct engine_options options = { .seed = 1 + i };
        struct address address;
        char text[128], error[512];

        *side = (struct side){ 0 };
        read_config(&side->config);
        crypto_global_init();
        bench_check(!crypto_new(&side->config, &side->crypto), "crypto_new");
        options.crypto = side->crypto;
        bench_check(!engine_new(&options, &side->engine), "engine_new");
        if (!offline)
                bench_check(!udp_open(&side->config, &side->udp, error), error);
        snprintf(text, sizeof(text), "(app:bench module:%s id:%u-%u@127.0.0.1)", module,
                 (unsigned)clock_wall_ms() % 100000000, i);
        address = parse_address(text);
        bench_check(!engine_add_entity(side->engine, clock_now(), &address, NULL, &side->entity),
                    "engine_add_entity");
}

static void side_deinit(struct side *side)
{
        engine_remove_entity(side->engine, clock_now(), clock_wall_ms(), side->entity);
        if (side->udp)
                udp_send(side->udp, side->engine);
        udp_close(side->udp);
        engine_free(side->engine);
        crypto_free(side->crypto);
}

static void side_send(struct side *side, const struct address *dest)
{
        int error = engine_send(side->engine, clock_now(), clock_wall_ms(), side->entity, dest,
                                bench_payload());

        bench_check(!error, "engine_send");
}

/* Waits until there is something to do, but not for long. */
static void side_wait(struct side *side)
{
        size_t n = udp_get_pollfds(side->udp, side->fds);
        uint64_t now = clock_now(), deadline = engine_deadline(side->engine);
        uint64_t ms = deadline <= now ? 0 : (deadline - now + 999999) / 1000000;

        side->polled = poll(side->fds, (nfds_t)n, ms < TURN_MS ? (int)ms : TURN_MS) >= 0;
}

/* Does what is due and returns how many messages came; answers each if @answer. */
static uint64_t side_turn(struct side *side, bool answer)
{
        uint64_t now = clock_now(), wall_ms = clock_wall_ms(), n = 0;
        struct event event;
        int received =
                udp_receive(side->udp, side->engine, now, wall_ms, side->polled ? side->fds : NULL);

        bench_check(received >= 0, "udp_receive");
        side->polled = false;
        side->more = received > 0;
        engine_tick(side->engine, now, wall_ms);
        while (engine_pop_event(side->engine, &event)) {
                if (event.type == EVENT_MESSAGE) {
                        n++;
                        if (answer)
                                side_send(side, &event.message->header.src);
                }
                event_deinit(&event);
        }
        udp_send(side->udp, side->engine);
        return n;
}

static void serve(struct shared *s, const char *module, unsigned i, bool answer)
{
        struct side side;

        side_init(&side, module, i, false);
        atomic_fetch_add(&s->n_ready, 1);
        while (!atomic_load(&s->stop)) {
                uint64_t n = side_turn(&side, answer);

                if (n > 0)
                        atomic_fetch_add(&s->received[i], n);
                if (!side.more)
                        side_wait(&side);
        }
        side_deinit(&side);
}

static void sink(struct shared *s, unsigned i)
{
        serve(s, "sink", i, false);
}

static void echo(struct shared *s, unsigned i)
{
        serve(s, "echo", i, true);
}

static void source(struct shared *s, unsigned n_sinks, uint64_t n)
{
        struct address dest = parse_address("(app:bench module:sink)");
        struct side side;

        side_init(&side, "source", SINKS_MAX, false);
        for (uint64_t sent = 0; sent < n;) {
                for (unsigned i = 0; i < FLOOD_BATCH && sent < n; ++i, ++sent)
                        side_send(&side, &dest);
                side_turn(&side, false);
                bench_keep_window(s, n_sinks, sent);
        }
        side_deinit(&side);
}

static void ask(struct shared *s, uint64_t n, double *ret_times)
{
        struct address dest = parse_address("(app:bench module:echo)");
        struct side side;

        (void)s;
        side_init(&side, "ask", SINKS_MAX, false);
        for (uint64_t i = 0; i < n; ++i) {
                uint64_t start = clock_now();

                side_send(&side, &dest);
                udp_send(side.udp, side.engine);
                do {
                        bench_check(clock_now() - start < NSEC_PER_SEC, "an answer in time");
                        side_wait(&side);
                } while (side_turn(&side, false) == 0);
                ret_times[i] = (double)(clock_now() - start);
        }
        side_deinit(&side);
}

struct span bench_datagram(void)
{
        static char bytes[2048];
        struct address dest = parse_address("(app:bench module:sink)");
        struct datagram datagram = { 0 };
        struct side side;
        size_t cursor = 0;

        side_init(&side, "source", SINKS_MAX, true);
        side_send(&side, &dest);
        bench_check(engine_peek_datagram(side.engine, &cursor, &datagram), "a datagram");
        bench_check(datagram.bytes.n <= sizeof(bytes), "a datagram that fits");
        memcpy(bytes, datagram.bytes.at, datagram.bytes.n);
        cursor = datagram.bytes.n;
        side_deinit(&side);
        return (struct span){ bytes, cursor };
}

const struct link_kind link_engine = {
        .name = "engine",
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
};
