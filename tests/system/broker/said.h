/*
 * said.h - what the broker has said in its log.
 */
#ifndef MBUS_TESTS_BROKER_SAID_H
#define MBUS_TESTS_BROKER_SAID_H

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "daemon.h"

static inline void expect_in_log(const struct daemon *d, const char *text)
{
        char *log = daemon_read_log(d);

        ck_assert_msg(strstr(log, text) != NULL, "\"%s\" is not in: %s", text, log);
        free(log);
}

/* How often @text is there. */
static inline unsigned count_in_log(const struct daemon *d, const char *text)
{
        char *log = daemon_read_log(d);
        unsigned n = 0;

        for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
                n++;
        free(log);
        return n;
}

#endif
