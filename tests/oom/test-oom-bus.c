/*
 * test-oom-bus.c - the public library over mem: while memory is short.
 *
 * What a program may rely on: -ENOMEM from the call, or from mbus_bus_process() when no call could
 * tell, or a counted drop; tickets that end once; and a bus that goes on when memory is back. The
 * clock is virtual, so each run is like the others.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/limits.h"
#include "fail-malloc.h"
#include "mbus.h"
#include "run.h"

#define BUSES 3
#define TICKETS_MAX 64

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

static uint64_t now;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
        uint64_t t = now + (clock == CLOCK_REALTIME ? UINT64_C(1700000000) * NSEC_PER_SEC : 0);

        *ret_time = (struct timespec){ .tv_sec = (time_t)(t / NSEC_PER_SEC),
                                       .tv_nsec = (long)(t % NSEC_PER_SEC) };
        return 0;
}

struct ticket {
        const struct mbus_entity *entity; /* NULL: ended, or its entity was removed */
        uint64_t number;
};

struct program {
        struct mbus_bus *bus;
        struct mbus_entity *me;
        struct ticket tickets[TICKETS_MAX];
        size_t n_tickets;
        bool heard; /* a message that was asked for */
};

static struct program programs[BUSES];
static const char *const names[BUSES] = { "(app:a)", "(app:b)", "(app:c)" };

/* ---- signs of trouble ---- */

/* As trial_ok(), where nothing but memory may be the trouble. */
static bool ok(struct trial *t, int r)
{
        trial_must(t, r == 0 || r == -ENOMEM);
        return trial_ok(t, r);
}

static void notice_drops(struct trial *t, const struct program *p)
{
        for (int reason = 0; p->bus && reason < MBUS_DROP_MAX; ++reason)
                if (reason != MBUS_DROP_OWN && mbus_bus_get_dropped(p->bus, reason))
                        trial_notice(t);
}

/* ---- events ---- */

static void end_ticket(struct trial *t, struct program *p, const struct mbus_event *event)
{
        for (size_t i = 0; i < p->n_tickets; ++i) {
                if (p->tickets[i].number == event->ticket && p->tickets[i].entity == event->entity) {
                        p->tickets[i].entity = NULL;
                        return;
                }
        }
        trial_fail(t, __FILE__, __LINE__, "ticket %llu ends without having begun, or twice",
                   (unsigned long long)event->ticket);
}

static void on_event(struct trial *t, struct program *p, const struct mbus_event *event)
{
        trial_note(t, "%c: type %d, %s, %llu, %d, %s", (char)('a' + (p - programs)), event->type,
                   event->address ? event->address : "-", (unsigned long long)event->ticket,
                   event->reason,
                   event->message ? mbus_message_get_command(event->message, 0) : "-");
        if (event->type == MBUS_EVENT_DELIVERED || event->type == MBUS_EVENT_FAILED)
                end_ticket(t, p, event);
        if (event->type == MBUS_EVENT_DROPPED || event->reason == MBUS_REASON_FULL)
                trial_notice(t);
        if (event->type == MBUS_EVENT_MESSAGE &&
            strcmp(mbus_message_get_command(event->message, 0), "last") == 0)
                p->heard = true;
}

static bool is_due(struct trial *t, struct mbus_bus *bus)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n;

        trial_must(t, mbus_bus_get_pollfds(bus, fds, MBUS_POLLFDS_MAX, &n) == 0);
        return mbus_bus_get_deadline(bus) <= now || poll(fds, n, 0) > 0;
}

static void settle(struct trial *t)
{
        const struct mbus_event *event;
        bool moved = true;

        while (moved) {
                moved = false;
                for (struct program *p = programs; p < programs + BUSES; ++p) {
                        if (!p->bus)
                                continue;
                        if (is_due(t, p->bus)) {
                                int r = mbus_bus_process(p->bus);

                                trial_must(t, r >= 0 || r == -ENOMEM);
                                if (r < 0)
                                        trial_notice(t);
                                moved = true;
                        }
                        while ((event = mbus_bus_pop_event(p->bus))) {
                                on_event(t, p, event);
                                moved = true;
                        }
                }
        }
}

static void run_for(struct trial *t, unsigned ms)
{
        uint64_t end = now + ms * NSEC_PER_MSEC;

        settle(t);
        while (now < end) {
                uint64_t next = end;

                for (struct program *p = programs; p < programs + BUSES; ++p) {
                        uint64_t deadline = p->bus ? mbus_bus_get_deadline(p->bus) : end;

                        next = deadline < next ? deadline : next;
                }
                now = next > now ? next : now + 1;
                settle(t);
        }
}

