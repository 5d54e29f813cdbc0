/*
 * duration.c - spans of time as people write them. By hand, because strtod() would take "nan",
 * "0x1p3" and the comma of a locale.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"

/* More seconds than anybody waits, and far from overflow in ns. */
#define SECONDS_MAX UINT64_C(1000000000)
_Static_assert(SECONDS_MAX < UINT64_MAX / DURATION_S, "a duration and its fraction fit in 64 bits");

static uint64_t unit_of(const char *text)
{
        static const struct {
                const char *name;
                uint64_t ns;
        } units[] = {
                { "", DURATION_S },       { "ms", DURATION_MS },      { "s", DURATION_S },
                { "m", 60 * DURATION_S }, { "h", 3600 * DURATION_S },
        };

        for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
                if (strcmp(units[i].name, text) == 0)
                        return units[i].ns;
        return 0;
}

/* Digits into a whole number and a fraction in units of 1e-9. Returns what is behind them. */
static const char *parse_decimal(const char *text, uint64_t *ret_whole, uint64_t *ret_nano)
{
        uint64_t whole = 0, nano = 0, weight = 100000000;

        for (; *text >= '0' && *text <= '9'; text++)
                if (whole <= SECONDS_MAX)
                        whole = whole * 10 + (uint64_t)(*text - '0');
        if (*text == '.')
                for (text++; *text >= '0' && *text <= '9'; text++, weight /= 10)
                        nano += weight * (uint64_t)(*text - '0');
        *ret_whole = whole;
        *ret_nano = nano;
        return text;
}

int duration_parse(const char *text, uint64_t *ret_ns, size_t *ret_at, const char **ret_what)
{
        uint64_t whole, nano, unit;
        const char *end = parse_decimal(text, &whole, &nano);

        *ret_at = (size_t)(end - text);
        if (end == text || (end == text + 1 && *text == '.')) {
                *ret_at = 0;
                *ret_what =
                        "a duration is a number of seconds, or one with ms, s, m or h behind it";
                return -1;
        }
        unit = unit_of(end);
        if (!unit) {
                *ret_what = "the units are ms, s, m and h";
                return -1;
        }
        if (whole > SECONDS_MAX * DURATION_S / unit) {
                *ret_at = 0;
                *ret_what = "nobody waits that long";
                return -1;
        }
        *ret_ns = whole * unit +
                  (unit >= DURATION_S ? nano * (unit / DURATION_S) : nano / (DURATION_S / unit));
        return 0;
}

const char *duration_format(uint64_t ns, char buffer[static DURATION_SIZE])
{
        uint64_t s = ns / DURATION_S;

        if (s < 1)
                snprintf(buffer, DURATION_SIZE, "%" PRIu64 "ms", ns / DURATION_MS);
        else if (s < 60)
                snprintf(buffer, DURATION_SIZE, "%" PRIu64 "s", s);
        else if (s < 3600)
                snprintf(buffer, DURATION_SIZE, "%" PRIu64 "m", s / 60);
        else if (s < 86400)
                snprintf(buffer, DURATION_SIZE, "%" PRIu64 "h", s / 3600);
        else
                snprintf(buffer, DURATION_SIZE, "%" PRIu64 "d", s / 86400);
        return buffer;
}
