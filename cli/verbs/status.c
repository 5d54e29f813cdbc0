/*
 * status.c - mbus-cli status: how the broker is doing.
 *
 * It asks as any entity could: a reliable message to (app:mbus-broker) with the questions, whose
 * answers come before the acknowledgement (spec/attach.md, "The owner").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cli/options/verb.h>
#include <cli/run/exits.h>
#include <cli/run/loop.h>
#include <cli/run/session.h>
#include <cli/text/duration.h>
#include <cli/text/json.h>
#include <cli/text/text.h>

#define BROKER "(app:mbus-broker)"
#define WAIT_DEFAULT (5 * DURATION_S)

/* The questions. The answers to the last three are lists of what the others are one of. */
static const char *const questions[] = { "broker.status", "broker.stats", "broker.buses",
                                         "broker.clients", "broker.entities" };

enum {
        STATUS,
        STATS,
        BUSES,
        CLIENTS,
        ENTITIES,
        QUESTIONS,
};

/* A part of an answer. */
struct part {
        struct mbus_message *message;
        const struct mbus_value *args;
        int question;
};

struct status {
        const struct options *options;
        struct session session;
        struct mbus_entity *entity;
        struct part *parts;
        size_t n_parts;
};

/* ---- printing ------------------------------------------------------------------------------ */

/* The item of an answer behind @item; NULL: the first one, which the mark of more parts precedes. */
static const struct mbus_value *next_item(const struct part *part, const struct mbus_value *item)
{
        if (item)
                return mbus_value_next(part->args, item);
        item = mbus_value_first(part->args);
        return item ? mbus_value_next(part->args, item) : NULL;
}

/* The value of a pair; *@ret_name is its name. NULL if it is no pair. */
static const struct mbus_value *pair(const struct mbus_value *item, const char **ret_name)
{
        const struct mbus_value *name = mbus_value_first(item);
        const char *text = name ? mbus_value_get_text(name, NULL) : NULL;

        if (!text)
                return NULL;
        *ret_name = text;
        return mbus_value_next(item, name);
}

static void json_pair(const struct mbus_value *item, bool *first)
{
        const char *name;
        const struct mbus_value *value = pair(item, &name);

        if (!value)
                return;
        if (!*first)
                putchar(',');
        *first = false;
        json_print_string(stdout, name, strlen(name));
        putchar(':');
        json_print_value(stdout, value);
}

static void json_object(const struct mbus_value *item, bool *first)
{
        bool first_pair = true;

        fputs(*first ? "{" : ",{", stdout);
        *first = false;
        for (const struct mbus_value *v = mbus_value_first(item); v; v = mbus_value_next(item, v))
                json_pair(v, &first_pair);
        putchar('}');
}

static void print_json(const struct status *s)
{
        for (int q = 0; q < QUESTIONS; q++) {
                bool is_list = q >= BUSES, first = true;

                printf("%s\"%s\":%c", q ? "," : "{", strchr(questions[q], '.') + 1,
                       is_list ? '[' : '{');
                for (size_t i = 0; i < s->n_parts; i++) {
                        const struct part *part = &s->parts[i];
                        const struct mbus_value *item = NULL;

                        while (part->question == q && (item = next_item(part, item))) {
                                if (is_list)
                                        json_object(item, &first);
                                else
                                        json_pair(item, &first);
                        }
                }
                putchar(is_list ? ']' : '}');
        }
        fputs("}\n", stdout);
}

static void print_one(const struct mbus_value *value)
{
        size_t n;
        const char *text = mbus_value_get_text(value, &n);

        if (!text)
                text = mbus_value_get_raw(value, &n);
        text_print_visible(stdout, text, n);
}

/* The items of a list with "; " between them, "-" if there are none. */
static void print_value(const struct mbus_value *value)
{
        const struct mbus_value *item = mbus_value_first(value);

        if (mbus_value_get_type(value) != MBUS_VALUE_LIST) {
                print_one(value);
                return;
        }
        if (!item)
                putchar('-');
        for (bool first = true; item; item = mbus_value_next(value, item), first = false) {
                fputs(first ? "" : "; ", stdout);
                print_one(item);
        }
}

/* The names of the figures, with a few columns to spare. */
#define NAME_WIDTH 28

/* A name, and a value in a column of its own. */
static void print_pair(const struct mbus_value *item, bool is_stats)
{
        const char *name;
        const struct mbus_value *value = pair(item, &name);
        int64_t number;
        size_t width;

        if (!value || (is_stats && mbus_value_get_integer(value, &number) == 0 && number == 0))
                return;
        text_print(stdout, name);
        width = text_width(name, strlen(name));
        if (isatty(STDOUT_FILENO))
                printf("%*s ", width < NAME_WIDTH ? NAME_WIDTH - (int)width : 0, "");
        else
                putchar('\t');
        print_value(value);
        putchar('\n');
}

/* A bus or a client on a line: which one, and what else is known of it. */
static void print_line(const struct mbus_value *item)
{
        const char *name, *separator = isatty(STDOUT_FILENO) ? "  " : "\t";
        bool first = true;

        for (const struct mbus_value *v = mbus_value_first(item); v; v = mbus_value_next(item, v)) {
                const struct mbus_value *value = pair(v, &name);

                if (!value)
                        continue;
                fputs(first ? "" : separator, stdout);
                text_print(stdout, name);
                putchar(' ');
                print_value(value);
                first = false;
        }
        putchar('\n');
}

