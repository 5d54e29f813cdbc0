/*
 * quit.c - mbus-cli quit: asks a program to end (RFC 3259, 9.4).
 *
 * Who would be asked is found out first, as list does it, and said to the person at the terminal.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/request.h>
#include <cli/run/told.h>
#include <cli/text/duration.h>
#include <cli/text/text.h>

#include "verbs.h"

/* Answers are spread over one second, and take a moment. */
#define WAIT_ANSWERS (1300 * DURATION_MS)
/* What a broker has to answer in; and for tickets, which end by themselves, if it hangs. */
#define WAIT_BROKER (5 * DURATION_S)
#define WAIT_TICKETS (10 * DURATION_S)

static const struct option_info yes = { 0, "yes", NULL, "do not ask, and take several", NULL };

struct quit {
        struct request request; /* of ADDR */
        struct told told;
};

/* Whether the person at the terminal agrees. */
static bool agrees(const char *address)
{
        char line[16] = "";

        fputs("ask ", stderr);
        text_print(stderr, address);
        fputs(" to end? [y/N] ", stderr);
        fflush(stderr);
        return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int quit_tell(struct quit *quit, const struct mbus_peers *peers)
{
        int status = LOOP_ON;

        for (size_t i = 0; i < mbus_peers_get_n(peers) && status == LOOP_ON; i++) {
                const char *address = mbus_peers_get_address(peers, i);
                uint64_t ticket;
                int r = mbus_entity_quit(quit->request.entity, address, &ticket);

                status = r ? session_failed(&quit->request.session, address, r)
                           : told_add(&quit->told, address, ticket);
        }
        quit->request.loop.deadline = loop_after(WAIT_TICKETS);
        return status;
}

static int quit_refuse_several(const struct quit *quit, const struct mbus_peers *peers)
{
        text_error("several entities match %s; with --yes all of them are asked to end",
                   quit->request.address);
        for (size_t i = 0; i < mbus_peers_get_n(peers); i++) {
                fputs("  ", stderr);
                text_print(stderr, mbus_peers_get_address(peers, i));
                fputc('\n', stderr);
        }
        return EXITS_NOT_UNIQUE;
}

/* It is known who matches. */
static int quit_decide(struct quit *quit)
{
        bool sure = options_has(quit->request.options, &yes);
        struct mbus_peers *peers;
        int r, status;

        if (quit->told.n)
                return LOOP_ON;
        r = mbus_peers_new(quit->request.session.bus, quit->request.address, &peers);
        if (r)
                return session_error("cannot list", r);
        if (!mbus_peers_get_n(peers)) {
                text_error("no entity matches %s", quit->request.address);
                status = EXITS_UNKNOWN;
        } else if (mbus_peers_get_n(peers) > 1 && !sure) {
                status = quit_refuse_several(quit, peers);
        } else if (!sure && !agrees(mbus_peers_get_address(peers, 0))) {
                status = EXITS_FAILED;
        } else {
                status = quit_tell(quit, peers);
        }
        mbus_peers_free(peers);
        return status;
}

static int quit_on_told(struct quit *quit, const struct mbus_event *event)
{
        int status = told_on_event(&quit->told, event);

        return status == LOOP_ON && quit->told.n && !quit->told.n_open ? quit->told.status : status;
}

static int quit_on_event(void *data, const struct mbus_event *event)
{
        struct quit *quit = data;
        int r;

        switch (event->type) {
        case MBUS_EVENT_READY:
                if (quit->request.session.brokered)
                        return LOOP_ON;
                r = mbus_entity_ping(quit->request.entity, quit->request.address);
                return r ? session_error("cannot ping", r) : LOOP_ON;
        case MBUS_EVENT_WATCHING:
                return quit->request.session.brokered ? quit_decide(quit) : LOOP_ON;
        case MBUS_EVENT_REFUSED:
        case MBUS_EVENT_UNWATCHED:
                return session_refused("cannot quit", event);
        case MBUS_EVENT_DELIVERED:
        case MBUS_EVENT_FAILED:
                return quit_on_told(quit, event);
        default:
                return request_on_event(event);
        }
}

static int quit_on_deadline(void *data)
{
        struct quit *quit = data;

        if (quit->told.n)
                return EXITS_UNDELIVERED;
        return quit->request.session.brokered ? request_unanswered(&quit->request)
                                              : quit_decide(quit);
}

static int quit_run(const struct options *options)
{
        struct quit quit = { .told.n = 0 };
        int status, r;

        request_init(&quit.request, options, &quit, quit_on_event, quit_on_deadline);
        status = session_check_address("ADDR", quit.request.address, false);
        if (!status && !options_has(options, &yes) && !isatty(STDIN_FILENO)) {
                text_error("quit: standard input is no terminal; if you are sure, say --yes");
                status = EXITS_USAGE;
        }
        if (!status)
                status = request_open(&quit.request, options);
        if (status)
                return status;
        quit.request.session.asks = true;
        r = mbus_bus_watch(quit.request.session.bus, quit.request.address);
        if (!r)
                r = request_join(&quit.request, SESSION_ADDRESS);
        status = r ? session_failed(&quit.request.session, "cannot quit", r)
                   : request_run(&quit.request,
                                 quit.request.session.brokered ? WAIT_BROKER : WAIT_ANSWERS);
        if (status == EXITS_UNKNOWN && session_is_mute(&quit.request.session))
                status = EXITS_NO_BUS;
        session_close(&quit.request.session);
        told_deinit(&quit.told);
        return status;
}

static const struct option_info *const options[] = { &yes, OPTIONS_COMMON };

const struct verb verb_quit = {
        .name = "quit",
        .usage = "[--yes] ADDR",
        .summary = "asks the program that ADDR matches to end",
        .notes = "Sends mbus.quit() reliably, after having asked on the terminal whether that is\n"
                 "meant, and prints who got it; whether it ends is for the program to decide.\n"
                 "--yes does not ask, and is needed where standard input is no terminal, else\n"
                 "exit 2. If several entities match they are named, and asked to end only with\n"
                 "--yes; else exit 4. The others as of send -r: 3 nobody matches, 5 not\n"
                 "acknowledged.\n",
        .options = options,
        .args_min = 1,
        .args_max = 1,
        .run = quit_run,
        .needs = "a line of [policy] for this user with attach=(app:mbus-cli), watch=yes, and "
                 "send= for ADDR, with mbus.quit if that line has commands=",
};
