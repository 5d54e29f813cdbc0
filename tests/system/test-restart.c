/*
 * test-restart.c - a broker that dies over and over, and clients that must not notice more than
 * they are told.
 *
 * Senders keep as many reliable messages on the way as they may, so that a kill finds every stage of
 * one. Each message has a number of its own; what the receivers popped and what became of the
 * tickets is compared at the end.
 */
#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mbus/mbus.h>

#include "buses.h"
#include "daemon.h"
#include "namespace.h"
#include "run.h"
#include "seed.h"

#define KILLS 60
#define PAIRS 4
#define CLIENTS (2 * PAIRS)
#define WINDOW 64
#define MESSAGES (1 << 24)
#define NSEC 1000000000ull
/* What is promised. The library waits 250 ms at most between two attempts, so a slow machine has the
 * rest of it. */
#define BACK_WITHIN NSEC
#define LAST_TICKETS (10 * NSEC)

/* A ticket that is not over. */
struct open_ticket {
        uint64_t ticket;
        uint32_t number;
};

struct client {
        struct mbus_bus *bus;
        struct mbus_entity *entity;
        char address[128]; /* of the first READY */
        bool ready;
        struct open_ticket open[WINDOW];
        unsigned n_open;
};

/* Client i + PAIRS receives from client i. */
struct rig {
        int host;
        struct daemon broker;
        struct client clients[CLIENTS];
        unsigned char *received;  /* how often, by number */
        unsigned char *delivered; /* by number */
        uint32_t n_sent;
        unsigned n_delivered;
        unsigned n_broken; /* failed because the broker died */
        bool is_sending;
};

static uint64_t now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * NSEC + (uint64_t)t.tv_nsec;
}

static void rig_init(struct rig *rig)
{
        char url[128], address[64];

        *rig = (struct rig){ .host = host_new(), .is_sending = true };
        rig->received = calloc(MESSAGES, 1);
        rig->delivered = calloc(MESSAGES, 1);
        ck_assert(rig->received && rig->delivered);
        daemon_new(&rig->broker);
        snprintf(url, sizeof(url), "unix:%s", rig->broker.socket);
        for (unsigned i = 0; i < CLIENTS; i++) {
                struct client *c = &rig->clients[i];

                snprintf(address, sizeof(address), "(module:%s pair:%u)",
                         i < PAIRS ? "sender" : "receiver", i % PAIRS);
                c->bus = bus_open(url, NULL);
                c->entity = entity_add(c->bus, address);
        }
}

static void rig_deinit(struct rig *rig)
{
        for (unsigned i = 0; i < CLIENTS; i++)
                mbus_bus_close(rig->clients[i].bus);
        daemon_free(&rig->broker);
        close(rig->host);
        free(rig->received);
        free(rig->delivered);
}

/* ---- events -------------------------------------------------------------------------------- */

static void on_ready(struct client *c)
{
        const char *address = mbus_entity_get_address(c->entity);

        if (c->address[0] == '\0')
                snprintf(c->address, sizeof(c->address), "%s", address);
        ck_assert_str_eq(address, c->address);
        ck_assert_msg(c->n_open == 0, "%u tickets outlived the broker", c->n_open);
        c->ready = true;
}

static void on_message(struct rig *rig, const struct mbus_message *message)
{
        int64_t number = -1;

        ck_assert_str_eq(mbus_message_get_command(message, 0), "load");
        mbus_value_get_integer(mbus_value_first(mbus_message_get_args(message, 0)), &number);
        ck_assert(number >= 0 && number < rig->n_sent);
        ck_assert_msg(rig->received[number] == 0, "message %d came twice", (int)number);
        rig->received[number] = 1;
}

static void on_ticket(struct rig *rig, struct client *c, const struct mbus_event *event)
{
        unsigned i = 0;

        while (i < c->n_open && c->open[i].ticket != event->ticket)
                i++;
        ck_assert_msg(i < c->n_open, "ticket %d ended twice", (int)event->ticket);
        if (event->type == MBUS_EVENT_DELIVERED) {
                rig->delivered[c->open[i].number] = 1;
                rig->n_delivered++;
        } else {
                ck_assert_int_ne(event->reason, MBUS_REASON_NONE);
                rig->n_broken += event->reason == MBUS_REASON_LINK_DOWN;
        }
        c->open[i] = c->open[--c->n_open];
}

static void on_event(struct rig *rig, struct client *c, const struct mbus_event *event)
{
        switch (event->type) {
        case MBUS_EVENT_READY:
                on_ready(c);
                break;
        case MBUS_EVENT_LINK_DOWN:
                c->ready = false;
                break;
        case MBUS_EVENT_LINK_UP:
                break;
        case MBUS_EVENT_MESSAGE:
                on_message(rig, event->message);
                break;
        case MBUS_EVENT_DELIVERED:
        case MBUS_EVENT_FAILED:
                on_ticket(rig, c, event);
                break;
        default:
                ck_abort_msg("event %d, %s", (int)event->type, mbus_reason_name(event->reason));
        }
}

