/*
 * kinds.c - the kinds of scenarios of links: which troubles brokers and their clients have, drawn from
 * the seed.
 */
#include "../scenario.h"

#define MS NSEC_PER_MSEC
#define SEC NSEC_PER_SEC
/* As in the scenarios of engines: an address that is used again rests a little. */
#define REST (2 * SEC)

static void add(struct scenario *s, uint64_t at, enum action_type type, uint32_t node, uint32_t n)
{
        scenario_add(s, (struct action){ .at = SEC + at, .type = type, .node = node, .n = n });
}

/* ---- who there is -------------------------------------------------------------------------- */

static void make_bus(struct scenario *s, struct random *r, uint32_t n_brokers, uint32_t n_clients,
                     uint32_t n_direct)
{
        struct link_options *o = &s->links;

        o->n_brokers = 1 + (uint32_t)upto(r, n_brokers - 1);
        o->n_direct = (uint32_t)upto(r, n_direct);
        s->options.n_nodes = o->n_brokers + 2 + (uint32_t)upto(r, n_clients - 2) + o->n_direct;
        s->options.per_node = 1 + (uint32_t)upto(r, SLOTS - 1);
        s->options.lossless = true;
        s->options.network.delay_min = upto(r, MS);
        s->options.network.delay_max = s->options.network.delay_min + upto(r, MS);
        o->delay_max = upto(r, 1) * upto(r, 3 * MS);
        o->capacity = 200000;
        o->cuts = true;
        /* Not drawn: what is drawn later is as it was. */
        o->patience = s->seed % 3 * 1250 * MS;
}

static uint32_t some_app(const struct scenario *s, struct random *r)
{
        uint32_t n = s->options.n_nodes - s->links.n_brokers;

        return s->links.n_brokers + (uint32_t)random_below(r, n);
}

static uint32_t some_broker(const struct scenario *s, struct random *r)
{
        return (uint32_t)random_below(r, s->links.n_brokers);
}

static void start_all(struct scenario *s, struct random *r, uint64_t within)
{
        for (uint32_t i = 0; i < s->options.n_nodes; ++i)
                add(s, i < s->links.n_brokers ? 0 : 1 + upto(r, within), ACTION_START, i, 1);
}

/* ---- what happens -------------------------------------------------------------------------- */

static void add_traffic(struct scenario *s, struct random *r, uint64_t from, uint64_t until)
{
        for (uint64_t n = 20 + upto(r, 80); n > 0; --n)
                scenario_add(s, (struct action){ .at = SEC + from + upto(r, until - from),
                                                 .type = upto(r, 2) ? ACTION_RELIABLE : ACTION_SEND,
                                                 .node = some_app(s, r),
                                                 .slot = (uint32_t)upto(r, SLOTS - 1),
                                                 .n = 1 + (uint32_t)upto(r, upto(r, 7) ? 3 : 60),
                                                 .seed = random_u64(r) });
}

/* Messages that are under way at @end. */
static void add_last_words(struct scenario *s, struct random *r, uint64_t end)
{
        for (uint64_t n = upto(r, 12); n > 0; --n) {
                uint64_t early = upto(r, upto(r, 1) ? 5 * MS : 100 * MS);

                scenario_add(s, (struct action){ .at = SEC + (end > early ? end - early : 0),
                                                 .type = upto(r, 3) ? ACTION_RELIABLE : ACTION_SEND,
                                                 .node = some_app(s, r),
                                                 .slot = (uint32_t)upto(r, SLOTS - 1),
                                                 .n = 1 + (uint32_t)upto(r, 3),
                                                 .seed = random_u64(r) });
        }
}

/* Ends and comes back, perhaps while others are still busy with its end. */
static void add_restart(struct scenario *s, struct random *r, uint32_t node, uint64_t until)
{
        uint64_t at = 100 * MS + upto(r, until), rest = upto(r, upto(r, 1) ? 200 * MS : 3 * SEC);

        if (upto(r, 2))
                add_last_words(s, r, at);
        /* What it is sent meanwhile is lost with it. */
        if (upto(r, 3) == 0)
                add(s, at - 50 * MS, ACTION_STALL, node, 1000);
        add(s, at, upto(r, 2) ? ACTION_KILL : ACTION_STOP, node, 1);
        if (upto(r, 5))
                add(s, at + rest + (node < s->links.n_brokers ? 0 : REST), ACTION_START, node, 1);
}

