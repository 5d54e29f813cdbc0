/*
 * list.c - mbus-cli list: who is on the bus.
 *
 * A broker knows and is asked without joining anything. Over the network the entities are asked to
 * announce themselves (RFC 3259, 9.3), which they do within a second, and those that do are listed.
 */
#include <inttypes.h>
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

/* Answers are spread over one second, and take a moment. */
#define WAIT_DEFAULT (1300 * DURATION_MS)
/* What a broker has to answer in. */
#define WAIT_BROKER (5 * DURATION_S)

struct list {
        const struct options *options;
        const char *address;
        struct session session;
        struct mbus_entity *entity;
};

struct row {
        const char *address;
        uint64_t age;
};

static int compare_rows(const void *a, const void *b)
{
        return strcmp(((const struct row *)a)->address, ((const struct row *)b)->address);
}

/* An entity without an id comes from a program older than RFC 3259, 4.1. */
static bool is_legacy(const char *address)
{
        size_t tag, tag_n, value, value_n;

        for (size_t i = 0; mbus_address_get_element(address, i, &tag, &tag_n, &value, &value_n);
             i++)
                if (tag_n == 2 && memcmp(address + tag, "id", 2) == 0)
                        return false;
        return true;
}

static void print_json(const struct row *row)
{
        fputs("{\"addr\":", stdout);
        json_print_address(stdout, row->address);
        fputs(",\"text\":", stdout);
        json_print_string(stdout, row->address, strlen(row->address));
        fprintf(stdout, ",\"age\":%" PRIu64 ".%03" PRIu64, row->age / DURATION_S,
                row->age % DURATION_S / DURATION_MS);
        fprintf(stdout, ",\"flags\":[%s]}\n", is_legacy(row->address) ? "\"legacy\"" : "");
}

/* For a person: columns under a heading. */
static void print_table(const struct row *rows, size_t n, const struct list *list)
{
        char age[DURATION_SIZE];
        size_t width = strlen("ADDRESS");

        for (size_t i = 0; i < n; i++)
                if (text_width(rows[i].address, strlen(rows[i].address)) > width)
                        width = text_width(rows[i].address, strlen(rows[i].address));
        printf("%-*s  %5s  FLAGS\n", (int)width, "ADDRESS", "AGE");
        for (size_t i = 0; i < n; i++) {
                const char *address = rows[i].address;

                text_print(stdout, address);
                printf("%*s  %5s  %s\n", (int)(width - text_width(address, strlen(address))), "",
                       duration_format(rows[i].age, age), is_legacy(address) ? "legacy" : "");
        }
        printf("%zu %s, ", n, n == 1 ? "entity" : "entities");
        text_print(stdout, mbus_bus_get_url(list->session.bus));
        putchar('\n');
}

/* For a program: the same columns, a tab between them, an empty one as "-". */
static void print_columns(const struct row *row)
{
        char age[DURATION_SIZE];

        text_print(stdout, row->address);
        printf("\t%s\t%s\n", duration_format(row->age, age),
               is_legacy(row->address) ? "legacy" : "-");
}

static void print_rows(const struct list *list, const struct row *rows, size_t n)
{
        bool json = options_has(list->options, OPTION_JSON);

        if (!json && isatty(STDOUT_FILENO)) {
                print_table(rows, n, list);
                return;
        }
        for (size_t i = 0; i < n; i++) {
                if (json)
                        print_json(&rows[i]);
                else
                        print_columns(&rows[i]);
        }
}

/* On standard error, so that programs read nothing but entities. */
static void print_where(const struct list *list)
{
        const char *interface = mbus_bus_get_interface(list->session.bus);

        fprintf(stderr, "%s, interface %s\n", mbus_bus_get_url(list->session.bus),
                interface ? interface : "unknown");
}

