/*
 * fake-bus.c - a virtual wire and clock for a few engines.
 */
#include "fake-bus.h"

#include <stdio.h>

#include "core/seal.h"

#define SEED UINT64_C(3259)

void fake_bus_init(struct fake_bus *b)
{
        struct config config = CONFIG_INIT;

        *b = (struct fake_bus){ .now = 1000 * MS };
        config.hash_key.n = hash_key_size(config.hash);
        memset(config.hash_key.bytes, 'k', config.hash_key.n);
        ck_assert_int_eq(crypto_new(&config, &b->crypto), 0);
}

void fake_forget(struct fake_bus *b)
{
        for (size_t i = 0; i < b->n_log; ++i) {
                message_unref(b->log[i].message);
                free((char *)b->log[i].bytes.at);
        }
        b->n_log = 0;
}

void fake_bus_deinit(struct fake_bus *b)
{
        for (size_t i = 0; i < b->n; ++i)
                engine_free(b->engines[i]);
        fake_forget(b);
        free(b->log);
        crypto_free(b->crypto);
}

struct engine *fake_add(struct fake_bus *b, const struct engine_options *options)
{
        struct engine_options all = options ? *options : (struct engine_options){ 0 };

        ck_assert_uint_lt(b->n, FAKE_ENGINES_MAX);
        all.crypto = b->crypto;
        all.seed = SEED + b->n;
        ck_assert_int_eq(engine_new(&all, b->engines + b->n), 0);
        return b->engines[b->n++];
}

uint64_t fake_wall(const struct fake_bus *b)
{
        return FAKE_WALL + b->now / MS;
}

struct address fake_address(const char *text)
{
        struct address a;

        ck_assert_int_eq(address_parse(span_of(text), LENIENT, &a, NULL, NULL), 0);
        return a;
}

struct entity *fake_entity(struct fake_bus *b, struct engine *e, const char *address)
{
        struct address a = fake_address(address);
        struct entity *entity = NULL;

        ck_assert_int_eq(engine_add_entity(e, b->now, &a, NULL, &entity), 0);
        return entity;
}

/* ---- the wire ---- */

static struct endpoint endpoint_of_engine(size_t i)
{
        return (struct endpoint){ .n = 2, .unique = true, .bytes = { 1, (uint8_t)i } };
}

static void keep(struct fake_bus *b, size_t from, const struct datagram *dg)
{
        struct fake_datagram *kept;
        char *copy = malloc(dg->bytes.n);
        struct span text;

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, dg->bytes.at, dg->bytes.n);
        if (b->n_log == b->log_size) {
                b->log_size = b->log_size ? 2 * b->log_size : 64;
                b->log = realloc(b->log, b->log_size * sizeof(*b->log));
                ck_assert_ptr_nonnull(b->log);
        }
        kept = b->log + b->n_log++;
        *kept = (struct fake_datagram){
                .at = b->now, .from = from, .to = *dg->to, .bytes = { copy, dg->bytes.n }
        };
        ck_assert_int_eq(seal_open(b->crypto, kept->bytes, NULL, &text), SEAL_OK);
        ck_assert_int_eq(message_new(text, &kept->message, NULL), 0);
}

static void carry(struct fake_bus *b, size_t i)
{
        struct fake_datagram dg = b->log[i];
        struct endpoint from = endpoint_of_engine(dg.from);

        if (b->muted[dg.from])
                return;
        for (size_t k = 0; k < b->n; ++k) {
                struct endpoint to = endpoint_of_engine(k);

                if (k == dg.from ||
                    (dg.to.n && memcmp(dg.to.bytes, to.bytes, sizeof(to.bytes)) != 0))
                        continue;
                engine_receive(b->engines[k], b->now, fake_wall(b), &from, dg.bytes);
        }
}

static bool carry_all(struct fake_bus *b)
{
        size_t first = b->n_log;

        for (size_t i = 0; i < b->n; ++i) {
                struct datagram dg;
                size_t cursor = 0, n = 0;

                while (engine_peek_datagram(b->engines[i], &cursor, &dg)) {
                        keep(b, i, &dg);
                        ++n;
                }
                engine_pop_datagrams(b->engines[i], n);
        }
        for (size_t i = first, n = b->n_log; i < n; ++i)
                carry(b, i);
        return b->n_log != first;
}

static uint64_t next_deadline(const struct fake_bus *b)
{
        uint64_t next = TIME_NEVER;

        for (size_t i = 0; i < b->n; ++i) {
                uint64_t at = engine_deadline(b->engines[i]);

                next = at < next ? at : next;
        }
        return next;
}

void fake_settle(struct fake_bus *b)
{
        unsigned turns = 0;

        do {
                for (size_t i = 0; i < b->n; ++i) {
                        if (engine_deadline(b->engines[i]) <= b->now)
                                engine_tick(b->engines[i], b->now, fake_wall(b));
                }
                ck_assert_uint_lt(++turns, 1000);
        } while (carry_all(b) || next_deadline(b) <= b->now);
}

void fake_run(struct fake_bus *b, uint64_t ms)
{
        uint64_t end = b->now + ms * MS;

        fake_settle(b);
        while (next_deadline(b) <= end) {
                b->now = next_deadline(b);
                fake_settle(b);
        }
        b->now = end;
}

/* ---- the log ---- */

