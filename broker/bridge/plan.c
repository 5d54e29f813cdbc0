/*
 * plan.c - which buses and bridges there are, by the configuration (spec/buses.md).
 *
 * What another configuration asks for is made ready as a plan before anything changes: buses are
 * opened, and bridges and the lists of their rules are allocated. So a plan either fails, and all
 * is as it was, or it counts, and nothing can fail any more. What is the same in both
 * configurations is shared: its entities do not notice.
 */
#include "plan.h"

#include <assert.h>
#include <stdlib.h>

#include <io/clock.h>
#include <io/entropy.h>

#include "bridge.h"
#include "election.h"
#include "proxy.h"

/* A bridge, and the rules that it is to have: from bridge->bus[s] to the other one. */
struct join {
        struct bridge *bridge;
        bool is_new;
        const struct export_rule **rules[2];
        size_t n_rules[2];
};

/*
 * Invariants: until it counts nothing that is there has changed, but that buses of its own are
 * open. Whoever is in the plan and was there before belongs to `all`; bridges_discard() closes the
 * others. `joins` and `list` have room for one each rule, so no more than that are needed when it
 * counts.
 */
struct bridges_plan {
        struct bridges *all;
        const struct bus_configs *configs;
        struct bus **buses; /* in the order of the configuration */
        size_t n_buses;
        struct bridge **list; /* room for those of `joins` */
        struct join *joins;
        size_t n_joins;
};

/* ---- rules --------------------------------------------------------------------------------- */

static bool is_from(const struct bus_configs *configs, const char *name)
{
        for (const struct export_rule *rule = configs->rules; rule; rule = rule->next)
                if (span_equal_nocase(span_of(rule->from), name))
                        return true;
        return false;
}

bool bridges_relay_main(const struct bus_configs *configs)
{
        return is_from(configs, BUS_MAIN);
}

/* ---- what there is ------------------------------------------------------------------------- */

static bool has_bus(const struct bridges *all, const struct bus *bus)
{
        for (size_t i = 0; i < all->buses->n_others; i++)
                if (all->buses->others[i] == bus)
                        return true;
        return false;
}

static bool joins_both(const struct bridge *bridge, const struct bus *a, const struct bus *b)
{
        return (bridge->bus[0] == a && bridge->bus[1] == b) ||
               (bridge->bus[1] == a && bridge->bus[0] == b);
}

static struct bridge *bridge_new(struct bridges *all, struct bus *a, struct bus *b)
{
        struct bridge *bridge = malloc(sizeof(*bridge));

        if (!bridge)
                return NULL;
        *bridge = (struct bridge){
                .all = all, .number = ++all->n_made, .bus = { a, b }, .until = TIME_NEVER
        };
        for (unsigned side = 0; side < 2; side++)
                index_init(&bridge->held_down[side],
                           (uint64_t)random_u32(&all->random) << 32 | random_u32(&all->random));
        return bridge;
}

void bridge_free(struct bridge *bridge)
{
        assert(bridge->state == BRIDGE_STANDBY && list_is_empty(&bridge->proxies));
        for (unsigned side = 0; side < 2; side++) {
                assert(!bridge->beacons[side].entity && bridge->held_down[side].n == 0);
                index_deinit(&bridge->held_down[side]);
                free(bridge->rules[side]);
        }
        free(bridge);
}

/* ---- plans --------------------------------------------------------------------------------- */

/* The bus of @section that is there already; NULL: it is another one, or there was none. */
static struct bus *find_same(const struct bridges *all, const struct bus_section *section)
{
        const struct bus_section *old = bus_configs_find(all->configs, section->name);

        for (size_t i = 0; old && i < all->buses->n_others; i++)
                if (strcmp(all->buses->others[i]->name, section->name) == 0)
                        return bus_section_equal(old, section) ? all->buses->others[i] : NULL;
        return NULL;
}

