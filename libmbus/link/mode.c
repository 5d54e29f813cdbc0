/*
 * mode.c - the bus through a broker (spec/attach.md): the main loop, and what the application asks.
 *
 * While many events wait for the application nothing is read, so that the broker's limits work on
 * those who send.
 */
#include "mode.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <io/clock.h>
#include <io/entropy.h>

#include "acks.h"
#include "ask.h"
#include "early.h"
#include "flush.h"
#include "output.h"
#include "receive.h"
#include "reconnect.h"
#include "send.h"
#include "silence.h"

/* How long closing may wait for an answer, and then for a broker that does not read. */
#define LINK_PATIENCE_MS 1000

/* ---- the main loop ------------------------------------------------------------------------- */

/* There is more to handle at once: what goes out is gathered until then. */
static bool is_busy(const struct link *l)
{
        return l->in.more && link_may_read(l);
}

static int link_process(struct mode *mode, const struct pollfd *fds)
{
        struct link *l = link_of(mode);
        struct event_queue *events = link_events(l);
        int r;

        (void)fds;
        if (l->transport.fd < 0) {
                link_reconnect(l);
                return 0;
        }
        /* What is to be read tells more of a broken link than what cannot be written. */
        if (!is_busy(l))
                (void)link_write(l);
        link_send_early_all(l);
        r = l->broken ? -ENOMEM : link_read(l);
        if (r == 0 && events->failure < 0) {
                /* What came in could not be kept: asked for anew, it comes again. */
                r = events->failure;
                events->failure = 0;
        }
        if (r == 0)
                r = link_ask_for_taken(l);
        if (r == 0)
                link_flush_acks(l);
        if (r == 0 && !is_busy(l))
                r = link_write(l);
        if (r < 0)
                link_down(l);
        else
                link_check_silence(l);
        return r == 0 && is_busy(l);
}

static bool link_write_only(struct mode *mode)
{
        struct link *l = link_of(mode);

        if (l->transport.fd < 0 || l->broken || is_busy(l))
                return false;
        /* A link that breaks here is found broken by whoever reads it. */
        (void)link_write(l);
        return true;
}

static size_t link_get_pollfds(struct mode *mode, struct pollfd ret_fds[static MBUS_POLLFDS_MAX])
{
        const struct link *l = link_of(mode);

        if (l->transport.fd < 0)
                return transport_get_pollfds(&l->transport, ret_fds);
        ret_fds[0] = (struct pollfd){ .fd = l->transport.fd };
        if (link_may_read(l))
                ret_fds[0].events |= POLLIN;
        if (link_n_waiting(l) > 0)
                ret_fds[0].events |= POLLOUT;
        return 1;
}

static uint64_t link_get_deadline(struct mode *mode)
{
        struct link *l = link_of(mode);
        uint64_t silent;

        assert(l->in.at <= l->in.n);
        if (l->transport.fd < 0)
                return l->retry_at;
        if (l->broken)
                return 0;
        if (link_n_waiting(l) > 0 && !l->out.blocked)
                return 0;
        if (is_busy(l))
                return 0;
        silent = link_silent_at(l);
        return silent < l->ask_at ? silent : l->ask_at;
}

/* Nothing is read, and so nobody attached, while too many events wait. */
static int link_check_ready(const struct mbus_entity *entity)
{
        const struct link *l = link_of(entity->mode);

        if (link_entity_of((struct mbus_entity *)entity)->attached.address)
                return 0;
        return link_may_read(l) ? MBUS_E_NOT_READY : MBUS_E_FULL;
}

/* ---- what the application asks ------------------------------------------------------------- */

static int link_add_entity(struct mbus_entity *entity)
{
        struct link *l = link_of(entity->mode);
        struct link_entity *e = link_entity_of(entity);

        e->attached = INDEX_ENTRY_INIT;
        e->early = LIST_INIT;
        if (index_find(&l->attached, entity->given))
                return MBUS_E_TAKEN;
        /* A link that is down asks for it when it is up. */
        return l->transport.fd < 0 ? 0 : link_attach(e, false);
}

static void link_remove_entity(struct mbus_entity *entity)
{
        struct link *l = link_of(entity->mode);
        struct link_entity *e = link_entity_of(entity);

        /* If it has not been attached yet, the broker is told when its answer comes. */
        if (e->attached.address && link_detach(l, e->attached.address->text) != 0)
                l->broken = true;
        header_cache_clear(&l->headers);
        index_remove(&l->attached, &e->attached);
        early_forget(e);
        tickets_forget(&l->tickets, e);
        assert(e->n_tickets == 0 && e->n_early_reliable == 0);
}

static int link_add_watch(struct mode *mode, struct watch *watch)
{
        struct link *l = link_of(mode);

        return l->transport.fd < 0 ? 0 : link_watch(l, watch);
}

static int link_add_observe(struct mode *mode)
{
        struct link *l = link_of(mode);

        return l->transport.fd < 0 ? 0 : link_observe(l);
}

static int link_list(struct mode *mode, const struct address *dest, struct mbus_peers *peers)
{
        return reported_list(&mode->bus->reported, dest, peers);
}

static void link_let_go(struct mode *mode, struct message *message)
{
        pool_put_message(&link_of(mode)->pool, message);
}

static int link_resolve(struct mode *mode)
{
        struct link *l = link_of(mode);
        char error[256] = "";
        int r = transport_resolve(&l->transport, error);

        if (r > 0)
                remarks_add(&mode->bus->remarks, error);
        return r;
}