static bool holds(const struct message *m, const char *name)
{
        if (*name == 0)
                return m->payload.n == 0;
        for (size_t i = 0; i < m->payload.n; ++i) {
                if (span_equal_text(m->payload.commands[i].name, name))
                        return true;
        }
        return false;
}

size_t fake_count(const struct fake_bus *b, const char *name)
{
        size_t n = 0;

        for (size_t i = 0; i < b->n_log; ++i)
                n += holds(b->log[i].message, name);
        return n;
}

const struct fake_datagram *fake_find(const struct fake_bus *b, const char *name, size_t i)
{
        for (size_t k = 0; k < b->n_log; ++k) {
                if (holds(b->log[k].message, name) && i-- == 0)
                        return b->log + k;
        }
        ck_abort_msg("too few datagrams with %s", name);
        return NULL;
}

/* ---- peers that the test plays ---- */

void fake_inject(struct fake_bus *b, struct engine *e, const struct fake_peer *peer,
                 const char *text)
{
        struct endpoint from = { .n = 2, .unique = peer->unique, .bytes = { 2, peer->socket } };
        struct buffer sealed = BUFFER_INIT;

        seal_message(b->crypto, peer->old ? DIALECT_UCL : DIALECT_RFC3259, span_of(text), &sealed);
        ck_assert(!sealed.failed);
        engine_receive(e, b->now, fake_wall(b), &from, buffer_span(&sealed));
        buffer_deinit(&sealed);
}

void fake_say(struct fake_bus *b, struct engine *e, struct fake_peer *peer, char type,
              const char *dest, const char *acks, const char *payload)
{
        struct buffer text = BUFFER_INIT;

        buffer_add_text(&text, "mbus/1.0 ");
        buffer_add_uint(&text, peer->seq++);
        buffer_add_char(&text, ' ');
        buffer_add_uint(&text, fake_wall(b));
        buffer_add_text(&text, type == 'R' ? " R " : " U ");
        buffer_add_text(&text, peer->address);
        buffer_add_char(&text, ' ');
        buffer_add_text(&text, dest);
        buffer_add_char(&text, ' ');
        buffer_add_text(&text, acks);
        if (*payload)
                buffer_add_text(&text, "\r\n");
        buffer_add_text(&text, payload);
        buffer_add_char(&text, 0);
        ck_assert(!text.failed);
        fake_inject(b, e, peer, text.at);
        buffer_deinit(&text);
}

void fake_hello(struct fake_bus *b, struct engine *e, struct fake_peer *peer)
{
        fake_say(b, e, peer, 'U', "()", "()", "mbus.hello()");
}

void fake_ack(struct fake_bus *b, struct engine *e, struct fake_peer *peer,
              const struct fake_datagram *dg)
{
        char acks[16];

        snprintf(acks, sizeof(acks), "(%u)", dg->message->header.seq);
        fake_say(b, e, peer, 'U', dg->message->src, acks, "");
}

/* ---- what applications do ---- */

int fake_send(struct fake_bus *b, struct engine *e, struct entity *entity, const char *dest,
              const char *payload)
{
        struct address a = fake_address(dest);

        return engine_send(e, b->now, fake_wall(b), entity, &a, span_of(payload));
}

int fake_send_reliable(struct fake_bus *b, struct engine *e, struct entity *entity,
                       const char *dest, const char *payload, uint64_t *ret_ticket)
{
        struct address a = fake_address(dest);

        return engine_send_reliable(e, b->now, fake_wall(b), entity, &a, span_of(payload),
                                    ret_ticket);
}

struct event fake_event(struct engine *e, enum event_type type)
{
        struct event event = { 0 };

        ck_assert_msg(engine_pop_event(e, &event), "no event, %d expected", (int)type);
        ck_assert_int_eq(event.type, type);
        return event;
}

void fake_expect(struct engine *e, enum event_type type)
{
        struct event event = fake_event(e, type);

        event_deinit(&event);
}

void fake_expect_message(struct engine *e, const char *payload)
{
        struct event event = fake_event(e, EVENT_MESSAGE);
        const struct message *m = event.message;

        ck_assert_msg(span_equal_text(span_from(m->text, m->header.payload), payload), "%s",
                      m->bytes);
        event_deinit(&event);
}

void fake_expect_left(struct engine *e, const char *address, enum mbus_reason reason)
{
        struct event event = fake_event(e, EVENT_LEFT);
        struct address a = fake_address(address);

        ck_assert(address_equal(event.address, &a));
        ck_assert_int_eq(event.reason, reason);
        event_deinit(&event);
}

void fake_expect_ticket(struct engine *e, uint64_t ticket, enum mbus_reason reason)
{
        struct event event = fake_event(e, reason ? EVENT_FAILED : EVENT_DELIVERED);

        ck_assert_uint_eq(event.ticket, ticket);
        ck_assert_int_eq(event.reason, reason);
}

void fake_expect_nothing(struct engine *e)
{
        struct event event;

        if (engine_pop_event(e, &event))
                ck_abort_msg("unexpected event %d", (int)event.type);
}

void fake_skip(struct engine *e)
{
        struct event event;

        while (engine_pop_event(e, &event))
                event_deinit(&event);
}

uint64_t fake_dropped(const struct engine *e)
{
        uint64_t n = 0;

        for (unsigned reason = 0; reason < MBUS_DROP_MAX; ++reason)
                n += engine_dropped(e, (enum mbus_drop)reason);
        return n;
}
