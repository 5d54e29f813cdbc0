/*
 * link-udp.c - the bus: the engine behind its sockets.
 */
#include "link-udp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <io/clock.h>

#include "control.h"
#include "exit.h"
#include "monitor.h"
#include "reliable.h"
#include "router.h"
#include "settings.h"

/* ---- opening ------------------------------------------------------------------------------- */

static int open_engine(struct broker *b, const struct config *config)
{
        struct engine_options options = { .dialect = config->dialect,
                                          .max_age_ms = config->max_age_ms,
                                          .send_unicast = config->send_unicast,
                                          .owner_routes = true,
                                          .owner_acknowledges = true };
        char error[512];
        int r;

        crypto_global_init();
        r = crypto_new(config, &b->crypto);
        if (r) {
                log_error("libgcrypt cannot do what the configuration asks for");
                return r > 0 ? EXIT_CONFIG : EXIT_SYSTEM;
        }
        options.crypto = b->crypto;
        if (getrandom(&options.seed, sizeof(options.seed), 0) < 0)
                options.seed = clock_now() ^ (uint64_t)getpid();
        if (engine_new(&options, &b->engine) < 0)
                return EXIT_SYSTEM;
        r = udp_open(config, &b->udp, error);
        if (r) {
                log_error("%s", r > 0 ? error : strerror(-r));
                return r == MBUS_E_CONFIG ? EXIT_CONFIG : r > 0 ? EXIT_NO_BUS : EXIT_SYSTEM;
        }
        for (size_t i = 0; udp_warning(b->udp, i); i++)
                log_warning("%s", udp_warning(b->udp, i));
        return 0;
}

static int add_self(struct broker *b)
{
        struct address address;
        char text[256];
        int n;

        /* Only a broker that died a moment ago can have had this id. */
        for (unsigned i = 0; i < 100; i++) {
                n = snprintf(text, sizeof(text), "(app:mbus-broker id:%ld-%u@%s)", (long)getpid(),
                             i, udp_host_id(b->udp));
                if (address_parse((struct span){ text, (size_t)n }, STRICT, &address, NULL, NULL))
                        break;
                if (attachment_new(b, NULL, &address, &b->self) == 0)
                        return 0;
        }
        log_error("the broker cannot be an entity of the bus");
        return EXIT_NO_BUS;
}

int link_udp_open(struct broker *b)
{
        int r;

        b->config = CONFIG_INIT;
        r = settings_read(&b->options, &b->config, &b->config_path);

        quota_init(&b->quota, &b->options.limits, b->config_path);
        if (r == 0)
                r = open_engine(b, &b->config);
        return r ? r : add_self(b);
}

void link_udp_close(struct broker *b)
{
        udp_close(b->udp);
        engine_free(b->engine);
        crypto_free(b->crypto);
}

/* ---- descriptors --------------------------------------------------------------------------- */

static void on_udp(uv_poll_t *poll, int status, int events)
{
        struct broker *b = poll->data;

        (void)status;
        broker_wake(b);
        if (events & UV_READABLE) {
                int r = udp_receive(b->udp, b->engine, b->now, b->wall_ms);

                b->received = true;
                if (r < 0) {
                        log_error("the bus cannot be received any more: %s", strerror(-r));
                        uv_stop(&b->loop);
                }
        }
}

static int uv_events(short events)
{
        return (events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0);
}

int link_udp_start(struct broker *b)
{
        b->n_udp_fds = udp_get_pollfds(b->udp, b->udp_fds);
        for (size_t i = 0; i < b->n_udp_fds; i++) {
                int r = uv_poll_init(&b->loop, &b->udp_polls[i], b->udp_fds[i].fd);

                if (r == 0)
                        r = uv_poll_start(&b->udp_polls[i], uv_events(b->udp_fds[i].events),
                                          on_udp);
                if (r)
                        return r;
                b->udp_polls[i].data = b;
        }
        return 0;
}

/* The descriptors stay, what is awaited from them changes with what waits to be sent. */
static void update_polls(struct broker *b)
{
        struct pollfd fds[UDP_POLLFDS];
        size_t n = udp_get_pollfds(b->udp, fds);

        for (size_t i = 0; i < n && i < b->n_udp_fds; i++) {
                if (fds[i].events == b->udp_fds[i].events)
                        continue;
                b->udp_fds[i].events = fds[i].events;
                uv_poll_start(&b->udp_polls[i], uv_events(fds[i].events), on_udp);
        }
}

void link_udp_send(struct broker *b)
{
        if (engine_n_datagrams(b->engine) > 0)
                udp_send(b->udp, b->engine);
        update_polls(b);
}

void link_udp_drain(struct broker *b)
{
        uint64_t end = clock_now() + STOP_MS * NSEC_PER_MSEC;
        struct pollfd fds[UDP_POLLFDS];

        while (engine_n_datagrams(b->engine) > 0 && udp_send(b->udp, b->engine) > 0 &&
               clock_now() < end) {
                nfds_t n = udp_get_pollfds(b->udp, fds);

                for (nfds_t i = 0; i < n; i++)
                        fds[i].events &= POLLOUT;
                poll(fds, n, 10);
        }
}

/* ---- events -------------------------------------------------------------------------------- */

static void on_conflict(const struct event *event)
{
        struct span text = entity_address(event->entity)->text;

        log_warning("somebody else on the bus uses the address %.*s", (int)text.n, text.at);
}

static void on_event(struct broker *b, const struct event *event)
{
        switch (event->type) {
        case EVENT_MESSAGE:
                router_message(b, event);
                break;
        case EVENT_DELIVERED:
        case EVENT_FAILED:
                reliable_finish(b, entity_data(event->entity), event->ticket,
                                event->type == EVENT_DELIVERED ? MBUS_REASON_NONE : event->reason);
                break;
        case EVENT_JOINED:
                b->generation++;
                monitor_joined(b, event->address, 0);
                break;
        case EVENT_LEFT:
                b->generation++;
                monitor_left(b, event->address, event->reason);
                break;
        case EVENT_OBSERVED:
                monitor_copy(b, event->message->text,
                             event->message->header.payload == event->message->text.n);
                break;
        case EVENT_CONFLICT:
                on_conflict(event);
                break;
        case EVENT_DROPPED:
                b->counts[COUNT_BUS_LOST] += event->count - 1;
                broker_count(b, COUNT_BUS_LOST, NULL,
                             event->drop == MBUS_DROP_SOCKET
                                     ? "the kernel had no room for datagrams of the bus"
                                     : "messages from the bus came too fast");
                break;
        }
}

void link_udp_process(struct broker *b)
{
        struct event event;

        if (b->received || engine_deadline(b->engine) <= b->now) {
                b->received = false;
                engine_tick(b->engine, b->now, b->wall_ms);
        }
        while (engine_pop_event(b->engine, &event)) {
                on_event(b, &event);
                event_deinit(&event);
        }
}
