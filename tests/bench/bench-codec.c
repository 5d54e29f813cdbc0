/*
 * bench-codec.c - what a message costs before it reaches a socket (RFC 3259, sections 4, 5 and 11).
 *
 * Every piece of work is measured in turn, round after round, beside a bare HMAC of the same
 * octets, so that what else the machine does hits all alike. The median of the rounds counts. Times
 * differ between machines, the ratios to the bare HMAC hardly.
 */
#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/index.h"
#include "core/message.h"
#include "core/seal.h"
#include "io/clock.h"

#define ROUNDS 31
#define ROUND_N 2000
#define PAYLOAD_SIZE 200
#define KEY "(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)"
#define CONFIG_TEXT "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=" KEY "\nENCRYPTIONKEY=(NOENCR)\n"
#define SOURCE "(app:bench module:engine id:4711-1@127.0.0.1)"
#define DESTINATION "(app:bench module:ui)"

static const unsigned crowds[] = { 1, 100, 10000 };

#define CROWDS (sizeof(crowds) / sizeof(crowds[0]))

struct crowd {
        struct index index;
        struct index_entry *entries;
        struct address *full;   /* the whole address of one entity */
        struct address *subset; /* what only that one matches, but not all of it */
};

struct bench {
        struct crypto *crypto;
        gcry_md_hd_t bare;
        char payload[PAYLOAD_SIZE + 1];
        struct buffer text;
        struct buffer datagram;
        struct buffer out;
        char scratch[DATAGRAM_BUFFER_SIZE];
        struct crowd crowds[CROWDS];
        uint64_t sink; /* what is computed goes here, so that nothing is optimised away */
};

static void check(bool ok, const char *what)
{
        if (ok)
                return;
        fprintf(stderr, "bench-codec: %s failed\n", what);
        exit(1);
}

/* ---- the work, each a message ---- */

static void run_bare(struct bench *b, unsigned i)
{
        (void)i;
        gcry_md_reset(b->bare);
        gcry_md_write(b->bare, b->text.at, b->text.n);
        b->sink += gcry_md_read(b->bare, 0)[0];
}

static void run_seal(struct bench *b, unsigned i)
{
        struct header_spec spec = { .seq = i,
                                    .timestamp = UINT64_C(1795402769005) + i,
                                    .src = span_of(SOURCE),
                                    .dest = span_of(DESTINATION) };

        buffer_clear(&b->out);
        buffer_clear(&b->text);
        message_format(&spec, span_of(b->payload), DIALECT_RFC3259, &b->text);
        seal_message(b->crypto, DIALECT_RFC3259, buffer_span(&b->text), &b->out);
        b->sink += b->out.n;
}

static void run_open(struct bench *b, unsigned i)
{
        struct span text = SPAN_NULL;
        struct header header;
        enum seal_fault fault;

        (void)i;
        fault = seal_open(b->crypto, buffer_span(&b->datagram), b->scratch, &text);
        check(fault == SEAL_OK, "seal_open");
        check(header_parse(text, &header, NULL) == HEADER_OK, "header_parse");
        b->sink += header.seq;
}

static void run_parse(struct bench *b, unsigned i)
{
        struct span text = SPAN_NULL;
        struct message *message = NULL;

        (void)i;
        check(seal_open(b->crypto, buffer_span(&b->datagram), b->scratch, &text) == SEAL_OK,
              "seal_open");
        check(message_new(text, &message, NULL) == 0, "message_new");
        b->sink += message->payload.n;
        message_unref(message);
}

static void match(struct bench *b, const struct crowd *crowd, const struct address *dest)
{
        struct index_cursor cursor = index_match(&crowd->index, dest);
        const struct index_entry *entry = index_next(&cursor);

        check(entry != NULL, "index_match");
        b->sink += entry->slot;
        check(index_next(&cursor) == NULL, "index_next");
}

static void run_full_0(struct bench *b, unsigned i)
{
        (void)i;
        match(b, &b->crowds[0], b->crowds[0].full);
}

static void run_full_1(struct bench *b, unsigned i)
{
        (void)i;
        match(b, &b->crowds[1], b->crowds[1].full);
}

static void run_full_2(struct bench *b, unsigned i)
{
        (void)i;
        match(b, &b->crowds[2], b->crowds[2].full);
}

static void run_subset_0(struct bench *b, unsigned i)
{
        (void)i;
        match(b, &b->crowds[0], b->crowds[0].subset);
}

static void run_subset_1(struct bench *b, unsigned i)
{
        (void)i;
        match(b, &b->crowds[1], b->crowds[1].subset);
}

static void run_subset_2(struct bench *b, unsigned i)
{
        (void)i;
        match(b, &b->crowds[2], b->crowds[2].subset);
}

