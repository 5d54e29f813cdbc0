/*
 * mode.c - the bus through a broker (spec/attach.md): the main loop, and losing the link and getting
 * it back.
 *
 * Output is gathered and written when much has come together or the application's main loop turns;
 * input is read in large pieces and handled in place. While many events wait for the application
 * nothing is read, so that the broker's limits work on those who send.
 *
 * A lost link fails every ticket and is tried again with back-off, which begins anew only when a link was of
 * use. Entities and watches are asked for anew, and what is not known any more has left: nothing is
 * lost silently.
 */
#include "link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <io/clock.h>

#define BACKOFF_MAX_TCP (2 * NSEC_PER_SEC)
/* Dither included, a client is back within a second of the broker ... */
#define BACKOFF_MAX (700 * NSEC_PER_MSEC)
/* ... and sooner while the socket's file is there: the broker is too busy or is just starting. */
#define BACKOFF_MAX_QUICK (200 * NSEC_PER_MSEC)
/* A broker on another bus than the one that was named counts questions: ten a minute (PROOFS_MAX). */
#define BACKOFF_OTHER_BUS (8 * NSEC_PER_SEC)
/* A link that was there for less time may not have been of use: what ended it may end the next one, too. */
#define LASTING (3 * NSEC_PER_SEC)

/* ---- losing it and getting it back --------------------------------------------------------- */

static void forget_conversation(struct mbus_bus *bus)
{
        struct link *l = bus->impl;

        bus_forget_fd(bus, l->fd);
        close(l->fd);
        l->fd = -1;
        l->in_at = l->in_n = 0;
        l->more = false;
        buffer_clear(&l->out);
        l->out_at = 0;
        l->blocked = false;
        l->broken = false;
        /* The next broker may have other ways. */
        l->silence = LINK_SILENCE_MS * NSEC_PER_MSEC;
        l->dialect = DIALECT_RFC3259;
        link_set_largest(bus, MESSAGE_MAX);
        l->seq = 0;
        free(l->broker);
        l->broker = NULL;
        l->observe_asked = false;
        link_forget_flush(bus);
        l->ask_at = TIME_NEVER;
        link_drop_acks(l);
        link_forget_known(l);
        for (struct mbus_entity *entity = bus->entities; entity; entity = entity->next)
                index_remove(&l->attached, &entity->attached);
        bus->generation++;
}

static void retry_later(struct mbus_bus *bus)
{
        struct link *l = bus->impl;
        double dither = 0.75 + random_unit(&bus->random) / 2;

        l->retry_at = clock_now() + (uint64_t)((double)l->backoff * dither);
}

static void back_off(struct link *l, uint64_t max)
{
        l->backoff = l->backoff < max / 2 ? l->backoff * 2 : max;
}

/* Whether the link that is lost was there for a while, or long enough for all that was asked for. Of the
 * first one that is taken for granted. */
static bool was_of_use(const struct mbus_bus *bus)
{
        const struct link *l = bus->impl;
        bool asked = bus->n_watches > 0 || bus->entities || bus->observing.on;

        if (l->up_at == 0 || clock_now() - l->up_at >= LASTING)
                return true;
        for (size_t i = 0; i < bus->n_watches; i++)
                if (!bus->watches[i].answered)
                        return false;
        for (const struct mbus_entity *entity = bus->entities; entity; entity = entity->next)
                if (!entity->refused && !entity->attached.address)
                        return false;
        return asked && !l->observe_asked;
}

static void link_down(struct mbus_bus *bus)
{
        struct link *l = bus->impl;
        struct ticket *tickets;
        bool of_use = was_of_use(bus);
        size_t n;

        forget_conversation(bus);
        event_queue_redeem(&bus->queue);
        event_queue_push(bus, &(struct mbus_event){ .type = MBUS_EVENT_LINK_DOWN }, NULL);
        tickets = tickets_drain(&l->tickets, &n);
        for (size_t i = 0; i < n; i++)
                if (!tickets[i].attach)
                        link_finish(bus, &tickets[i], MBUS_REASON_LINK_DOWN, SPAN_NULL);
        free(tickets);
        /* Whoever was attached and could not send all yet. */
        for (struct mbus_entity *entity = bus->entities; entity; entity = entity->next)
                if (entity->text)
                        early_fail(entity, MBUS_REASON_LINK_DOWN, SPAN_NULL);
        told_mark(bus);
        link_forget_network(l);
        if (of_use)
                l->backoff = LINK_BACKOFF_MIN;
        else
                back_off(l, l->tcp ? BACKOFF_MAX_TCP : BACKOFF_MAX);
        retry_later(bus);
}