/* A process gets no time for a while; what is for it waits, in the kernel and with others. */
static void add_stalls(struct scenario *s, struct random *r, uint64_t until, uint32_t max_ms)
{
        for (uint64_t n = upto(r, 8); n > 0; --n)
                add(s, upto(r, until), ACTION_STALL,
                    upto(r, 3) ? some_app(s, r) : some_broker(s, r),
                    (uint32_t)upto(r, upto(r, 1) ? 100 : max_ms));
}

static void add_breaks(struct scenario *s, struct random *r, uint64_t until)
{
        for (uint64_t n = 1 + upto(r, 10); n > 0; --n) {
                uint64_t at = upto(r, until);

                if (upto(r, 1))
                        add_last_words(s, r, at);
                add(s, at, ACTION_BREAK, some_app(s, r), 1);
        }
}

static void add_babble(struct scenario *s, struct random *r, uint64_t until)
{
        for (uint64_t n = upto(r, 10); n > 0; --n)
                scenario_add(s, (struct action){ .at = SEC + upto(r, until),
                                                 .type = ACTION_BABBLE,
                                                 .node = some_broker(s, r),
                                                 .seed = random_u64(r) });
}

/* ---- the kinds ----------------------------------------------------------------------------- */

static void make_calm(struct scenario *s, struct random *r)
{
        make_bus(s, r, 2, 6, 2);
        s->links.prompt = true;
        start_all(s, r, SEC);
        add_traffic(s, r, 3 * SEC, 20 * SEC);
}

/* Links that hold a frame or less. */
static void make_narrow(struct scenario *s, struct random *r)
{
        make_bus(s, r, 2, 5, 0);
        s->links.capacity = 50 + (uint32_t)upto(r, upto(r, 1) ? 200 : 4000);
        s->links.delay_max = upto(r, 1) * upto(r, 300000);
        start_all(s, r, SEC);
        add_traffic(s, r, 3 * SEC, 10 * SEC);
}

static void make_breaks(struct scenario *s, struct random *r)
{
        uint64_t until = 20 * SEC;

        make_bus(s, r, 2, 6, 2);
        s->links.capacity = 500 + (uint32_t)upto(r, 100000);
        start_all(s, r, 3 * SEC);
        add_traffic(s, r, SEC, until);
        add_breaks(s, r, until);
        add_stalls(s, r, until, 1000);
        for (uint64_t n = upto(r, 5); n > 0; --n)
                add_restart(s, r, some_app(s, r), until);
}

static void make_death(struct scenario *s, struct random *r)
{
        uint64_t until = 20 * SEC;

        make_bus(s, r, 2, 6, 2);
        start_all(s, r, SEC);
        add_traffic(s, r, SEC, until);
        add_traffic(s, r, SEC, until);
        add_stalls(s, r, until, 1000);
        for (uint64_t n = 1 + upto(r, 6); n > 0; --n)
                add_restart(s, r, some_broker(s, r), until);
        for (uint64_t n = upto(r, 3); n > 0; --n)
                add_restart(s, r, some_app(s, r), until);
}

static void make_slow(struct scenario *s, struct random *r)
{
        uint64_t until = 20 * SEC;

        make_bus(s, r, 2, 6, upto(r, 1) ? 2 : 0);
        /* More comes at once than may be overtaken (WINDOW_BITS). */
        s->options.network.delay_max = s->options.network.delay_min;
        s->options.network.in_order = true;
        s->links.small = true;
        s->links.capacity = 1000 + (uint32_t)upto(r, 200000);
        s->options.pop_gap = upto(r, 1) * upto(r, 2 * SEC);
        start_all(s, r, SEC);
        for (unsigned i = 0; i < 3; ++i)
                add_traffic(s, r, 3 * SEC, until);
        add_stalls(s, r, until, 5000);
        for (unsigned i = 0; i < 6; ++i)
                scenario_add(s, (struct action){ .at = SEC + 5 * SEC + upto(r, until),
                                                 .type = upto(r, 3) ? ACTION_SEND : ACTION_RELIABLE,
                                                 .node = some_app(s, r),
                                                 .n = 200 + (uint32_t)upto(r, 1500),
                                                 .seed = random_u64(r) });
}

