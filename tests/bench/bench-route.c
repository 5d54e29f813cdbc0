/*
 * bench-route.c - finding who matches, and what a known entity costs, with ten, a thousand and a
 * hundred thousand entities (RFC 3259, sections 4, 6.2 and 8).
 *
 * A lookup is of one entity among all: by its full address, and by two elements, one of which only
 * it has.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "core/engine.h"
#include "core/index.h"
#include "core/message.h"
#include "core/seal.h"
#include "io/clock.h"

#define ROUNDS 15
#define LOOKUPS 20000
#define PEERS 20000
#define KEY "(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)"
#define CONFIG "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=" KEY "\nENCRYPTIONKEY=(NOENCR)\n"

static const unsigned crowds[] = { 10, 1000, 100000 };

#define CROWDS (sizeof(crowds) / sizeof(*crowds))

struct crowd {
        struct index index;
        struct index_entry *entries;
        unsigned n;
};

static uint64_t sink;

static const char *address_text(unsigned i)
{
        static char text[128];

        snprintf(text, sizeof(text), "(app:bench module:engine conf:room%u id:%u-1@10.0.%u.%u)",
                 i % 16, i + 1, i / 200 % 200, i % 200);
        return text;
}

static const char *id_text(unsigned i)
{
        static char text[128];

        snprintf(text, sizeof(text), "(app:bench id:%u-1@10.0.%u.%u)", i + 1, i / 200 % 200,
                 i % 200);
        return text;
}

static struct address parse(const char *text)
{
        struct address address;

        bench_check(address_parse(span_of(text), LENIENT, &address, NULL, NULL) == 0, text);
        return address;
}

static void crowd_init(struct crowd *crowd, unsigned n)
{
        crowd->n = n;
        crowd->entries = calloc(n, sizeof(*crowd->entries));
        bench_check(crowd->entries != NULL, "memory");
        index_init(&crowd->index, 4711);
        for (unsigned i = 0; i < n; i++) {
                struct address address = parse(address_text(i));

                bench_check(index_add(&crowd->index, &crowd->entries[i], &address) == 0, "memory");
        }
}

static void crowd_deinit(struct crowd *crowd)
{
        for (unsigned i = 0; i < crowd->n; i++)
                index_remove(&crowd->index, &crowd->entries[i]);
        index_deinit(&crowd->index);
        free(crowd->entries);
}

/* CPU time, because a round is shorter than the time for which something else may run. */
static uint64_t cpu_now(void)
{
        struct timespec t;

        bench_check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "clock_gettime");
        return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* Lookups are of ten entities in each crowd, so that it is the index that is compared and not the
 * processor's caches. */
static double lookups(const struct crowd *crowd, bool full)
{
        struct address dests[10];
        char texts[10][128];
        uint64_t begin;

        for (unsigned i = 0; i < 10; i++) {
                unsigned which = i * 7919 % crowd->n;

                snprintf(texts[i], sizeof(texts[i]), "%s",
                         full ? address_text(which) : id_text(which));
                dests[i] = parse(texts[i]);
        }
        begin = cpu_now();
        for (unsigned i = 0; i < LOOKUPS; i++) {
                struct index_cursor cursor = index_match(&crowd->index, &dests[i % 10]);
                struct index_entry *entry = index_next(&cursor);

                bench_check(entry != NULL, "index_next");
                sink += entry->slot;
        }
        return LOOKUPS * 1e9 / (double)(cpu_now() - begin);
}

static void measure_lookups(struct crowd *all, bool full)
{
        double rates[CROWDS][ROUNDS], slowest = 0, fastest = 0;

        for (unsigned round = 0; round < ROUNDS; round++)
                for (unsigned i = 0; i < CROWDS; i++)
                        rates[i][round] = lookups(&all[i], full);
        printf("\nLookups by %s\n", full ? "full address" : "two elements");
        for (unsigned i = 0; i < CROWDS; i++) {
                double rate = bench_median(rates[i], ROUNDS);

                printf("%7u entities %25.0f /s\n", crowds[i], rate);
                slowest = i == 0 || rate < slowest ? rate : slowest;
                fastest = rate > fastest ? rate : fastest;
        }
        bench_at_most("fastest to slowest", fastest / slowest, 1.5);
}

static void hear(struct engine *e, struct crypto *crypto, unsigned i)
{
        struct endpoint from = ENDPOINT_GROUP;
        struct header_spec spec = { .seq = 1,
                                    .timestamp = UINT64_C(1795402769005),
                                    .src = span_of(address_text(i)),
                                    .dest = span_of("()") };
        struct buffer text = BUFFER_INIT, datagram = BUFFER_INIT;

        message_format(&spec, span_of("mbus.hello()"), DIALECT_RFC3259, &text);
        seal_message(crypto, DIALECT_RFC3259, buffer_span(&text), &datagram);
        bench_check(!text.failed && !datagram.failed, "a datagram");
        engine_receive(e, clock_now(), UINT64_C(1795402769005), &from, buffer_span(&datagram));
        buffer_deinit(&text);
        buffer_deinit(&datagram);
}

static void measure_memory(void)
{
        struct config config;
        char error[256];
        struct crypto *crypto = NULL;
        struct engine *e = NULL;
        struct event event;
        size_t counted, allocated;

        crypto_global_init();
        bench_check(config_parse(span_of(CONFIG), "bench", &config, error) == 0, error);
        bench_check(crypto_new(&config, &crypto) == 0, "crypto_new");
        bench_check(engine_new(&(struct engine_options){ .crypto = crypto, .seed = 1 }, &e) == 0,
                    "engine_new");
        counted = engine_memory(e);
        allocated = mallinfo2().uordblks + mallinfo2().hblkhd;
        for (unsigned i = 0; i < PEERS; i++) {
                hear(e, crypto, i);
                while (engine_pop_event(e, &event))
                        event_deinit(&event);
        }
        bench_check(engine_n_peers(e) == PEERS, "all become known");
        printf("\nMemory of a known entity, %d of them\n", PEERS);
        bench_at_most("octets that the engine counts", (double)(engine_memory(e) - counted) / PEERS,
                      1024);
        bench_at_most("octets that are allocated",
                      (double)(mallinfo2().uordblks + mallinfo2().hblkhd - allocated) / PEERS,
                      1024);
        engine_free(e);
        crypto_free(crypto);
}

int main(void)
{
        struct crowd all[CROWDS];

        for (unsigned i = 0; i < CROWDS; i++)
                crowd_init(&all[i], crowds[i]);
        measure_lookups(all, true);
        measure_lookups(all, false);
        for (unsigned i = 0; i < CROWDS; i++)
                crowd_deinit(&all[i]);
        measure_memory();
        return sink == 0;
}
