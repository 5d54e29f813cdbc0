/*
 * send.c - mbus-cli send: one message with one or several commands.
 *
 * A reliable message goes to one entity (RFC 3259, 7), which need not be known yet: the library
 * asks for it and holds the message, with the patience that -W says.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <cli/options/common.h>
#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/run/printer.h>
#include <cli/run/request.h>
#include <cli/text/duration.h>
#include <cli/text/format.h>
#include <cli/text/text.h>

#include "send.h"
#include "verbs.h"

/* Of many entities that match. */
#define MATCHES_PRINTED 5
#define WAIT_DEFAULT SESSION_PATIENCE

static const struct option_info reliable = { 'r', "reliable", NULL,
                                             "to exactly one entity, which acknowledges", NULL };
static const struct option_info as = { 0, "as", "ADDR",
                                       "the address to send from; default (app:mbus-cli)", NULL };
static const struct option_info stay = { 0, "stay", "SECS",
                                         "stay that long, and print what comes back",
                                         option_parse_duration };

/*
 * What becomes of it: joining, which -W ends; without -r sent at once, so done; with -r is_sent,
 * and done when its ticket is delivered, or failed. lists: it failed, since several match, and a
 * broker is asked who they are. is_done ends it, or with --stay lasts until that is over.
 */
struct send {
        struct request request; /* of DEST */
        struct mbus_commands *commands;
        struct printer printer; /* of what comes back */
        bool is_sent;
        bool is_done; /* all went well, and it stays */
        uint64_t ticket;
        bool lists; /* who matches, since they are several */
};

/* Who says what begins with "mbus.". */
static const char *reserved_what(const char *command)
{
        static const struct {
                const char *name;
                const char *what;
        } reserved[] = {
                { "mbus.ping", "mbus.ping is what \"mbus-cli ping\" says" },
                { "mbus.hello", "mbus.hello is what the library says itself, while one is joined" },
                { "mbus.bye", "mbus.bye is what the library says itself, when one leaves" },
        };

        for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
                size_t n = strlen(reserved[i].name);

                if (strncmp(command, reserved[i].name, n) == 0 && strspn(command + n, "( \t"))
                        return reserved[i].what;
        }
        return "commands that begin with \"mbus.\" are reserved (5.3), but for mbus.quit, "
               "mbus.waiting and mbus.go";
}

static int add_command(struct mbus_commands *commands, const char *text)
{
        size_t at = 0;
        const char *what = "not a command";
        int r = mbus_commands_add_text(commands, text, &at, &what);

        if (r == MBUS_E_RESERVED)
                text_error_at(stderr, "COMMAND", reserved_what(text + at), text, at);
        else if (r == MBUS_E_MALFORMED)
                text_error_at(stderr, "COMMAND", what, text, at);
        else if (r)
                return session_error("COMMAND", r);
        return r ? EXITS_USAGE : EXITS_OK;
}

/* Whether @text has the command @name: each begins a line, and strings hold none. */
static bool text_has_command(const char *text, const char *name)
{
        size_t n = strlen(name);

        for (; text; text = strstr(text, "\r\n")) {
                text += strspn(text, "\r\n");
                if (strncmp(text, name, n) == 0 && text[n] == '(')
                        return true;
        }
        return false;
}

/* RFC 3259, 9.5 and 9.6: mbus.waiting is never acknowledged, mbus.go always is. */
static int check_manner(const struct options *o, const struct mbus_commands *commands)
{
        const char *text = mbus_commands_get_text(commands);
        bool is_reliable = options_has(o, &reliable);

        if (!text_has_command(text, is_reliable ? "mbus.waiting" : "mbus.go"))
                return EXITS_OK;
        text_error(
                is_reliable
                        ? "mbus.waiting is not to be sent reliably: leave -r out (RFC 3259, 9.5)"
                        : "mbus.go is to be sent reliably, to the one who waits: add -r (RFC 3259, "
                          "9.6)");
        return EXITS_USAGE;
}

