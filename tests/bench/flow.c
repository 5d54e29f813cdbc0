/*
 * flow.c - messages between processes, through one server or another.
 */
#include "flow.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "core/limits.h"
#include "io/clock.h"
#include "server.h"

/* So long nothing moves before what has not come counts as lost. */
#define STALL_NS (2 * NSEC_PER_SEC)
#define PATIENCE_S 10

const char *flow_payload(void)
{
        static char payload[PAYLOAD_SIZE + 1] = "bench.payload(1 \"";
        size_t n = strlen(payload);

        if (n < PAYLOAD_SIZE) {
                memset(payload + n, 'x', PAYLOAD_SIZE - n);
                memcpy(payload + PAYLOAD_SIZE - 2, "\")", 2);
        }
        return payload;
}

/* ---- the ends ------------------------------------------------------------------------------ */

void flow_ready(struct flow *f)
{
        /* Naps are as short as they say. */
        prctl(PR_SET_TIMERSLACK, 1000);
        atomic_fetch_add(&f->n_ready, 1);
        while (!atomic_load(&f->go))
                usleep(200);
}

static uint64_t n_sent(const struct flow *f)
{
        uint64_t n = 0;

        for (unsigned i = 0; i < f->n_sources; i++)
                n += atomic_load_explicit(&f->sources[i].n, memory_order_relaxed);
        return n;
}

static uint64_t n_received_by_all(const struct flow *f)
{
        uint64_t least = UINT64_MAX;

        for (unsigned i = 0; i < f->n_sinks; i++) {
                uint64_t n = atomic_load_explicit(&f->sinks[i].n, memory_order_relaxed);

                least = n < least ? n : least;
        }
        return least;
}

static void sleep_a_little(void *end)
{
        (void)end;
        usleep(250);
}

uint64_t flow_next_batch(struct flow *f, unsigned i, void (*nap)(void *end), void *end)
{
        struct flow_end *source = &f->sources[i];
        uint64_t left = f->n - atomic_load_explicit(&source->n, memory_order_relaxed);

        if (source->begin == 0)
                source->begin = clock_now();
        if (n_sent(f) - n_received_by_all(f) > FLOW_WINDOW - FLOW_BATCH * ENDS_MAX)
                while (n_sent(f) - n_received_by_all(f) > FLOW_WINDOW / 2 && !flow_is_over(f))
                        (nap ? nap : sleep_a_little)(end);
        return left < FLOW_BATCH ? left : FLOW_BATCH;
}

void flow_count_sent(struct flow *f, unsigned i, uint64_t n)
{
        atomic_fetch_add_explicit(&f->sources[i].n, n, memory_order_relaxed);
}

void flow_count_received(struct flow *f, unsigned i, uint64_t n)
{
        if (n == 0)
                return;
        f->sinks[i].end = clock_now();
        atomic_fetch_add_explicit(&f->sinks[i].n, n, memory_order_relaxed);
}

bool flow_is_over(const struct flow *f)
{
        return atomic_load_explicit(&f->stop, memory_order_relaxed);
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* @name is for those who look at the processes, a profiler above all. */
static pid_t start_end(struct flow *f, const char *name, void (*run)(struct flow *f, unsigned i),
                       unsigned i, unsigned n_ready)
{
        uint64_t begin = clock_now();
        pid_t pid = server_fork();

        if (pid == 0) {
                prctl(PR_SET_NAME, name);
                run(f, i);
                _exit(0);
        }
        while (atomic_load(&f->n_ready) < n_ready) {
                bench_check(clock_now() - begin < PATIENCE_S * NSEC_PER_SEC, "an end is ready");
                bench_check(waitpid(pid, NULL, WNOHANG) == 0, "an end does not end");
                usleep(500);
        }
        return pid;
}

static void await(const struct flow *f, uint64_t n)
{
        uint64_t moved = clock_now(), last = 0;

        for (;;) {
                uint64_t received = n_received_by_all(f), sent = n_sent(f);

                if (received >= n)
                        return;
                if (received + sent != last) {
                        last = received + sent;
                        moved = clock_now();
                }
                if (clock_now() - moved > STALL_NS)
                        return;
                usleep(2000);
        }
}

/* Sinks come first among @pids. */
static void finish(struct flow *f, const pid_t *pids)
{
        atomic_store(&f->stop, true);
        for (unsigned i = 0; i < f->n_sinks; i++)
                f->sink_cpu += server_await(pids[i], false);
        for (unsigned i = 0; i < f->n_sources; i++)
                f->source_cpu += server_await(pids[f->n_sinks + i], false);
}

static void clear(struct flow *f, unsigned n_sources, unsigned n_sinks, uint64_t n)
{
        memset(f, 0, sizeof(*f));
        f->n_sources = n_sources;
        f->n_sinks = n_sinks;
        f->n = n;
}

double flow_rate(struct flow *f, const struct rig *rig, unsigned n_sources, unsigned n_sinks,
                 uint64_t n, uint64_t *lost)
{
        uint64_t begin = UINT64_MAX, end = 0, received = 0;
        pid_t pids[2 * ENDS_MAX];
        unsigned n_pids = 0;

        n /= (rig->divisor ? rig->divisor : 1) * n_sources;
        clear(f, n_sources, n_sinks, n);
        for (unsigned i = 0; i < n_sinks; i++, n_pids++)
                pids[n_pids] = start_end(f, "bench-sink", rig->sink, i, n_pids + 1);
        for (unsigned i = 0; i < n_sources; i++, n_pids++)
                pids[n_pids] = start_end(f, "bench-source", rig->source, i, n_pids + 1);
        atomic_store(&f->go, true);
        await(f, n * n_sources);
        finish(f, pids);
        for (unsigned i = 0; i < n_sources; i++)
                begin = f->sources[i].begin < begin ? f->sources[i].begin : begin;
        for (unsigned i = 0; i < n_sinks; i++) {
                end = f->sinks[i].end > end ? f->sinks[i].end : end;
                received += atomic_load(&f->sinks[i].n);
        }
        bench_check(begin < end, "something comes through");
        *lost += n * n_sources * n_sinks - received;
        return (double)received * 1e9 / (double)(end - begin);
}

double flow_round_trip(struct flow *f, const struct rig *rig)
{
        pid_t pids[2];

        clear(f, 1, 1, TRIPS_N);
        pids[0] = start_end(f, "bench-echo", rig->echo, 0, 1);
        pids[1] = start_end(f, "bench-ask", rig->ask, 0, 2);
        atomic_store(&f->go, true);
        await(f, TRIPS_N);
        finish(f, pids);
        bench_check(atomic_load(&f->sinks[0].n) == TRIPS_N, "all answers come");
        return bench_median(f->times, TRIPS_N);
}
