/*
 * texts.c - sentences for what the library returns and reports, and which error a reason is.
 *
 * A word (names.c) is for programs and logs; a sentence is for people, and says what to do where
 * that is always the same. It may be worded better in a later version.
 */
#include "names.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static const char *const error_texts[] = {
        [0] = "it worked",
        [MBUS_E_MALFORMED] =
                "NULL, or commands that are none: mbus_commands_add_text() tells where",
        [MBUS_E_TOO_LARGE] =
                "the message is larger than the bus takes, or a number has too many digits",
        [MBUS_E_RESERVED] =
                ("a command that begins with \"mbus.\" is not an application's, or not to be sent "
                 "so"),
        [MBUS_E_UNKNOWN] = "no known entity matches the destination",
        [MBUS_E_NOT_UNIQUE] =
                "several known entities match the destination; a reliable message goes to one",
        [MBUS_E_FULL] =
                "a queue or table is at its limit: process the bus, pop events, and try again",
        [MBUS_E_CONFIG] = "the configuration cannot be used: mbus_config_get_error() tells why",
        [MBUS_E_NO_BUS] =
                "the broker or the network cannot be reached: mbus_config_get_error() tells why",
        [MBUS_E_NOT_READY] = "the link to the broker is down, or the entity is refused",
        [MBUS_E_TAKEN] = "an entity of this process has the address: choose another id, or none",
        [MBUS_E_DENIED] = "the policy of the broker does not allow it",
        [MBUS_E_TYPE] = "a value is of another type than was asked for, or missing",
};

/* `error` as mbus.h has it at mbus_reason_error(). */
static const struct {
        int error;
        const char *text;
} reasons[MBUS_REASON_MAX] = {
        [MBUS_REASON_NONE] = { 0, "nothing is wrong" },
        [MBUS_REASON_TIMEOUT] = { -ETIMEDOUT, "it did not acknowledge in time, or was not heard of "
                                              "for too long" },
        [MBUS_REASON_BYE] = { -ECONNRESET, "the entity left the bus: it said bye" },
        [MBUS_REASON_RESTARTED] = { -ECONNRESET,
                                    "the entity was replaced by a new one of the same address" },
        [MBUS_REASON_UNKNOWN] = { MBUS_E_UNKNOWN, "no known entity matches the destination" },
        [MBUS_REASON_NOT_UNIQUE] = { MBUS_E_NOT_UNIQUE, "several known entities match the "
                                                        "destination; a reliable message "
                                                        "goes to one" },
        [MBUS_REASON_FULL] = { MBUS_E_FULL, "a queue on the way is at its limit: try again later" },
        [MBUS_REASON_LINK_DOWN] = { MBUS_E_NOT_READY,
                                    "the broker went away before it could tell what became of it" },
        [MBUS_REASON_DENIED] = { MBUS_E_DENIED, "the policy of the broker does not allow it" },
        [MBUS_REASON_TAKEN] = { MBUS_E_TAKEN, "another entity has this address" },
        [MBUS_REASON_MALFORMED] = { MBUS_E_MALFORMED,
                                    "the broker could not read it, or knows no such command" },
};

static const char *const drop_texts[MBUS_DROP_MAX] = {
        [MBUS_DROP_SHORT] = "it was too short to hold a digest and a header",
        [MBUS_DROP_FORMAT] = "its first line was no digest",
        [MBUS_DROP_DIGEST] = "it has another digest: another key, a stranger, or damage",
        [MBUS_DROP_CIPHERTEXT] = "it was no whole number of cipher blocks",
        [MBUS_DROP_PROTOCOL] = "what was inside does not begin with \"mbus/\"",
        [MBUS_DROP_VERSION] = "it was of another version than mbus/1.0",
        [MBUS_DROP_MALFORMED] = "its header or commands break the grammar",
        [MBUS_DROP_OWN] = "it was our own, looped back",
        [MBUS_DROP_DUPLICATE] = "it had been received before",
        [MBUS_DROP_STALE] = "it was older than what its source sent since, or than MAX_AGE",
        [MBUS_DROP_DEPARTED] = "it came late, from an entity that had said bye",
        [MBUS_DROP_SUBSET] = "it was reliable, and not addressed to a full address",
        [MBUS_DROP_PEERS] = "its source is new, and the table of known entities is full",
        [MBUS_DROP_EVENTS] = "the application did not pop its events fast enough",
        [MBUS_DROP_SOCKET] = "the socket's buffer was full",
        [MBUS_DROP_SENT] =
                "it was not sent: the queue to the socket was full, or the socket refused",
        [MBUS_DROP_COPIES] = "the broker had no room for copies to observe",
        [MBUS_DROP_NOBODY] = "it was for an entity that is not there any more",
        [MBUS_DROP_DENIED] = "it was sent, and the policy of the broker does not allow it",
};

#define UNKNOWN "there is no sentence for this"

const char *mbus_error_text(int error)
{
        if (error < 0)
                return mbus_error_name(error);
        return (size_t)error < sizeof(error_texts) / sizeof(*error_texts) ? error_texts[error]
                                                                          : UNKNOWN;
}

const char *mbus_reason_text(enum mbus_reason reason)
{
        return (unsigned)reason < MBUS_REASON_MAX ? reasons[reason].text : UNKNOWN;
}

int mbus_reason_error(enum mbus_reason reason)
{
        return (unsigned)reason < MBUS_REASON_MAX ? reasons[reason].error : MBUS_E_MALFORMED;
}

const char *mbus_drop_text(enum mbus_drop drop)
{
        return (unsigned)drop < MBUS_DROP_MAX ? drop_texts[drop] : UNKNOWN;
}
