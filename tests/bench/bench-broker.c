/*
 * bench-broker.c - messages through mbus-broker, beside other servers and beside a bare relay.
 *
 *      bench-broker [CASE [RIGS]]      RIGS: only the first ones, 1 is mbus-broker alone
 *
 * All take turns, round after round. The median of the rounds is printed, and the median of the
 * ratios within a round counts: what else the machine does hits both sides of it. Servers that are
 * not installed are not measured. It runs in a network namespace of its own (in-namespace), sends a
 * fixed number of messages and ends by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "flow.h"

#define ROUNDS 5
#define RIGS_MAX 6
#define SECONDS_MAX 300

struct goal {
        const struct rig *rig; /* NULL: there is none */
        double budget;
};

struct task {
        const char *name;
        unsigned n_sources; /* 0: a round trip */
        unsigned n_sinks;
        uint64_t n;
        const struct rig *rigs[RIGS_MAX]; /* the first one is ours, and has the goals */
        struct goal goals[3];
};

static const struct task tasks[] = {
        { "one-to-one",
          1,
          1,
          400000,
          { &rig_mbus, &rig_mbus_default, &rig_relay, &rig_nats, &rig_nats_library, &rig_mqtt },
          { { &rig_nats, 1.5 }, { &rig_relay, 0.4 } } },
        { "one-to-four",
          1,
          4,
          200000,
          { &rig_mbus, &rig_mbus_default, &rig_relay, &rig_nats, &rig_nats_library, &rig_mqtt },
          { { &rig_nats, 1.5 }, { &rig_relay, 0.4 } } },
        { "four-to-one",
          4,
          1,
          400000,
          { &rig_mbus, &rig_mbus_default, &rig_relay, &rig_nats, &rig_nats_library, &rig_mqtt },
          { { NULL, 0 } } },
        { "reliable",
          1,
          1,
          200000,
          { &rig_mbus_reliable, &rig_mqtt_reliable },
          { { &rig_mqtt_reliable, 10 } } },
        { "round-trip",
          0,
          0,
          0,
          { &rig_mbus, &rig_mbus_default, &rig_relay, &rig_nats, &rig_nats_library, &rig_mqtt },
          { { &rig_relay, 1.25 }, { &rig_nats, 1 }, { &rig_mqtt, 1 } } },
};

struct result {
        bool measured;
        double values[ROUNDS]; /* deliveries a second, or us */
        uint64_t lost;
        double n; /* deliveries of all rounds, and the seconds of CPU time they took */
        double source_cpu;
        double server_cpu;
        double sink_cpu;
};

static void measure(struct flow *f, const struct task *task, const struct rig *rig, unsigned round,
                    struct result *result)
{
        bench_stay_on(task->n_sources == 0 ? 0 : -1);
        if (!rig->start())
                return;
        result->measured = true;
        if (task->n_sources == 0)
                result->values[round] = flow_round_trip(f, rig) / 1e3;
        else
                result->values[round] =
                        flow_rate(f, rig, task->n_sources, task->n_sinks, task->n, &result->lost);
        for (unsigned i = 0; i < task->n_sinks; i++)
                result->n += (double)atomic_load(&f->sinks[i].n);
        result->server_cpu += rig->stop();
        result->source_cpu += f->source_cpu;
        result->sink_cpu += f->sink_cpu;
}

static void print_result(const struct task *task, const struct rig *rig,
                         const struct result *result)
{
        double values[ROUNDS];

        memcpy(values, result->values, sizeof(values));
        if (!result->measured)
                printf("%-34s %10s\n", rig->name, "not installed, not measured");
        else if (task->n_sources == 0)
                printf("%-34s %10.1f us\n", rig->name, bench_median(values, ROUNDS));
        else
                printf("%-34s %10.0f /s %4ju lost, CPU ns each: %.0f source, %.0f server, "
                       "%.0f sink\n",
                       rig->name, bench_median(values, ROUNDS), (uintmax_t)result->lost,
                       result->source_cpu * 1e9 / result->n, result->server_cpu * 1e9 / result->n,
                       result->sink_cpu * 1e9 / result->n);
}

/* Seconds of CPU time that all sides took for a delivery. */
static double cpu_each(const struct result *r)
{
        return (r->source_cpu + r->server_cpu + r->sink_cpu) / r->n;
}

static void judge(const struct task *task, const struct goal *goal, const struct result *ours,
                  const struct result *theirs)
{
        double ratios[ROUNDS];
        char what[64];

        for (unsigned round = 0; round < ROUNDS; round++)
                ratios[round] = ours->values[round] / theirs->values[round];
        snprintf(what, sizeof(what), "of %s", goal->rig->name);
        if (task->n_sources == 0)
                bench_at_most(what, bench_median(ratios, ROUNDS), goal->budget);
        else
                bench_at_least(what, bench_median(ratios, ROUNDS), goal->budget);
        if (task->n_sources > 0)
                printf("  %-32s %10.2f   times the deliveries, were CPU time all\n", "",
                       cpu_each(theirs) / cpu_each(ours));
}

static void run(struct flow *f, const struct task *task, unsigned n_rigs)
{
        struct result results[RIGS_MAX] = { { .measured = false } };

        for (unsigned round = 0; round < ROUNDS; round++)
                for (unsigned i = 0; i < n_rigs && task->rigs[i]; i++)
                        measure(f, task, task->rigs[i], round, &results[i]);
        printf("\n%s, payload of %d octets\n", task->name, PAYLOAD_SIZE);
        for (unsigned i = 0; i < n_rigs && task->rigs[i]; i++)
                print_result(task, task->rigs[i], &results[i]);
        for (unsigned k = 0; k < 3 && task->goals[k].rig; k++)
                for (unsigned i = 1; i < n_rigs && task->rigs[i]; i++)
                        if (task->rigs[i] == task->goals[k].rig && results[i].measured)
                                judge(task, &task->goals[k], &results[0], &results[i]);
}

int main(int argc, char **argv)
{
        struct flow *f;

        argc = bench_isolate(argc, argv, SECONDS_MAX);
        f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        bench_check(f != MAP_FAILED, "mmap");
        for (size_t i = 0; i < sizeof(tasks) / sizeof(*tasks); i++)
                if (argc < 2 || strcmp(argv[1], tasks[i].name) == 0)
                        run(f, &tasks[i], argc < 3 ? RIGS_MAX : (unsigned)atoi(argv[2]));
        munmap(f, sizeof(*f));
        return 0;
}