/* ---- load ---------------------------------------------------------------------------------- */

static void fill_window(struct rig *rig, unsigned i)
{
        struct client *c = &rig->clients[i];
        /* The whole address: any other waits until a new broker knows who else may match. */
        const char *to = rig->clients[i + PAIRS].address;
        struct mbus_commands *commands;

        if (to[0] == '\0')
                return;
        ck_assert_int_eq(mbus_commands_new(&commands), 0);
        while (rig->is_sending && c->ready && c->n_open < WINDOW && rig->n_sent < MESSAGES) {
                struct open_ticket *next = &c->open[c->n_open];
                int r;

                mbus_commands_clear(commands);
                mbus_commands_begin(commands, "load");
                mbus_commands_add_integer(commands, rig->n_sent);
                mbus_commands_end(commands);
                r = mbus_entity_send_reliable(c->entity, to, commands, &next->ticket);
                /* It went down, and the event that says so is still to be popped. */
                if (r == MBUS_E_NOT_READY)
                        break;
                ck_assert_int_eq(r, 0);
                next->number = rig->n_sent++;
                c->n_open++;
        }
        mbus_commands_free(commands);
}

/* Turns all clients once; sleeps a little at most. */
static void turn(struct rig *rig)
{
        struct timespec pause = { .tv_nsec = 200000 };
        bool busy = false;

        for (unsigned i = 0; i < CLIENTS; i++) {
                struct client *c = &rig->clients[i];
                const struct mbus_event *event;

                ck_assert_int_ge(mbus_bus_process(c->bus), 0);
                while ((event = mbus_bus_pop_event(c->bus))) {
                        on_event(rig, c, event);
                        busy = true;
                }
                if (i < PAIRS)
                        fill_window(rig, i);
        }
        if (!busy)
                nanosleep(&pause, NULL);
}

static void turn_for(struct rig *rig, uint64_t time)
{
        uint64_t end = now() + time;

        while (now() < end)
                turn(rig);
}

static bool is_all_ready(const struct rig *rig)
{
        for (unsigned i = 0; i < CLIENTS; i++)
                if (!rig->clients[i].ready)
                        return false;
        return true;
}

static void await_ready(struct rig *rig, uint64_t patience)
{
        uint64_t end = now() + patience;

        while (!is_all_ready(rig)) {
                ck_assert_msg(now() < end, "not all are back");
                turn(rig);
        }
}

/* ---- death --------------------------------------------------------------------------------- */

static void kill_broker(struct rig *rig)
{
        ck_assert_int_eq(kill(rig->broker.pid, SIGKILL), 0);
        ck_assert_int_eq(daemon_await(&rig->broker), 128 + SIGKILL);
}

/* What was on the way has an end; then the two accounts of the messages must agree. */
static void check_accounts(struct rig *rig)
{
        uint64_t end = now() + LAST_TICKETS;
        unsigned n_open;

        rig->is_sending = false;
        do {
                n_open = 0;
                turn(rig);
                for (unsigned i = 0; i < PAIRS; i++)
                        n_open += rig->clients[i].n_open;
                ck_assert_msg(now() < end, "%u tickets never end", n_open);
        } while (n_open > 0);
        for (uint32_t i = 0; i < rig->n_sent; i++)
                ck_assert_msg(rig->received[i] == 1 || !rig->delivered[i],
                              "message %u was acknowledged and is lost", (unsigned)i);
        printf("%u sent, %u delivered, %u failed as the broker died\n", (unsigned)rig->n_sent,
               rig->n_delivered, rig->n_broken);
        /* Else the load was none. */
        ck_assert_uint_gt(rig->n_delivered, KILLS * WINDOW);
        ck_assert_uint_gt(rig->n_broken, KILLS);
}

START_TEST(test_a_broker_killed_over_and_over_loses_nothing_that_was_acknowledged)
{
        struct random random = seeded("restart");
        struct rig rig;

        rig_init(&rig);
        await_ready(&rig, 10 * NSEC);
        for (unsigned i = 0; i < KILLS; i++) {
                bool is_early = i % 6 == 5;

                turn_for(&rig, (uint64_t)(random_unit(&random) * 0.2 * (double)NSEC));
                kill_broker(&rig);
                turn_for(&rig, (uint64_t)(random_unit(&random) * 0.1 * (double)NSEC));
                daemon_start(&rig.broker);
                /* Now and then it dies again while the clients are just coming back. */
                if (is_early)
                        continue;
                await_ready(&rig, BACK_WITHIN);
        }
        await_ready(&rig, BACK_WITHIN);
        check_accounts(&rig);
        rig_deinit(&rig);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_broker_killed_over_and_over_loses_nothing_that_was_acknowledged,
        };

        return run_tests("restart", tests, N(tests));
}