static int print_peers(struct list *list)
{
        struct mbus_peers *peers;
        struct row *rows;
        size_t n;
        int r = mbus_peers_new(list->session.bus, list->address, &peers);

        if (r)
                return session_error("cannot list", r);
        n = mbus_peers_get_n(peers);
        rows = calloc(n + 1, sizeof(*rows));
        for (size_t i = 0; rows && i < n; i++)
                rows[i] = (struct row){ mbus_peers_get_address(peers, i),
                                        mbus_peers_get_age(peers, i) };
        if (options_has(list->options, OPTION_VERBOSE))
                print_where(list);
        if (rows) {
                qsort(rows, n, sizeof(*rows), compare_rows);
                print_rows(list, rows, n);
        }
        free(rows);
        mbus_peers_free(peers);
        if (!rows)
                return EXITS_FAILED;
        if (n == 0 && session_is_mute(&list->session))
                return EXITS_NO_BUS;
        if (n || !list->options->n_args)
                return EXITS_OK;
        text_error("no entity matches %s", list->address);
        return EXITS_UNKNOWN;
}

static int on_event(void *data, const struct mbus_event *event)
{
        struct list *list = data;
        int r;

        switch (event->type) {
        case MBUS_EVENT_READY:
                r = mbus_entity_ping(list->entity, list->address);
                return r ? session_error("cannot ping", r) : LOOP_ON;
        case MBUS_EVENT_WATCHING:
                return list->session.brokered ? print_peers(list) : LOOP_ON;
        case MBUS_EVENT_REFUSED:
        case MBUS_EVENT_UNWATCHED:
                return session_refused("cannot list", event);
        case MBUS_EVENT_LINK_DOWN:
                text_error("the broker went away");
                return EXITS_NO_BUS;
        default:
                return LOOP_ON;
        }
}

static int on_deadline(void *data)
{
        struct list *list = data;

        if (!list->session.brokered)
                return print_peers(list);
        text_error("%s does not answer", mbus_bus_get_url(list->session.bus));
        return EXITS_NO_BUS;
}

static int ask(struct list *list)
{
        struct mbus_bus *bus = list->session.bus;
        uint64_t wait = list->session.brokered ? WAIT_BROKER : WAIT_DEFAULT;
        struct loop loop = {
                .bus = bus, .data = list, .on_event = on_event, .on_deadline = on_deadline
        };
        int r = mbus_bus_watch(bus, list->address);

        loop.deadline = loop_after(options_wait(list->options, wait));
        if (r == 0 && !list->session.brokered)
                r = mbus_bus_add_entity(bus, SESSION_ADDRESS, &list->entity);
        return r ? session_error("cannot list", r) : loop_run(&loop);
}

static int run(const struct options *options)
{
        struct list list = { .options = options,
                             .address = options->n_args ? options->args[0] : "()" };
        int status = session_check_address("ADDR", list.address, false);

        if (!status)
                status = session_open(options, &list.session);
        if (status)
                return status;
        list.session.asks = true;
        status = ask(&list);
        session_close(&list.session);
        return status;
}

const struct verb verb_list = {
        .name = "list",
        .usage = "[-W SECS] [-j] [-v] [ADDR]",
        .summary = "lists the entities on the bus, or those that ADDR matches",
        .notes = "Columns are address, age (how long it has been known here) and flags\n"
                 "(legacy: an address without an id). A broker answers at once; without one\n"
                 "the entities are asked, and have -W (1.3 s) to answer. Exit 3 if ADDR\n"
                 "matches none, 7 if the broker does not allow it, 9 if this host lets nothing\n"
                 "out. -v tells on standard error where the bus is, and on which interface.\n",
        .options = OPTIONS_BUS | OPTION_BIT(OPTION_WAIT) | OPTION_BIT(OPTION_JSON) |
                   OPTION_BIT(OPTION_VERBOSE),
        .args_max = 1,
        .run = run,
        .needs = "a line of [policy] for this user with watch=yes",
};
