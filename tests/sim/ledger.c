/*
 * ledger.c - books of messages. What can be told from one event is checked here, at once; the rest
 * in invariants.c.
 */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/engine-state.h"
#include "core/engine.h"
#include "letter.h"
#include "memory.h"
#include "node.h"

#define COMMANDS_MAX 3

void ledger_deinit(struct ledger *ledger)
{
        for (size_t i = 0; i < ledger->n; ++i) {
                free(ledger->letters[i].dest);
                members_deinit(&ledger->letters[i].expected);
                members_deinit(&ledger->letters[i].seen);
        }
        free(ledger->letters);
}

/* ---- writing ---- */

static bool is_sound(const struct world *w, const struct member *from, const struct member *to)
{
        const struct node *sender = &w->nodes[from->node], *receiver = &w->nodes[to->node];

        return w->options.lossless && !sender->clock_fell && !receiver->clock_fell &&
               !sender->slow && !receiver->slow && w->n_strangers == 0 &&
               network_reaches(&w->network, from->node, to->node) &&
               network_reaches(&w->network, to->node, from->node);
}

/* Whom an unreliable message must reach. */
static void expect(struct world *w, struct letter *letter, const struct member *from)
{
        for (uint32_t i = 0; i < w->n_members; ++i) {
                const struct member *m = w->members[i];

                if (m->entity && m != from && is_sound(w, from, m) &&
                    address_is_subset(letter->dest, m->address))
                        members_add(&letter->expected, i);
        }
}

/* T_r (1 + ... + N_r), and what an application may be late. */
#define TICKET_NS_MAX (700 * NSEC_PER_MSEC)

/* Where messages wait for those who were not heard yet: to one place, whoever is heard; or to several who
 * live, of whom nobody may get it. */
static bool resolve_unheard(struct world *w, struct letter *letter, const struct member *from)
{
        const struct member *target;
        unsigned n = 0;

        if (parse_place(letter->dest, &letter->node, &letter->slot)) {
                target = world_member(w, letter->node, letter->slot);
                letter->is_unheard = true;
                letter->must_arrive = target && target != from && is_sound(w, from, target);
                if (target)
                        members_add(&letter->expected, target->index);
                return true;
        }
        for (uint32_t i = 0; i < w->n_members; ++i)
                n += w->members[i]->entity && is_sound(w, from, w->members[i]) &&
                     address_is_subset(letter->dest, w->members[i]->address);
        letter->node = letter->slot = UINT32_MAX;
        return n > 1;
}

/* Whom a reliable message is for; false if nobody or nobody alone is known by the sender. */
static bool resolve(struct world *w, struct letter *letter, const struct member *from)
{
        const struct engine *e = w->nodes[from->node].engine;
        const struct address *address;
        const struct member *target;
        struct entity *local;
        unsigned n = engine_resolve(e, letter->dest, &local, &address);

        if (w->options.patience > 0)
                return n < 2 && resolve_unheard(w, letter, from);
        if (n != 1 || !parse_place(address, &letter->node, &letter->slot))
                return false;
        target = world_member(w, letter->node, letter->slot);
        letter->must_arrive = target && is_sound(w, from, target);
        if (target)
                members_add(&letter->expected, target->index);
        return true;
}

struct letter *ledger_write(struct world *w, const struct member *from, const struct address *dest,
                            bool reliable, struct buffer *ret_payload)
{
        struct ledger *ledger = &w->ledger;
        struct letter *letter;

        if (ledger->n == ledger->size) {
                ledger->size = ledger->size ? ledger->size * 2 : 64;
                ledger->letters =
                        must(realloc(ledger->letters, ledger->size * sizeof(*ledger->letters)));
        }
        letter = &ledger->letters[ledger->n];
        *letter = (struct letter){ .from = from->index,
                                   .reliable = reliable,
                                   .ended = !reliable,
                                   .sent = w->now,
                                   .n_commands = (unsigned)(ledger->n % COMMANDS_MAX) + 1,
                                   .dest = must(address_dup(dest)) };
        ++ledger->n;
        if (!reliable) {
                expect(w, letter, from);
        } else if (!resolve(w, letter, from)) {
                ledger_tear(w);
                return NULL;
        }
        letter_write(ledger->n - 1, letter->n_commands, ret_payload);
        return letter;
}

