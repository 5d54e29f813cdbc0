/*
 * rig-nats-library.c - nats-server with the C library of its makers, as applications use it.
 *
 * rig-nats.c shows what the server can do; this is what an application that changes over has now.
 */
#include <nats/nats.h>
#include <unistd.h>

#include "bench.h"
#include "core/limits.h"
#include "flow.h"
#include "io/clock.h"

#define URL "nats://127.0.0.1:4223"
#define TURN_MS 100

struct application {
        natsConnection *connection;
        natsSubscription *subscription;
};

static bool start(void)
{
        return rig_nats.start();
}

static double stop(void)
{
        return rig_nats.stop();
}

/* @prompt: what is published goes at once, and not with what follows. */
static struct application join(struct flow *f, const char *subject, bool prompt)
{
        struct application a = { NULL, NULL };
        natsOptions *options;

        uint64_t begin = clock_now();

        bench_check(natsOptions_Create(&options) == NATS_OK, "natsOptions_Create");
        natsOptions_SetURL(options, URL);
        natsOptions_SetSendAsap(options, prompt);
        /* The server may be starting. */
        while (natsConnection_Connect(&a.connection, options) != NATS_OK) {
                bench_check(clock_now() - begin < 5 * NSEC_PER_SEC, "a connection");
                usleep(1000);
        }
        natsOptions_Destroy(options);
        if (subject) {
                bench_check(natsConnection_SubscribeSync(&a.subscription, a.connection, subject) ==
                                    NATS_OK,
                            "a subscription");
                natsSubscription_SetPendingLimits(a.subscription, -1, -1);
        }
        bench_check(natsConnection_Flush(a.connection) == NATS_OK, "an answer");
        flow_ready(f);
        return a;
}

static void leave(struct application *a)
{
        natsSubscription_Destroy(a->subscription);
        natsConnection_Destroy(a->connection);
}

static void publish(struct application *a, const char *subject)
{
        bench_check(natsConnection_Publish(a->connection, subject, flow_payload(), PAYLOAD_SIZE) ==
                            NATS_OK,
                    "natsConnection_Publish");
}

/* Takes one message, if one comes within @ms. */
static bool take(struct application *a, int64_t ms)
{
        natsMsg *message = NULL;

        if (natsSubscription_NextMsg(&message, a->subscription, ms) != NATS_OK)
                return false;
        bench_check(natsMsg_GetDataLength(message) == PAYLOAD_SIZE, "the whole payload");
        natsMsg_Destroy(message);
        return true;
}

static void sink(struct flow *f, unsigned i)
{
        struct application a = join(f, "sink", false);

        while (!flow_is_over(f)) {
                uint64_t n = take(&a, TURN_MS);

                while (n > 0 && n < FLOW_BATCH && take(&a, 0))
                        n++;
                flow_count_received(f, i, n);
        }
        leave(&a);
}

static void source(struct flow *f, unsigned i)
{
        struct application a = join(f, NULL, false);
        uint64_t n;

        while ((n = flow_next_batch(f, i, NULL, NULL)) > 0) {
                for (uint64_t k = 0; k < n; k++)
                        publish(&a, "sink");
                flow_count_sent(f, i, n);
        }
        while (!flow_is_over(f))
                usleep(1000);
        leave(&a);
}

static void echo(struct flow *f, unsigned i)
{
        struct application a = join(f, "echo", true);

        (void)i;
        while (!flow_is_over(f))
                if (take(&a, TURN_MS))
                        publish(&a, "ask");
        leave(&a);
}

static void ask(struct flow *f, unsigned i)
{
        struct application a = join(f, "ask", true);

        for (unsigned n = 0; n < TRIPS_N && !flow_is_over(f); n++) {
                uint64_t begin = clock_now();

                publish(&a, "echo");
                while (!take(&a, TURN_MS) && !flow_is_over(f))
                        ;
                f->times[n] = (double)(clock_now() - begin);
                flow_count_received(f, i, 1);
        }
        leave(&a);
}

const struct rig rig_nats_library = {
        .name = "nats-server, its C library",
        .start = start,
        .stop = stop,
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
};
