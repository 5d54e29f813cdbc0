/*
 * play.c - plays the actions of a scenario of links.
 */
#include <signal.h>
#include <stdlib.h>

#include <core/hello.h>

#include "../memory.h"
#include "world.h"

struct links *links;

#define CHECK_GAP (50 * NSEC_PER_MSEC)
/* After the last of all, tickets, links and awareness have so long. */
#define PATIENCE (200 * NSEC_PER_SEC)

/* ---- the world ----------------------------------------------------------------------------- */

static void pass(uint64_t until);

/* SIM_LOG=debug shows what the brokers say. */
static void begin_log(void)
{
        enum log_level level = LOG_LEVEL_ERROR;
        const char *name = getenv("SIM_LOG");

        if (name)
                (void)log_level_parse(name, &level);
        log_init(level, true);
}

void links_init(const struct scenario *s)
{
        uint32_t n = s->options.n_nodes;

        begin_log();
        links = must(calloc(1, sizeof(*links)));
        links->scenario = s;
        links->n_brokers = s->links.n_brokers < n ? s->links.n_brokers : n;
        links->n_apps = n - links->n_brokers;
        machine_init(s->seed, s, n + 1);
        machine->pass = pass;
        links->brokers = must(calloc(links->n_brokers + 1, sizeof(*links->brokers)));
        links->running = must(calloc(links->n_brokers + 1, sizeof(*links->running)));
        links->apps = must(calloc(links->n_apps + 1, sizeof(*links->apps)));
        links->configs = must(calloc(n + 1, sizeof(*links->configs)));
        links->post = post_new();
        links->stranger.index = n;
        for (uint32_t i = 0; i < links->n_apps; ++i) {
                struct app *app = &links->apps[i];

                app->direct = links->n_brokers == 0 || i + s->links.n_direct >= links->n_apps;
                app->beyond = app->direct && i + s->links.n_beyond >= links->n_apps;
        }
        for (uint32_t i = 0; i < n; ++i) {
                struct process *p = i < links->n_brokers
                                            ? &links->brokers[i]
                                            : &links->apps[i - links->n_brokers].process;

                p->index = i;
                p->config = links->configs[i] = config_of(i);
        }
}

void links_deinit(void)
{
        machine->failure.claim = machine->failure.claim ? machine->failure.claim : "";
        for (uint32_t i = 0; i < links->n_apps; ++i)
                app_end(&links->apps[i], true);
        for (uint32_t i = 0; i < links->n_brokers; ++i)
                broker_end(i, true);
        for (uint32_t i = 0; i < links->n_apps; ++i) {
                free(links->apps[i].troubles);
                free(links->apps[i].known.addresses);
        }
        for (uint32_t i = 0; i < links->n_people; ++i)
                free(links->people[i]);
        for (uint32_t i = 0; i < links->n_brokers + links->n_apps; ++i)
                free(links->configs[i]);
        post_free(links->post);
        free(links->configs);
        free(links->people);
        free(links->apps);
        free(links->running);
        free(links->brokers);
        free(links);
        links = NULL;
        machine_deinit();
}

/* ---- time ---------------------------------------------------------------------------------- */

static bool has_time(const struct process *p)
{
        return p != machine->running && !p->waits && p->stalled_until <= machine->now;
}

/* Lets one process do what is due; which one is chance. */
static bool turn_one(void)
{
        uint32_t n = links->n_brokers + links->n_apps;
        uint32_t first = n ? (uint32_t)random_below(&machine->random, n) : 0;

        for (uint32_t k = 0; k < n; ++k) {
                uint32_t i = (first + k) % n;

                if (i < links->n_brokers) {
                        if (!links->running[i] || !has_time(&links->brokers[i]) ||
                            !loop_is_due(&links->running[i]->it.loop))
                                continue;
                        broker_turn(i);
                        return true;
                }
                if (!has_time(&links->apps[i - links->n_brokers].process) ||
                    !app_is_due(&links->apps[i - links->n_brokers]))
                        continue;
                app_turn(&links->apps[i - links->n_brokers]);
                return true;
        }
        return false;
}