void ledger_tear(struct world *w)
{
        struct letter *letter = &w->ledger.letters[w->ledger.n - 1];

        /* Its number is not used again. */
        letter->ended = letter->orphaned = true;
        members_deinit(&letter->expected);
}

/* ---- what happens to it ---- */

static uint64_t print_of(struct span datagram)
{
        uint64_t print = 0;

        for (size_t i = 0; i < datagram.n; ++i)
                print = (print ^ (uint8_t)datagram.at[i]) * UINT64_C(0x9e3779b97f4a7c15);
        return print;
}

/* The repetitions come after T_r, and after 2 T_r more, and are the same in each octet. */
static void check_repetition(struct world *w, const struct letter *letter, struct span datagram)
{
        const struct retransmitter *sender =
                &w->nodes[w->members[letter->from]->node].engine->retransmitter;
        uint64_t n = letter->n_transmissions - 1;

        if (n >= sender->n_r || w->now != letter->first + n * (n + 1) / 2 * sender->t_r)
                fail(w, "repetitions-in-time", "transmission %u is %llu us after the first",
                     letter->n_transmissions, (unsigned long long)(w->now - letter->first) / 1000);
        if (letter->print != print_of(datagram))
                fail(w, "repetitions-in-time", "transmission %u is not what the first was",
                     letter->n_transmissions);
}

void ledger_transmitted(struct world *w, const struct node *node, struct span datagram)
{
        static const char mark[] = LETTER_COMMAND;
        const char *end = datagram.at + datagram.n, *at;
        uint64_t serial = 0;
        struct letter *letter;

        at = memmem(datagram.at, datagram.n, mark, sizeof(mark) - 1);
        if (!at)
                return;
        for (at += sizeof(mark) - 1; at < end && !is_digit(*at); ++at)
                ;
        for (; at < end && is_digit(*at); ++at)
                serial = serial * 10 + (uint64_t)(*at - '0');
        letter = &w->ledger.letters[serial];
        if (letter->first == 0) {
                letter->first = w->now;
                letter->print = print_of(datagram);
        }
        ++letter->n_transmissions;
        if (letter->reliable)
                check_repetition(w, letter, datagram);
        else if (letter->n_transmissions > 1)
                fail(w, "sent-once", "node %u sends unreliable message %llu twice", node->index,
                     (unsigned long long)serial);
}

static bool read_integer(const struct payload *payload, unsigned command, unsigned i,
                         uint64_t *ret_integer)
{
        const struct value *list = payload_args(payload, &payload->commands[command]);

        /* The parameters are no lists: a node each. */
        if (i >= list->items || list[1 + i].type != MBUS_VALUE_INTEGER)
                return false;
        *ret_integer = (uint64_t)list[1 + i].integer;
        return true;
}

static bool read_letter(struct world *w, const struct message *message, uint64_t *ret_serial)
{
        const struct payload *payload = &message->payload;
        uint64_t serial = 0, i;

        if (payload->n == 0 || !read_integer(payload, 0, 0, ret_serial) ||
            *ret_serial >= w->ledger.n || payload->n != w->ledger.letters[*ret_serial].n_commands)
                return false;
        for (unsigned k = 0; k < payload->n; ++k) {
                if (!read_integer(payload, k, 0, &serial) || serial != *ret_serial ||
                    !read_integer(payload, k, 1, &i) || i != k)
                        return false;
        }
        return true;
}