/* Opens the bus of @section; it is in the plan even if that fails. 0 or the exit status. */
static int open_bus(struct bridges_plan *plan, const struct bus_section *section)
{
        struct buses *buses = plan->all->buses;
        struct bus *bus = calloc(1, sizeof(*bus));
        int r;

        if (!bus)
                return EXIT_SYSTEM;
        assert(plan->n_buses < plan->configs->n);
        plan->buses[plan->n_buses++] = bus;
        r = bus_open(bus, buses, section->name, &section->reader.config,
                     is_from(plan->configs, section->name));
        if (r == 0 && plan->all->started && bus_start(bus) < 0)
                r = EXIT_SYSTEM;
        if (r)
                log_error("%s:%u: [bus %s]: this bus cannot be joined", buses->config_path,
                          section->line, section->name);
        return r;
}

static int plan_buses(struct bridges_plan *plan)
{
        const struct bus_configs *configs = plan->configs;

        plan->buses = calloc(configs->n + 1, sizeof(*plan->buses));
        if (!plan->buses)
                return EXIT_SYSTEM;
        for (size_t i = 0; i < configs->n; i++) {
                struct bus *same = find_same(plan->all, &configs->sections[i]);
                int r = 0;

                if (same)
                        plan->buses[plan->n_buses++] = same;
                else
                        r = open_bus(plan, &configs->sections[i]);
                if (r)
                        return r;
        }
        return 0;
}

static struct bus *find_bus(const struct bridges_plan *plan, const char *name)
{
        for (size_t i = 0; i < plan->n_buses; i++)
                if (span_equal_nocase(span_of(name), plan->buses[i]->name))
                        return plan->buses[i];
        /* The reader of the configuration knows the names. */
        assert(span_equal_nocase(span_of(name), BUS_MAIN));
        return &plan->all->buses->main;
}

/* The bridge between two buses, for which there is room; NULL when memory is short. */
static struct join *find_join(struct bridges_plan *plan, struct bus *from, struct bus *to)
{
        struct bridges *all = plan->all;
        struct bridge *bridge = NULL;
        bool is_new;

        for (size_t i = 0; i < plan->n_joins; i++)
                if (joins_both(plan->joins[i].bridge, from, to))
                        return &plan->joins[i];
        for (size_t i = 0; i < all->n && !bridge; i++)
                if (joins_both(all->list[i], from, to))
                        bridge = all->list[i];
        is_new = !bridge;
        if (is_new)
                bridge = bridge_new(all, from, to);
        if (!bridge)
                return NULL;
        assert(plan->n_joins < plan->configs->n_rules);
        plan->joins[plan->n_joins] = (struct join){ .bridge = bridge, .is_new = is_new };
        return &plan->joins[plan->n_joins++];
}

static int plan_rules(struct bridges_plan *plan)
{
        plan->joins = calloc(plan->configs->n_rules + 1, sizeof(*plan->joins));
        plan->list = calloc(plan->configs->n_rules + 1, sizeof(struct bridge *));
        if (!plan->joins || !plan->list)
                return EXIT_SYSTEM;
        for (const struct export_rule *rule = plan->configs->rules; rule; rule = rule->next) {
                struct bus *from = find_bus(plan, rule->from);
                struct join *join = find_join(plan, from, find_bus(plan, rule->to));
                const struct export_rule **rules;
                unsigned side;

                if (!join)
                        return EXIT_SYSTEM;
                side = join->bridge->bus[0] == from ? 0 : 1;
                rules = realloc(join->rules[side], (join->n_rules[side] + 1) * sizeof(*rules));
                if (!rules)
                        return EXIT_SYSTEM;
                rules[join->n_rules[side]++] = rule;
                join->rules[side] = rules;
        }
        return 0;
}

void bridges_discard(struct bridges_plan *plan)
{
        if (!plan)
                return;
        for (size_t i = 0; i < plan->n_joins; i++) {
                free(plan->joins[i].rules[0]);
                free(plan->joins[i].rules[1]);
                if (plan->joins[i].is_new)
                        bridge_free(plan->joins[i].bridge);
        }
        for (size_t i = 0; i < plan->n_buses; i++)
                if (!has_bus(plan->all, plan->buses[i]))
                        bus_retire(plan->buses[i]);
        free(plan->buses);
        free(plan->list);
        free(plan->joins);
        free(plan);
}

