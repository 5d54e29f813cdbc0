/*
 * bench-clients.c - mbus-broker with ten thousand clients, an entity each: how fast they come, what
 * they cost while nothing happens, and whether a message for everybody reaches all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "core/limits.h"
#include "io/clock.h"
#include "raw.h"
#include "server.h"

#define CLIENTS 10000
#define INPUT_SIZE 1024
#define FILES 20000
#define PATIENCE_NS (10 * NSEC_PER_SEC)
#define IDLE_S 5
#define SECONDS_MAX 90

static struct raw clients[CLIENTS];
static int poller;

static void open_all(const char *path)
{
        for (unsigned i = 0; i < CLIENTS; i++) {
                struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

                raw_open(&clients[i], path, INPUT_SIZE);
                raw_attach(&clients[i], "(app:bench module:crowd)");
                bench_check(epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].fd, &event) == 0, "epoll");
        }
}

/* Frames that have @word in them, up to @n of them, or as many as come in time. */
static unsigned count(const char *word, unsigned n)
{
        uint64_t begin = clock_now();
        struct epoll_event events[256];
        unsigned found = 0;
        struct span text;

        while (found < n && clock_now() - begin < PATIENCE_NS) {
                int ready = epoll_wait(poller, events, 256, 100);

                for (int k = 0; k < ready; k++) {
                        struct raw *c = &clients[events[k].data.u32];
                        size_t cursor = 0;

                        bench_check(raw_read(c), "the broker keeps the link");
                        while (raw_take(c, &cursor, &text))
                                found += memmem(text.at, text.n, word, strlen(word)) != NULL;
                        raw_drop(c, cursor);
                }
        }
        return found;
}

static void measure_attaching(const struct server *broker)
{
        uint64_t begin = clock_now();
        unsigned n;

        open_all(broker->socket);
        n = count("broker.attached(", CLIENTS);
        bench_at_least("attached", n, CLIENTS);
        bench_at_least("attachments a second", n * 1e9 / (double)(clock_now() - begin), 5000);
}

static void measure_idling(const struct server *broker)
{
        struct usage before, after;

        /* First they all announce themselves on the bus, as they must. */
        sleep(2);
        before = server_usage(broker);
        sleep(IDLE_S);
        after = server_usage(broker);
        bench_at_most("% of a core while idle", 100 * (after.cpu - before.cpu) / IDLE_S, 2);
        bench_at_most("MB resident", (double)after.resident / 1e6, 100);
        bench_at_most("MB resident at most, ever", (double)after.peak / 1e6, 100);
}

static void measure_broadcast(void)
{
        uint64_t begin = clock_now();
        unsigned n;

        raw_send(&clients[0], 'U', clients[0].address, "(app:bench)", "bench.hear(\"everybody\")");
        n = count("bench.hear(", CLIENTS - 1);
        bench_at_least("hear a message for everybody", n, CLIENTS - 1);
        printf("  %-32s %10.2f\n", "ms until the last one", (double)(clock_now() - begin) / 1e6);
}

static void measure_leaving(const struct server *broker)
{
        uint64_t begin = clock_now();
        unsigned files = server_usage(broker).n_files;

        for (unsigned i = 0; i < CLIENTS; i++)
                raw_close(&clients[i]);
        while (server_usage(broker).n_files > files - CLIENTS && clock_now() - begin < PATIENCE_NS)
                usleep(10000);
        bench_at_least("links gone a second", CLIENTS * 1e9 / (double)(clock_now() - begin), 5000);
}

int main(int argc, char **argv)
{
        struct rlimit files = { FILES, FILES };
        struct server broker;

        bench_isolate(argc, argv, SECONDS_MAX);
        if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
                printf("skipped: %d descriptors are not allowed\n", FILES);
                return 77;
        }
        poller = epoll_create1(EPOLL_CLOEXEC);
        /* All are of one user, who has no more than a share of these. */
        server_start_broker(&broker, "[limits]\nLINKS=40000\nENTITIES=40000\n");
        printf("%d clients, one entity each\n", CLIENTS);
        bench_at_most("MB resident without clients", (double)server_usage(&broker).resident / 1e6,
                      5);
        measure_attaching(&broker);
        measure_idling(&broker);
        measure_broadcast();
        measure_leaving(&broker);
        server_stop(&broker);
        return 0;
}
