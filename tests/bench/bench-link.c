/*
 * bench-link.c - direct multicast on one host, beside bare loops that move the same datagrams.
 *
 * Both kinds take turns, round after round; the median of the rounds counts. It runs in a network
 * namespace of its own (in-namespace), sends a fixed number of datagrams and ends after a minute
 * whatever happens. The bare flood comes twice: once as fast as a sender can be that is no member
 * of the group, and once with a sender that hears itself, as every entity on a bus does.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/limits.h"
#include "io/clock.h"
#include "link.h"

#define ROUNDS 5
#define FLOOD_N 40000
#define TRIPS_N 1000
#define SECONDS_MAX 60

static const struct link_kind *const kinds[] = { &link_bare, &link_bare_joined, &link_engine };

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct span bench_payload(void)
{
        static const char begin[] = "bench.payload(1 \"";
        static char payload[BENCH_PAYLOAD_SIZE];

        memset(payload, 'x', sizeof(payload));
        memcpy(payload, begin, sizeof(begin) - 1);
        memcpy(payload + sizeof(payload) - 2, "\")", 2);
        return (struct span){ payload, sizeof(payload) };
}

static uint64_t received_by_all(struct shared *s, unsigned n_sinks)
{
        uint64_t least = UINT64_MAX;

        for (unsigned i = 0; i < n_sinks; ++i) {
                uint64_t n = atomic_load(&s->received[i]);

                least = n < least ? n : least;
        }
        return least;
}

/* Waits until all sinks have @n, or nothing has moved for a second. */
static void wait_received(struct shared *s, unsigned n_sinks, uint64_t n)
{
        uint64_t moved = clock_now(), last = 0;

        for (;;) {
                uint64_t received = received_by_all(s, n_sinks);

                if (received >= n)
                        return;
                if (received != last) {
                        last = received;
                        moved = clock_now();
                }
                if (clock_now() - moved > NSEC_PER_SEC)
                        return;
                sched_yield();
        }
}

void bench_keep_window(struct shared *s, unsigned n_sinks, uint64_t sent)
{
        if (sent > FLOOD_WINDOW)
                wait_received(s, n_sinks, sent - FLOOD_WINDOW);
}

/* Starts @n processes that run @serve, and waits until all are ready. */
static void start(struct shared *s, unsigned n, void (*serve)(struct shared *s, unsigned i),
                  pid_t *ret_pids)
{
        uint64_t begin = clock_now();

        for (unsigned i = 0; i < SINKS_MAX; ++i)
                atomic_store(&s->received[i], 0);
        atomic_store(&s->n_ready, 0);
        atomic_store(&s->stop, false);
        fflush(stdout);
        for (unsigned i = 0; i < n; ++i) {
                ret_pids[i] = fork();
                bench_check(ret_pids[i] >= 0, "fork");
                if (ret_pids[i] == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        serve(s, i);
                        exit(0);
                }
        }
        while (atomic_load(&s->n_ready) < n) {
                bench_check(clock_now() - begin < 5 * NSEC_PER_SEC, "the other side starts");
                sched_yield();
        }
}

static void stop(struct shared *s, unsigned n, const pid_t *pids)
{
        int status;

        atomic_store(&s->stop, true);
        for (unsigned i = 0; i < n; ++i) {
                bench_check(waitpid(pids[i], &status, 0) == pids[i], "waitpid");
                bench_check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the other side");
        }
}

/* Datagrams a second that arrived at each sink; adds what did not to *@lost. */
static double flood(struct shared *s, const struct link_kind *kind, unsigned n_sinks,
                    uint64_t *lost)
{
        pid_t pids[SINKS_MAX];
        uint64_t begin, taken, received;

        start(s, n_sinks, kind->sink, pids);
        begin = clock_now();
        kind->source(s, n_sinks, FLOOD_N);
        wait_received(s, n_sinks, FLOOD_N);
        taken = clock_now() - begin;
        received = received_by_all(s, n_sinks);
        stop(s, n_sinks, pids);
        *lost += received < FLOOD_N ? FLOOD_N - received : 0;
        return (double)received * 1e9 / (double)taken;
}

/* The one that echoes stays on processor @where, the one that asks on the first. */
static double round_trip(struct shared *s, const struct link_kind *kind, int where)
{
        static double times[TRIPS_N];
        pid_t pid;

        bench_stay_on(where);
        start(s, 1, kind->echo, &pid);
        bench_stay_on(0);
        kind->ask(s, TRIPS_N, times);
        stop(s, 1, &pid);
        bench_stay_on(-1);
        return bench_median(times, TRIPS_N);
}

static void compare_floods(struct shared *s, unsigned n_sinks)
{
        double rates[KINDS][ROUNDS];
        uint64_t lost[KINDS] = { 0 };
        double bare = 0;

        for (unsigned round = 0; round < ROUNDS; ++round) {
                for (size_t i = 0; i < KINDS; ++i)
                        rates[i][round] = flood(s, kinds[i], n_sinks, &lost[i]);
        }
        printf("\n1 to %u, payload of %d octets\n", n_sinks, BENCH_PAYLOAD_SIZE);
        for (size_t i = 0; i < KINDS; ++i) {
                double rate = bench_median(rates[i], ROUNDS);

                bare = i == 0 ? rate : bare;
                printf("%-32s %10.0f /s, %ju lost\n", kinds[i]->name, rate, (uintmax_t)lost[i]);
                if (kinds[i] == &link_engine)
                        bench_at_least("of bare", rate / bare, 0.9);
        }
}

static void compare_round_trips(struct shared *s, int where)
{
        double bare[ROUNDS], engine[ROUNDS], ratios[ROUNDS];

        for (unsigned round = 0; round < ROUNDS; ++round) {
                bare[round] = round_trip(s, &link_bare, where);
                engine[round] = round_trip(s, &link_engine, where);
                ratios[round] = engine[round] / bare[round];
        }
        printf("\nRound trip, %s\n%-32s %10.1f us\n%-32s %10.1f us\n",
               where ? "each end on a processor of its own" : "both ends on one processor",
               link_bare.name, bench_median(bare, ROUNDS) / 1e3, link_engine.name,
               bench_median(engine, ROUNDS) / 1e3);
        bench_at_most("of bare", bench_median(ratios, ROUNDS), 1.2);
}

int main(int argc, char **argv)
{
        struct shared *s;

        bench_isolate(argc, argv, SECONDS_MAX);
        s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        bench_check(s != MAP_FAILED, "mmap");
        compare_floods(s, 1);
        compare_floods(s, SINKS_MAX);
        compare_round_trips(s, 0);
        if (bench_stay_on(1))
                compare_round_trips(s, 1);
        munmap(s, sizeof(*s));
        return 0;
}
