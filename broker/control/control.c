/*
 * control.c - broker.* commands, and what the broker itself says on a link (spec/attach.md).
 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <core/frame.h>
#include <core/nearly.h>

#include <broker/broker.h>
#include "request.h"
#include "lists.h"
#include <broker/config/sections.h>
#include <broker/base/excerpt.h>

/* ---- what the broker says ------------------------------------------------------------------ */

/* An answer goes to an address as it was written, unless that is so long that it must be mostly white
 * space: with that the answer might fit into no frame. */
static struct span destination(struct span dest, char room[static ADDRESS_TEXT_MAX])
{
        struct address address, plain;

        if (dest.n <= ADDRESS_TEXT_MAX || address_parse(dest, LENIENT, &address, NULL, NULL))
                return dest;
        address_put_plain(&address, room, &plain);
        return plain.text;
}

static void say(struct client *c, struct span src, struct span dest, const uint32_t *acks,
                size_t n_acks, struct span payload)
{
        struct broker *b = c->broker;
        char room[ADDRESS_TEXT_MAX];
        struct header_spec spec = { .seq = c->seq++,
                                    .timestamp = b->it.wall_ms,
                                    .src = src,
                                    .dest = destination(dest, room),
                                    .acks = acks,
                                    .n_acks = n_acks };

        buffer_clear(&b->it.text);
        if (message_format(&spec, payload, DIALECT_RFC3259, &b->it.text))
                client_kill(c, "memory is short");
        else
                client_push_text(c, buffer_span(&b->it.text), KIND_ANSWER);
}

static const struct span nobody = { "()", 2 };

void control_say(struct client *c, struct span payload)
{
        say(c, attachment_text(c->broker->self), nobody, NULL, 0, payload);
}

void control_answer(struct request *r, struct span payload)
{
        say(r->c, attachment_text(r->b->self), r->h->src.text, NULL, 0, payload);
}

void control_confirm(struct request *r, struct span payload)
{
        say(r->c, attachment_text(r->b->self), nobody, &r->h->seq, 1, payload);
        r->answered = true;
}

void control_fail(struct request *r, enum mbus_reason reason, const char *why)
{
        if (!r->answered)
                control_undelivered(r->b, r->c, r->h->src.text, r->h->seq, reason, why);
        r->answered = true;
        r->failed = true;
}

const char *control_reason(enum mbus_reason reason)
{
        static const char *const names[MBUS_REASON_MAX] = {
                [MBUS_REASON_NONE] = "none",
                [MBUS_REASON_TIMEOUT] = "timeout",
                [MBUS_REASON_BYE] = "bye",
                [MBUS_REASON_RESTARTED] = "restarted",
                [MBUS_REASON_UNKNOWN] = "unknown",
                [MBUS_REASON_NOT_UNIQUE] = "not-unique",
                [MBUS_REASON_FULL] = "full",
                [MBUS_REASON_LINK_DOWN] = "link-down",
                [MBUS_REASON_DENIED] = "denied",
                [MBUS_REASON_TAKEN] = "taken",
                [MBUS_REASON_MALFORMED] = "malformed",
        };

        return names[reason];
}

static void format_reason(const char *command, struct span subject, const char *reason,
                          const char *why, struct buffer *out)
{
        buffer_add_text(out, command);
        buffer_add_char(out, '(');
        buffer_add_span(out, subject);
        if (subject.n > 0)
                buffer_add_char(out, ' ');
        buffer_add_text(out, reason);
        buffer_add_char(out, ' ');
        /* A sentence about a mistake may have quotes, as where it says what is missing. */
        value_format_string(span_of(why), out);
        buffer_add_char(out, ')');
}

void control_say_reason(struct client *c, struct span dest, const char *command,
                        struct span subject, const char *reason, const char *why)
{
        struct buffer payload = BUFFER_INIT;

        format_reason(command, subject, reason, why, &payload);
        if (payload.failed)
                client_kill(c, "memory is short");
        else
                say(c, attachment_text(c->broker->self), dest, NULL, 0, buffer_span(&payload));
        buffer_deinit(&payload);
}

/* COMMAND(SEQ REASON "WHY") */
static void say_about(struct client *c, struct span dest, const char *command, uint32_t seq,
                      const char *reason, const char *why)
{
        char digits[UINT_DIGITS_MAX];

        control_say_reason(c, dest, command,
                           (struct span){ digits, (size_t)(uint_write(digits, seq) - digits) },
                           reason, why);
}

