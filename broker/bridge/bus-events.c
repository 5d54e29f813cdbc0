/*
 * bus-events.c - the bus that the clients are on, and what its events mean.
 */
#include "bus-events.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bridge.h"
#include <broker/control/control.h>
#include <broker/base/exit.h>
#include <broker/sessions/ids.h>
#include <broker/routing/monitor.h>
#include <broker/routing/patience.h>
#include <broker/sessions/reliable.h>
#include <broker/routing/router.h>
#include <broker/config/settings.h>
#include <broker/base/excerpt.h>

/* ---- opening ------------------------------------------------------------------------------- */

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
                r = bus_open(&b->bus, b, BUS_MAIN, &b->config,
                             bridges_relay_main(b->options.buses));
        b->engine = b->bus.engine;
        b->udp = b->bus.udp;
        patience_open(b);
        if (r == 0)
                r = add_self(b);
        return r ? r : bridges_open(b, b->options.buses);
}

void link_udp_close(struct broker *b)
{
        patience_close(b);
        bus_close(&b->bus);
        b->engine = NULL;
        b->udp = NULL;
}

/* ---- events -------------------------------------------------------------------------------- */

static void on_finished(struct broker *b, const struct event *event, enum mbus_reason reason)
{
        struct attachment *a = entity_data(event->entity);

        if (a->proxy)
                bridge_finish(a->proxy, event->ticket, reason);
        else
                reliable_finish(b, a, event->ticket, reason);
}

static void on_conflict(struct broker *b, const struct event *event)
{
        struct attachment *a = entity_data(event->entity);
        struct span text = attachment_text(a);
        uint64_t n_silent;

        if (a->proxy) {
                bridge_conflict(a->proxy);
                return;
        }
        if (a->client && a->is_given) {
                ids_yield(b, a);
                return;
        }
        if (a->client) {
                ids_renew(b, a);
                return;
        }
        if (log_cause_is_due(&b->conflict_cause, b->it.now, &n_silent))
                log_warning("somebody else on the bus uses the address %.*s (%" PRIu64
                            " more before)",
                            shown_size(text), text.at, n_silent);
}

static void on_event(struct broker *b, const struct event *event)
{
        switch (event->type) {
        case EVENT_MESSAGE:
                router_message(b, event);
                bridge_message(&b->bus, event);
                break;
        case EVENT_DELIVERED:
                on_finished(b, event, MBUS_REASON_NONE);
                break;
        case EVENT_FAILED:
                on_finished(b, event, event->reason);
                break;
        case EVENT_JOINED:
                b->generation++;
                monitor_joined(b, NULL, event->address, 0);
                bridge_joined(&b->bus, event->address);
                patience_note(b, event->address);
                break;
        case EVENT_LEFT:
                b->generation++;
                bridge_left(&b->bus, event->address, event->reason);
                monitor_left(b, event->address, event->reason);
                break;
        case EVENT_OBSERVED:
                monitor_copy_received(&b->bus, event->message);
                break;
        case EVENT_CONFLICT:
                on_conflict(b, event);
                break;
        case EVENT_DROPPED:
                loss_note(&b->bus, event->drop, event->count);
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

        bus_tick(&b->bus);
        while (engine_pop_event(b->engine, &event)) {
                on_event(b, &event);
                event_deinit(&event);
        }
}
