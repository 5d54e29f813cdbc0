/*
 * names.c - words for what the library returns and reports.
 *
 * The reasons are also the symbols that the broker writes (spec/attach.md), so that a reason means
 * the same wherever it comes from.
 */
#include "names.h"

#include <limits.h>
#include <string.h>

static const char *const error_names[] = {
        [0] = "ok",
        [MBUS_E_MALFORMED] = "malformed",
        [MBUS_E_TOO_LARGE] = "too-large",
        [MBUS_E_RESERVED] = "reserved",
        [MBUS_E_UNKNOWN] = "unknown",
        [MBUS_E_NOT_UNIQUE] = "not-unique",
        [MBUS_E_FULL] = "full",
        [MBUS_E_CONFIG] = "config",
        [MBUS_E_NO_BUS] = "no-bus",
        [MBUS_E_NOT_READY] = "not-ready",
        [MBUS_E_TAKEN] = "taken",
        [MBUS_E_DENIED] = "denied",
        [MBUS_E_TYPE] = "type",
};

static const char *const reason_names[MBUS_REASON_MAX] = {
        [MBUS_REASON_NONE] = "none",
        [MBUS_REASON_TIMEOUT] = "timeout",
        [MBUS_REASON_BYE] = "bye",
        [MBUS_REASON_RESTARTED] = "restarted",
        [MBUS_REASON_UNKNOWN] = "unknown",
        [MBUS_REASON_NOT_UNIQUE] = "not-unique",
        [MBUS_REASON_FULL] = "full",
        [MBUS_REASON_LINK_DOWN] = "link-down",
        [MBUS_REASON_DENIED] = "denied",
        [MBUS_REASON_TAKEN] = "taken",
        [MBUS_REASON_MALFORMED] = "malformed",
};

static const char *const drop_names[MBUS_DROP_MAX] = {
        [MBUS_DROP_SHORT] = "short",         [MBUS_DROP_FORMAT] = "format",
        [MBUS_DROP_DIGEST] = "digest",       [MBUS_DROP_CIPHERTEXT] = "ciphertext",
        [MBUS_DROP_PROTOCOL] = "protocol",   [MBUS_DROP_VERSION] = "version",
        [MBUS_DROP_MALFORMED] = "malformed", [MBUS_DROP_OWN] = "own",
        [MBUS_DROP_DUPLICATE] = "duplicate", [MBUS_DROP_STALE] = "stale",
        [MBUS_DROP_DEPARTED] = "departed",   [MBUS_DROP_SUBSET] = "subset",
        [MBUS_DROP_PEERS] = "peers",         [MBUS_DROP_EVENTS] = "events",
        [MBUS_DROP_SOCKET] = "socket",       [MBUS_DROP_SENT] = "sent",
        [MBUS_DROP_COPIES] = "copies",       [MBUS_DROP_NOBODY] = "nobody",
        [MBUS_DROP_DENIED] = "denied",
};

static const char *names_get(const char *const *names, size_t n, size_t i)
{
        return i < n && names[i] ? names[i] : "unknown";
}

const char *mbus_error_name(int error)
{
        /* INT_MIN has no positive counterpart, and is no errno. */
        if (error < 0 && error >= -INT_MAX)
                return strerror(-error);
        return names_get(error_names, sizeof(error_names) / sizeof(*error_names), (size_t)error);
}

const char *mbus_reason_name(enum mbus_reason reason)
{
        return names_get(reason_names, MBUS_REASON_MAX, (size_t)reason);
}

const char *mbus_drop_name(enum mbus_drop drop)
{
        return names_get(drop_names, MBUS_DROP_MAX, (size_t)drop);
}

unsigned mbus_version(void)
{
        return MBUS_VERSION;
}

enum mbus_reason reason_from_name(struct span name)
{
        for (size_t i = 0; i < MBUS_REASON_MAX; i++)
                if (span_equal_text(name, reason_names[i]))
                        return (enum mbus_reason)i;
        return MBUS_REASON_NONE;
}

enum mbus_drop drop_from_name(struct span name)
{
        for (size_t i = 0; i < MBUS_DROP_MAX; i++)
                if (span_equal_text(name, drop_names[i]))
                        return (enum mbus_drop)i;
        return MBUS_DROP_EVENTS;
}
