/*
 * node.c - starts and ends processes, and is the application of each.
 */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/engine-state.h"
#include "core/engine.h"
#include "memory.h"

#define HOST "10.0.0.1"

struct endpoint node_endpoint(uint32_t index)
{
        struct endpoint endpoint = { .n = sizeof(index), .unique = true };

        memcpy(endpoint.bytes, &index, sizeof(index));
        return endpoint;
}

/* ---- addresses ---- */

static struct address *make_address(uint32_t node, uint32_t slot)
{
        struct address address;
        char text[128];
        int n = snprintf(text, sizeof(text), "(app:sim role:%c room:%u id:%u-%u@" HOST ")",
                         "abcd"[(node * 7 + slot) % 4], (node + slot) % 7, node, slot);

        must(address_parse((struct span){ text, (size_t)n }, STRICT, &address, NULL, NULL) == 0
                     ? text
                     : NULL);
        return must(address_dup(&address));
}

bool parse_place(const struct address *address, uint32_t *ret_node, uint32_t *ret_slot)
{
        struct span id = address_get(address, "id");
        uint32_t numbers[2] = { 0, 0 };
        unsigned part = 0;
        size_t i;

        for (i = 0; i < id.n && id.at[i] != '@'; ++i) {
                if (id.at[i] == '-')
                        part = 1;
                else
                        numbers[part] = numbers[part] * 10 + (uint32_t)(id.at[i] - '0');
        }
        if (i == id.n || !span_equal_text(span_from(id, i + 1), HOST))
                return false;
        *ret_node = numbers[0];
        *ret_slot = numbers[1];
        return true;
}

struct member *find_member(const struct world *w, const struct address *address)
{
        uint32_t node, slot;

        return parse_place(address, &node, &slot) ? world_member(w, node, slot) : NULL;
}

/* ---- life ---- */

static bool had_life(const struct world *w, uint32_t node, uint32_t slot)
{
        for (uint32_t i = 0; i < w->n_members; ++i) {
                if (w->members[i]->node == node && w->members[i]->slot == slot)
                        return true;
        }
        return false;
}

static struct member *make_member(struct world *w, uint32_t node, uint32_t slot)
{
        struct member *member = must(calloc(1, sizeof(*member)));

        if (!had_life(w, node, slot))
                ++w->n_places;
        if (w->n_members == w->members_size) {
                w->members_size = w->members_size ? w->members_size * 2 : 16;
                w->members = must(realloc(w->members, w->members_size * sizeof(*w->members)));
        }
        *member = (struct member){ .index = w->n_members,
                                   .node = node,
                                   .slot = slot,
                                   .address = make_address(node, slot),
                                   .born = w->now,
                                   .died = TIME_NEVER };
        w->members[w->n_members++] = member;
        return member;
}

/* Everybody who lives started at this moment. */
static bool is_beginning(struct world *w)
{
        if (w->n_living == 0)
                w->epoch = w->now;
        return w->epoch == w->now;
}

static void enter(struct world *w, struct node *node, uint32_t slot)
{
        bool beginning = is_beginning(w);
        struct member *member = make_member(w, node->index, slot);
        int r = engine_add_entity(node->engine, w->now, member->address, member, &member->entity);

        if (r != 0) {
                fail(w, "can-join", "node %u cannot add entity %u: %d", node->index, slot, r);
                member->died = w->now;
                return;
        }
        node->slots[slot] = member;
        ++w->n_living;
        world_changed(w, node->clock_fell ? CHANGE_CONFUSION
                         : beginning      ? CHANGE_START
                                          : CHANGE_JOIN);
}

static void leave(struct world *w, struct node *node, struct member *member)
{
        node->slots[member->slot] = NULL;
        member->entity = NULL;
        member->died = w->now;
        --w->n_living;
        ledger_forget(w, member);
}

void world_start(struct world *w, uint32_t index)
{
        struct node *node = &w->nodes[index];
        struct engine_options options = { .crypto = w->crypto,
                                          .dialect = w->options.dialect,
                                          .seed = random_u64(&w->random),
                                          .send_unicast = w->options.send_unicast,
                                          .peers_max = w->options.peers_max };

        if (node->engine)
                return;
        if (node->slow)
                options.events_max = w->options.events_max;
        must(engine_new(&options, &node->engine) == 0 ? node : NULL);
        engine_set_patience(node->engine, w->options.patience);
        node->n_joined = node->n_left = 0;
        node->started = w->now;
        for (uint32_t slot = 0; slot < w->options.per_node; ++slot)
                enter(w, node, slot);
        world_settle(w, node);
}

static void end(struct world *w, struct node *node)
{
        for (uint32_t slot = 0; slot < SLOTS_MAX; ++slot) {
                if (node->slots[slot])
                        leave(w, node, node->slots[slot]);
        }
        deadlines_set(&w->wakes, &node->wake, TIME_NEVER);
        node->engine = engine_free(node->engine);
}

void world_kill(struct world *w, uint32_t index)
{
        struct node *node = &w->nodes[index];

        if (!node->engine)
                return;
        node_pop(w, node, true);
        end(w, node);
        world_changed(w, CHANGE_SILENCE);
}

void world_stop(struct world *w, uint32_t index)
{
        struct node *node = &w->nodes[index];

        if (!node->engine)
                return;
        node_pop(w, node, true);
        for (uint32_t slot = 0; slot < SLOTS_MAX; ++slot) {
                if (node->slots[slot])
                        engine_remove_entity(node->engine, w->now, node_wall(w, node),
                                             node->slots[slot]->entity);
        }
        node_transmit(w, node);
        end(w, node);
        world_changed(w, CHANGE_BYE);
}