static uint64_t later(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

static uint64_t next_time(void)
{
        uint64_t next = nets_next(), at;

        for (uint32_t i = 0; i < links->n_brokers; ++i) {
                if (!links->running[i] || links->brokers[i].waits)
                        continue;
                at = later(loop_next(&links->running[i]->it.loop), links->brokers[i].stalled_until);
                if (at < next)
                        next = at;
        }
        for (uint32_t i = 0; i < links->n_apps; ++i) {
                if (links->apps[i].process.waits)
                        continue;
                at = later(app_next(&links->apps[i]), links->apps[i].process.stalled_until);
                if (at < next && links->apps[i].bus)
                        next = at;
        }
        return next;
}

/* Time goes on to what comes next, but not beyond @until. */
static void advance(uint64_t until)
{
        uint64_t next = next_time();

        if (next > until)
                next = until;
        if (next > machine->now)
                machine->now = next;
        nets_arrive();
}

static void pass(uint64_t until)
{
        struct process *running = machine->running;

        running->waits = true;
        if (!turn_one())
                advance(until);
        running->waits = false;
        machine->running = running;
}

void links_run(uint64_t until)
{
        uint64_t check_at = 0;

        while (!machine->failure.claim) {
                if (turn_one())
                        continue;
                if (machine->now >= until)
                        break;
                advance(until);
                if (machine->now >= check_at) {
                        post_check_open();
                        check_at = machine->now + CHECK_GAP;
                }
        }
}

/* ---- awareness ----------------------------------------------------------------------------- */

/* Everybody who ever was counts, and each hop of a bridge takes its time. */
static void changed(void)
{
        uint64_t dead = hello_dead_after(links->n_people + 2 * links->n_brokers + 1);
        uint64_t at = machine->now + 4 * dead + 30 * NSEC_PER_SEC;

        if (at > links->aware_at)
                links->aware_at = at;
}

/* ---- actions ------------------------------------------------------------------------------- */

static struct app *app_at(uint32_t node)
{
        return node < links->n_brokers ? NULL : &links->apps[node - links->n_brokers];
}

static void begin(uint32_t node)
{
        if (app_at(node))
                app_begin(app_at(node));
        else
                broker_begin(node);
        changed();
}

static void end(uint32_t node, bool killed)
{
        if (app_at(node))
                app_end(app_at(node), killed);
        else
                broker_end(node, killed);
        changed();
}

static void send_some(const struct action *a)
{
        for (uint32_t i = 0; i < a->n && !machine->failure.claim; ++i) {
                struct person *from = person_at(a->node, a->slot % SLOTS);

                if (!from || !from->ready)
                        return;
                post_send(from, a->seed, a->type == ACTION_RELIABLE);
        }
}

static void stall(uint32_t node, uint32_t ms)
{
        struct process *p = app_at(node) ? &app_at(node)->process : &links->brokers[node];

        p->stalled_until = machine->now + ms * NSEC_PER_MSEC;
        changed();
}

static void reload_config(uint32_t node)
{
        if (app_at(node) || !links->running[node])
                return;
        process_enter(&links->brokers[node]);
        loop_signal(&links->running[node]->it.loop, SIGHUP);
        process_leave();
}

static void act(const struct action *a)
{
        if (a->node >= links->n_brokers + links->n_apps)
                return;
        switch (a->type) {
        case ACTION_START:
                begin(a->node);
                break;
        case ACTION_STOP:
        case ACTION_KILL:
                end(a->node, a->type == ACTION_KILL);
                break;
        case ACTION_SEND:
        case ACTION_RELIABLE:
                send_some(a);
                break;
        case ACTION_LOSS:
                for (unsigned k = 0; k < NETS; ++k)
                        machine->nets[k].rules.loss = a->n / 1000.0;
                break;
        case ACTION_BREAK:
                if (app_at(a->node))
                        app_break(app_at(a->node));
                changed();
                break;
        case ACTION_STALL:
                stall(a->node, a->n);
                break;
        case ACTION_RELOAD:
                reload_config(a->node);
                break;
        case ACTION_BABBLE:
                stranger_babble(a->node, a->seed);
                changed();
                break;
        default:
                break;
        }
}

/* ---- the end ------------------------------------------------------------------------------- */

/* All brokers run, nothing is lost, everybody has time; then all goes, in order. */
static void finish(void)
{
        uint64_t end;

        process_enter(&links->stranger);
        process_kill(&links->stranger);
        process_leave();
        for (uint32_t i = 0; i < links->n_brokers; ++i) {
                links->brokers[i].stalled_until = 0;
                begin(i);
        }
        for (uint32_t i = 0; i < links->n_apps; ++i)
                links->apps[i].process.stalled_until = 0;
        for (unsigned k = 0; k < NETS; ++k)
                machine->nets[k].rules.loss = 0;
        changed();
        end = machine->now + PATIENCE;
        links_run(links->aware_at);
        while (!machine->failure.claim && post_is_open() && machine->now < end)
                links_run(machine->now + NSEC_PER_SEC);
        for (uint32_t i = 0; i < links->n_apps && !machine->failure.claim; ++i)
                app_check_awareness(&links->apps[i]);
        post_check_all();
        for (uint32_t i = 0; i < links->n_apps && !machine->failure.claim; ++i)
                app_end(&links->apps[i], false);
        links_run(machine->now + 2 * NSEC_PER_SEC);
        for (uint32_t i = 0; i < links->n_brokers && !machine->failure.claim; ++i) {
                broker_check_empty(i);
                broker_end(i, false);
        }
}

void scenario_play(const struct scenario *s, struct outcome *ret_outcome)
{
        links_init(s);
        for (size_t i = 0; i < s->n && !machine->failure.claim; ++i) {
                links_run(s->actions[i].at);
                if (!machine->failure.claim)
                        act(&s->actions[i]);
        }
        if (!machine->failure.claim)
                finish();
        *ret_outcome =
                (struct outcome){ .failure = machine->failure,
                                  .time = machine->now,
                                  .n_datagrams = machine->nets[0].n_delivered +
                                                 machine->nets[1].n_delivered + machine->n_pieces,
                                  .n_checks = links->n_checks };
        post_count(&ret_outcome->n_messages, &ret_outcome->n_delivered, &ret_outcome->n_failed);
        links_deinit();
}