static int send_read_commands(const struct options *o, struct mbus_commands *commands)
{
        int status = EXITS_OK;

        for (size_t i = 1; i < o->n_args && !status; i++)
                status = add_command(commands, o->args[i]);
        if (!status && !*mbus_commands_get_text(commands)) {
                text_error_at(stderr, "COMMAND", "a command is wanted: name(parameters)",
                              o->args[1], 0);
                status = EXITS_USAGE;
        }
        return status ? status : check_manner(o, commands);
}

static bool matches_self(const struct send *send)
{
        return mbus_address_matches(send->request.address,
                                    mbus_entity_get_address(send->request.entity));
}

/* A few are enough to see what is wrong. */
static void print_matches(const struct send *send)
{
        struct mbus_peers *peers;
        size_t n, printed;

        if (mbus_peers_new(send->request.session.bus, send->request.address, &peers))
                return;
        n = mbus_peers_get_n(peers);
        printed = n < MATCHES_PRINTED ? n : MATCHES_PRINTED;
        if (matches_self(send))
                fprintf(stderr, "  %s (this is mbus-cli itself)\n",
                        mbus_entity_get_address(send->request.entity));
        for (size_t i = 0; i < printed; i++)
                fprintf(stderr, "  %s\n", mbus_peers_get_address(peers, i));
        if (printed < n)
                fprintf(stderr, "  and %zu more, which mbus-cli list shows\n", n - printed);
        mbus_peers_free(peers);
}

/* A broker is asked who they are, and its answer, or that it may not be asked, ends it. */
static int not_unique(struct send *send)
{
        if (!send->lists) {
                text_error("several entities match %s; a reliable message goes to exactly one",
                           send->request.address);
                send->lists = true;
                if (send->request.session.brokered &&
                    mbus_bus_watch(send->request.session.bus, send->request.address) == 0)
                        return LOOP_ON;
        }
        print_matches(send);
        return EXITS_NOT_UNIQUE;
}

static int unknown(const struct send *send)
{
        text_error("no entity matches %s", send->request.address);
        return EXITS_UNKNOWN;
}

/* A size that is too large helps only beside the one that is not (spec/errata.md, 46). */
static int send_failed(const struct send *send, int error)
{
        size_t size, largest;

        if (error != MBUS_E_TOO_LARGE)
                return session_error("cannot send", error);
        mbus_bus_get_sizes(send->request.session.bus, &size, &largest);
        text_error(
                "cannot send: the message has %zu octets, header included, and on this bus one may "
                "have %zu",
                size, largest);
        return EXITS_USAGE;
}

/* Ends, or stays: some who are asked answer reliably, and RAT ends if it finds nobody then. */
static int done(struct send *send)
{
        if (!options_has(send->request.options, &stay))
                return EXITS_OK;
        if (!send->is_done)
                send->request.loop.deadline =
                        loop_after(options_number(send->request.options, &stay, 0));
        send->is_done = true;
        return LOOP_ON;
}

static int submit_unreliable(struct send *send)
{
        int r = send->is_done ? 0
                              : mbus_entity_send(send->request.entity, send->request.address,
                                                 send->commands);

        return r ? send_failed(send, r) : done(send);
}

/* LOOP_ON: it has a ticket. */
static int submit_reliable(struct send *send)
{
        int r;

        assert(!send->is_sent && !send->is_done);
        /* Who they are if they are several: a broker tells that itself. */
        if (!send->request.session.brokered) {
                r = mbus_bus_watch(send->request.session.bus, send->request.address);
                if (r)
                        return session_error("cannot watch", r);
        }
        r = mbus_entity_send_reliable(send->request.entity, send->request.address, send->commands,
                                      &send->ticket);
        switch (r) {
        case 0:
                send->is_sent = true;
                /* The ticket ends by itself; this is for a broker that hangs. */
                send->request.loop.deadline = loop_after(
                        options_number(send->request.options, &option_wait, WAIT_DEFAULT));
                if (send->request.loop.deadline < LOOP_NEVER - 2 * WAIT_DEFAULT)
                        send->request.loop.deadline += 2 * WAIT_DEFAULT;
                return LOOP_ON;
        case MBUS_E_UNKNOWN:
                return unknown(send);
        case MBUS_E_NOT_UNIQUE:
                return not_unique(send);
        default:
                return send_failed(send, r);
        }
}