/* ---- what programs do ---- */

static void open_bus(struct trial *t, struct program *p)
{
        struct mbus_config *config;
        int r = mbus_config_new(&config);

        if (!ok(t, r))
                return;
        mbus_config_set_url(config, "mem:oom");
        r = mbus_bus_open(&p->bus, config);
        if (!ok(t, r)) {
                trial_must(t, mbus_config_get_error(config)[0] != '\0' && !p->bus);
                /* Memory may be back, and then the same configuration opens the bus. */
                mbus_config_set_url(config, "mem:oom");
                ok(t, mbus_bus_open(&p->bus, config));
        }
        mbus_config_free(config);
}

static void add_entity(struct trial *t, struct program *p)
{
        struct mbus_entity *entity;

        if (p->bus && ok(t, mbus_bus_add_entity(p->bus, names[p - programs], &entity)))
                p->me = entity;
}

static void begin(struct trial *t)
{
        now = NSEC_PER_SEC;
        /* A program that could not introduce itself at once does it with its first hello. */
        t->any_order = true;
        for (struct program *p = programs; p < programs + BUSES; ++p) {
                *p = (struct program){ .bus = NULL };
                open_bus(t, p);
                add_entity(t, p);
                if (p->bus)
                        ok(t, mbus_bus_watch(p->bus, "()"));
        }
        run_for(t, 2000);
}

static void send_reliable(struct trial *t, struct program *p, const char *dest,
                          const struct mbus_commands *c)
{
        uint64_t ticket;
        int r = mbus_entity_send_reliable(p->me, dest, c, &ticket);

        trial_must(t, r == 0 || r == -ENOMEM || r == MBUS_E_UNKNOWN);
        if (trial_ok(t, r))
                p->tickets[p->n_tickets++] = (struct ticket){ p->me, ticket };
}

static void send_each(struct trial *t, struct program *p, const struct mbus_commands *c)
{
        uint64_t tickets[BUSES];
        size_t n = 0;
        int r = mbus_entity_send_each(p->me, "()", c, tickets, BUSES, &n);

        trial_must(t, n <= BUSES);
        ok(t, r);
        for (size_t i = 0; i < n; ++i)
                p->tickets[p->n_tickets++] = (struct ticket){ p->me, tickets[i] };
}

/* Memory is back: all works. Then closes all. */
static void end(struct trial *t)
{
        struct mbus_commands *c;
        bool noticed;
        size_t n;

        for (size_t i = 0; i < BUSES; ++i)
                notice_drops(t, &programs[i]);
        noticed = t->noticed;
        n = t->n;
        fail_malloc_stop();
        for (struct program *p = programs; p < programs + BUSES; ++p) {
                if (!p->bus)
                        open_bus(t, p);
                if (!p->me)
                        add_entity(t, p);
                trial_must(t, p->bus && p->me);
        }
        run_for(t, 40000);
        trial_must(t, mbus_commands_new(&c) == 0);
        trial_must(t, mbus_commands_add_text(c, "last()", NULL, NULL) == 0);
        for (size_t i = 0; i < BUSES; ++i)
                send_reliable(t, &programs[i], names[(i + 1) % BUSES], c);
        mbus_commands_free(c);
        run_for(t, 1000);
        for (size_t i = 0; i < BUSES; ++i) {
                trial_must(t, programs[i].heard);
                for (size_t k = 0; k < programs[i].n_tickets; ++k)
                        trial_must(t, !programs[i].tickets[k].entity);
                programs[i].bus = mbus_bus_close(programs[i].bus);
        }
        t->noticed = noticed;
        t->n = n;
        t->outcome[n] = '\0';
}

/* ---- scenarios ---- */

static void configure(struct trial *t)
{
        struct mbus_config *config;
        struct mbus_bus *bus = NULL;
        int r;

        if (!ok(t, mbus_config_new(&config)))
                return;
        mbus_config_set_url(config, "nonsense:");
        mbus_config_set_file(config, "/nowhere");
        mbus_config_set_text(config, "no configuration");
        r = mbus_bus_open(&bus, config);
        trial_must(t, r == MBUS_E_CONFIG || r == -ENOMEM);
        trial_must(t, mbus_config_get_error(config)[0] != '\0' && !bus);
        if (r < 0)
                trial_notice(t);
        fail_malloc_stop();
        mbus_config_set_url(config, "mem:oom");
        mbus_config_set_file(config, NULL);
        mbus_config_set_text(config, NULL);
        trial_must(t, mbus_bus_open(&bus, config) == 0);
        trial_must(t, mbus_config_get_error(config)[0] == '\0');
        mbus_config_free(config);
        mbus_bus_close(bus);
}

