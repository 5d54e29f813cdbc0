/*
 * session.c - opens the bus as the options say.
 *
 * Somebody who tries the tool for the first time has no configuration. RFC 3259, 12.1 wants one, so
 * it is made: only after the library found no broker and no file, and never in place of a file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cli/options/common.h>
#include <cli/text/text.h>

#include "exits.h"
#include "loop.h"
#include "session.h"

int session_error(const char *what, int error)
{
        text_error("%s: %s", what, mbus_error_name(error));
        return exits_of_error(error);
}

int session_refused(const char *what, const struct mbus_event *event)
{
        fprintf(stderr, "mbus-cli: %s: %s", what, mbus_reason_name(event->reason));
        if (event->why) {
                fputs(": ", stderr);
                text_print_visible(stderr, event->why, strlen(event->why));
        }
        fputc('\n', stderr);
        return exits_of_reason(event->reason);
}

int session_denied(const char *destination, const struct mbus_event *event)
{
        fprintf(stderr, "mbus-cli: %s: denied", destination);
        if (event->count > 1)
                fprintf(stderr, " (%llu messages)", (unsigned long long)event->count);
        if (event->why) {
                fputs(": ", stderr);
                text_print_visible(stderr, event->why, strlen(event->why));
        }
        fputc('\n', stderr);
        return EXITS_DENIED;
}

int session_failed(const struct session *session, const char *what, int error)
{
        const char *why = error > 0 ? mbus_bus_get_error(session->bus) : "";

        if (!*why)
                return session_error(what, error);
        text_error("%s: %s: %s", what, mbus_error_name(error), why);
        return exits_of_error(error);
}

int session_check_address(const char *where, const char *address, bool own)
{
        const char *what;
        size_t at;

        if ((own ? mbus_address_check_own : mbus_address_check)(address, &at, &what) == 0)
                return EXITS_OK;
        text_error_at(stderr, where, what, address, at);
        return EXITS_USAGE;
}

static int session_open_failed(const struct mbus_config *config, int error)
{
        const char *why = mbus_config_get_error(config);

        text_error("%s", *why ? why : mbus_error_name(error));
        /* An errno here is that of a socket call: the network cannot be reached. */
        return error < 0 && error != -ENOMEM ? EXITS_NO_BUS : exits_of_error(error);
}

static bool is_missing(const char *path)
{
        return access(path, F_OK) < 0 && errno == ENOENT;
}

/* Makes the file that open would have read. 0 if it is worth another try, else an exit status. */
static int session_make_config(struct mbus_config *config, const char *path)
{
        int r = mbus_config_generate(config, 0);

        if (r == -EEXIST && !is_missing(path)) /* somebody was faster: that is the file then */
                return EXITS_OK;
        if (r) {
                const char *why = mbus_config_get_error(config);

                text_error("there is no %s, and it cannot be made: %s", path,
                           *why ? why : mbus_error_name(r));
                return EXITS_CONFIG;
        }
        text_error("made %s: new random keys (HMAC-SHA1-96, AES), for this host only", path);
        return EXITS_OK;
}

/* Whether a broker is at one of the usual paths: its bus is not that of a file that is missing. */
static bool is_broker_there(struct mbus_config *config)
{
        struct mbus_bus *bus = NULL;
        int r;

        mbus_config_set_url(config, "unix:");
        r = mbus_bus_open(&bus, config);
        mbus_bus_close(bus);
        return r != MBUS_E_NO_BUS;
}

static bool is_broker(const char *url)
{
        return strncmp(url, "unix:", 5) == 0 || strncmp(url, "tcp:", 4) == 0;
}

/* Whether a failed open wants a file that can be made. *@ret_status is final if not. */
static bool mended(const struct options *o, struct mbus_config *config, int error, int *ret_status)
{
        const char *bus = options_text(o, &option_bus), *file = options_text(o, &option_config);
        const char *usual;
        char *path;

        if ((error != MBUS_E_CONFIG && error != -ENOENT) || (bus && is_broker(bus)))
                return false;
        if (file) {
                if (!is_missing(file))
                        return false;
                text_error("there is no %s; mbus-cli keygen -o %s makes it", file, file);
                *ret_status = EXITS_CONFIG;
                return false;
        }
        usual = mbus_config_get_file(config);
        path = usual && is_missing(usual) ? strdup(usual) : NULL;
        if (!path)
                return false;
        if (getenv("MBUS") && *getenv("MBUS") && (!bus || strcmp(bus, "auto:") == 0) &&
            is_broker_there(config)) {
                text_error(
                        "there is no %s, which MBUS names, but a broker; unset MBUS, or name the "
                        "broker's configuration",
                        path);
                free(path);
                *ret_status = EXITS_CONFIG;
                return false;
        }
        mbus_config_set_url(config, bus);
        *ret_status = session_make_config(config, path);
        free(path);
        return *ret_status == EXITS_OK;
}

static int session_open_bus(const struct options *o, struct session *s)
{
        int status = -1, r = mbus_bus_open(&s->bus, s->config);

        if (r && mended(o, s->config, r, &status))
                r = mbus_bus_open(&s->bus, s->config);
        else if (r && status >= 0)
                return status;
        if (r)
                return session_open_failed(s->config, r);
        loop_print_warnings(s->bus);
        s->brokered = is_broker(mbus_bus_get_url(s->bus));
        return EXITS_OK;
}

int session_open(const struct options *options, struct session *ret_session)
{
        struct session s = { 0 };
        int status = loop_catch_signals(), r;

        if (status)
                return status;
        r = mbus_config_new(&s.config);
        if (r)
                return session_error("no configuration", r);
        if (options_has(options, &option_bus))
                mbus_config_set_url(s.config, options_text(options, &option_bus));
        if (options_has(options, &option_config))
                mbus_config_set_file(s.config, options_text(options, &option_config));
        mbus_config_set_patience(s.config, options_number(options, &option_wait, SESSION_PATIENCE));
        status = session_open_bus(options, &s);
        if (status) {
                mbus_config_free(s.config);
                return status;
        }
        *ret_session = s;
        return EXITS_OK;
}

/* Longer than a broker that is busy needs. */
#define ANSWER_WITHIN (5 * DURATION_S)

uint64_t session_answer_by(const struct session *session, const struct options *options)
{
        uint64_t wait = options_number(options, &option_wait, ANSWER_WITHIN);

        if (!session->brokered)
                return 0;
        return loop_after(wait < ANSWER_WITHIN ? wait : ANSWER_WITHIN);
}

/* What is the matter with the network and was not told as it happened. */
static void print_network(struct session *session)
{
        static const enum mbus_network hints[] = { MBUS_NETWORK_KEY, MBUS_NETWORK_DIALECT };

        loop_tell_network(session->bus, MBUS_NETWORK_MUTE);
        loop_tell_network(session->bus, MBUS_NETWORK_DEAF);
        for (size_t i = 0; session->asks && i < sizeof(hints) / sizeof(*hints); i++)
                loop_tell_network(session->bus, hints[i]);
}

bool session_is_mute(struct session *session)
{
        if (session->brokered)
                return false;
        loop_drain(session->bus);
        if (!mbus_bus_get_dropped(session->bus, MBUS_DROP_SENT) ||
            !mbus_bus_get_network(session->bus, MBUS_NETWORK_MUTE))
                return false;
        loop_tell_network(session->bus, MBUS_NETWORK_MUTE);
        return true;
}

void session_close(struct session *session)
{
        loop_drain(session->bus);
        loop_print_warnings(session->bus);
        print_network(session);
        session->bus = mbus_bus_close(session->bus);
        session->config = mbus_config_free(session->config);
}