int plan_prepare(struct bridges *all, const struct bus_configs *configs, bool started,
                 struct bridges_plan **ret_plan)
{
        struct bridges_plan *plan;
        int r;

        *ret_plan = NULL;
        if (!all->configs && configs->n == 0)
                return 0;
        plan = calloc(1, sizeof(*plan));
        if (!plan)
                return EXIT_SYSTEM;
        if (!all->configs)
                random_init(&all->random, entropy_number());
        all->started = started;
        plan->all = all;
        plan->configs = configs;
        r = plan_buses(plan);
        if (r == 0)
                r = plan_rules(plan);
        if (r) {
                bridges_discard(plan);
                return r;
        }
        *ret_plan = plan;
        return 0;
}

int bridges_prepare(struct bridges *all, const struct bus_configs *configs,
                    struct bridges_plan **ret_plan)
{
        return plan_prepare(all, configs, true, ret_plan);
}

/* ---- a plan counts ------------------------------------------------------------------------- */

static bool plans_bridge(const struct bridges_plan *plan, const struct bridge *bridge)
{
        for (size_t i = 0; i < plan->n_joins; i++)
                if (plan->joins[i].bridge == bridge)
                        return true;
        return false;
}

static bool plans_bus(const struct bridges_plan *plan, const struct bus *bus)
{
        for (size_t i = 0; i < plan->n_buses; i++)
                if (plan->buses[i] == bus)
                        return true;
        return false;
}

/* What the plan does not have says bye, and goes. */
static void leave(const struct bridges_plan *plan)
{
        struct bridges *all = plan->all;

        for (size_t i = 0; i < all->n; i++) {
                if (plans_bridge(plan, all->list[i]))
                        continue;
                bridge_stand_by(all->list[i], true);
                bridge_free(all->list[i]);
        }
        for (size_t i = 0; i < all->buses->n_others; i++) {
                if (plans_bus(plan, all->buses->others[i]))
                        continue;
                log_info("bus %s is left", all->buses->others[i]->name);
                bus_drain(all->buses->others[i]);
                bus_retire(all->buses->others[i]);
        }
}

static void log_new(const struct bridges_plan *plan)
{
        for (size_t i = 0; i < plan->n_buses; i++)
                if (!has_bus(plan->all, plan->buses[i]))
                        log_info("bus %s is udp:%s", plan->buses[i]->name,
                                 udp_name(plan->buses[i]->udp));
}

static void set_rules(struct join *join)
{
        struct bridge *bridge = join->bridge;

        for (unsigned side = 0; side < 2; side++) {
                free(bridge->rules[side]);
                bridge->rules[side] = join->rules[side];
                bridge->n_rules[side] = join->n_rules[side];
        }
        if (join->is_new && bridge->all->started)
                bridge_become_candidate(bridge);
        else if (bridge->state == BRIDGE_ACTIVE)
                bridge_review(bridge);
}

void bridges_commit(struct bridges_plan *plan)
{
        struct bridges *all;

        if (!plan)
                return;
        all = plan->all;
        log_new(plan);
        leave(plan);
        free(all->buses->others);
        all->buses->others = plan->buses;
        all->buses->n_others = plan->n_buses;
        all->configs = plan->configs;
        engine_relay(all->buses->main.engine, bridges_relay_main(plan->configs));
        for (size_t i = 0; i < all->buses->n_others; i++)
                engine_relay(all->buses->others[i]->engine,
                             is_from(plan->configs, all->buses->others[i]->name));
        free(all->list);
        all->list = plan->list;
        all->n = plan->n_joins;
        for (size_t i = 0; i < plan->n_joins; i++)
                all->list[i] = plan->joins[i].bridge;
        for (size_t i = 0; i < plan->n_joins; i++)
                set_rules(&plan->joins[i]);
        monitor_change_buses(all->routing);
        fanouts_invalidate(all->routing);
        free(plan->joins);
        free(plan);
}