static void build(struct trial *t)
{
        static const char bytes[512];
        struct mbus_commands *c;
        size_t at;

        if (!ok(t, mbus_commands_new(&c)))
                return;
        mbus_commands_begin(c, "audio.input.gain");
        mbus_commands_add_integer(c, -70);
        mbus_commands_add_float(c, 0.5);
        mbus_commands_begin_list(c);
        mbus_commands_add_string(c, "a long text, so that memory is taken more than once .......");
        mbus_commands_add_symbol(c, "symbol");
        mbus_commands_end_list(c);
        mbus_commands_add_data(c, bytes, sizeof(bytes));
        mbus_commands_end(c);
        ok(t, mbus_commands_add_text(c, "a()\nb(1 (2) \"\\\"\")", &at, NULL));
        if (ok(t, mbus_commands_check(c)))
                trial_note(t, "%.40s", mbus_commands_get_text(c));
        fail_malloc_stop();
        mbus_commands_clear(c);
        trial_must(t, mbus_commands_add_text(c, "a( 1 )", NULL, NULL) == 0);
        trial_must(t, strcmp(mbus_commands_get_text(c), "a(1)") == 0);
        mbus_commands_free(c);
}

static void open_and_close(struct trial *t)
{
        begin(t);
        end(t);
}

static void talk(struct trial *t)
{
        struct mbus_commands *c = NULL;
        int fd;

        begin(t);
        if (programs[2].bus)
                ok(t, mbus_bus_observe(programs[2].bus, true));
        if (programs[1].bus)
                ok(t, mbus_bus_get_fd(programs[1].bus, &fd));
        ok(t, mbus_commands_new(&c));
        if (c)
                ok(t, mbus_commands_add_text(c, "x(1)\r\ny(\"z\")", NULL, NULL));
        for (size_t i = 0; c && i < BUSES && mbus_commands_check(c) == 0; ++i) {
                if (!programs[i].me)
                        continue;
                ok(t, mbus_entity_send(programs[i].me, "()", c));
                ok(t, mbus_entity_send_text(programs[i].me, "(app:a)", "u(1 2)"));
                send_reliable(t, &programs[i], names[(i + 1) % BUSES], c);
                send_each(t, &programs[i], c);
                ok(t, mbus_entity_ping(programs[i].me, "()"));
                settle(t);
        }
        mbus_commands_free(c);
        run_for(t, 3000);
        end(t);
}

static void list_peers(struct trial *t)
{
        struct mbus_peers *peers;

        begin(t);
        if (programs[0].bus && ok(t, mbus_peers_new(programs[0].bus, "()", &peers))) {
                for (size_t i = 0; i < mbus_peers_get_n(peers); ++i)
                        trial_note(t, "%s", mbus_peers_get_address(peers, i));
                mbus_peers_free(peers);
        }
        end(t);
}

static void leave(struct trial *t)
{
        struct mbus_commands *c;

        begin(t);
        if (ok(t, mbus_commands_new(&c))) {
                if (ok(t, mbus_commands_add_text(c, "mbus(1)", NULL, NULL)) && programs[0].me)
                        send_reliable(t, &programs[0], "(app:b)", c);
                mbus_commands_free(c);
        }
        programs[1].me = mbus_entity_remove(programs[1].me);
        run_for(t, 1000);
        add_entity(t, &programs[1]);
        run_for(t, 1000);
        notice_drops(t, &programs[2]);
        programs[2].bus = mbus_bus_close(programs[2].bus);
        programs[2].me = NULL;
        run_for(t, 1000);
        end(t);
}

START_TEST(test_configurations_and_commands_recover)
{
        fail_each_malloc("configuration", configure);
        fail_each_malloc("commands", build);
}
END_TEST

START_TEST(test_buses_open_or_say_why_not)
{
        fail_each_malloc("open and close", open_and_close);
        fail_each_malloc("peers", list_peers);
}
END_TEST

START_TEST(test_programs_talk_or_are_told)
{
        fail_each_malloc("talk", talk);
        fail_each_malloc("leave", leave);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_configurations_and_commands_recover,
                test_buses_open_or_say_why_not,
                test_programs_talk_or_are_told,
        };

        fail_malloc_init();
        return run_tests("oom-bus", tests, N(tests));
}
