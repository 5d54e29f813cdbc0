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

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/request.h>
#include <cli/text/duration.h>
#include <cli/text/json.h>
#include <cli/text/text.h>

#include "verbs.h"

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

/* A part of an answer. Its arguments are inside of its message, of which it holds a reference. */
struct part {
        struct mbus_message *message;
        const struct mbus_value *args;
        int question; /* which one it answers, an index of questions */
};

struct status {
        struct request request;
        struct part *parts;
        size_t n_parts;
};

/* ---- printing ------------------------------------------------------------------------------ */

/* The item of an answer behind @item; NULL: the first, which the mark of more parts precedes. */
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

static void status_json_pair(const struct mbus_value *item, bool *first)
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

static void status_json_object(const struct mbus_value *item, bool *first)
{
        bool first_pair = true;

        fputs(*first ? "{" : ",{", stdout);
        *first = false;
        for (const struct mbus_value *v = mbus_value_first(item); v; v = mbus_value_next(item, v))
                status_json_pair(v, &first_pair);
        putchar('}');
}

static void status_print_json(const struct status *s)
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
                                        status_json_object(item, &first);
                                else
                                        status_json_pair(item, &first);
                        }
                }
                putchar(is_list ? ']' : '}');
        }
        fputs("}\n", stdout);
}

static void status_print_one(const struct mbus_value *value)
{
        size_t n;
        const char *text = mbus_value_get_text(value, &n);

        if (!text)
                text = mbus_value_get_raw(value, &n);
        text_print_visible(stdout, text, n);
}

/* The items of a list with "; " between them, "-" if there are none. */
static void status_print_value(const struct mbus_value *value)
{
        const struct mbus_value *item = mbus_value_first(value);

        if (mbus_value_get_type(value) != MBUS_VALUE_LIST) {
                status_print_one(value);
                return;
        }
        if (!item)
                putchar('-');
        for (bool first = true; item; item = mbus_value_next(value, item), first = false) {
                fputs(first ? "" : "; ", stdout);
                status_print_one(item);
        }
}

/* The names of the figures, with a few columns to spare. */
#define NAME_WIDTH 28

/* A name, and a value in a column of its own. */
static void status_print_pair(const struct mbus_value *item, bool is_stats)
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
        status_print_value(value);
        putchar('\n');
}

/* A bus or a client on a line: which one, and what else is known of it. */
static void status_print_line(const struct mbus_value *item)
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
                status_print_value(value);
                first = false;
        }
        putchar('\n');
}

static void status_print_text(const struct status *s)
{
        for (int q = 0; q < ENTITIES; q++) {
                for (size_t i = 0; i < s->n_parts; i++) {
                        const struct part *part = &s->parts[i];
                        const struct mbus_value *item = NULL;

                        while (part->question == q && (item = next_item(part, item))) {
                                if (q == CLIENTS || q == BUSES)
                                        status_print_line(item);
                                else
                                        status_print_pair(item, q == STATS);
                        }
                }
        }
}

/* ---- asking -------------------------------------------------------------------------------- */

static int status_ask(struct status *s)
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
        r = mbus_entity_send_reliable(s->request.entity, BROKER, commands, &ticket);
        mbus_commands_free(commands);
        return r ? session_error("cannot ask", r) : LOOP_ON;
}

static int keep_part(struct status *s, const struct mbus_message *message, size_t command,
                     int question)
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

static int status_on_message(struct status *s, const struct mbus_message *message)
{
        const char *name;
        int status = LOOP_ON;

        if (!mbus_address_matches(BROKER, mbus_message_get_source(message)))
                return LOOP_ON;
        for (size_t i = 0; (name = mbus_message_get_command(message, i)); i++)
                for (int q = 0; q < QUESTIONS && status == LOOP_ON; q++)
                        if (strcmp(name, questions[q]) == 0)
                                status = keep_part(s, message, i, q);
        return status;
}

static int status_on_event(void *data, const struct mbus_event *event)
{
        struct status *s = data;

        switch (event->type) {
        case MBUS_EVENT_READY:
                return status_ask(s);
        case MBUS_EVENT_MESSAGE:
                return status_on_message(s, event->message);
        case MBUS_EVENT_DELIVERED:
                if (options_has(s->request.options, &option_json))
                        status_print_json(s);
                else
                        status_print_text(s);
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
        default:
                return request_on_event(event);
        }
}

static int status_on_deadline(void *data)
{
        const struct status *s = data;

        return request_unanswered(&s->request);
}

/* There is nothing to ask where there is no broker, so the network is not tried. */
static int open_broker(struct status *s, const struct options *options)
{
        const char *bus = options_text(options, &option_bus);
        struct options brokered = *options;

        if (!bus || strcmp(bus, "auto:") == 0)
                bus = "unix:";
        if (strncmp(bus, "unix:", 5) != 0 && strncmp(bus, "tcp:", 4) != 0) {
                text_error("there is no broker at %s", bus);
                return EXITS_NO_BUS;
        }
        options_set(&brokered, &option_bus, (union option_value){ .text = bus });
        return request_open(&s->request, &brokered);
}

static int status_run(const struct options *options)
{
        struct status s = { .n_parts = 0 };
        int status, r;

        request_init(&s.request, options, &s, status_on_event, status_on_deadline);
        status = open_broker(&s, options);
        if (status)
                return status;
        r = request_join(&s.request, SESSION_ADDRESS);
        status = r ? session_error("cannot ask", r) : request_run(&s.request, WAIT_DEFAULT);
        for (size_t i = 0; i < s.n_parts; i++)
                mbus_message_unref(s.parts[i].message);
        free(s.parts);
        session_close(&s.request.session);
        return status;
}

static const struct option_info *const options[] = { &option_wait, &option_json, OPTIONS_COMMON };

const struct verb verb_status = {
        .name = "status",
        .usage = "[-W SECS] [-j]",
        .summary = "shows how the broker is doing",
        .notes = "A line tells a name and a value: what the broker is, then those of its figures\n"
                 "that are not 0, then a line for each bus and one for each client. JSON is one\n"
                 "object with status, stats, buses, clients and entities. Only the broker's\n"
                 "owner and root may ask (7).\n"
                 "Exit 9 if there is no broker, or none that answers within -W (5 s).\n",
        .options = options,
        .run = status_run,
        .needs = "to be the broker's own user or root",
};
