/*
 * kinds.c - the kinds of scenarios: which troubles a bus has, drawn from the seed.
 */
#include "core/hello.h"
#include "scenario.h"

#define MS NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

/* An address that is used again rests a little: an acknowledgement bears no more than a SeqNum, so one
 * that is still under way would be taken for that of the next life's message. */
#define REST (2 * SEC)

static void add(struct scenario *s, uint64_t at, enum action_type type, uint32_t node, uint32_t n)
{
        scenario_add(s, (struct action){ .at = SEC + at, .type = type, .node = node, .n = n });
}

/* ---- networks ---- */

/* Nothing is lost; much is overtaken and doubled, but all of it well within T_r N_r. */
static struct network_rules unruly(struct random *r)
{
        struct network_rules rules = { .delay_min = upto(r, 5 * MS), .grid = upto(r, 1) * MS };

        rules.delay_max = rules.delay_min + upto(r, 1) * upto(r, 30 * MS);
        rules.duplicate = random_unit(r) * 0.1;
        rules.echo = random_unit(r) * 0.1;
        rules.late = random_unit(r) * 0.1;
        rules.late_max = upto(r, 150 * MS);
        return rules;
}

static struct network_rules lossy(struct random *r)
{
        struct network_rules rules = unruly(r);

        rules.loss = 0.1;
        return rules;
}

/* ---- what applications and users do ---- */

static uint32_t some_node(const struct scenario *s, struct random *r)
{
        return (uint32_t)random_below(r, s->options.n_nodes);
}

static void add_message(struct scenario *s, struct random *r, uint64_t until)
{
        uint32_t luck = random_u32(r);
        struct action a = { .at = SEC + upto(r, until),
                            .type = luck % 3 ? ACTION_RELIABLE : ACTION_SEND,
                            .node = some_node(s, r),
                            .slot = (uint32_t)random_below(r, s->options.per_node),
                            .n = luck % 7 ? 1 : 1 + (uint32_t)upto(r, 12),
                            .seed = random_u64(r) };

        if (luck % 50 == 0)
                a.n = 100 + (uint32_t)upto(r, 300);
        else if (luck % 50 == 1)
                a.type = ACTION_PING;
        scenario_add(s, a);
}

static void add_traffic(struct scenario *s, struct random *r, uint64_t until)
{
        for (uint64_t n = 10 + upto(r, 60); n > 0; --n)
                add_message(s, r, until);
}

static void start_all(struct scenario *s, struct random *r, uint64_t within)
{
        for (uint32_t i = 0; i < s->options.n_nodes; ++i)
                add(s, upto(r, within), ACTION_START, i, 1);
}

/* Messages of an entity and to its node that are under way when it ends at @end. */
static void add_last_words(struct scenario *s, struct random *r, uint32_t node, uint32_t slot,
                           uint64_t end)
{
        uint64_t early = upto(r, 30 * MS);

        for (unsigned i = 0; i < 4; ++i)
                scenario_add(s,
                             (struct action){
                                     .at = SEC + (end > early ? end - early : 0),
                                     .type = i % 2 ? ACTION_RELIABLE : ACTION_SEND,
                                     .node = i < 2 ? node : some_node(s, r),
                                     .slot = i < 2 ? slot : 0,
                                     .n = 1 + (uint32_t)upto(r, 3),
                                     /* To all, to somebody, to @node. */
                                     .seed = i < 2 ? random_u64(r) << 3 : (uint64_t)node << 8 | 7,
                             });
}

/* A node ends one way or the other, and comes back perhaps. */
static void add_restart(struct scenario *s, struct random *r, uint64_t until, bool clocks)
{
        uint32_t node = some_node(s, r), slot = (uint32_t)random_below(r, s->options.per_node);
        uint64_t at = upto(r, until), rest = REST + upto(r, 1) * upto(r, 40 * SEC);
        struct action step = { .at = SEC + at + rest / 2, .type = ACTION_CLOCK, .node = node };

        if (upto(r, 1))
                add_last_words(s, r, node, slot, at);
        if (random_u32(r) % 4 == 0 && s->options.per_node > 1) {
                scenario_add(s, (struct action){ .at = SEC + at,
                                                 .type = ACTION_REMOVE,
                                                 .node = node,
                                                 .slot = slot });
                scenario_add(s, (struct action){ .at = SEC + at + rest,
                                                 .type = ACTION_ADD,
                                                 .node = node,
                                                 .slot = slot });
                return;
        }
        add(s, at, random_u32(r) % 2 ? ACTION_STOP : ACTION_KILL, node, 1);
        if (clocks && random_u32(r) % 3 == 0) {
                step.shift = (int32_t)upto(r, 200000) - 100000;
                scenario_add(s, step);
        }
        if (random_u32(r) % 4)
                add(s, at + rest, ACTION_START, node, 1);
}