static int send_on_ready(struct send *send)
{
        if (!options_has(send->request.options, &reliable))
                return submit_unreliable(send);
        return send->is_sent ? LOOP_ON : submit_reliable(send);
}

static int send_on_failed(struct send *send, const struct mbus_event *event)
{
        if (event->reason == MBUS_REASON_UNKNOWN)
                return unknown(send);
        if (event->reason == MBUS_REASON_NOT_UNIQUE)
                return not_unique(send);
        return session_refused(send->request.address, event);
}

static int send_on_message(struct send *send, const struct mbus_event *event)
{
        int status;

        if (!options_has(send->request.options, &stay))
                return LOOP_ON;
        status = printer_put(&send->printer, event);
        if (event->type != MBUS_EVENT_QUIT || status != LOOP_ON || !send->is_done)
                return status;
        text_error("asked to quit by %s", mbus_message_get_source(event->message));
        return EXITS_OK;
}

static int send_on_event(void *data, const struct mbus_event *event)
{
        struct send *send = data;

        switch (event->type) {
        case MBUS_EVENT_READY:
                return send_on_ready(send);
        case MBUS_EVENT_REFUSED:
                return session_refused("cannot join the bus", event);
        case MBUS_EVENT_DELIVERED:
                return event->ticket == send->ticket ? done(send) : LOOP_ON;
        case MBUS_EVENT_FAILED:
                return event->ticket == send->ticket ? send_on_failed(send, event) : LOOP_ON;
        case MBUS_EVENT_MESSAGE:
        case MBUS_EVENT_QUIT:
                return send_on_message(send, event);
        case MBUS_EVENT_DROPPED:
                return event->drop == MBUS_DROP_DENIED
                               ? session_denied(send->request.address, event)
                               : printer_notice(&send->printer, event);
        case MBUS_EVENT_WATCHING:
        case MBUS_EVENT_UNWATCHED:
                return send->lists ? not_unique(send) : LOOP_ON;
        default:
                return request_on_event(event);
        }
}

static int send_on_deadline(void *data)
{
        const struct send *send = data;

        if (send->lists)
                return EXITS_NOT_UNIQUE;
        if (send->is_done)
                return EXITS_OK;
        if (send->is_sent) {
                text_error("%s: not acknowledged", send->request.address);
                return EXITS_UNDELIVERED;
        }
        return request_unanswered(&send->request);
}

/* Whether it may be for this host that nobody got the message: what was acknowledged did arrive. */
static bool may_be_lost(const struct send *send, int status)
{
        if (status == EXITS_OK)
                return !options_has(send->request.options, &reliable);
        return status == EXITS_UNKNOWN || status == EXITS_UNDELIVERED;
}

/* It has been sent. What has not left when -W is over is lost with us, so it is said; and by the
 * time that a broker has taken it, it has told whether that is denied (spec/attach.md). */
static int flush(struct send *send)
{
        int left = 0,
            status = loop_flush(send->request.session.bus, send->request.loop.deadline, &left);
        const struct mbus_event *event;

        if (status)
                return status;
        while ((event = mbus_bus_pop_event(send->request.session.bus))) {
                status = event->type == MBUS_EVENT_READY ? LOOP_ON : send_on_event(send, event);
                if (status != LOOP_ON)
                        return status;
        }
        if (left == 0)
                return EXITS_OK;
        text_error("%d message%s left that %s has not taken within the time of -W", left,
                   left == 1 ? " is" : "s are", mbus_bus_get_url(send->request.session.bus));
        return EXITS_UNDELIVERED;
}

