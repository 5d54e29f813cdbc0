/*
 * peer.c - the rest of the bus: an engine of its own on sockets of its own, with one entity.
 */
#include "peer.h"

#include <poll.h>

void peer_add(struct peer *p)
{
        struct address address;

        ck_assert_int_eq(address_parse(span_of(P), STRICT, &address, NULL, NULL), 0);
        ck_assert_int_eq(engine_add_entity(p->engine, clock_now(), &address, NULL, &p->entity), 0);
}

void peer_init_at(struct peer *p, const struct daemon *d, uint16_t port)
{
        char error[CONFIG_FILE_ERROR_SIZE];
        struct engine_options options = { .seed = 1, .owner_acknowledges = true };
        struct config config;

        crypto_global_init();
        ck_assert_int_eq(config_file_read(d->config, &config, error), 0);
        config.port = port;
        ck_assert_int_eq(crypto_new(&config, &p->crypto), 0);
        options.crypto = p->crypto;
        ck_assert_int_eq(engine_new(&options, &p->engine), 0);
        ck_assert_int_eq(udp_open(&config, &p->udp, error), 0);
        peer_add(p);
}

void peer_init(struct peer *p, const struct daemon *d)
{
        peer_init_at(p, d, CONFIG_PORT_DEFAULT);
}

void peer_deinit(struct peer *p)
{
        udp_close(p->udp);
        engine_free(p->engine);
        crypto_free(p->crypto);
}

void peer_turn(struct peer *p)
{
        struct pollfd fds[UDP_POLLFDS];
        nfds_t n = udp_get_pollfds(p->udp, fds);

        engine_tick(p->engine, clock_now(), clock_wall_ms());
        udp_send(p->udp, p->engine);
        poll(fds, n, 5);
        ck_assert_int_ge(udp_receive(p->udp, p->engine, clock_now(), clock_wall_ms(), NULL), 0);
        engine_tick(p->engine, clock_now(), clock_wall_ms());
        udp_send(p->udp, p->engine);
}

struct event peer_expect(struct peer *p, enum event_type type)
{
        uint64_t end = clock_now() + 10 * NSEC_PER_SEC;
        struct event event;

        for (;;) {
                while (engine_pop_event(p->engine, &event)) {
                        if (event.type == type)
                                return event;
                        event_deinit(&event);
                }
                ck_assert_msg(clock_now() < end, "event %d did not come", type);
                peer_turn(p);
        }
}

void peer_expect_message(struct peer *p, const char *payload)
{
        struct event event = peer_expect(p, EVENT_MESSAGE);
        struct span text = span_from(event.message->text, event.message->header.payload);

        ck_assert_msg(span_equal_text(text, payload), "instead of %s came %.*s", payload,
                      (int)text.n, text.at);
        event_deinit(&event);
}

enum mbus_reason peer_expect_about(struct peer *p, enum event_type type, const char *address)
{
        for (;;) {
                struct event event = peer_expect(p, type);
                bool found = span_equal_text(event.address->text, address);
                enum mbus_reason reason = event.reason;

                event_deinit(&event);
                if (found)
                        return reason;
        }
}

struct address parse(const char *text)
{
        struct address address;

        ck_assert_int_eq(address_parse(span_of(text), STRICT, &address, NULL, NULL), 0);
        return address;
}

void peer_say(struct peer *p, const char *dest, const char *payload)
{
        struct address address = parse(dest);

        ck_assert_int_eq(engine_send(p->engine, clock_now(), clock_wall_ms(), p->entity, &address,
                                     span_of(payload)),
                         0);
        peer_turn(p);
}

void scene_meet_at(struct scene *s, struct peer *p, const char *lines, uint16_t port)
{
        scene_init(s, lines);
        peer_init_at(p, &s->broker, port);
        raw_send(&s->b, 'U', "()", BROKER, "broker.watch(\"(app:p)\")");
        raw_expect_about(&s->b, "broker.watching(%u \"lo\")", s->b.seq - 1);
        while (!is_readable(s->b.fd))
                peer_turn(p);
        raw_expect(&s->b, "broker.joined(\"" P "\" 0)");
}

void scene_meet(struct scene *s, struct peer *p, const char *lines)
{
        scene_meet_at(s, p, lines, CONFIG_PORT_DEFAULT);
        while (engine_n_peers(p->engine) < 3)
                peer_turn(p);
}

void scene_part(struct scene *s, struct peer *p)
{
        peer_deinit(p);
        scene_deinit(s);
}
