/*
 * send.c - messages and questions of link mode go out: numbered, framed, gathered, written.
 */
#include "link.h"

#include <sys/socket.h>

#include <core/frame.h>
#include <core/seal.h>
#include <io/clock.h>

/* "mbus/1.0 ", SeqNum, TimeStamp, type, spaces, "()" and line ends. */
#define HEADER_REST_MAX 48
/* Acknowledgements and questions still find room when the application has filled its share. */
#define CONTROL_OUTPUT_MAX (2 * LINK_OUTPUT_MAX)

/* ---- output -------------------------------------------------------------------------------- */

/* What is written goes; what is not comes to the front when that moves no more than it frees. */
static void compact(struct link *l)
{
        size_t left = l->out.n - l->out_at;

        if (l->out_at < left)
                return;
        memcpy(l->out.at, l->out.at + l->out_at, left);
        l->out.n = left;
        l->out_at = 0;
}

static ssize_t send_to_broker(struct link *l)
{
        struct span frames = span_from(buffer_span(&l->out), l->out_at);

        if (l->tcp)
                return link_tcp_send(l->tcp, l->fd, frames);
        return send(l->fd, frames.at, frames.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int link_write(struct link *l)
{
        while (link_n_waiting(l) > 0) {
                ssize_t n = send_to_broker(l);

                if (n < 0 && errno == EINTR)
                        continue;
                l->blocked = n < 0;
                if (n < 0)
                        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
                l->alive = true;
                l->out_at += (size_t)n;
        }
        buffer_clear(&l->out);
        l->out_at = 0;
        return 0;
}

static int format(struct link *l, const struct header_spec *spec, struct span payload)
{
        size_t start = l->out.n, n;
        int r = MBUS_E_TOO_LARGE;

        if (buffer_reserve(&l->out, FRAME_HEADER_SIZE)) {
                l->out.n += FRAME_HEADER_SIZE;
                message_format(spec, payload, DIALECT_RFC3259, &l->out);
        }
        n = l->out.n - start - FRAME_HEADER_SIZE;
        if (l->out.failed)
                r = -ENOMEM;
        else if (n <= MESSAGE_MAX)
                r = 0;
        if (r == 0) {
                l->sent.octets += FRAME_HEADER_SIZE + n;
                frame_put_length(l->out.at + start, n, false);
        } else {
                l->out.n = start;
                l->out.failed = false;
        }
        return r;
}

static int push(struct mbus_bus *bus, struct header_spec *spec, struct span payload, size_t max)
{
        struct link *l = bus->impl;
        int r;

        if (l->fd < 0)
                return MBUS_E_NOT_READY;
        /* A link that breaks here is found broken by whoever reads it. */
        if (link_n_waiting(l) >= (l->blocked ? max : LINK_WRITE_SIZE))
                (void)link_write(l);
        if (link_n_waiting(l) >= max)
                return MBUS_E_FULL;
        if (l->out_at > 0)
                compact(l);
        spec->seq = l->seq;
        spec->timestamp = bus_time_of_day(bus);
        r = format(l, spec, payload);
        if (r == 0)
                l->seq++;
        return r;
}

/* ---- questions ----------------------------------------------------------------------------- */

/* Sends @payload to the broker; @from may be "()". */
static int ask(struct mbus_bus *bus, struct span from, bool reliable, struct span payload)
{
        struct header_spec spec = { .src = from,
                                    .dest = span_of(LINK_BROKER),
                                    .reliable = reliable };

        return push(bus, &spec, payload, CONTROL_OUTPUT_MAX);
}

int link_ask(struct mbus_bus *bus, struct span payload)
{
        return ask(bus, span_of("()"), true, payload);
}

/* The version that we speak, and what the broker is to know of the entity. */
static void format_attach(const struct mbus_entity *entity, bool made, struct buffer *out)
{
        uint64_t patience = entity->bus->patience;

        buffer_add_text(out, "broker.attach(1");
        if (patience > 0) {
                buffer_add_text(out, " (patience ");
                buffer_add_uint(out, (patience - 1) / NSEC_PER_MSEC + 1);
                buffer_add_char(out, ')');
        }
        /* The id in the address is not ours to keep. */
        if (made)
                buffer_add_text(out, " (id made)");
        buffer_add_char(out, ')');
}

int link_attach(struct mbus_entity *entity, bool anew)
{
        struct link *l = entity->bus->impl;
        const char *text = entity->next_text ? entity->next_text : entity->text;
        struct span address = text && !anew ? span_of(text) : entity->given->text;
        struct ticket ticket = { .entity = entity, .seq = l->seq, .attach = true };
        struct buffer payload = BUFFER_INIT;
        int r = tickets_add(&l->tickets, &ticket);

        entity->anew = anew;
        if (r != 0)
                return r;
        format_attach(entity, text && !anew && !address_get(entity->given, "id").at, &payload);
        r = payload.failed ? -ENOMEM : ask(entity->bus, address, true, buffer_span(&payload));
        buffer_deinit(&payload);
        if (r != 0)
                tickets_remove(&l->tickets, ticket.seq);
        return r;
}

int link_detach(struct mbus_bus *bus, struct span address)
{
        return ask(bus, address, false, span_of("broker.detach()"));
}

int link_watch(struct mbus_bus *bus, struct watch *watch)
{
        struct link *l = bus->impl;
        struct buffer payload = BUFFER_INIT;
        int r;

        buffer_add_text(&payload, "broker.watch(");
        value_format_string(watch->address->text, &payload);
        buffer_add_char(&payload, ')');
        watch->seq = l->seq;
        watch->answered = false;
        r = payload.failed ? -ENOMEM : ask(bus, span_of("()"), false, buffer_span(&payload));
        buffer_deinit(&payload);
        return r;
}

/* Reliably: the acknowledgement says that it begins. */
int link_observe(struct mbus_bus *bus)
{
        struct link *l = bus->impl;
        struct buffer payload = BUFFER_INIT;
        uint32_t seq = l->seq;
        int r;

        buffer_add_text(&payload, bus->observing.hello ? "broker.observe(1" : "broker.observe(0");
        filters_format(bus->observing.filters, &payload);
        buffer_add_char(&payload, ')');
        r = payload.failed ? -ENOMEM : ask(bus, span_of("()"), true, buffer_span(&payload));
        buffer_deinit(&payload);
        if (r == 0) {
                l->observe_seq = seq;
                l->observe_asked = true;
        }
        return r;
}

/* ---- messages ------------------------------------------------------------------------------ */

static int put_reliable(struct mbus_entity *entity, struct header_spec *spec, struct span payload,
                        uint64_t number)
{
        struct mbus_bus *bus = entity->bus;
        struct link *l = bus->impl;
        struct ticket ticket = { .entity = entity, .ticket = number, .seq = l->seq };
        int r;

        /* Silence counts from when something is awaited. */
        if (l->tickets.n == 0)
                l->alive = true;
        r = tickets_add(&l->tickets, &ticket);
        if (r != 0)
                return r;
        spec->reliable = true;
        r = push(bus, spec, payload, LINK_OUTPUT_MAX);
        if (r != 0)
                tickets_remove(&l->tickets, ticket.seq);
        return r;
}

/* Counts what a message that may be too large for the bus has. Its SeqNum there is not known here: the
 * longest one is taken. */
static int measure(struct mbus_bus *bus, const struct header_spec *spec, struct span payload)
{
        struct link *l = bus->impl;
        struct header_spec longest = *spec;

        longest.seq = l->dialect == DIALECT_UCL ? RELIABLE_SEQ_MOD_UCL - 1 : UINT32_MAX;
        longest.timestamp = bus_time_of_day(bus);
        buffer_clear(&l->measured);
        message_format(&longest, payload, l->dialect, &l->measured);
        if (l->measured.failed)
                return -ENOMEM;
        if (l->measured.n <= bus->largest)
                return 0;
        bus->too_large = l->measured.n;
        return MBUS_E_TOO_LARGE;
}

/* Whether a message that @spec and @payload make fits the bus, so that an application behaves alike with and
 * without a broker, whoever gets it (6). Nearly all are so small that there is no need to measure. */
static inline int check_size(struct mbus_bus *bus, const struct header_spec *spec,
                             struct span payload)
{
        const struct link *l = bus->impl;

        if (payload.n + spec->src.n + spec->dest.n + HEADER_REST_MAX <= l->surely_fits)
                return 0;
        return measure(bus, spec, payload);
}

static inline int put(struct mbus_entity *entity, const struct address *dest, struct span payload,
                      uint64_t ticket)
{
        struct header_spec spec = { .src = entity->attached.address->text,
                                    .dest = dest->text,
                                    .reliable = ticket > 0 };
        struct link *l = entity->bus->impl;
        int r = check_size(entity->bus, &spec, payload);

        if (r != 0)
                return r;
        if (ticket)
                return put_reliable(entity, &spec, payload, ticket);
        r = push(entity->bus, &spec, payload, LINK_OUTPUT_MAX);
        l->sent.messages += r == 0;
        return r;
}

int link_put(struct mbus_entity *entity, const struct address *dest, struct span payload,
             uint64_t ticket)
{
        return put(entity, dest, payload, ticket);
}

/* Sends it when @entity is attached. What is known by now is checked now; the rest, with its address, when it
 * is sent. */
static int send_early(struct mbus_entity *entity, const struct address *dest, struct span payload,
                      uint64_t *ret_ticket)
{
        struct header_spec spec = { .src = entity->given->text, .dest = dest->text };
        int r = check_size(entity->bus, &spec, payload);

        return r != 0 ? r : early_add(entity, dest, payload, ret_ticket);
}

int link_send(struct mbus_entity *entity, const struct address *dest, struct span payload,
              uint64_t *ret_ticket)
{
        struct mbus_bus *bus = entity->bus;
        int r;

        if (early_is_wanted(entity))
                return send_early(entity, dest, payload, ret_ticket);
        if (!entity->attached.address)
                return MBUS_E_NOT_READY;
        if (ret_ticket && entity->n_tickets >= RELIABLE_OUTSTANDING_MAX)
                return MBUS_E_FULL;
        r = put(entity, dest, payload, ret_ticket ? bus->next_ticket : 0);
        if (r == 0 && ret_ticket)
                *ret_ticket = bus->next_ticket++;
        return r;
}

int link_ping(struct mbus_entity *entity, const struct address *dest)
{
        return link_send(entity, dest, span_of("mbus.ping()"), NULL);
}

/* ---- acknowledgements ---------------------------------------------------------------------- */

static void flush_group(struct mbus_bus *bus, struct ack_group *group)
{
        struct header_spec spec = { .dest = group->from->header.src.text,
                                    .acks = group->seqs,
                                    .n_acks = group->n };

        if (group->entity->attached.address) {
                spec.src = group->entity->attached.address->text;
                /* If it has no room, the sender hears of a time-out. */
                (void)push(bus, &spec, SPAN_NULL, CONTROL_OUTPUT_MAX);
        }
        group->from = message_unref(group->from);
        group->n = 0;
}

void link_flush_acks(struct mbus_bus *bus)
{
        struct link *l = bus->impl;

        for (size_t i = 0; i < l->n_acks; i++)
                flush_group(bus, &l->acks[i]);
        l->n_acks = 0;
}

void link_owe_ack(struct mbus_bus *bus, struct mbus_entity *entity, struct message *m)
{
        struct link *l = bus->impl;
        struct ack_group *group = NULL;

        for (size_t i = 0; i < l->n_acks && !group; i++)
                if (l->acks[i].entity == entity &&
                    span_equal(l->acks[i].from->header.src.text, m->header.src.text))
                        group = &l->acks[i];
        if (!group || group->n == ACKS_SENT_MAX) {
                if (group || l->n_acks == LINK_ACKS)
                        link_flush_acks(bus);
                group = &l->acks[l->n_acks++];
                *group = (struct ack_group){ .entity = entity, .from = message_ref(m) };
        }
        group->seqs[group->n++] = m->header.seq;
}

void link_drop_acks(struct link *l)
{
        while (l->n_acks > 0)
                message_unref(l->acks[--l->n_acks].from);
}