static const struct {
        const char *name;
        void (*run)(struct bench *b, unsigned i);
} works[] = {
        { "bare HMAC-SHA1 of the same octets", run_bare },
        { "write and seal", run_seal },
        { "open and read the header", run_open },
        { "open and read all of it", run_parse },
        { "match a full address, 1 entity", run_full_0 },
        { "match a full address, 100 entities", run_full_1 },
        { "match a full address, 10 000 entities", run_full_2 },
        { "match a subset, 1 entity", run_subset_0 },
        { "match a subset, 100 entities", run_subset_1 },
        { "match a subset, 10 000 entities", run_subset_2 },
};

#define WORKS (sizeof(works) / sizeof(works[0]))

/* ---- preparation ---- */

static struct address *new_address(const char *text)
{
        struct address address;
        struct address *copy;

        check(address_parse(span_of(text), STRICT, &address, NULL, NULL) == 0, "address_parse");
        copy = address_dup(&address);
        check(copy != NULL, "address_dup");
        return copy;
}

static void crowd_init(struct crowd *crowd, unsigned n)
{
        char text[128];

        index_init(&crowd->index, 1);
        crowd->entries = calloc(n, sizeof(*crowd->entries));
        check(crowd->entries != NULL, "calloc");
        for (unsigned i = 0; i < n; ++i) {
                struct address *address;

                snprintf(text, sizeof(text), "(app:bench module:m%u id:%u-1@127.0.0.1)", i, i);
                address = new_address(text);
                check(index_add(&crowd->index, &crowd->entries[i], address) == 0, "index_add");
                free(address);
        }
        crowd->full = new_address(text);
        snprintf(text, sizeof(text), "(app:bench module:m%u)", n - 1);
        crowd->subset = new_address(text);
}

static void crowd_deinit(struct crowd *crowd, unsigned n)
{
        for (unsigned i = 0; i < n; ++i)
                index_remove(&crowd->index, &crowd->entries[i]);
        index_deinit(&crowd->index);
        free(crowd->entries);
        free(crowd->full);
        free(crowd->subset);
}

/* One command with a string, PAYLOAD_SIZE octets in all. */
static void fill_payload(char *payload)
{
        static const char begin[] = "bench.payload(1 \"";
        static const char end[] = "\")";

        memset(payload, 'x', PAYLOAD_SIZE);
        memcpy(payload, begin, sizeof(begin) - 1);
        memcpy(payload + PAYLOAD_SIZE - (sizeof(end) - 1), end, sizeof(end));
}

static void bench_init(struct bench *b)
{
        struct config config;
        char error[256];

        crypto_global_init();
        check(config_parse(span_of(CONFIG_TEXT), "bench", &config, error) == 0, "config_parse");
        check(crypto_new(&config, &b->crypto) == 0, "crypto_new");
        check(gcry_md_open(&b->bare, GCRY_MD_SHA1, GCRY_MD_FLAG_HMAC) == 0, "gcry_md_open");
        check(gcry_md_setkey(b->bare, config.hash_key.bytes, config.hash_key.n) == 0,
              "gcry_md_setkey");
        fill_payload(b->payload);
        run_seal(b, 0);
        check(!b->out.failed, "seal_message");
        buffer_add_span(&b->datagram, buffer_span(&b->out));
        for (size_t i = 0; i < CROWDS; ++i)
                crowd_init(&b->crowds[i], crowds[i]);
}

static void bench_deinit(struct bench *b)
{
        for (size_t i = 0; i < CROWDS; ++i)
                crowd_deinit(&b->crowds[i], crowds[i]);
        buffer_deinit(&b->text);
        buffer_deinit(&b->datagram);
        buffer_deinit(&b->out);
        gcry_md_close(b->bare);
        crypto_free(b->crypto);
        free(b);
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static double measure(struct bench *b, void (*run)(struct bench *b, unsigned i))
{
        uint64_t start = clock_now();

        for (unsigned i = 0; i < ROUND_N; ++i)
                run(b, i);
        return (double)(clock_now() - start) / ROUND_N;
}

int main(void)
{
        static double times[WORKS][ROUNDS];
        struct bench *b = calloc(1, sizeof(*b));

        check(b != NULL, "calloc");
        bench_init(b);
        for (unsigned round = 0; round < ROUNDS; ++round) {
                for (size_t i = 0; i < WORKS; ++i)
                        times[i][round] = measure(b, works[i].run);
        }
        for (size_t i = 0; i < WORKS; ++i)
                qsort(times[i], ROUNDS, sizeof(times[i][0]), compare);
        printf("A message of %zu octets, a payload of %d; median of %d rounds of %d\n\n", b->text.n,
               PAYLOAD_SIZE, ROUNDS, ROUND_N);
        printf("%-40s %10s %10s\n", "", "ns", "HMACs");
        for (size_t i = 0; i < WORKS; ++i)
                printf("%-40s %10.0f %10.2f\n", works[i].name, times[i][ROUNDS / 2],
                       times[i][ROUNDS / 2] / times[0][ROUNDS / 2]);
        bench_deinit(b);
        return 0;
}