static void print_text(const struct status *s)
{
        for (int q = 0; q < ENTITIES; q++) {
                for (size_t i = 0; i < s->n_parts; i++) {
                        const struct part *part = &s->parts[i];
                        const struct mbus_value *item = NULL;

                        while (part->question == q && (item = next_item(part, item))) {
                                if (q == CLIENTS || q == BUSES)
                                        print_line(item);
                                else
                                        print_pair(item, q == STATS);
                        }
                }
        }
}

/* ---- asking -------------------------------------------------------------------------------- */

static int ask(struct status *s)
{
        struct mbus_commands *commands;
        uint64_t ticket;
        int r = mbus_commands_new(&commands);

        if (r)
                return session_error("cannot ask", r);
        for (int q = 0; q < QUESTIONS; q++) {
                mbus_commands_begin(commands, questions[q]);
                mbus_commands_end(commands);
        }
        r = mbus_entity_send_reliable(s->entity, BROKER, commands, &ticket);
        mbus_commands_free(commands);
        return r ? session_error("cannot ask", r) : LOOP_ON;
}

static int keep(struct status *s, const struct mbus_message *message, size_t command, int question)
{
        struct part *parts = realloc(s->parts, (s->n_parts + 1) * sizeof(*parts));

        if (!parts)
                return EXITS_FAILED;
        s->parts = parts;
        s->parts[s->n_parts++] = (struct part){ .message = mbus_message_ref(message),
                                                .args = mbus_message_get_args(message, command),
                                                .question = question };
        return LOOP_ON;
}

static int on_message(struct status *s, const struct mbus_message *message)
{
        const char *name;
        int status = LOOP_ON;

        if (!mbus_address_matches(BROKER, mbus_message_get_source(message)))
                return LOOP_ON;
        for (size_t i = 0; (name = mbus_message_get_command(message, i)); i++)
                for (int q = 0; q < QUESTIONS && status == LOOP_ON; q++)
                        if (strcmp(name, questions[q]) == 0)
                                status = keep(s, message, i, q);
        return status;
}

static int on_event(void *data, const struct mbus_event *event)
{
        struct status *s = data;

        switch (event->type) {
        case MBUS_EVENT_READY:
                return ask(s);
        case MBUS_EVENT_MESSAGE:
                return on_message(s, event->message);
        case MBUS_EVENT_DELIVERED:
                if (options_has(s->options, OPTION_JSON))
                        print_json(s);
                else
                        print_text(s);
                return EXITS_OK;
        case MBUS_EVENT_REFUSED:
                /* The owner may attach what he likes: this is somebody else. */
                if (event->reason == MBUS_REASON_DENIED) {
                        text_error("the broker does not tell: denied: only its own user and root "
                                   "may ask, whatever [policy] says");
                        return EXITS_DENIED;
                }
                return session_refused("the broker does not tell", event);
        case MBUS_EVENT_FAILED:
                return session_refused("the broker does not tell", event);
        case MBUS_EVENT_LINK_DOWN:
                text_error("the broker went away");
                return EXITS_NO_BUS;
        default:
                return LOOP_ON;
        }
}

static int on_deadline(void *data)
{
        const struct status *s = data;

        text_error("%s does not answer", mbus_bus_get_url(s->session.bus));
        return EXITS_NO_BUS;
}

static int join_and_ask(struct status *s)
{
        struct loop loop = {
                .bus = s->session.bus, .data = s, .on_event = on_event, .on_deadline = on_deadline
        };
        int r = mbus_bus_add_entity(s->session.bus, SESSION_ADDRESS, &s->entity);

        loop.deadline = loop_after(options_wait(s->options, WAIT_DEFAULT));
        return r ? session_error("cannot ask", r) : loop_run(&loop);
}

/* There is nothing to ask where there is no broker, so the network is not tried. */
static int run(const struct options *options)
{
        struct options brokered = *options;
        struct status s = { .options = options };
        int status;

        if (!options->arg_bus || strcmp(options->arg_bus, "auto:") == 0)
                brokered.arg_bus = "unix:";
        if (strncmp(brokered.arg_bus, "unix:", 5) != 0 &&
            strncmp(brokered.arg_bus, "tcp:", 4) != 0) {
                text_error("there is no broker at %s", brokered.arg_bus);
                return EXITS_NO_BUS;
        }
        status = session_open(&brokered, &s.session);
        if (status)
                return status;
        status = join_and_ask(&s);
        for (size_t i = 0; i < s.n_parts; i++)
                mbus_message_unref(s.parts[i].message);
        free(s.parts);
        session_close(&s.session);
        return status;
}

const struct verb verb_status = {
        .name = "status",
        .usage = "[-W SECS] [-j]",
        .summary = "shows how the broker is doing",
        .notes = "A line tells a name and a value: what the broker is, then those of its figures\n"
                 "that are not 0, then a line for each bus and one for each client. JSON is one\n"
                 "object with status, stats, buses, clients and entities. Only the broker's\n"
                 "owner and root may ask (7).\n"
                 "Exit 9 if there is no broker, or none that answers within -W (5 s).\n",
        .options = OPTIONS_BUS | OPTION_BIT(OPTION_WAIT) | OPTION_BIT(OPTION_JSON),
        .run = run,
        .needs = "to be the broker's own user or root",
};
