/*
 * post.c - books of messages between applications: who sent each, whom it was for, who got it, what its
 * ticket came to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/frame.h>

#include "../letter.h"
#include "../memory.h"
#include "world.h"

#define COMMANDS_MAX 3

struct letter {
        uint32_t from; /* person */
        bool reliable;
        bool must_arrive;
        bool ended;
        bool orphaned; /* the sender was gone before its end */
        bool delivered;
        uint64_t ticket;
        uint64_t sent;
        unsigned n_commands;
        uint32_t app, slot; /* that a reliable one is for */
        char to[64];
        struct members expected;
        struct members seen;
};

struct post {
        struct letter *letters; /* by serial number */
        size_t n;
        size_t size;
        size_t first_open;
        uint64_t n_delivered;
        uint64_t n_failed;
};

struct post *post_new(void)
{
        return must(calloc(1, sizeof(struct post)));
}

void post_free(struct post *post)
{
        for (size_t i = 0; i < post->n; ++i) {
                members_deinit(&post->letters[i].expected);
                members_deinit(&post->letters[i].seen);
        }
        free(post->letters);
        free(post);
}

static struct app *app_of(const struct person *person)
{
        return &links->apps[person->app - links->n_brokers];
}

/* ---- sending ------------------------------------------------------------------------------- */

/* Both are at one broker, or all is on one network that loses nothing. */
static bool is_sound(const struct person *from, const struct person *to)
{
        const struct app *a = app_of(from), *b = app_of(to);

        if (!from->ready || !to->ready || a->beyond != b->beyond)
                return false;
        return (app_broker(a) && app_broker(a) == app_broker(b)) ||
               links->scenario->options.lossless;
}

static void choose_dest(struct letter *letter, uint64_t seed)
{
        uint32_t app = links->n_brokers + (uint32_t)(seed >> 8) % links->n_apps;
        uint32_t slot = (uint32_t)(seed >> 40) % links->scenario->options.per_node;
        const struct person *person = person_at(app, slot);

        letter->app = app;
        letter->slot = slot;
        if (!letter->reliable && seed % 8 < 3)
                snprintf(letter->to, sizeof(letter->to), "()");
        else if (!letter->reliable && seed % 8 < 6)
                snprintf(letter->to, sizeof(letter->to), "(role:%c)", "abc"[(seed >> 50) % 3]);
        else if (seed % 2 && person && person->ready &&
                 strlen(person->address) < sizeof(letter->to))
                snprintf(letter->to, sizeof(letter->to), "%.63s", person->address);
        else
                snprintf(letter->to, sizeof(letter->to), "(place:%u-%u)", app, slot);
}

static void expect(struct letter *letter, const struct person *from)
{
        for (uint32_t i = 0; i < links->n_people; ++i) {
                const struct person *p = links->people[i];

                if (!p->entity || p == from || !is_sound(from, p) ||
                    !mbus_address_matches(letter->to, p->address))
                        continue;
                /* The broker's own entities know each other at once, others when they have heard. */
                if (letter->reliable)
                        letter->must_arrive = links->scenario->links.prompt &&
                                              app_broker(app_of(p)) == app_broker(app_of(from));
                members_add(&letter->expected, i);
        }
}

static struct letter *write_letter(const struct person *from, uint64_t seed, bool reliable)
{
        struct post *post = links->post;
        struct letter *letter;

        if (post->n == post->size) {
                post->size = post->size ? 2 * post->size : 64;
                post->letters = must(realloc(post->letters, post->size * sizeof(*post->letters)));
        }
        letter = &post->letters[post->n];
        *letter = (struct letter){ .from = from->index,
                                   .reliable = reliable,
                                   .ended = !reliable,
                                   .sent = machine->now,
                                   .n_commands = (unsigned)(post->n % COMMANDS_MAX) + 1 };
        ++post->n;
        choose_dest(letter, seed);
        expect(letter, from);
        return letter;
}

void post_send(struct person *from, uint64_t seed, bool reliable)
{
        struct letter *letter = write_letter(from, seed, reliable);
        struct buffer payload = BUFFER_INIT;
        struct mbus_commands *commands;
        int r;

        letter_write(links->post->n - 1, letter->n_commands, &payload);
        buffer_add_char(&payload, '\0');
        must(mbus_commands_new(&commands) == 0 ? commands : NULL);
        mbus_commands_add_text(commands, payload.at, NULL, NULL);
        process_enter(&app_of(from)->process);
        if (reliable)
                r = mbus_entity_send_reliable(from->entity, letter->to, commands, &letter->ticket);
        else
                r = mbus_entity_send(from->entity, letter->to, commands);
        process_leave();
        mbus_commands_free(commands);
        buffer_deinit(&payload);
        if (r == 0)
                return;
        letter->ended = letter->orphaned = true;
        members_deinit(&letter->expected);
        if (r != MBUS_E_NOT_READY && r != MBUS_E_FULL && r != MBUS_E_UNKNOWN &&
            r != MBUS_E_NOT_UNIQUE)
                machine_fail("can-send", "%u-%u cannot send: %d", from->app, from->slot, r);
}

