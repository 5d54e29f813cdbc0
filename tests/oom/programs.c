/*
 * programs.c - see programs.h.
 */
#include "programs.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/limits.h"

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

static uint64_t now;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
        uint64_t t = now + (clock == CLOCK_REALTIME ? UINT64_C(1700000000) * NSEC_PER_SEC : 0);

        *ret_time = (struct timespec){ .tv_sec = (time_t)(t / NSEC_PER_SEC),
                                       .tv_nsec = (long)(t % NSEC_PER_SEC) };
        return 0;
}

struct program programs[PROGRAMS];
const char *const program_names[PROGRAMS] = { "(app:a)", "(app:b)", "(app:c)" };

static const struct setting *setting;

/* ---- signs of trouble ---- */

bool programs_ok(struct trial *t, int r)
{
        if (r != 0 && !setting->is_trouble(r))
                trial_fail(t, __FILE__, __LINE__, "a call returned %d (%s)", r, mbus_error_name(r));
        return trial_ok(t, r);
}

void program_notice_drops(struct trial *t, const struct program *p)
{
        for (int reason = 0; p->bus && reason < MBUS_DROP_MAX; ++reason)
                if (reason != MBUS_DROP_OWN && mbus_bus_get_dropped(p->bus, reason))
                        trial_notice(t);
}

/* ---- events ---- */

static void end_ticket(struct trial *t, struct program *p, const struct mbus_event *event)
{
        for (size_t i = 0; i < p->n_tickets; ++i) {
                if (p->tickets[i].number == event->ticket &&
                    p->tickets[i].entity == event->entity) {
                        p->tickets[i].entity = NULL;
                        return;
                }
        }
        trial_fail(t, __FILE__, __LINE__, "ticket %llu ends without having begun, or twice",
                   (unsigned long long)event->ticket);
}