static void make_lossy(struct scenario *s, struct random *r)
{
        make_bus(s, r, 3, 6, 2);
        s->options.lossless = false;
        s->options.network.loss = random_unit(r) * 0.2;
        s->options.network.duplicate = random_unit(r) * 0.1;
        s->options.network.late = random_unit(r) * 0.1;
        s->options.network.late_max = upto(r, 100 * MS);
        start_all(s, r, 3 * SEC);
        add_traffic(s, r, 3 * SEC, 30 * SEC);
        add_breaks(s, r, 30 * SEC);
}

static void make_reload(struct scenario *s, struct random *r)
{
        uint64_t until = 15 * SEC;

        make_bus(s, r, 2, 6, 1);
        s->links.prompt = true;
        start_all(s, r, SEC);
        add_traffic(s, r, 3 * SEC, until);
        for (uint64_t n = 1 + upto(r, 10); n > 0; --n)
                add(s, upto(r, until), ACTION_RELOAD, some_broker(s, r), 1);
}

static void make_babble(struct scenario *s, struct random *r)
{
        make_bus(s, r, 2, 5, 1);
        s->links.tcp = upto(r, 1);
        start_all(s, r, SEC);
        add_traffic(s, r, 2 * SEC, 15 * SEC);
        add_babble(s, r, 15 * SEC);
        add_babble(s, r, 15 * SEC);
}

static void make_tcp(struct scenario *s, struct random *r)
{
        switch (upto(r, 3)) {
        case 0:
                make_calm(s, r);
                s->links.prompt = false;
                break;
        case 1:
                make_breaks(s, r);
                break;
        case 2:
                make_death(s, r);
                break;
        default:
                make_narrow(s, r);
                break;
        }
        s->links.tcp = true;
}

static void make_bridge(struct scenario *s, struct random *r)
{
        uint64_t until = 30 * SEC;

        make_bus(s, r, 2, 4, 0);
        s->links.n_beyond = 1 + (uint32_t)upto(r, 2);
        s->links.n_direct = s->links.n_beyond + (uint32_t)upto(r, 1);
        s->options.n_nodes += s->links.n_direct;
        s->options.lossless = false;
        start_all(s, r, SEC);
        add_traffic(s, r, 5 * SEC, until);
        if (upto(r, 1))
                add_breaks(s, r, until);
        for (uint64_t n = upto(r, 3); n > 0; --n)
                add_restart(s, r, upto(r, 1) ? some_broker(s, r) : some_app(s, r), until);
}

const struct scenario_kind kinds[] = {
        { "links-calm", make_calm,
          "one or two brokers, nothing goes wrong, frames are cut anywhere" },
        { "links-narrow", make_narrow, "links that hold a frame or less" },
        { "links-breaks", make_breaks, "links that break at any octet, applications that die" },
        { "links-death", make_death, "brokers that die and start again" },
        { "links-slow", make_slow, "small queues, clients and a broker that stall, bursts" },
        { "links-lossy", make_lossy, "brokers on a network that loses a fifth" },
        { "links-reload", make_reload, "the configuration is read again and again" },
        { "links-babble", make_babble, "strangers that say anything" },
        { "links-tcp", make_tcp, "calm, narrow, breaks or death, over TCP" },
        { "links-bridge", make_bridge, "two buses with a bridge, breaks, deaths" },
};

const size_t n_kinds = sizeof(kinds) / sizeof(*kinds);

const char *kind_of_seed(uint64_t seed)
{
        return kinds[seed % n_kinds].name;
}