/* ---- arriving ------------------------------------------------------------------------------ */

static bool read_integer(const struct mbus_message *message, size_t command, unsigned i,
                         uint64_t *ret_integer)
{
        const struct mbus_value *list = mbus_message_get_args(message, command);
        const struct mbus_value *v = list ? mbus_value_first(list) : NULL;
        int64_t integer = 0;

        while (v && i-- > 0)
                v = mbus_value_next(list, v);
        if (!v || mbus_value_get_integer(v, &integer) != 0)
                return false;
        *ret_integer = (uint64_t)integer;
        return true;
}

static struct letter *read_letter(const struct mbus_message *message, uint64_t *ret_serial)
{
        size_t n = mbus_message_get_n_commands(message);
        uint64_t serial, i;

        if (!read_integer(message, 0, 0, ret_serial) || *ret_serial >= links->post->n ||
            n != links->post->letters[*ret_serial].n_commands)
                return NULL;
        for (size_t k = 0; k < n; ++k) {
                if (!read_integer(message, k, 0, &serial) || serial != *ret_serial ||
                    !read_integer(message, k, 1, &i) || i != k)
                        return NULL;
        }
        return &links->post->letters[*ret_serial];
}

static bool is_for(const struct letter *letter, const struct person *at)
{
        if (letter->reliable)
                return letter->app == at->app && letter->slot == at->slot;
        return letter->from != at->index && mbus_address_matches(letter->to, at->address);
}

void post_arrived(const struct person *at, const struct mbus_message *message)
{
        uint64_t serial = 0;
        struct letter *letter = read_letter(message, &serial);

        if (!letter) {
                size_t n;

                /* What strangers say is no letter. */
                if (strncmp(mbus_message_get_source(message), "(app:babble", 11) != 0)
                        machine_fail("commands-in-order", "%u-%u got \"%.80s\"", at->app, at->slot,
                                     mbus_message_get_text(message, &n));
                return;
        }
        if (!is_for(letter, at))
                machine_fail("only-to-matches", "message %llu to %s arrived at %u-%u",
                             (unsigned long long)serial, letter->to, at->app, at->slot);
        if (members_has(&letter->seen, at->index))
                machine_fail(
                        "at-most-once",
                        "message %llu of %u-%u arrived twice at %u-%u, %llu ms after it was sent",
                        (unsigned long long)serial, links->people[letter->from]->app,
                        links->people[letter->from]->slot, at->app, at->slot,
                        (unsigned long long)((machine->now - letter->sent) / NSEC_PER_MSEC));
        members_add(&letter->seen, at->index);
}

/* ---- tickets ------------------------------------------------------------------------------- */

void post_ended(const struct person *from, const struct mbus_event *event)
{
        struct post *post = links->post;
        struct letter *letter = NULL;

        for (size_t i = post->first_open; i < post->n && !letter; ++i) {
                if (post->letters[i].reliable && post->letters[i].from == from->index &&
                    !post->letters[i].orphaned && post->letters[i].ticket == event->ticket)
                        letter = &post->letters[i];
        }
        if (!letter || letter->ended) {
                machine_fail("ends-once", "%u-%u: ticket %llu ended twice, or never was", from->app,
                             from->slot, (unsigned long long)event->ticket);
                return;
        }
        if ((event->type == MBUS_EVENT_DELIVERED) != (event->reason == MBUS_REASON_NONE))
                machine_fail("ends-once", "%u-%u: ticket %llu ended with reason %d", from->app,
                             from->slot, (unsigned long long)event->ticket, (int)event->reason);
        letter->ended = true;
        letter->delivered = event->type == MBUS_EVENT_DELIVERED;
        post->n_delivered += letter->delivered;
        post->n_failed += !letter->delivered;
        if (!letter->delivered && letter->must_arrive &&
            !app_had_trouble(app_of(from), letter->sent, machine->now) &&
            !app_had_trouble(&links->apps[letter->app - links->n_brokers], letter->sent,
                             machine->now))
                machine_fail("arrives-without-trouble", "message %zu of %u-%u to %u-%u failed: %s",
                             (size_t)(letter - post->letters), from->app, from->slot, letter->app,
                             letter->slot, mbus_reason_name(event->reason));
}

