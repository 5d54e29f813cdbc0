/*
 * rig-mbus.c - mbus-broker with applications that use the library.
 *
 * One sink is addressed by its full address, several as the group that they are.
 */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "flow.h"
#include "core/limits.h"
#include "io/clock.h"
#include "mbus.h"
#include "server.h"

#define SINKS "(app:bench module:sink)"
#define TURN_NS (100 * (int64_t)NSEC_PER_MSEC)
/* Reliable messages of a source that are not acknowledged yet: so few that it never waits for the
 * window, which it moves itself. */
#define UNFINISHED_MAX (FLOW_WINDOW / 2)

struct server rig_mbus_server;

static bool start(void)
{
        server_start_broker(&rig_mbus_server, "[broker]\nMULTICAST=never\n");
        return true;
}

static bool start_default(void)
{
        server_start_broker(&rig_mbus_server, "");
        return true;
}

static double stop(void)
{
        return server_stop(&rig_mbus_server);
}

/* ---- the ends ------------------------------------------------------------------------------ */

struct application {
        struct mbus_bus *bus;
        struct mbus_entity *entity;
        struct mbus_commands *commands;
        uint64_t n_finished; /* tickets */
};

static void await_ready(struct application *a)
{
        const struct mbus_event *event;

        for (;;) {
                bench_check(mbus_bus_wait(a->bus, 5 * (int64_t)NSEC_PER_SEC) == 0, "an answer");
                while ((event = mbus_bus_pop_event(a->bus)))
                        if (event->type == MBUS_EVENT_READY)
                                return;
        }
}

static struct application join(struct flow *f, struct flow_end *end, const char *address)
{
        struct mbus_config *config;
        struct application a = { .bus = NULL };
        char url[sizeof(rig_mbus_server.socket) + 8] = "unix:";

        bench_check(mbus_config_new(&config) == 0 && mbus_commands_new(&a.commands) == 0, "memory");
        mbus_config_set_url(config, strcat(url, rig_mbus_server.socket));
        bench_check(mbus_bus_open(&a.bus, config) == 0, mbus_config_get_error(config));
        mbus_config_free(config);
        bench_check(mbus_bus_add_entity(a.bus, address, &a.entity) == 0, "mbus_bus_add_entity");
        await_ready(&a);
        bench_check(mbus_commands_add_text(a.commands, flow_payload(), NULL, NULL) == 0,
                    "mbus_commands_add_text");
        strncpy(end->address, mbus_entity_get_address(a.entity), sizeof(end->address) - 1);
        flow_ready(f);
        return a;
}

static void leave(struct application *a)
{
        mbus_commands_free(a->commands);
        mbus_bus_close(a->bus);
}

static const char *destination(const struct flow *f)
{
        return f->n_sinks == 1 ? f->sinks[0].address : SINKS;
}

/* Takes events; returns how many messages there were, each of which is answered if @answer. */
static uint64_t take(struct application *a, bool answer)
{
        const struct mbus_event *event;
        uint64_t n = 0;

        while ((event = mbus_bus_pop_event(a->bus))) {
                bench_check(event->type != MBUS_EVENT_FAILED, mbus_reason_name(event->reason));
                a->n_finished += event->type == MBUS_EVENT_DELIVERED;
                if (event->type != MBUS_EVENT_MESSAGE)
                        continue;
                n++;
                if (answer)
                        bench_check(mbus_entity_send(a->entity,
                                                     mbus_message_get_source(event->message),
                                                     a->commands) == 0,
                                    "mbus_entity_send");
        }
        return n;
}

static void wait_turn(struct application *a, int64_t ns)
{
        int r = mbus_bus_wait(a->bus, ns);

        bench_check(r == 0 || r == MBUS_E_NOT_READY, "mbus_bus_wait");
}

/* The library goes on writing. */
static void nap(void *end)
{
        wait_turn(end, 250000);
}

static void sink(struct flow *f, unsigned i)
{
        struct application a = join(f, &f->sinks[i], SINKS);

        while (!flow_is_over(f)) {
                wait_turn(&a, TURN_NS);
                flow_count_received(f, i, take(&a, false));
        }
        leave(&a);
}

static void source(struct flow *f, unsigned i)
{
        struct application a = join(f, &f->sources[i], "(app:bench module:source)");
        uint64_t n;

        while ((n = flow_next_batch(f, i, nap, &a)) > 0) {
                for (uint64_t sent = 0; sent < n;) {
                        int r = mbus_entity_send(a.entity, destination(f), a.commands);

                        bench_check(r == 0 || r == MBUS_E_FULL, "mbus_entity_send");
                        sent += r == 0;
                        if (r == MBUS_E_FULL)
                                wait_turn(&a, NSEC_PER_MSEC);
                }
                flow_count_sent(f, i, n);
                bench_check(mbus_bus_process(a.bus) >= 0, "mbus_bus_process");
        }
        while (!flow_is_over(f))
                wait_turn(&a, NSEC_PER_MSEC);
        leave(&a);
}

static void echo(struct flow *f, unsigned i)
{
        struct application a = join(f, &f->sinks[i], "(app:bench module:echo)");

        while (!flow_is_over(f)) {
                wait_turn(&a, TURN_NS);
                take(&a, true);
        }
        leave(&a);
}

static void ask(struct flow *f, unsigned i)
{
        struct application a = join(f, &f->sources[i], "(app:bench module:ask)");

        for (unsigned n = 0; n < TRIPS_N; n++) {
                uint64_t begin = clock_now();

                bench_check(mbus_entity_send(a.entity, destination(f), a.commands) == 0,
                            "mbus_entity_send");
                do {
                        wait_turn(&a, TURN_NS);
                } while (take(&a, false) == 0 && !flow_is_over(f));
                f->times[n] = (double)(clock_now() - begin);
                flow_count_received(f, i, 1);
        }
        leave(&a);
}

/* ---- reliable: what counts is what the receiving end has acknowledged ---------------------- */

static void sink_reliable(struct flow *f, unsigned i)
{
        struct application a = join(f, &f->sinks[i], SINKS);

        while (!flow_is_over(f)) {
                wait_turn(&a, TURN_NS);
                take(&a, false);
        }
        leave(&a);
}

static void source_reliable(struct flow *f, unsigned i)
{
        struct application a = join(f, &f->sources[i], "(app:bench module:source)");
        uint64_t n, n_sent = 0, ticket;

        while ((n = flow_next_batch(f, i, nap, &a)) > 0 || a.n_finished < f->n) {
                uint64_t before = a.n_finished;

                for (uint64_t k = 0; k < n; k++)
                        bench_check(mbus_entity_send_reliable(a.entity, destination(f), a.commands,
                                                              &ticket) == 0,
                                    "mbus_entity_send_reliable");
                n_sent += n;
                flow_count_sent(f, i, n);
                bench_check(mbus_bus_process(a.bus) >= 0, "mbus_bus_process");
                if (n == 0 || n_sent - a.n_finished > UNFINISHED_MAX - FLOW_BATCH)
                        wait_turn(&a, TURN_NS);
                take(&a, false);
                flow_count_received(f, i, a.n_finished - before);
        }
        leave(&a);
}

const struct rig rig_mbus = {
        .name = "mbus-broker, MULTICAST=never",
        .start = start,
        .stop = stop,
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
};

const struct rig rig_mbus_default = {
        .name = "mbus-broker, default",
        .start = start_default,
        .stop = stop,
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
};

const struct rig rig_mbus_reliable = {
        .name = "mbus-broker, reliable",
        .start = start,
        .stop = stop,
        .sink = sink_reliable,
        .source = source_reliable,
};