static void add_clock(struct scenario *s, struct random *r, uint64_t until)
{
        scenario_add(s, (struct action){ .at = SEC + upto(r, until),
                                         .type = ACTION_CLOCK,
                                         .node = some_node(s, r),
                                         .shift = (int32_t)upto(r, 7200000) - 3600000 });
}

static void add_network_trouble(struct scenario *s, struct random *r, uint64_t until)
{
        uint64_t at = upto(r, until), length = upto(r, 40 * SEC);
        struct action a = { .at = SEC + at, .node = some_node(s, r), .seed = random_u64(r) };

        switch (random_u32(r) % 4) {
        case 0:
                a.type = ACTION_DIVIDE;
                a.n = 2 + (uint32_t)upto(r, 2);
                break;
        case 1:
                a.type = ACTION_LOSS;
                a.n = (uint32_t)upto(r, 400);
                break;
        case 2:
                a.type = ACTION_REPLAY;
                break;
        default:
                a.type = ACTION_CUT;
                a.n = some_node(s, r);
                break;
        }
        scenario_add(s, a);
        add(s, at + length, ACTION_HEAL, 0, 0);
}

/* ---- the kinds ---- */

static void make_bus(struct scenario *s, struct random *r, uint32_t n_nodes, uint32_t per_node)
{
        s->options.n_nodes = 2 + (uint32_t)upto(r, n_nodes - 2);
        s->options.per_node = 1 + (uint32_t)upto(r, per_node - 1);
}

static void make_calm(struct scenario *s, struct random *r)
{
        make_bus(s, r, 30, 3);
        s->options.lossless = s->options.steady = true;
        s->options.network = unruly(r);
        start_all(s, r, 10 * SEC);
        add_traffic(s, r, 60 * SEC);
        for (uint64_t n = upto(r, 6); n > 0; --n)
                add_restart(s, r, 60 * SEC, false);
}

static void make_lossy(struct scenario *s, struct random *r)
{
        make_bus(s, r, random_u32(r) % 8 ? 12 : 100, 1);
        s->options.steady = true;
        s->options.network = lossy(r);
        start_all(s, r, random_u32(r) % 2 ? 0 : 60 * SEC);
        add_traffic(s, r, 200 * SEC);
        add(s, 600 * SEC, ACTION_AWARE, 0, 0);
}

static void make_chaos(struct scenario *s, struct random *r)
{
        uint64_t until = 30 * SEC + upto(r, 90 * SEC);

        make_bus(s, r, 20, 3);
        s->options.network = lossy(r);
        s->options.network.loss = random_unit(r) * 0.2;
        s->options.network.late_max = upto(r, 800 * MS);
        start_all(s, r, 20 * SEC);
        add_traffic(s, r, until);
        for (uint64_t n = upto(r, 8); n > 0; --n)
                add_restart(s, r, until, true);
        for (uint64_t n = upto(r, 6); n > 0; --n)
                add_network_trouble(s, r, until);
        for (uint64_t n = upto(r, 2); n > 0; --n)
                add_clock(s, r, until);
}

/* A few, or a burst whose last arrive first now and then. */
static uint32_t some_many(struct random *r)
{
        return 1 + (uint32_t)upto(r, upto(r, 3) ? 3 : 150);
}

/* Short lives of few messages or of a burst, so that SeqNums of two of them meet. */
static void make_reborn(struct scenario *s, struct random *r)
{
        make_bus(s, r, 5, 1);
        s->options.network = lossy(r);
        s->options.network.late = 0.3;
        s->options.network.late_max = upto(r, 500 * MS);
        for (uint32_t i = 0; i < s->options.n_nodes; ++i) {
                uint64_t at = upto(r, 5 * SEC);

                for (unsigned life = 0; life < 6; ++life) {
                        uint64_t length = 200 * MS + upto(r, upto(r, 1) ? SEC : 5 * SEC);

                        add(s, at, ACTION_START, i, 1);
                        for (uint64_t n = upto(r, 6); n > 0; --n)
                                scenario_add(s, (struct action){ .at = SEC + at + upto(r, length),
                                                                 .type = ACTION_RELIABLE,
                                                                 .node = i,
                                                                 .n = some_many(r),
                                                                 .seed = random_u64(r) });
                        if (life < 5)
                                add(s, at + length, ACTION_KILL, i, 1);
                        at += length + REST;
                }
        }
        for (uint64_t n = upto(r, 20); n > 0; --n)
                scenario_add(s, (struct action){ .at = SEC + upto(r, 20 * SEC),
                                                 .type = ACTION_REPLAY,
                                                 .seed = random_u64(r) });
}