static bool is_for(const struct letter *letter, const struct member *at)
{
        if (letter->reliable)
                return letter->node == at->node && letter->slot == at->slot;
        return letter->from != at->index && address_is_subset(letter->dest, at->address);
}

void ledger_arrived(struct world *w, const struct member *at, const struct message *message)
{
        struct letter *letter;
        uint64_t serial;

        if (!read_letter(w, message, &serial)) {
                fail(w, "commands-in-order", "node %u got \"%.80s\"", at->node, message->bytes);
                return;
        }
        letter = &w->ledger.letters[serial];
        ++w->ledger.n_arrived;
        if (!is_for(letter, at))
                fail(w, "only-to-matches", "message %llu to %.*s arrived at %u-%u",
                     (unsigned long long)serial, (int)letter->dest->text.n, letter->dest->text.at,
                     at->node, at->slot);
        if (members_has(&letter->seen, at->index))
                fail(w, "at-most-once",
                     "message %llu arrived twice at %u-%u, %llu ms after it "
                     "was sent",
                     (unsigned long long)serial, at->node, at->slot,
                     (unsigned long long)((w->now - letter->sent) / NSEC_PER_MSEC));
        members_add(&letter->seen, at->index);
}

static struct letter *find_ticket(struct world *w, const struct node *node, uint64_t ticket)
{
        struct ledger *ledger = &w->ledger;

        for (size_t i = ledger->first_open; i < ledger->n; ++i) {
                struct letter *letter = &ledger->letters[i];
                const struct member *from = w->members[letter->from];

                if (letter->reliable && !letter->orphaned && from->entity &&
                    from->node == node->index && letter->ticket == ticket)
                        return letter;
        }
        return NULL;
}

static bool is_alive(const struct world *w, const struct letter *letter)
{
        const struct member *m = world_member(w, letter->node, letter->slot);

        return m && members_has(&letter->expected, m->index);
}

void ledger_ended(struct world *w, const struct node *node, const struct event *event)
{
        struct letter *letter = find_ticket(w, node, event->ticket);

        if (!letter || letter->ended) {
                fail(w, "ends-once", "node %u: ticket %llu ended twice", node->index,
                     (unsigned long long)event->ticket);
                return;
        }
        if ((event->type == EVENT_DELIVERED) != (event->reason == MBUS_REASON_NONE))
                fail(w, "ends-once", "node %u: ticket %llu ended with reason %d", node->index,
                     (unsigned long long)event->ticket, event->reason);
        letter->ended = true;
        letter->reason = event->reason;
        if (event->type == EVENT_DELIVERED)
                ++w->ledger.n_delivered;
        else
                ++w->ledger.n_failed;
        if (event->type == EVENT_FAILED && letter->must_arrive && letter->is_unheard &&
            is_alive(w, letter))
                fail(w, "unheard-are-found", "ticket of message %zu to %u-%u failed: %d",
                     (size_t)(letter - w->ledger.letters), letter->node, letter->slot,
                     event->reason);
        if (w->now - letter->sent > w->options.patience + TICKET_NS_MAX && w->options.patience)
                fail(w, "unheard-are-found", "ticket of message %zu took %llu ms",
                     (size_t)(letter - w->ledger.letters),
                     (unsigned long long)((w->now - letter->sent) / NSEC_PER_MSEC));
        if (event->type == EVENT_FAILED && letter->must_arrive && !letter->is_unheard &&
            is_alive(w, letter))
                fail(w, "arrives-without-loss", "ticket of message %zu to %u-%u failed: %d",
                     (size_t)(letter - w->ledger.letters), letter->node, letter->slot,
                     event->reason);
}

void ledger_forget(struct world *w, const struct member *member)
{
        for (size_t i = w->ledger.first_open; i < w->ledger.n; ++i) {
                struct letter *letter = &w->ledger.letters[i];

                if (letter->from == member->index && !letter->ended)
                        letter->ended = letter->orphaned = true;
        }
}