static void on_event(struct trial *t, struct program *p, const struct mbus_event *event)
{
        const char *address = event->address ? event->address : "-";

        /* Ids are others in each run. */
        trial_note(t, "%c: type %d, %.*s, %d, %s", (char)('a' + (p - programs)), event->type,
                   (int)strcspn(address, " "), address, event->reason,
                   event->message ? mbus_message_get_command(event->message, 0) : "-");
        if (event->type == MBUS_EVENT_DELIVERED || event->type == MBUS_EVENT_FAILED)
                end_ticket(t, p, event);
        if (event->type == MBUS_EVENT_DROPPED || event->type == MBUS_EVENT_REFUSED ||
            (event->type == MBUS_EVENT_LINK_DOWN && ++p->n_breaks > setting->n_breaks) ||
            event->reason == MBUS_REASON_FULL)
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

void programs_settle(struct trial *t)
{
        const struct mbus_event *event;
        bool moved = true;

        while (moved) {
                moved = setting->turn && setting->turn(t);
                for (struct program *p = programs; p < programs + PROGRAMS; ++p) {
                        if (!p->bus)
                                continue;
                        if (is_due(t, p->bus)) {
                                int r = mbus_bus_process(p->bus);

                                programs_ok(t, r < 0 ? r : 0);
                                moved = true;
                        }
                        while ((event = mbus_bus_pop_event(p->bus))) {
                                on_event(t, p, event);
                                moved = true;
                        }
                }
        }
}

void programs_run(struct trial *t, unsigned ms)
{
        uint64_t end = now + ms * NSEC_PER_MSEC;

        programs_settle(t);
        while (now < end) {
                uint64_t next = end;

                for (struct program *p = programs; p < programs + PROGRAMS; ++p) {
                        uint64_t deadline = p->bus ? mbus_bus_get_deadline(p->bus) : end;

                        next = deadline < next ? deadline : next;
                }
                now = next > now ? next : now + 1;
                programs_settle(t);
        }
}

/* ---- what programs do ---- */

static void open_bus(struct trial *t, struct program *p)
{
        struct mbus_config *config;
        int r = mbus_config_new(&config);

        if (!programs_ok(t, r))
                return;
        mbus_config_set_url(config, setting->url);
        mbus_config_set_text(config, setting->text);
        r = mbus_bus_open(&p->bus, config);
        if (!programs_ok(t, r)) {
                const char *error = mbus_config_get_error(config);

                if (!strstr(error, setting->get_cause()))
                        trial_fail(t, __FILE__, __LINE__, "the error is \"%s\"", error);
                trial_must(t, !p->bus);
                /* What failed may work now, and then the same configuration opens the bus. */
                mbus_config_set_url(config, setting->url);
                mbus_config_set_text(config, setting->text);
                programs_ok(t, mbus_bus_open(&p->bus, config));
        }
        mbus_config_free(config);
}

void program_add_entity(struct trial *t, struct program *p)
{
        struct mbus_entity *entity;

        if (p->bus &&
            programs_ok(t, mbus_bus_add_entity(p->bus, program_names[p - programs], &entity)))
                p->me = entity;
}

void programs_begin(struct trial *t, const struct setting *given)
{
        setting = given;
        now = NSEC_PER_SEC;
        /* A program that could not introduce itself at once does it with its first hello. */
        t->any_order = true;
        for (struct program *p = programs; p < programs + PROGRAMS; ++p) {
                *p = (struct program){ .bus = NULL };
                open_bus(t, p);
                program_add_entity(t, p);
                if (p->bus)
                        programs_ok(t, mbus_bus_watch(p->bus, "()"));
        }
        programs_run(t, 2000);
}

void program_send_reliable(struct trial *t, struct program *p, const char *dest,
                           const struct mbus_commands *c)
{
        uint64_t ticket;
        int r = mbus_entity_send_reliable(p->me, dest, c, &ticket);

        if (r == MBUS_E_UNKNOWN)
                trial_notice(t);
        else if (programs_ok(t, r))
                p->tickets[p->n_tickets++] = (struct ticket){ p->me, ticket };
}

void program_send_each(struct trial *t, struct program *p, const struct mbus_commands *c)
{
        uint64_t tickets[PROGRAMS];
        size_t n = 0;
        int r = mbus_entity_send_each(p->me, "()", c, tickets, PROGRAMS, &n);

        trial_must(t, n <= PROGRAMS);
        programs_ok(t, r);
        for (size_t i = 0; i < n; ++i)
                p->tickets[p->n_tickets++] = (struct ticket){ p->me, tickets[i] };
}

void programs_end(struct trial *t)
{
        struct mbus_commands *c;
        bool noticed;
        size_t n;

        for (size_t i = 0; i < PROGRAMS; ++i)
                program_notice_drops(t, &programs[i]);
        noticed = t->noticed;
        n = t->n;
        setting->stop();
        for (struct program *p = programs; p < programs + PROGRAMS; ++p) {
                if (!p->bus)
                        open_bus(t, p);
                if (!p->me)
                        program_add_entity(t, p);
                trial_must(t, p->bus && p->me);
        }
        programs_run(t, 40000);
        trial_must(t, mbus_commands_new(&c) == 0);
        trial_must(t, mbus_commands_add_text(c, "last()", NULL, NULL) == 0);
        for (size_t i = 0; i < PROGRAMS; ++i)
                program_send_reliable(t, &programs[i], program_names[(i + 1) % PROGRAMS], c);
        mbus_commands_free(c);
        programs_run(t, 1000);
        for (size_t i = 0; i < PROGRAMS; ++i) {
                trial_must(t, programs[i].heard);
                for (size_t k = 0; k < programs[i].n_tickets; ++k)
                        trial_must(t, !programs[i].tickets[k].entity);
                programs[i].bus = mbus_bus_close(programs[i].bus);
        }
        t->noticed = noticed;
        t->n = n;
        t->outcome[n] = '\0';
}