/* Asks for all that the application has asked for. 0, or what link_attach() said. */
static int ask_again(struct mbus_bus *bus)
{
        int r = bus->observing.on ? link_observe(bus) : 0;

        for (size_t i = 0; i < bus->n_watches && r == 0; i++)
                r = link_watch(bus, &bus->watches[i]);
        for (struct mbus_entity *entity = bus->entities; entity && r == 0; entity = entity->next) {
                entity->waits = false;
                if (!entity->refused)
                        r = link_attach(entity, false);
        }
        return r;
}

static void reconnect(struct mbus_bus *bus)
{
        struct link *l = bus->impl;
        int fd = link_connect_again(bus);
        uint64_t max = l->tcp ? BACKOFF_MAX_TCP : fd == -ENOENT ? BACKOFF_MAX : BACKOFF_MAX_QUICK;

        if (fd == -EKEYREJECTED)
                max = l->backoff = BACKOFF_OTHER_BUS;
        if (fd == -EINPROGRESS)
                return;
        /* Room for the event that it is up, and for the one that it is down again. */
        if (fd >= 0 && event_queue_reserve(&bus->queue, 2) < 0) {
                close(fd);
                fd = -ENOMEM;
        }
        if (fd < 0) {
                back_off(l, max);
                retry_later(bus);
                return;
        }
        l->fd = fd;
        l->up_at = clock_now();
        seen_expect(&l->seen, l->up_at);
        bus->generation++;
        (void)event_queue_promise(&bus->queue);
        event_queue_push(bus, &(struct mbus_event){ .type = MBUS_EVENT_LINK_UP }, NULL);
        if (ask_again(bus) != 0)
                link_down(bus);
}

/* Those whose address the old link had a moment ago. 0, or what link_attach() said. */
static int ask_again_for_taken(struct mbus_bus *bus)
{
        struct link *l = bus->impl;
        int r = 0;

        l->ask_at = TIME_NEVER;
        for (struct mbus_entity *entity = bus->entities; entity && r == 0; entity = entity->next) {
                if (!entity->waits)
                        continue;
                entity->waits = false;
                r = link_attach(entity, false);
        }
        return r;
}

/* ---- the main loop ------------------------------------------------------------------------- */

static bool may_read(const struct mbus_bus *bus)
{
        return bus->queue.n < LINK_EVENTS_HIGH && bus->queue.bytes < LINK_EVENTS_BYTES_HIGH;
}

/* Reads a piece behind what is left of the last. How many octets, 0 for the end, or -errno. */
static ssize_t fill(struct link *l)
{
        ssize_t n;

        if (l->in_at > 0) {
                memmove(l->in, l->in + l->in_at, l->in_n - l->in_at);
                l->in_n -= l->in_at;
                l->in_at = 0;
        }
        do {
                if (l->tcp)
                        n = link_tcp_recv(l->tcp, l->fd, l->in + l->in_n,
                                          LINK_INPUT_SIZE - l->in_n);
                else
                        n = recv(l->fd, l->in + l->in_n, LINK_INPUT_SIZE - l->in_n, MSG_DONTWAIT);
        } while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        l->alive = true;
        l->in_n += (size_t)n;
        return n;
}

/* Handles frames that were read, up to *@budget. 0, or -EPROTO if the stream makes no sense. */
static int handle_frames(struct mbus_bus *bus, size_t *budget)
{
        struct link *l = bus->impl;
        enum frame_status status = FRAME_OK;
        struct span text;
        bool observed;
        size_t n;

        while (*budget > 0 && may_read(bus)) {
                status = frame_next((struct span){ l->in + l->in_at, l->in_n - l->in_at }, &text,
                                    &observed, &n);
                if (status != FRAME_OK)
                        break;
                l->in_at += n;
                --*budget;
                link_on_frame(bus, text, observed);
        }
        l->more = status == FRAME_OK;
        return status == FRAME_BAD ? -EPROTO : 0;
}