static void make_wrap(struct scenario *s, struct random *r)
{
        make_bus(s, r, 8, 2);
        s->options.network = upto(r, 1) ? unruly(r) : lossy(r);
        s->options.lossless = s->options.network.loss == 0;
        for (uint32_t i = 0; i < s->options.n_nodes; ++i) {
                uint64_t at = upto(r, 3 * SEC);

                add(s, at, ACTION_START, i, 1);
                add(s, at, ACTION_SEQ, i, 1 + (uint32_t)upto(r, 100));
        }
        add_traffic(s, r, 60 * SEC);
        add_traffic(s, r, 60 * SEC);
}

static void make_slow(struct scenario *s, struct random *r)
{
        make_bus(s, r, 8, 2);
        s->options.network = upto(r, 1) ? unruly(r) : lossy(r);
        s->options.lossless = s->options.network.loss == 0;
        s->options.events_max = 4 + upto(r, 60);
        s->options.pop_gap = 10 * MS + upto(r, 3 * SEC);
        for (uint32_t i = 0; i < s->options.n_nodes; ++i)
                add(s, 0, ACTION_SLOW, i, random_u32(r) % 3 == 0);
        start_all(s, r, 3 * SEC);
        for (unsigned i = 0; i < 4; ++i)
                add_traffic(s, r, 30 * SEC);
        for (uint64_t n = upto(r, 6); n > 0; --n)
                add_restart(s, r, 30 * SEC, false);
}

static void make_hostile(struct scenario *s, struct random *r)
{
        make_bus(s, r, 10, 2);
        s->options.network = unruly(r);
        s->options.lossless = true;
        s->options.peers_max = 20 + upto(r, 60);
        start_all(s, r, 3 * SEC);
        add_traffic(s, r, 60 * SEC);
        for (unsigned i = 0; i < 5; ++i)
                scenario_add(s, (struct action){ .at = SEC + upto(r, 60 * SEC),
                                                 .type = ACTION_FORGE,
                                                 .n = (uint32_t)upto(r, 2000),
                                                 .seed = random_u64(r) });
        if (upto(r, 3) == 0)
                return;
        scenario_add(s, (struct action){ .at = SEC + 10 * SEC + upto(r, 50 * SEC),
                                         .type = ACTION_FLOOD,
                                         .n = (uint32_t)upto(r, 500),
                                         .seed = random_u64(r) });
}

static void make_ucl(struct scenario *s, struct random *r)
{
        switch (upto(r, 3)) {
        case 0:
                make_calm(s, r);
                break;
        case 1:
                make_lossy(s, r);
                break;
        case 2:
                make_chaos(s, r);
                break;
        default:
                make_wrap(s, r);
                break;
        }
        s->options.dialect = DIALECT_UCL;
}

static void make_unicast(struct scenario *s, struct random *r)
{
        make_calm(s, r);
        s->options.send_unicast = true;
}

/* ---- crowds: all on a clean network, so that every bound is as tight as section 8 makes it ---- */

static uint64_t interval(uint32_t n)
{
        return hello_interval(n);
}

/* @n entities start within nothing; what they come to is measured from the second interval on. */
static uint64_t join(struct scenario *s, uint32_t n, uint32_t per_node)
{
        uint64_t at = 2 * interval(n), long_enough = (n > 300 ? 4 : 20) * interval(n);

        s->options.n_nodes = (n + per_node - 1) / per_node;
        s->options.per_node = per_node;
        s->options.lossless = s->options.steady = true;
        s->options.network = (struct network_rules){ .delay_min = MS, .delay_max = MS };
        add(s, 0, ACTION_START, 0, s->options.n_nodes);
        add(s, SEC + 2 * MS, ACTION_AWARE, 0, 0);
        add(s, at, ACTION_RATE, 0, 1);
        add(s, at + long_enough, ACTION_RATE, 0, 0);
        return at + long_enough;
}

/* All but some go at @at, by @type. */
static void go(struct scenario *s, uint64_t at, enum action_type type, uint32_t stay, uint32_t n)
{
        uint64_t known = at + 2 * MS + (type == ACTION_KILL ? hello_dead_after(n) : 0);
        uint64_t settled = known + 2 * interval(stay);

        add(s, at, type, stay, n - stay);
        add(s, known, ACTION_AWARE, 0, 0);
        add(s, settled, ACTION_RATE, 0, 1);
        add(s, settled + 20 * interval(stay), ACTION_RATE, 0, 0);
}

