/*
 * iso8601.c - see iso8601.h. What the calendar does not have is left out, the fraction stays.
 */
#include "iso8601.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

const char *iso8601_format(uint64_t time, unsigned digits, char buffer[static ISO8601_SIZE])
{
        time_t seconds = (time_t)(time / NS_PER_S);
        struct tm tm;
        char fraction[16];
        size_t n = 0;

        assert(digits <= 9);
        if (gmtime_r(&seconds, &tm))
                n = strftime(buffer, ISO8601_SIZE - sizeof(fraction), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(time % NS_PER_S));
        snprintf(buffer + n, ISO8601_SIZE - n, "%.*sZ", digits ? (int)digits + 1 : 0, fraction);
        return buffer;
}