/* ---- figures ------------------------------------------------------------------------------- */

static const char *link_get_interface(const struct mode *mode)
{
        return link_of(mode)->network.interface;
}

static const char *link_get_network(struct mode *mode, enum mbus_network network)
{
        return link_of(mode)->network.texts[network];
}

static uint64_t link_get_dropped(const struct mode *mode, enum mbus_drop drop)
{
        return link_of(mode)->dropped[drop];
}

static void link_get_sizes(const struct mode *mode, size_t *ret_size, size_t *ret_largest)
{
        const struct link *l = link_of(mode);

        *ret_size = l->too_large;
        *ret_largest = l->largest;
}

static size_t link_count_left(struct mode *mode)
{
        return link_n_left(link_of(mode));
}

static uint64_t link_take_lost(struct mode *mode)
{
        struct link *l = link_of(mode);
        uint64_t n = l->n_lost;

        l->n_lost = 0;
        return n;
}

/* ---- beginning and end --------------------------------------------------------------------- */

static const struct mode_ops link_ops;

/* Without any patience. */
static void link_free(struct link *l)
{
        assert(l->tickets.n == 0 && l->n_early == 0 && l->early_bytes == 0);
        /* A copy of it in a child would keep the broker waiting for more. */
        if (l->transport.fd >= 0)
                shutdown(l->transport.fd, SHUT_RDWR);
        transport_deinit(&l->transport);
        link_drop_acks(l);
        header_cache_clear(&l->headers);
        pool_deinit(&l->pool);
        tickets_deinit(&l->tickets);
        dedup_deinit(&l->dedup);
        index_deinit(&l->attached);
        network_forget(&l->network);
        buffer_deinit(&l->out.octets);
        buffer_deinit(&l->measured);
        free(l->broker);
        free(l->in.octets);
        free(l);
}

int link_new(struct bus_parts *bus, struct transport *t, const char *scheme, const char *name,
             uint64_t patience, struct mode **ret_mode)
{
        struct link *l = malloc(sizeof(*l));

        assert(t->fd >= 0);
        if (!l) {
                transport_deinit(t);
                return -ENOMEM;
        }
        *l = (struct link){ .base = { &link_ops, bus },
                            .transport = *t,
                            .backoff = LINK_BACKOFF_MIN,
                            .ask_at = TIME_NEVER,
                            .silence = LINK_SILENCE_MS * NSEC_PER_MSEC,
                            .seq = transport_first_seq(t),
                            .next_ticket = 1,
                            .tickets.events = &bus->events,
                            .patience = patience };
        random_init(&l->random, entropy_number());
        link_set_largest(l, MESSAGE_MAX);
        index_init(&l->attached, random_u64(&l->random));
        l->in.octets = malloc(LINK_INPUT_SIZE);
        if (!l->in.octets || event_queue_promise(&bus->events) < 0 ||
            bus_set_url(bus, scheme, name) < 0) {
                link_free(l);
                return -ENOMEM;
        }
        *ret_mode = &l->base;
        return 0;
}

/* What was sent before there was an answer waits for that a moment: a program that opens, sends
 * and closes need not know that a broker is there. */
static void link_settle(struct mode *mode)
{
        const struct link *l = link_of(mode);
        uint64_t end = clock_now() + LINK_PATIENCE_MS * NSEC_PER_MSEC, now;

        while (l->n_early > 0 && l->transport.fd >= 0 && (now = clock_now()) < end) {
                struct pollfd fds[MBUS_POLLFDS_MAX];
                size_t n = link_get_pollfds(mode, fds);

                if (poll(fds, n, (int)((end - now) / NSEC_PER_MSEC) + 1) < 0 && errno != EINTR)
                        return;
                link_process(mode, NULL);
        }
}

static void link_abandon(struct mode *mode)
{
        transport_deinit(&link_of(mode)->transport);
}

/* Gives the broker a moment to take what waits. */
static void linger(struct link *l)
{
        struct pollfd fd = { .fd = l->transport.fd, .events = POLLOUT };
        uint64_t end = clock_now() + LINK_PATIENCE_MS * NSEC_PER_MSEC;

        while (link_write(l) == 0 && link_n_waiting(l) > 0 && clock_now() < end)
                if (poll(&fd, 1, LINK_PATIENCE_MS) <= 0)
                        return;
}

static void link_close(struct mode *mode)
{
        struct link *l = link_of(mode);

        if (l->transport.fd >= 0)
                linger(l);
        link_free(l);
}

static const struct mode_ops link_ops = {
        .entity_size = sizeof(struct link_entity),
        .close = link_close,
        .abandon = link_abandon,
        .add_entity = link_add_entity,
        .settle = link_settle,
        .remove_entity = link_remove_entity,
        .send = link_send,
        .ping = link_ping,
        .check_ready = link_check_ready,
        .watch = link_add_watch,
        .observe = link_add_observe,
        .list = link_list,
        .let_go = link_let_go,
        .get_pollfds = link_get_pollfds,
        .get_deadline = link_get_deadline,
        .process = link_process,
        .write = link_write_only,
        .get_interface = link_get_interface,
        .get_network = link_get_network,
        .get_dropped = link_get_dropped,
        .get_sizes = link_get_sizes,
        .n_left = link_count_left,
        .take_lost = link_take_lost,
        .resolve = link_resolve,
};
