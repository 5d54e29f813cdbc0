/*
 * ping.c - mbus-cli ping: asks entities to announce themselves and shows who does, and when.
 *
 * An answer is an mbus.hello like any other (RFC 3259, 9.3), delayed at random by up to a second,
 * so the times tell who is alive, not how fast the bus is. A hello that was due anyway counts, too.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/printer.h>
#include <cli/run/request.h>
#include <cli/text/duration.h>
#include <cli/text/text.h>

#include "verbs.h"

#define WAIT_DEFAULT (2 * DURATION_S)

struct ping {
        struct request request;
        bool is_sent;
        uint64_t sent;   /* CLOCK_MONOTONIC ns */
        char **answered; /* each entity once; nobody before the question is sent */
        size_t n_answered;
};

static bool is_same(const char *a, const char *b)
{
        return mbus_address_matches(a, b) && mbus_address_matches(b, a);
}

static bool has_answered(const struct ping *ping, const char *address)
{
        for (size_t i = 0; i < ping->n_answered; i++)
                if (is_same(ping->answered[i], address))
                        return true;
        return false;
}

static bool is_own_address(const struct ping *ping, const char *address)
{
        const char *own = mbus_entity_get_address(ping->request.entity);

        return own && is_same(address, own);
}

static bool is_hello(const struct mbus_message *message)
{
        const char *name;

        for (size_t i = 0; (name = mbus_message_get_command(message, i)); i++)
                if (strcmp(name, "mbus.hello") == 0)
                        return true;
        return false;
}

static bool is_answer(const struct ping *ping, const struct mbus_message *message)
{
        const char *source = mbus_message_get_source(message);

        return ping->is_sent && is_hello(message) &&
               mbus_address_matches(ping->request.address, source) &&
               !is_own_address(ping, source) && !has_answered(ping, source);
}

static int remember(struct ping *ping, const char *address)
{
        char **answered = realloc(ping->answered, (ping->n_answered + 1) * sizeof(*answered));

        if (!answered)
                return EXITS_FAILED;
        ping->answered = answered;
        answered[ping->n_answered] = strdup(address);
        return answered[ping->n_answered] ? (ping->n_answered++, EXITS_OK) : EXITS_FAILED;
}

static int ping_on_observed(struct ping *ping, const struct mbus_message *message)
{
        uint64_t us = (loop_now() - ping->sent) / 1000;
        int status;

        if (!is_answer(ping, message))
                return LOOP_ON;
        assert(ping->is_sent);
        status = remember(ping, mbus_message_get_source(message));
        if (status)
                return status;
        text_print(stdout, mbus_message_get_source(message));
        printf("\t%" PRIu64 ".%01" PRIu64 " ms\n", us / 1000, us % 1000 / 100);
        status = printer_flush();
        if (status != LOOP_ON)
                return status;
        return ping->n_answered >= options_number(ping->request.options, &option_count, SIZE_MAX)
                       ? EXITS_OK
                       : LOOP_ON;
}

static int ping_on_ready(struct ping *ping)
{
        int r;

        if (ping->is_sent)
                return LOOP_ON;
        r = mbus_entity_ping(ping->request.entity, ping->request.address);
        if (r)
                return session_error("cannot ping", r);
        ping->is_sent = true;
        ping->sent = loop_now();
        return LOOP_ON;
}

static int ping_on_event(void *data, const struct mbus_event *event)
{
        struct ping *ping = data;

        switch (event->type) {
        case MBUS_EVENT_READY:
                return ping_on_ready(ping);
        case MBUS_EVENT_OBSERVED:
                return ping_on_observed(ping, event->message);
        case MBUS_EVENT_REFUSED:
        case MBUS_EVENT_UNOBSERVED:
                return session_refused("cannot ping", event);
        case MBUS_EVENT_DROPPED:
                return event->drop == MBUS_DROP_DENIED
                               ? session_denied(ping->request.address, event)
                               : LOOP_ON;
        default:
                return request_on_event(event);
        }
}

static int ping_on_deadline(void *data)
{
        const struct ping *ping = data;

        if (!ping->is_sent)
                return request_unanswered(&ping->request);
        if (!ping->n_answered)
                return EXITS_UNKNOWN;
        return options_has(ping->request.options, &option_count) ? EXITS_TIMED_OUT : EXITS_OK;
}

/* Names those who are known and have not answered. */
static void ping_print_summary(const struct ping *ping)
{
        struct mbus_peers *peers;
        size_t silent = 0;

        if (!ping->is_sent ||
            mbus_peers_new(ping->request.session.bus, ping->request.address, &peers))
                return;
        for (size_t i = 0; i < mbus_peers_get_n(peers); i++) {
                const char *address = mbus_peers_get_address(peers, i);

                if (has_answered(ping, address) || is_own_address(ping, address))
                        continue;
                fprintf(stderr, "%s did not answer\n", address);
                silent++;
        }
        mbus_peers_free(peers);
        fprintf(stderr,
                "%zu answered, %zu known did not; answers are delayed at random by up to "
                "1 s (RFC 3259, 9.3)\n",
                ping->n_answered, silent);
}

/* Asks for the hellos that answer: a slow reader loses none of them to everything else. */
static int ping_observe(struct ping *ping)
{
        struct mbus_observation *observation;
        int r = mbus_observation_new(&observation);

        if (r)
                return r;
        mbus_observation_set_hello(observation, true);
        mbus_observation_add_filter(observation, ping->request.address, "mbus.hello", NULL);
        r = mbus_bus_observe(ping->request.session.bus, observation);
        mbus_observation_free(observation);
        return r;
}

static int ping_ask(struct ping *ping)
{
        int r = ping_observe(ping), status;

        if (r == 0)
                r = mbus_bus_watch(ping->request.session.bus, ping->request.address);
        if (r == 0)
                r = request_join(&ping->request, SESSION_ADDRESS);
        if (r)
                return session_error("cannot ping", r);
        status = request_run(&ping->request, WAIT_DEFAULT);
        ping_print_summary(ping);
        return status;
}

static int ping_run(const struct options *options)
{
        struct ping ping = { .is_sent = false };
        int status;

        request_init(&ping.request, options, &ping, ping_on_event, ping_on_deadline);
        ping.request.loop.prints = true;
        status = request_open(&ping.request, options);
        if (status)
                return status;
        status = ping_ask(&ping);
        ping.request.session.asks = ping.n_answered == 0;
        if (status == EXITS_UNKNOWN && session_is_mute(&ping.request.session))
                status = EXITS_NO_BUS;
        session_close(&ping.request.session);
        for (size_t i = 0; i < ping.n_answered; i++)
                free(ping.answered[i]);
        free(ping.answered);
        return status;
}

static const struct option_info *const options[] = { &option_count, &option_wait, OPTIONS_COMMON };

const struct verb verb_ping = {
        .name = "ping",
        .usage = "[-C N] [-W SECS] [ADDR]",
        .summary = "asks the entities that ADDR matches to answer, or all",
        .notes = "Prints who answers, and how long after the question. Entities delay the\n"
                 "answer at random by up to one second (RFC 3259, 9.3). -C stops after N\n"
                 "answers; -W is 2 s. Exit 3 if nobody answers, 27 if somebody does, but fewer\n"
                 "than -C.\n",
        .options = options,
        .args_max = 1,
        .run = ping_run,
        .needs = "a line of [policy] for this user with attach=(app:mbus-cli), send= for ADDR, "
                 "watch=yes and observe=yes",
};
