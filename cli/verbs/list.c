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

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/request.h>
#include <cli/text/duration.h>
#include <cli/text/json.h>
#include <cli/text/text.h>

#include "verbs.h"

/* Answers are spread over one second, and take a moment. */
#define WAIT_DEFAULT (1300 * DURATION_MS)
/* What a broker has to answer in. */
#define WAIT_BROKER (5 * DURATION_S)

static const struct option_info verbose = { 'v', "verbose", NULL, "tell more", NULL };

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

static void list_print_json(const struct row *row)
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
static void print_table(const struct row *rows, size_t n, const struct request *request)
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
        text_print(stdout, mbus_bus_get_url(request->session.bus));
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

static void print_rows(const struct request *request, const struct row *rows, size_t n)
{
        bool json = options_has(request->options, &option_json);

        if (!json && isatty(STDOUT_FILENO)) {
                print_table(rows, n, request);
                return;
        }
        for (size_t i = 0; i < n; i++) {
                if (json)
                        list_print_json(&rows[i]);
                else
                        print_columns(&rows[i]);
        }
}

/* On standard error, so that programs read nothing but entities. */
static void print_where(const struct request *request)
{
        const char *interface = mbus_bus_get_interface(request->session.bus);

        fprintf(stderr, "%s, interface %s\n", mbus_bus_get_url(request->session.bus),
                interface ? interface : "unknown");
}

static int print_peers(struct request *request)
{
        struct mbus_peers *peers;
        struct row *rows;
        size_t n;
        int r = mbus_peers_new(request->session.bus, request->address, &peers);

        if (r)
                return session_error("cannot list", r);
        n = mbus_peers_get_n(peers);
        rows = calloc(n + 1, sizeof(*rows));
        for (size_t i = 0; rows && i < n; i++)
                rows[i] = (struct row){ mbus_peers_get_address(peers, i),
                                        mbus_peers_get_age(peers, i) };
        if (options_has(request->options, &verbose))
                print_where(request);
        if (rows) {
                qsort(rows, n, sizeof(*rows), compare_rows);
                print_rows(request, rows, n);
        }
        free(rows);
        mbus_peers_free(peers);
        if (!rows)
                return EXITS_FAILED;
        if (n == 0 && session_is_mute(&request->session))
                return EXITS_NO_BUS;
        if (n || !request->options->n_args)
                return EXITS_OK;
        text_error("no entity matches %s", request->address);
        return EXITS_UNKNOWN;
}

static int list_on_event(void *data, const struct mbus_event *event)
{
        struct request *request = data;
        int r;

        switch (event->type) {
        case MBUS_EVENT_READY:
                r = mbus_entity_ping(request->entity, request->address);
                return r ? session_error("cannot ping", r) : LOOP_ON;
        case MBUS_EVENT_WATCHING:
                return request->session.brokered ? print_peers(request) : LOOP_ON;
        case MBUS_EVENT_REFUSED:
        case MBUS_EVENT_UNWATCHED:
                return session_refused("cannot list", event);
        default:
                return request_on_event(event);
        }
}

static int list_on_deadline(void *data)
{
        struct request *request = data;

        return request->session.brokered ? request_unanswered(request) : print_peers(request);
}

static int list_ask(struct request *request)
{
        bool brokered = request->session.brokered;
        int r = mbus_bus_watch(request->session.bus, request->address);

        if (r == 0 && !brokered)
                r = request_join(request, SESSION_ADDRESS);
        return r ? session_error("cannot list", r)
                 : request_run(request, brokered ? WAIT_BROKER : WAIT_DEFAULT);
}

static int list_run(const struct options *options)
{
        struct request request;
        int status;

        request_init(&request, options, &request, list_on_event, list_on_deadline);
        status = request_open(&request, options);
        if (status)
                return status;
        request.session.asks = true;
        status = list_ask(&request);
        session_close(&request.session);
        return status;
}

static const struct option_info *const options[] = { &option_wait, &verbose, &option_json,
                                                     OPTIONS_COMMON };

const struct verb verb_list = {
        .name = "list",
        .usage = "[-W SECS] [-j] [-v] [ADDR]",
        .summary = "lists the entities on the bus, or those that ADDR matches",
        .notes = "Columns are address, age (how long it has been known here) and flags\n"
                 "(legacy: an address without an id). A broker answers at once; without one\n"
                 "the entities are asked, and have -W (1.3 s) to answer. Exit 3 if ADDR\n"
                 "matches none, 7 if the broker does not allow it, 9 if this host lets nothing\n"
                 "out. -v tells on standard error where the bus is, and on which interface.\n",
        .options = options,
        .args_max = 1,
        .run = list_run,
        .needs = "a line of [policy] for this user with watch=yes",
};