/* 0, or -errno if the link is of no use any more. */
static int read_link(struct mbus_bus *bus)
{
        struct link *l = bus->impl;
        size_t budget = LINK_PROCESS_MAX;
        int r = handle_frames(bus, &budget);

        while (r == 0 && !l->more) {
                size_t room = LINK_INPUT_SIZE - (l->in_n - l->in_at);
                ssize_t n = fill(l);

                if (n == -EAGAIN || n == -EWOULDBLOCK)
                        break;
                if (n <= 0)
                        return n < 0 ? (int)n : -EPIPE;
                r = handle_frames(bus, &budget);
                /* A short piece was all there is; the next poll knows better than another call. */
                if ((size_t)n < room)
                        break;
        }
        return r;
}

/* There is more to handle at once: what goes out is gathered until then. */
static bool is_busy(const struct mbus_bus *bus)
{
        const struct link *l = bus->impl;

        return l->more && may_read(bus);
}

/* When the link has been silent for so long that tickets end. */
static uint64_t silent_at(struct link *l)
{
        if (l->tickets.n == 0)
                return TIME_NEVER;
        if (l->alive)
                l->alive_at = clock_now();
        l->alive = false;
        return l->alive_at + l->silence;
}

/* Every ticket ends of itself as long as there is a broker: one that is stopped says nothing at all. The age
 * of a ticket tells nothing, for it may wait for its turn, or for its destination. */
static void check_silence(struct mbus_bus *bus)
{
        struct link *l = bus->impl;

        if (silent_at(l) <= clock_now())
                link_fail_silent(bus);
}

static int link_process(struct mbus_bus *bus, const struct pollfd *fds)
{
        struct link *l = bus->impl;
        int r;

        (void)fds;
        if (l->fd < 0) {
                if (clock_now() >= l->retry_at || (l->tcp && link_tcp_is_connecting(l->tcp)) ||
                    (l->proof && link_proof_is_going_on(l->proof)))
                        reconnect(bus);
                return 0;
        }
        /* What is to be read tells more of a broken link than what cannot be written. */
        if (!is_busy(bus))
                (void)link_write(l);
        early_go_all(bus);
        r = l->broken ? -ENOMEM : read_link(bus);
        if (r == 0 && bus->failure < 0) {
                /* What came in could not be kept: asked for anew, it comes again. */
                r = bus->failure;
                bus->failure = 0;
        }
        if (r == 0 && l->ask_at != TIME_NEVER && clock_now() >= l->ask_at)
                r = ask_again_for_taken(bus) == 0 ? 0 : -ENOMEM;
        if (r == 0)
                link_flush_acks(bus);
        if (r == 0 && !is_busy(bus))
                r = link_write(l);
        if (r < 0)
                link_down(bus);
        else
                check_silence(bus);
        return r == 0 && is_busy(bus);
}

static bool link_write_only(struct mbus_bus *bus)
{
        struct link *l = bus->impl;

        if (l->fd < 0 || l->broken || is_busy(bus))
                return false;
        /* A link that breaks here is found broken by whoever reads it. */
        (void)link_write(l);
        return true;
}

static size_t link_get_pollfds(struct mbus_bus *bus, struct pollfd ret_fds[static MBUS_POLLFDS_MAX])
{
        const struct link *l = bus->impl;

        if (l->fd < 0 && l->proof)
                return link_proof_get_pollfds(l->proof, ret_fds);
        if (l->fd < 0)
                return l->tcp ? link_tcp_get_pollfds(l->tcp, ret_fds) : 0;
        ret_fds[0] = (struct pollfd){ .fd = l->fd };
        if (may_read(bus))
                ret_fds[0].events |= POLLIN;
        if (link_n_waiting(l) > 0)
                ret_fds[0].events |= POLLOUT;
        return 1;
}

static uint64_t link_get_deadline(struct mbus_bus *bus)
{
        struct link *l = bus->impl;
        uint64_t silent;

        if (l->fd < 0)
                return l->retry_at;
        if (l->broken)
                return 0;
        if (link_n_waiting(l) > 0 && !l->blocked)
                return 0;
        if (l->more && may_read(bus))
                return 0;
        silent = silent_at(l);
        return silent < l->ask_at ? silent : l->ask_at;
}

/* ---- what the application asks ------------------------------------------------------------- */

