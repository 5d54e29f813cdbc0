/*
 * bench-soak.c - clients that come, send, do not read, and die, at random, for as many minutes as
 * the command line says (10): neither the broker nor the library grows.
 *
 *      bench-soak [MINUTES]
 *
 * Some are applications with the library, some bare sockets, of which some die in the middle of a
 * frame. What counts is the last third of the time beside the second: by then all tables have the
 * size that they need.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "core/limits.h"
#include "core/random.h"
#include "io/clock.h"
#include "mbus.h"
#include "raw.h"
#include "server.h"

#define SLOTS 64
#define MINUTES 10
#define MINUTES_MAX 600
#define INPUT_SIZE (72u << 10)
#define TURN_US 500
#define SAMPLES_MAX (MINUTES_MAX * 60)

struct slot {
        enum { EMPTY, RAW, APPLICATION } kind;
        struct raw raw;
        struct mbus_bus *bus;
        struct mbus_entity *entity;
};

struct sample {
        double broker; /* octets */
        double library;
};

struct soak {
        struct server broker;
        struct slot slots[SLOTS];
        struct random random;
        struct mbus_commands *commands;
        struct sample samples[SAMPLES_MAX];
        size_t n_samples;
        uint64_t n_sent;
        uint64_t n_heard;
        uint64_t n_deaths;
};

static unsigned pick(struct soak *s, unsigned n)
{
        return (unsigned)(random_u64(&s->random) % n);
}

/* ---- coming and going ---------------------------------------------------------------------- */

static void join(struct soak *s, struct slot *slot)
{
        char url[sizeof(s->broker.socket) + 8] = "unix:";
        struct mbus_config *config;

        if (pick(s, 2)) {
                raw_open(&slot->raw, s->broker.socket, INPUT_SIZE);
                raw_attach(&slot->raw, pick(s, 2) ? "(app:soak kind:raw)" : "(app:soak)");
                slot->kind = RAW;
                return;
        }
        bench_check(mbus_config_new(&config) == 0, "memory");
        mbus_config_set_url(config, strcat(url, s->broker.socket));
        bench_check(mbus_bus_open(&slot->bus, config) == 0, mbus_config_get_error(config));
        mbus_config_free(config);
        bench_check(mbus_bus_add_entity(slot->bus, "(app:soak kind:library)", &slot->entity) == 0,
                    "mbus_bus_add_entity");
        if (pick(s, 4) == 0)
                bench_check(mbus_bus_watch(slot->bus, "(app:soak)") == 0, "mbus_bus_watch");
        slot->kind = APPLICATION;
}

static void leave(struct soak *s, struct slot *slot)
{
        if (slot->kind == RAW) {
                /* The beginning of a frame that never ends. */
                if (pick(s, 2))
                        bench_check(write(slot->raw.fd, "\0\0\1\0mbus/1.0", pick(s, 12)) >= 0,
                                    "write");
                raw_close(&slot->raw);
        } else if (slot->kind == APPLICATION) {
                mbus_bus_close(slot->bus);
        }
        s->n_deaths += slot->kind != EMPTY;
        slot->kind = EMPTY;
}

/* ---- sending and hearing ------------------------------------------------------------------- */

static const char *pick_destination(struct soak *s)
{
        const struct slot *other = &s->slots[pick(s, SLOTS)];

        if (other->kind == RAW && other->raw.address[0] && pick(s, 2))
                return other->raw.address;
        if (other->kind == APPLICATION && mbus_entity_get_address(other->entity) && pick(s, 2))
                return mbus_entity_get_address(other->entity);
        return pick(s, 4) ? "(app:soak kind:library)" : "(app:nobody)";
}

static void send_one(struct soak *s, struct slot *slot)
{
        const char *to = pick_destination(s);
        bool reliable = pick(s, 4) == 0;
        uint64_t ticket;
        int r;

        if (slot->kind == RAW) {
                if (slot->raw.address[0])
                        raw_send(&slot->raw, reliable ? 'R' : 'U', slot->raw.address, to,
                                 "soak.tell(1 \"something\")");
                return;
        }
        r = reliable ? mbus_entity_send_reliable(slot->entity, to, s->commands, &ticket)
                     : mbus_entity_send(slot->entity, to, s->commands);
        bench_check(r == 0 || r == MBUS_E_FULL || r == MBUS_E_NOT_READY, "sending");
}