static int send_message(struct send *send)
{
        const struct options *o = send->request.options;
        const char *address = options_has(o, &as) ? options_text(o, &as) : SESSION_ADDRESS;
        int status = session_open(o, &send->request.session), r;

        if (status)
                return status;
        send->printer.options = o;
        send->request.loop.prints = options_has(o, &stay);
        r = request_join(&send->request, address);
        status = r ? session_failed(&send->request.session, "cannot join the bus", r)
                   : request_run(&send->request, WAIT_DEFAULT);
        printer_finish(&send->printer);
        if (send->is_done)
                send->request.loop.deadline =
                        loop_after(options_number(o, &option_wait, WAIT_DEFAULT));
        if (status == EXITS_OK && !options_has(o, &reliable))
                status = flush(send);
        send->request.session.asks = options_has(o, &reliable);
        if (may_be_lost(send, status) && session_is_mute(&send->request.session))
                status = EXITS_NO_BUS;
        session_close(&send->request.session);
        return status;
}

static int send_run(const struct options *options)
{
        struct send send = { .is_sent = false };
        int status, r;

        request_init(&send.request, options, &send, send_on_event, send_on_deadline);
        status = session_check_address("DEST", send.request.address, false);
        if (!status && options_has(options, &as))
                status = session_check_address("--as", options_text(options, &as), true);
        if (status)
                return status;
        r = mbus_commands_new(&send.commands);
        if (r)
                return session_error("COMMAND", r);
        status = send_read_commands(options, send.commands);
        if (!status)
                status = send_message(&send);
        mbus_commands_free(send.commands);
        return status;
}

int send_reliably(const struct options *options, const char *destination,
                  struct mbus_commands *commands)
{
        struct options o = *options;
        struct send send = { .commands = commands };
        int status;

        options_set(&o, &reliable, (union option_value){ .text = NULL });
        request_init(&send.request, &o, &send, send_on_event, send_on_deadline);
        send.request.address = destination;
        status = session_check_address("DEST", destination, false);
        return status ? status : send_message(&send);
}

static const struct option_info *const options[] = { &reliable,     &as,          &stay,
                                                     &option_wait,  &option_json, &option_format,
                                                     OPTIONS_COMMON };

const struct verb verb_send = {
        .name = "send",
        .usage = "[-r] [-W SECS] [--as ADDR] [--stay SECS [-j|-F FMT]] DEST COMMAND...",
        .summary = "sends one message to all entities that DEST matches",
        .notes = "Several COMMANDs are one message. A COMMAND is name(parameters), for example\n"
                 "  mbus-cli send '(media:audio)' 'audio.input.gain(70)' 'audio.input.mute(0)'\n"
                 "With -r exactly one entity must match, and it must acknowledge. If it is not\n"
                 "known yet it is asked to announce itself, for at most -W (2.5 s); a DEST that\n"
                 "is not its whole address takes one second, to be sure that no other matches.\n"
                 "Exit 9 if this host lets nothing out, as where a firewall forbids it.\n"
                 "Without -r it waits, at most -W, until the network or the broker has taken the\n"
                 "message; if that does not happen it says so and exits 5.\n"
                 "--stay keeps the sender there and prints what is sent to it, as subscribe does,\n"
                 "until SECS are over: exit 0. mbus.go goes only with -r, mbus.waiting only\n"
                 "without (RFC 3259, 9.5 and 9.6).\n"
                 "\n",
        .options = options,
        .args_min = 2,
        .args_max = SIZE_MAX,
        .run = send_run,
        .needs = "a line of [policy] for this user with attach= for --as, else "
                 "attach=(app:mbus-cli), and send= for DEST, with each COMMAND if that line has "
                 "commands=",
        .print_more = format_print_letters,
};
