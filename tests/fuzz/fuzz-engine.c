/*
 * fuzz-engine.c - a whole engine under a sequence of datagrams, sends and steps of both clocks.
 *
 * The input is a row of records: an octet that chooses what happens, an octet of length, so many
 * octets. Datagrams are sealed with the right key or not; what the engine sends comes back to it at
 * times, as from somebody else. Invariants: tickets end once, events own what they hold, limits
 * hold.
 */
#include "fuzz.h"

#include "core/engine.h"
#include "core/message.h"
#include "core/seal.h"

#define TICKETS_MAX 4096

struct world {
        struct engine *engine;
        struct crypto *crypto;
        struct entity *entities[4];
        uint64_t now;
        uint64_t wall_ms;
        unsigned char tickets[TICKETS_MAX]; /* 1: open, 2: ended */
};

static void pop_events(struct world *w)
{
        struct event event;

        while (engine_pop_event(w->engine, &event)) {
                if (event.type == EVENT_DELIVERED || event.type == EVENT_FAILED) {
                        assert(event.ticket < TICKETS_MAX && w->tickets[event.ticket] == 1);
                        w->tickets[event.ticket] = 2;
                }
                if (event.type == EVENT_MESSAGE) {
                        assert(event.message && event.n_recipients > 0);
                        if (event.message->header.reliable)
                                engine_acknowledge(w->engine, w->now, event.recipients[0],
                                                   &event.message->header.src,
                                                   event.message->header.seq);
                }
                event_deinit(&event);
        }
}

static void receive(struct world *w, struct span datagram, uint8_t from)
{
        struct endpoint endpoint = {
                .n = 1, .unique = from & 1, .own = from == 255, .bytes = { from }
        };

        engine_receive(w->engine, w->now, w->wall_ms, &endpoint, datagram);
}

static void receive_sealed(struct world *w, struct span text, uint8_t from)
{
        struct buffer sealed = BUFFER_INIT;

        seal_message(w->crypto, DIALECT_RFC3259, text, &sealed);
        receive(w, buffer_span(&sealed), from);
        buffer_deinit(&sealed);
}

/* What the engine sent comes back, as if from another place. */
static void echo(struct world *w, uint8_t from)
{
        struct datagram datagram;
        size_t cursor = 0;

        if (engine_peek_datagram(w->engine, &cursor, &datagram)) {
                struct span copy = fuzz_input((const uint8_t *)datagram.bytes.at, datagram.bytes.n);

                engine_pop_datagrams(w->engine, 1);
                receive(w, copy, from);
                fuzz_input_free(copy);
        }
}

/* An address, a NUL, a payload. */
static void send(struct world *w, struct span input, struct entity *entity, bool reliable)
{
        const char *nul = memchr(input.at, 0, input.n);
        struct span payload;
        struct address dest;
        struct payload parsed = PAYLOAD_INIT;
        uint64_t ticket;

        if (!nul || !entity)
                return;
        payload = (struct span){ nul + 1, input.n - (size_t)(nul + 1 - input.at) };
        if (address_parse((struct span){ input.at, (size_t)(nul - input.at) }, LENIENT, &dest, NULL,
                          NULL) != 0 ||
            payload_parse(&parsed, payload, NULL) != 0)
                return;
        if (parsed.n && !reliable)
                engine_send(w->engine, w->now, w->wall_ms, entity, &dest, payload);
        if (parsed.n && reliable &&
            engine_send_reliable(w->engine, w->now, w->wall_ms, entity, &dest, payload, &ticket) ==
                    0 &&
            ticket < TICKETS_MAX)
                w->tickets[ticket] = 1;
        payload_deinit(&parsed);
}

static void change_entity(struct world *w, struct span input, unsigned i)
{
        struct address address;

        if (address_parse(input, STRICT, &address, NULL, NULL) != 0)
                return;
        if (!w->entities[i]) {
                struct entity *entity;

                if (engine_add_entity(w->engine, w->now, &address, NULL, &entity) == 0)
                        w->entities[i] = entity;
        } else {
                engine_rename_entity(w->engine, w->now, w->wall_ms, w->entities[i], &address);
        }
}

static void step(struct world *w, uint8_t what, struct span input)
{
        unsigned i = what >> 4 & 3;
        struct address all = ADDRESS_ALL;

        switch (what & 15) {
        case 0:
                receive(w, input, (uint8_t)(what >> 4));
                break;
        case 1:
        case 2:
        case 3:
        case 4:
                receive_sealed(w, input, (uint8_t)(what & 15));
                break;
        case 5:
                echo(w, (uint8_t)(what >> 4));
                break;
        case 6:
                send(w, input, w->entities[i], false);
                break;
        case 7:
        case 8:
                send(w, input, w->entities[i], true);
                break;
        case 9:
                w->now += (input.n ? (uint8_t)input.at[0] : 1) * (UINT64_C(1) << (what >> 4)) *
                          UINT64_C(100000);
                break;
        case 10:
                w->wall_ms += input.n ? (uint64_t)(int64_t)(signed char)input.at[0] : 1;
                break;
        case 11:
                change_entity(w, input, i);
                break;
        case 12:
                if (w->entities[i])
                        engine_remove_entity(w->engine, w->now, w->wall_ms, w->entities[i]);
                w->entities[i] = NULL;
                pop_events(w);
                break;
        case 13:
                if (w->entities[i])
                        engine_ping(w->engine, w->now, w->wall_ms, w->entities[i], &all);
                break;
        case 14:
                engine_observe(w->engine, what >> 7, what >> 6 & 1);
                break;
        default:
                pop_events(w);
                break;
        }
        if (what & 128)
                engine_tick(w->engine, w->now, w->wall_ms);
        (void)engine_deadline(w->engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct world w = { .now = UINT64_C(1000000000), .wall_ms = UINT64_C(1700000000000) };
        struct engine_options options = { .seed = 1, .events_max = 16 };

        if (size < 1)
                return 0;
        w.crypto = fuzz_crypto(data[0] & 1 ? CIPHER_AES : CIPHER_NONE);
        options.crypto = w.crypto;
        options.dialect = data[0] & 2 ? DIALECT_UCL : DIALECT_RFC3259;
        options.send_unicast = data[0] & 4;
        options.owner_acknowledges = data[0] & 8;
        options.max_age_ms = data[0] & 16 ? 30000 : 0;
        if (engine_new(&options, &w.engine) != 0)
                abort();
        for (size_t at = 1; size - at >= 2;) {
                size_t n = data[at + 1];
                struct span input;

                if (n > size - at - 2)
                        n = size - at - 2;
                input = fuzz_input(data + at + 2, n);
                step(&w, data[at], input);
                fuzz_input_free(input);
                at += 2 + n;
        }
        engine_tick(w.engine, w.now, w.wall_ms);
        pop_events(&w);
        engine_free(w.engine);
        crypto_free(w.crypto);
        return 0;
}