void world_add_entity(struct world *w, uint32_t index, uint32_t slot)
{
        struct node *node = &w->nodes[index];

        if (!node->engine || node->slots[slot])
                return;
        enter(w, node, slot);
        world_settle(w, node);
}

void world_remove_entity(struct world *w, uint32_t index, uint32_t slot)
{
        struct node *node = &w->nodes[index];

        if (!node->engine || !node->slots[slot])
                return;
        node_pop(w, node, true);
        engine_remove_entity(node->engine, w->now, node_wall(w, node), node->slots[slot]->entity);
        leave(w, node, node->slots[slot]);
        world_changed(w, CHANGE_BYE);
        world_settle(w, node);
}

/* ---- what an application does ---- */

static void on_event(struct world *w, struct node *node, const struct event *event)
{
        switch (event->type) {
        case EVENT_MESSAGE:
                for (size_t i = 0; i < event->n_recipients; ++i)
                        ledger_arrived(w, entity_data(event->recipients[i]), event->message);
                break;
        case EVENT_DELIVERED:
        case EVENT_FAILED:
                ledger_ended(w, node, event);
                break;
        case EVENT_JOINED:
                ++node->n_joined;
                break;
        case EVENT_LEFT:
                ++node->n_left;
                check_left(w, node, event);
                break;
        case EVENT_CONFLICT:
                /* With its clock set back, its own former life is another that it hears again. */
                if (!node->clock_fell)
                        fail(w, "no-conflict", "node %u sees a conflict about its own address",
                             node->index);
                break;
        case EVENT_OBSERVED:
        case EVENT_DROPPED:
                break;
        }
}

void node_pop(struct world *w, struct node *node, bool all)
{
        struct event event;

        if (node->slow && !all) {
                if (w->now < node->pop_at)
                        return;
                node->pop_at = w->now + w->options.pop_gap;
        }
        while (engine_pop_event(node->engine, &event)) {
                on_event(w, node, &event);
                event_deinit(&event);
        }
        if (node->n_joined - node->n_left != engine_n_peers(node->engine))
                fail(w, "joined-and-left", "node %u: %llu joined, %llu left, %zu are known",
                     node->index, (unsigned long long)node->n_joined,
                     (unsigned long long)node->n_left, engine_n_peers(node->engine));
}

static bool is_hello(struct span datagram)
{
        static const char hello[] = "mbus.hello(";

        return memmem(datagram.at, datagram.n, hello, sizeof(hello) - 1) != NULL;
}

void node_transmit(struct world *w, struct node *node)
{
        struct datagram datagram;
        size_t cursor = 0, n = 0;
        uint32_t to;

        while (engine_peek_datagram(node->engine, &cursor, &datagram)) {
                to = NETWORK_ALL;
                if (datagram.to->n)
                        memcpy(&to, datagram.to->bytes, sizeof(to));
                if (is_hello(datagram.bytes)) {
                        ++w->n_hellos;
                        ++node->n_hellos;
                } else {
                        ledger_transmitted(w, node, datagram.bytes);
                }
                network_send(&w->network, w->now, node->index, to, datagram.bytes);
                ++n;
        }
        engine_pop_datagrams(node->engine, n);
}

/* The destination was looked up, and the datagrams that wait for the socket have gone: what may stop a
 * message is a queue that nobody empties, that of a recipient in the same process or of ends of tickets. */
static bool may_refuse(const struct node *node, bool reliable, int r)
{
        return r == MBUS_E_FULL && reliable && node->slow;
}

void world_send(struct world *w, struct member *from, const struct address *dest, bool reliable)
{
        struct node *node = &w->nodes[from->node];
        struct buffer payload = BUFFER_INIT;
        struct letter *letter = ledger_write(w, from, dest, reliable, &payload);
        struct span text = buffer_span(&payload);
        int r = 0;

        if (letter && reliable)
                r = engine_send_reliable(node->engine, w->now, node_wall(w, node), from->entity,
                                         dest, text, &letter->ticket);
        else if (letter)
                r = engine_send(node->engine, w->now, node_wall(w, node), from->entity, dest, text);
        buffer_deinit(&payload);
        if (r != 0)
                ledger_tear(w);
        if (r != 0 && !may_refuse(node, reliable, r))
                fail(w, "can-send", "node %u cannot send: %d", from->node, r);
        world_settle(w, node);
}

void world_ping(struct world *w, struct member *from, const struct address *dest)
{
        struct node *node = &w->nodes[from->node];

        if (engine_ping(node->engine, w->now, node_wall(w, node), from->entity, dest) != 0)
                fail(w, "can-send", "node %u cannot ping", from->node);
        world_settle(w, node);
}

void world_step_clock(struct world *w, uint32_t index, int64_t ms)
{
        w->nodes[index].wall_offset += ms;
        if (ms >= 0)
                return;
        w->nodes[index].clock_fell = true;
        w->clock_fell = true;
        world_changed(w, CHANGE_CONFUSION);
}

void world_set_slow(struct world *w, uint32_t index, bool slow)
{
        w->nodes[index].slow = slow;
        world_settle(w, &w->nodes[index]);
}

void world_set_seq(struct world *w, uint32_t index, uint32_t n)
{
        bool ucl = w->options.dialect == DIALECT_UCL;

        for (uint32_t slot = 0; slot < SLOTS_MAX; ++slot) {
                struct member *member = w->nodes[index].slots[slot];

                if (member && !member->entity->sent.open)
                        member->entity->seq = (ucl ? RELIABLE_SEQ_MOD_UCL : 0) - n;
        }
}
