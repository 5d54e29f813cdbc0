/*
 * session.h - the bus that a verb works on, opened as the options say, and what went wrong with it.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdbool.h>

#include <mbus/mbus.h>

#include <cli/options/options.h>
#include <cli/text/duration.h>

/* The address of the entities that the tool needs for itself. */
#define SESSION_ADDRESS "(app:mbus-cli)"

/* How long a reliable message waits for a destination that is not known, without -W; ns. */
#define SESSION_PATIENCE (2500 * DURATION_MS)

struct session {
        struct mbus_config *config;
        struct mbus_bus *bus;
        bool brokered; /* through a broker: it knows, and nobody needs to wait for answers */
        bool asks;     /* what is not heard matters, and hints at why that may be are given */
};

/* 0, or an exit status after having told stderr. Makes a configuration file where there is none and
 * one is needed. Catches signals. */
int session_open(const struct options *options, struct session *ret_session);
/* When a broker must have said something, of verbs that wait without end; 0: there is none. */
uint64_t session_answer_by(const struct session *session, const struct options *options);
/* Sends what is waiting, says bye. */
void session_close(struct session *session);

/* Whether this host let nothing out of what was sent over the network, or not all of it: then
 * nobody who was not heard of is missing. That has been told. */
bool session_is_mute(struct session *session);

/* Tells stderr that @what failed. Returns the exit status for @error (see mbus.h). */
int session_error(const char *what, int error);
/* The same, with what the bus says of it. */
int session_failed(const struct session *session, const char *what, int error);
/* The same for the reason of @event, and what the broker says of it. */
int session_refused(const char *what, const struct mbus_event *event);

/* The same of MBUS_DROP_DENIED, what was sent to @destination. */
int session_denied(const char *destination, const struct mbus_event *event);

/* Checks @address, named @where in the message; @own: one to join with. 0 or EXITS_USAGE. */
int session_check_address(const char *where, const char *address, bool own);

#endif
