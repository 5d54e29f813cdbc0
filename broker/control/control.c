/*
 * control.c - messages for the broker, from sessions and from the bus main.
 */
#include "control.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "commands.h"

static struct control *control_of(struct broker_commands *commands)
{
        return container_of(commands, struct control, commands);
}

/* ---- from sessions ------------------------------------------------------------------------- */

/* Each command costs the bus or the broker something: those who give many wait for it. */
static void charge_commands(struct control *control, struct session *s, size_t n)
{
        uint64_t rate = control->quota->limits.of[LIMIT_COMMAND_RATE_PER_USER];
        uint64_t until;

        if (rate == LIMIT_OFF)
                return;
        until = bucket_spend(&s->link.user->commands, rate, COMMAND_BURST, n, control->it->now);
        if (until > control->it->now)
                connection_log_limit(&s->link, LIMIT_COMMAND_RATE_PER_USER,
                                     "its links are read more slowly");
        if (until > s->link.user->paused_until)
                s->link.user->paused_until = until;
}

static void on_message(struct broker_commands *commands, struct session *s, const struct header *h,
                       struct local_entity *src, struct span text)
{
        struct payload payload = PAYLOAD_INIT;
        struct request request = { .control = control_of(commands),
                                   .s = s,
                                   .h = h,
                                   .src = src,
                                   .text = { text.at - h->payload, text.n + h->payload },
                                   .payload = &payload };
        size_t at = 0;

        assert(!src || src->session == s);
        if (payload_parse(&payload, text, NULL)) {
                connection_count(&s->link, DROP_MALFORMED, "a message for the broker is malformed");
                reply_undelivered(s, h->src.text, h->seq, MBUS_REASON_MALFORMED,
                                  "the commands are malformed");
                return;
        }
        charge_commands(request.control, s, payload.n);
        control_run(&request, &at);
        payload_deinit(&payload);
        if (request.list) {
                lists_add(&request, at);
                lists_go_on(s);
        } else {
                request_end(&request);
        }
}

/* ---- from the bus -------------------------------------------------------------------------- */

/* Whether a command from the bus is done, or none that somebody waits for. */
static bool from_bus(struct control *control, const struct message *m, struct span command)
{
        const struct span src = m->header.src.text;

        if (span_begins(command, "broker.")) {
                quota_count(control->quota, DROP_UNKNOWN, control->it->now,
                            "%.*s from %.*s is not done: the broker takes no commands from the bus",
                            excerpt_size(command), command.at, excerpt_size(src), src.at);
                return false;
        }
        if (!span_equal_text(command, "mbus.quit"))
                return true;
        if (control->settings->options.quit == QUIT_BUS &&
            sessions_is_self(control->sessions, &m->header.dest)) {
                control_quit(control, "an entity of the bus");
                return true;
        }
        quota_count(control->quota, DROP_DENIED, control->it->now,
                    "mbus.quit from the bus does not end the broker (QUIT in [broker])");
        return false;
}

static void on_bus_message(struct broker_commands *commands, const struct message *m)
{
        struct control *control = control_of(commands);
        struct engine *engine = control->routing->engine;
        struct entity *self = control->sessions->self->entity;
        const struct header *h = &m->header;
        bool done = true;

        for (size_t i = 0; i < m->payload.n && done; i++)
                done = from_bus(control, m, m->payload.commands[i].name);
        if (h->reliable && done)
                engine_acknowledge(engine, control->it->now, self, &h->src, h->seq);
        else if (h->reliable)
                engine_refuse(engine, self, &h->src, h->seq);
}

/* ---- the broker begins --------------------------------------------------------------------- */

static int control_on_begin(struct session_listener *l, struct session *s)
{
        assert(!s->control);
        s->control = malloc(sizeof(*s->control));
        if (!s->control)
                return -ENOMEM;
        *s->control = (struct session_control){ .all = container_of(l, struct control, listener),
                                                .session = s };
        return 0;
}

static void control_on_end(struct session_listener *l, struct session *s)
{
        (void)l;
        lists_forget(s);
        assert(s->control->lists_bytes == 0);
        free(s->control);
        s->control = NULL;
}

#define POINTER(name) &name##_commands,
static const struct command_table *const tables[] = { COMMANDS(POINTER) };

void control_init(struct control *control, struct bridges *bridges, const struct settings *settings,
                  const struct socket_file *socket)
{
        struct routing *routing = bridges->routing;

        *control = (struct control){
                .listener = { .on_begin = control_on_begin, .on_end = control_on_end },
                .commands = { .on_message = on_message, .on_bus_message = on_bus_message },
                .bridges = bridges,
                .routing = routing,
                .sessions = routing->sessions,
                .buses = routing->buses,
                .it = routing->it,
                .quota = routing->quota,
                .settings = settings,
                .socket = socket
        };
        for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
                control_add(control, tables[i]);
        routing->commands = &control->commands;
        sessions_listen(control->sessions, &control->listener);
        control->sessions->owner.on_room = lists_on_room;
}

uint64_t control_deadline(const struct control *control)
{
        return list_is_empty(&control->listing) ? TIME_NEVER : control->it->now;
}