static uint32_t crowd_size(struct random *r)
{
        static const uint32_t sizes[] = { 2, 10, 20, 50, 100, 200 };

        return sizes[random_below(r, sizeof(sizes) / sizeof(*sizes))];
}

static void make_steady(struct scenario *s, struct random *r)
{
        uint32_t n = 5 + (uint32_t)upto(r, upto(r, 1) ? 50 : 300);

        join(s, n, 1);
}

static void make_bye(struct scenario *s, struct random *r)
{
        uint32_t n = crowd_size(r);

        go(s, join(s, n, 1), ACTION_STOP, n > 10 ? 10 : 1, n);
}

static void make_silence(struct scenario *s, struct random *r)
{
        uint32_t n = crowd_size(r);

        go(s, join(s, n, 1), ACTION_KILL, n > 10 ? 10 : 1, n);
}

static void make_thousand_bye(struct scenario *s, struct random *r)
{
        (void)r;
        go(s, join(s, 1000, 1), ACTION_STOP, 10, 1000);
}

static void make_thousand_silence(struct scenario *s, struct random *r)
{
        (void)r;
        go(s, join(s, 1000, 1), ACTION_KILL, 10, 1000);
}

/* Some entities share a process, as behind a broker. */
static void make_two_thousand(struct scenario *s, struct random *r)
{
        (void)r;
        join(s, 2000, 20);
}

static void make_two_thousand_alone(struct scenario *s, struct random *r)
{
        (void)r;
        join(s, 2000, 1);
}

/* Reliable messages to whoever has just come, and was not heard yet. */
static void make_patient(struct scenario *s, struct random *r)
{
        s->options.n_nodes = 2 + (uint32_t)upto(r, 30);
        s->options.per_node = 1 + (uint32_t)upto(r, 2);
        s->options.lossless = true;
        s->options.steady = true;
        s->options.patience = 2500 * MS;
        s->options.network = unruly(r);
        start_all(s, r, upto(r, 3 * SEC));
        add_traffic(s, r, 6 * SEC);
        add_traffic(s, r, 2 * SEC);
        add(s, 60 * SEC, ACTION_AWARE, 0, 0);
}

/* The large ones are the last N_LARGE before the last N_HUGE, which no seed chooses. */
const struct scenario_kind kinds[] = {
        { "calm", make_calm, "nothing is lost, much is late or doubled; restarts" },
        { "lossy", make_lossy, "a tenth is lost; nobody may be given up" },
        { "chaos", make_chaos, "loss, partitions, cuts, replays, deaths, restarts, clocks" },
        { "reborn", make_reborn, "short lives, one after the other, at the same addresses" },
        { "wrap", make_wrap, "SeqNums pass the last" },
        { "slow", make_slow, "applications that read little and late" },
        { "hostile", make_hostile, "forgeries, and a key holder that floods" },
        { "ucl", make_ucl, "DIALECT=UCL: calm, lossy, chaos or wrap" },
        { "patient", make_patient, "reliable messages to entities that were not heard yet" },
        { "unicast", make_unicast, "SEND_UNICAST=yes, calm" },
        { "steady", make_steady, "5 to 300 entities say hello" },
        { "bye", make_bye, "2 to 200 join at once, all but ten say bye" },
        { "silence", make_silence, "2 to 200 join at once, all but ten die" },
        { "thousand-bye", make_thousand_bye, "1000 join at once, 990 say bye" },
        { "thousand-silence", make_thousand_silence, "1000 join at once, 990 die" },
        { "two-thousand", make_two_thousand, "2000 entities in 100 processes say hello" },
        { "two-thousand-alone", make_two_thousand_alone,
          "2000 entities in as many processes; takes 4 GB" },
};

const size_t n_kinds = sizeof(kinds) / sizeof(*kinds);

#define N_LARGE 3
#define N_HUGE 1
/* One seed of these is a large one. */
#define LARGE_EVERY 50

const char *kind_of_seed(uint64_t seed)
{
        const struct scenario_kind *first_large = &kinds[n_kinds - N_HUGE - N_LARGE];

        if (seed % LARGE_EVERY == 0)
                return first_large[seed / LARGE_EVERY % N_LARGE].name;
        return kinds[seed % (n_kinds - N_HUGE - N_LARGE)].name;
}