void control_refuse(struct request *r, const char *reason, const char *why)
{
        say_about(r->c, nobody, "broker.refused", r->h->seq, reason, why);
        r->answered = true;
        r->failed = true;
}

void control_refuse_link(struct broker *b, int fd, const char *why)
{
        struct buffer payload = BUFFER_INIT;
        char frame[FRAME_HEADER_SIZE + 512];
        struct header_spec spec = { .timestamp = b->it.wall_ms,
                                    .src = attachment_text(b->self),
                                    .dest = nobody };

        format_reason("broker.refused", span_of("0"), "full", why, &payload);
        buffer_clear(&b->it.text);
        if (!payload.failed &&
            message_format(&spec, buffer_span(&payload), DIALECT_RFC3259, &b->it.text) == 0 &&
            b->it.text.n <= sizeof(frame) - FRAME_HEADER_SIZE) {
                frame_put_length(frame, b->it.text.n, false);
                memcpy(frame + FRAME_HEADER_SIZE, b->it.text.at, b->it.text.n);
                (void)!send(fd, frame, FRAME_HEADER_SIZE + b->it.text.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        buffer_deinit(&payload);
}

void control_undelivered(struct broker *b, struct client *c, struct span dest, uint32_t seq,
                         enum mbus_reason reason, const char *why)
{
        (void)b;
        /* A ticket that the peer's restart ended is, for its sender, one that the peer left. */
        if (reason == MBUS_REASON_RESTARTED)
                reason = MBUS_REASON_BYE;
        say_about(c, dest, "broker.undelivered", seq, control_reason(reason), why);
}

void control_delivered(struct broker *b, struct client *c, const struct name *from,
                       struct span dest, uint32_t seq)
{
        (void)b;
        say(c, (struct span){ from->text, from->n }, dest, &seq, 1, SPAN_NULL);
}

void control_acknowledge(struct broker *b, struct client *c, struct span src, struct span dest,
                         const uint32_t *seqs, size_t n)
{
        (void)b;
        say(c, src, dest, seqs, n, SPAN_NULL);
}

#define DROPPED_SIZE 64

static struct span format_dropped(uint64_t n, const char *reason, char room[static DROPPED_SIZE])
{
        int size = snprintf(room, DROPPED_SIZE, "broker.dropped(%llu %s)", (unsigned long long)n,
                            reason);

        return (struct span){ room, (size_t)size };
}

void control_dropped(struct client *c, uint64_t n, const char *reason)
{
        char room[DROPPED_SIZE];

        control_say(c, format_dropped(n, reason, room));
}

void control_denied(struct client *c, uint64_t n, uint32_t seq, const char *why)
{
        char subject[64], reason[32];
        int size = snprintf(subject, sizeof(subject), "%llu denied", (unsigned long long)n);

        snprintf(reason, sizeof(reason), "%u", seq);
        control_say_reason(c, nobody, "broker.dropped", (struct span){ subject, (size_t)size },
                           reason, why);
}

void control_format_dropped(struct client *c, uint64_t n, const char *reason,
                            struct buffer *ret_frame)
{
        char room[DROPPED_SIZE];
        struct header_spec spec = { .seq = c->seq++,
                                    .timestamp = c->broker->it.wall_ms,
                                    .src = attachment_text(c->broker->self),
                                    .dest = nobody };

        if (buffer_reserve(ret_frame, FRAME_HEADER_SIZE))
                ret_frame->n += FRAME_HEADER_SIZE;
        message_format(&spec, format_dropped(n, reason, room), DIALECT_RFC3259, ret_frame);
        if (!ret_frame->failed)
                frame_put_length(ret_frame->at, ret_frame->n - FRAME_HEADER_SIZE, false);
}

void control_renamed(struct client *c, const struct address *from, const struct address *to)
{
        struct buffer payload = BUFFER_INIT;

        buffer_add_text(&payload, "broker.renamed(");
        value_format_string(from->text, &payload);
        buffer_add_char(&payload, ' ');
        value_format_string(to->text, &payload);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                client_kill(c, "memory is short");
        else
                control_say(c, buffer_span(&payload));
        buffer_deinit(&payload);
}

/* ---- quit ---------------------------------------------------------------------------------- */

static void quit(struct broker *b, const char *who)
{
        log_info("%s sent mbus.quit: the broker ends", who);
        iteration_stop(&b->it, true);
}

static void on_quit(struct request *r)
{
        if (r->b->options.quit != QUIT_NEVER && client_is_owner(r->c)) {
                quit(r->b, "a client");
                return;
        }
        broker_count(r->b, COUNT_DENIED, r->c, "it may not end the broker (QUIT in [broker])");
        control_fail(r, MBUS_REASON_DENIED,
                     r->b->options.quit == QUIT_NEVER
                             ? "the broker ends for nobody who asks: that takes QUIT=owner in "
                               "[broker] of its configuration, and its own user or root"
                             : "the broker ends for its own user and for root only, whatever "
                               "[policy] says");
}

/* ---- what waits for nothing ----------------------------------------------------------------- */

/* All that the link sent before is done, and it has been told what was denied of it. */
static void on_sync(struct request *r)
{
        denial_tell(r->c);
}

/* ---- other commands of the bus -------------------------------------------------------------- */

static void on_ping(struct request *r)
{
        engine_answer_ping(r->b->engine, r->b->it.now, &r->h->dest);
}

/* Whoever waits, or lets others go on, may say so to everybody; the broker never waits. */
static void on_information(struct request *r)
{
        (void)r;
}

static void on_hello_or_bye(struct request *r)
{
        static const char why[] = "mbus.hello and mbus.bye are said by the broker";

        broker_count(r->b, COUNT_DENIED, r->c, "%s", why);
        if (r->h->reliable)
                control_fail(r, MBUS_REASON_DENIED, why);
        r->failed = true;
}

/* ---- dispatch ------------------------------------------------------------------------------ */

/* Who may give a command. */
enum speaker {
        SPEAKER_ANY,      /* SrcAddr may be () */
        SPEAKER_ATTACHED, /* an entity of the link */
        SPEAKER_NEW,      /* SrcAddr is what is asked for */
};

static const struct {
        const char *name;
        enum speaker speaker;
        void (*on_command)(struct request *r);
} commands[] = {
        { "broker.attach", SPEAKER_NEW, control_on_attach },
        { "broker.detach", SPEAKER_ATTACHED, control_on_detach },
        { "broker.watch", SPEAKER_ANY, control_on_watch },
        { "broker.observe", SPEAKER_ANY, control_on_observe },
        { "broker.unobserve", SPEAKER_ANY, control_on_unobserve },
        { "broker.nonce", SPEAKER_ANY, control_on_nonce },
        { "broker.same-bus", SPEAKER_ANY, control_on_same_bus },
        { "broker.retain", SPEAKER_ATTACHED, control_on_retain },
        { "broker.forget", SPEAKER_ATTACHED, control_on_forget },
        { "broker.status", SPEAKER_ANY, control_on_status },
        { "broker.stats", SPEAKER_ANY, control_on_stats },
        { "broker.buses", SPEAKER_ANY, control_on_buses },
        { "broker.clients", SPEAKER_ANY, control_on_clients },
        { "broker.entities", SPEAKER_ANY, control_on_entities },
        { "broker.drop", SPEAKER_ANY, control_on_drop },
        { "broker.sync", SPEAKER_ANY, on_sync },
        { "mbus.quit", SPEAKER_ANY, on_quit },
        { "mbus.ping", SPEAKER_ANY, on_ping },
        { "mbus.waiting", SPEAKER_ANY, on_information },
        { "mbus.go", SPEAKER_ANY, on_information },
        { "mbus.hello", SPEAKER_ANY, on_hello_or_bye },
        { "mbus.bye", SPEAKER_ANY, on_hello_or_bye },
};

bool control_is_for(const struct broker *b, const struct address *dest)
{
        if (dest->n == 1)
                return span_equal_text(address_get(dest, "app"), "mbus-broker");
        return dest->n > 0 && address_equal(dest, entity_address(b->self->entity));
}

static bool may_speak(const struct request *r, enum speaker speaker)
{
        return r->src || speaker == SPEAKER_NEW || (speaker == SPEAKER_ANY && r->h->src.n == 0);
}

static void deny(struct request *r)
{
        const struct span src = r->h->src.text;

        broker_count(r->b, COUNT_DENIED, r->c, "SrcAddr %.*s is not attached to it: %.*s",
                     shown_size(src), src.at, shown_size(r->command->text), r->command->text.at);
        if (r->h->reliable)
                control_fail(r, MBUS_REASON_DENIED, "SrcAddr is not attached to the link");
        r->failed = true;
}

/* There is no such command: whoever waits for it would wait in vain. */
static void on_unknown(struct request *r)
{
        struct span name = r->command->name;
        const char *near = NULL;
        char why[SHOWN_MAX + 64];

        for (size_t i = 0; i < sizeof(commands) / sizeof(*commands) && !near; i++)
                if (is_nearly(name, commands[i].name))
                        near = commands[i].name;
        snprintf(why, sizeof(why), "there is no command %.*s%s%s%s", shown_size(name), name.at,
                 near ? ", is " : "", near ? near : "", near ? " meant?" : "");
        broker_count(r->b, COUNT_UNKNOWN, r->c, "%s", why);
        if (r->h->reliable)
                control_fail(r, MBUS_REASON_MALFORMED, why);
        r->failed = true;
}

/* Does one command, or says why not. */
static void dispatch(struct request *r)
{
        for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
                if (!span_equal_text(r->command->name, commands[i].name))
                        continue;
                if (may_speak(r, commands[i].speaker))
                        commands[i].on_command(r);
                else
                        deny(r);
                return;
        }
        if (may_speak(r, SPEAKER_ANY))
                on_unknown(r);
        else
                deny(r);
}

/* Each command costs the bus or the broker something: those who give many wait for it. */
static void charge_commands(struct client *c, size_t n)
{
        struct broker *b = c->broker;
        uint64_t rate = b->quota.limits.of[LIMIT_COMMAND_RATE_PER_USER];
        uint64_t until;

        if (rate == LIMIT_OFF)
                return;
        until = bucket_spend(&c->user->commands, rate, COMMAND_BURST, n, b->it.now);
        if (until > b->it.now)
                client_log_limit(c, LIMIT_COMMAND_RATE_PER_USER, "its links are read more slowly");
        if (until > c->user->paused_until)
                c->user->paused_until = until;
}

void control_run(struct request *r, size_t *at)
{
        for (; *at < r->payload->n && !r->c->dead && !r->failed; ++*at) {
                r->command = r->payload->commands + *at;
                dispatch(r);
                if (r->list)
                        return;
        }
}

void control_end(struct request *r)
{
        if (r->h->reliable && !r->answered)
                control_acknowledge(r->b, r->c, attachment_text(r->b->self), r->h->src.text,
                                    &r->h->seq, 1);
}

void control_message(struct broker *b, struct client *c, const struct header *h,
                     struct attachment *src, struct span text)
{
        struct payload payload = PAYLOAD_INIT;
        struct request r = { .b = b,
                             .c = c,
                             .h = h,
                             .src = src,
                             .text = { text.at - h->payload, text.n + h->payload },
                             .payload = &payload };
        size_t at = 0;

        if (payload_parse(&payload, text, NULL)) {
                broker_count(b, COUNT_MALFORMED, c, "a message for the broker is malformed");
                control_undelivered(b, c, h->src.text, h->seq, MBUS_REASON_MALFORMED,
                                    "the commands are malformed");
                return;
        }
        charge_commands(c, payload.n);
        control_run(&r, &at);
        payload_deinit(&payload);
        if (r.list) {
                lists_add(&r, at);
                lists_go_on(c);
        } else {
                control_end(&r);
        }
}

/* Whether a command from the bus is done, or none that somebody waits for. */
static bool from_bus(struct broker *b, const struct message *m, struct span command)
{
        const struct span src = m->header.src.text;

        if (span_begins(command, "broker.")) {
                broker_count(
                        b, COUNT_UNKNOWN, NULL,
                        "%.*s from %.*s is not done: the broker takes no commands from the bus",
                        shown_size(command), command.at, shown_size(src), src.at);
                return false;
        }
        if (!span_equal_text(command, "mbus.quit"))
                return true;
        if (b->options.quit == QUIT_BUS && control_is_for(b, &m->header.dest)) {
                quit(b, "an entity of the bus");
                return true;
        }
        broker_count(b, COUNT_DENIED, NULL,
                     "mbus.quit from the bus does not end the broker (QUIT in [broker])");
        return false;
}

void control_from_bus(struct broker *b, const struct message *m)
{
        const struct header *h = &m->header;
        bool done = true;

        for (size_t i = 0; i < m->payload.n && done; i++)
                done = from_bus(b, m, m->payload.commands[i].name);
        if (h->reliable && done)
                engine_acknowledge(b->engine, b->it.now, b->self->entity, &h->src, h->seq);
        else if (h->reliable)
                engine_refuse(b->engine, b->self->entity, &h->src, h->seq);
}