static int link_add_entity(struct mbus_entity *entity)
{
        struct link *l = entity->bus->impl;

        if (index_find(&l->attached, entity->given))
                return MBUS_E_TAKEN;
        /* A link that is down asks for it when it is up. */
        return l->fd < 0 ? 0 : link_attach(entity, false);
}

static void link_remove_entity(struct mbus_entity *entity)
{
        struct mbus_bus *bus = entity->bus;
        struct link *l = bus->impl;

        /* If it has not been attached yet, the broker is told when its answer comes. */
        if (entity->attached.address && link_detach(bus, entity->attached.address->text) != 0)
                l->broken = true;
        link_forget_known(l);
        index_remove(&l->attached, &entity->attached);
        early_forget(entity);
        tickets_forget(&l->tickets, entity);
}

static int link_add_watch(struct mbus_bus *bus, struct watch *watch)
{
        struct link *l = bus->impl;

        return l->fd < 0 ? 0 : link_watch(bus, watch);
}

static int link_add_observe(struct mbus_bus *bus)
{
        struct link *l = bus->impl;

        return l->fd < 0 ? 0 : link_observe(bus);
}

static bool link_pull(struct mbus_bus *bus)
{
        (void)bus;
        return false;
}

/* Gives the broker a moment to take what waits. */
static void linger(struct link *l)
{
        struct pollfd fd = { .fd = l->fd, .events = POLLOUT };
        uint64_t end = clock_now() + LINK_PATIENCE_MS * NSEC_PER_MSEC;

        while (link_write(l) == 0 && link_n_waiting(l) > 0 && clock_now() < end)
                if (poll(&fd, 1, LINK_PATIENCE_MS) <= 0)
                        return;
}

/* What was sent before there was an answer waits for that a moment: a program that opens, sends and closes
 * need not know that a broker is there. */
static void link_settle(struct mbus_bus *bus)
{
        const struct link *l = bus->impl;
        uint64_t end = clock_now() + LINK_PATIENCE_MS * NSEC_PER_MSEC, now;

        while (bus->n_early > 0 && l->fd >= 0 && (now = clock_now()) < end) {
                struct pollfd fds[MBUS_POLLFDS_MAX];
                size_t n = link_get_pollfds(bus, fds);

                if (poll(fds, n, (int)((end - now) / NSEC_PER_MSEC) + 1) < 0 && errno != EINTR)
                        return;
                link_process(bus, NULL);
        }
}

static void link_let_go(struct mbus_bus *bus, struct message *message)
{
        struct link *l = bus->impl;

        stock_put_message(&l->stock, message);
}

static void link_abandon(struct mbus_bus *bus)
{
        struct link *l = bus->impl;

        if (!l)
                return;
        if (l->fd >= 0)
                close(l->fd);
        l->fd = -1;
        l->tcp = link_tcp_free(l->tcp);
        l->proof = link_proof_free(l->proof);
}

static void link_close(struct mbus_bus *bus)
{
        struct link *l = bus->impl;

        if (!l)
                return;
        if (l->fd >= 0) {
                linger(l);
                /* A copy of it in a child would keep the broker waiting for more. */
                shutdown(l->fd, SHUT_RDWR);
                close(l->fd);
        }
        link_drop_acks(l);
        link_forget_known(l);
        stock_deinit(&l->stock);
        tickets_deinit(&l->tickets);
        seen_deinit(&l->seen);
        index_deinit(&l->attached);
        link_forget_network(l);
        buffer_deinit(&l->out);
        buffer_deinit(&l->measured);
        link_tcp_free(l->tcp);
        link_proof_free(l->proof);
        free(l->broker);
        free(l->path);
        free(l->in);
        free(l);
}

const struct bus_mode link_mode = {
        .close = link_close,
        .abandon = link_abandon,
        .add_entity = link_add_entity,
        .settle = link_settle,
        .remove_entity = link_remove_entity,
        .send = link_send,
        .ping = link_ping,
        .watch = link_add_watch,
        .observe = link_add_observe,
        .get_interface = link_get_interface,
        .get_network = link_get_network,
        .list = told_list,
        .pull = link_pull,
        .n_left = link_n_left,
        .let_go = link_let_go,
        .get_pollfds = link_get_pollfds,
        .get_deadline = link_get_deadline,
        .process = link_process,
        .write = link_write_only,
};