static void hear(struct soak *s, struct slot *slot)
{
        struct span text;
        size_t cursor = 0;

        if (slot->kind == RAW) {
                bench_check(raw_read(&slot->raw), "the broker keeps the link");
                while (raw_take(&slot->raw, &cursor, &text))
                        s->n_heard++;
                raw_drop(&slot->raw, cursor);
                return;
        }
        bench_check(mbus_bus_process(slot->bus) >= 0, "mbus_bus_process");
        while (mbus_bus_pop_event(slot->bus))
                s->n_heard++;
}

static void act(struct soak *s)
{
        struct slot *slot = &s->slots[pick(s, SLOTS)];
        unsigned what = pick(s, 100);

        if (slot->kind == EMPTY) {
                join(s, slot);
        } else if (what < 4) {
                leave(s, slot);
        } else if (what < 40) {
                for (unsigned n = pick(s, 20); n > 0; n--, s->n_sent++)
                        send_one(s, slot);
        } else {
                hear(s, slot);
        }
}

/* ---- the whole ----------------------------------------------------------------------------- */

static double median(const struct soak *s, size_t from, size_t to, bool library)
{
        static double values[SAMPLES_MAX];

        for (size_t i = from; i < to; i++)
                values[i - from] = library ? s->samples[i].library : s->samples[i].broker;
        return bench_median(values, to - from);
}

static void judge(const struct soak *s, bool library)
{
        size_t third = s->n_samples / 3;
        double second = median(s, third, 2 * third, library);
        double last = median(s, 2 * third, s->n_samples, library);

        printf("%s: %.2f MB in the second third of the time, %.2f MB in the last\n",
               library ? "library" : "mbus-broker", second / 1e6, last / 1e6);
        bench_at_most("growth", last / second, 1.1);
}

static void run(struct soak *s, uint64_t seconds)
{
        uint64_t begin = clock_now(), next = begin + NSEC_PER_SEC;

        while (clock_now() - begin < seconds * NSEC_PER_SEC) {
                for (unsigned i = 0; i < 20; i++)
                        act(s);
                usleep(TURN_US);
                if (clock_now() < next)
                        continue;
                next += NSEC_PER_SEC;
                s->samples[s->n_samples++] = (struct sample){
                        .broker = (double)server_usage(&s->broker).resident,
                        .library = (double)(mallinfo2().uordblks + mallinfo2().hblkhd),
                };
        }
}

int main(int argc, char **argv)
{
        static struct soak s;
        unsigned minutes = MINUTES, files;

        if (argc > 1 && atoi(argv[1]) > 0)
                minutes = (unsigned)atoi(argv[1]);
        bench_check(minutes <= MINUTES_MAX, "too many minutes");
        bench_isolate(argc, argv, minutes * 60 + 30);
        random_init(&s.random, 4711);
        bench_check(mbus_commands_new(&s.commands) == 0 &&
                            mbus_commands_add_text(s.commands, "soak.tell(2 \"something\")", NULL,
                                                   NULL) == 0,
                    "mbus_commands");
        server_start_broker(&s.broker, "");
        files = server_usage(&s.broker).n_files;
        run(&s, minutes * 60);
        for (unsigned i = 0; i < SLOTS; i++)
                leave(&s, &s.slots[i]);
        sleep(1);
        printf("%u minutes, %ju messages sent, %ju heard, %ju clients gone\n", minutes,
               (uintmax_t)s.n_sent, (uintmax_t)s.n_heard, (uintmax_t)s.n_deaths);
        judge(&s, false);
        judge(&s, true);
        bench_at_most("descriptors left of clients",
                      (double)server_usage(&s.broker).n_files - files, 0);
        mbus_commands_free(s.commands);
        server_stop(&s.broker);
        return 0;
}