void post_forget(const struct person *person)
{
        for (size_t i = links->post->first_open; i < links->post->n; ++i) {
                struct letter *letter = &links->post->letters[i];

                if (letter->from == person->index && !letter->ended)
                        letter->ended = letter->orphaned = true;
        }
}

/* The 600 ms of the RFC, what a link takes each way, and how long a destination is waited for. */
static uint64_t longest_ticket(void)
{
        const struct link_options *o = &links->scenario->links;

        return 6 * RELIABLE_T_R_MS * NSEC_PER_MSEC + 10 * o->delay_max + 2 * NSEC_PER_MSEC +
               o->patience;
}

void post_check_open(void)
{
        struct post *post = links->post;

        while (post->first_open < post->n && post->letters[post->first_open].ended)
                ++post->first_open;
        for (size_t i = post->first_open; links->scenario->links.prompt && i < post->n; ++i) {
                const struct letter *letter = &post->letters[i];
                const struct person *from = links->people[letter->from];

                if (!letter->ended && machine->now - letter->sent > longest_ticket())
                        machine_fail("ticket-in-time", "message %zu of %u-%u is open after %llu ms",
                                     i, from->app, from->slot,
                                     (unsigned long long)((machine->now - letter->sent) /
                                                          NSEC_PER_MSEC));
        }
}

bool post_is_open(void)
{
        post_check_open();
        return links->post->first_open < links->post->n;
}

/* ---- the end ------------------------------------------------------------------------------- */

static bool has_arrived(const struct letter *letter)
{
        for (uint32_t i = 0; i < links->n_people; ++i) {
                const struct person *p = links->people[i];

                if (members_has(&letter->seen, i) && p->app == letter->app &&
                    p->slot == letter->slot)
                        return true;
        }
        return false;
}

static void check_reliable(size_t serial)
{
        const struct letter *letter = &links->post->letters[serial];

        if (!letter->ended)
                machine_fail("ends-once", "message %zu has not ended", serial);
        if (letter->delivered && !has_arrived(letter))
                machine_fail("delivered-is-delivered",
                             "message %zu of %u-%u to %u-%u, sent at %.6f s, was called delivered "
                             "and never arrived",
                             serial, links->people[letter->from]->app,
                             links->people[letter->from]->slot, letter->app, letter->slot,
                             (double)letter->sent / 1e9);
}

/* Whether an unreliable message is missing at @app, for no reason that could not be told. */
static bool is_missing_at(const struct letter *letter, const struct app *app)
{
        const struct person *from = links->people[letter->from];

        for (uint32_t i = 0; i < letter->expected.n_words * 64; ++i) {
                if (!members_has(&letter->expected, i) || members_has(&letter->seen, i) ||
                    links->people[i]->app != app->process.index || letter->sent < app->since)
                        continue;
                return !app_had_trouble(app, letter->sent, machine->now) &&
                       !app_had_trouble(app_of(from), letter->sent - NSEC_PER_SEC, machine->now);
        }
        return false;
}

static bool had_trouble_since(const struct app *app)
{
        return app_had_trouble(app, app->since + 1, machine->now);
}

static bool is_calm(void)
{
        for (uint32_t i = 0; i < links->n_apps; ++i) {
                if (links->apps[i].since && had_trouble_since(&links->apps[i]))
                        return false;
        }
        return true;
}

/* What is missing was told, and if nothing but queues can have lost anything, no more than that. */
static void check_losses(const struct app *app, bool calm)
{
        uint64_t n = 0;
        size_t example = 0;

        if (!app->bus)
                return;
        /* It may have been told of messages that came before it knew that it was there. */
        calm = calm && !app->lost_of_others &&
               (links->post->n == 0 || links->post->letters[0].sent > app->ready_at);
        for (size_t i = 0; i < links->post->n; ++i) {
                if (links->post->letters[i].reliable ||
                    !is_missing_at(&links->post->letters[i], app))
                        continue;
                example = i;
                ++n;
        }
        if (n > app->n_lost || (calm && n != app->n_lost))
                machine_fail(
                        "losses-are-told",
                        "application %u misses %llu messages (%zu is one) and was told of %llu",
                        app->process.index, (unsigned long long)n, example,
                        (unsigned long long)app->n_lost);
}

void post_check_all(void)
{
        bool calm = is_calm();

        for (size_t i = 0; i < links->post->n; ++i) {
                if (links->post->letters[i].reliable)
                        check_reliable(i);
        }
        for (uint32_t i = 0; i < links->n_apps; ++i)
                check_losses(&links->apps[i], calm);
}

void post_count(uint64_t *ret_messages, uint64_t *ret_delivered, uint64_t *ret_failed)
{
        *ret_messages = links->post->n;
        *ret_delivered = links->post->n_delivered;
        *ret_failed = links->post->n_failed;
}
