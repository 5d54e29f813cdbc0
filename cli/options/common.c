/*
 * common.c - see common.h.
 */
#include "common.h"

#include <stdbool.h>
#include <string.h>

#include <cli/text/format.h>

static int parse_count(const struct option_info *info, const char *text,
                       union option_value *ret_value)
{
        uint64_t count = 0;

        for (const char *p = text; *p; p++) {
                if (*p < '0' || *p > '9')
                        return option_error_at(info, "a whole number is wanted", text,
                                               (size_t)(p - text));
                if (count > UINT32_MAX)
                        return option_error_at(info, "nobody counts that far", text, 0);
                count = count * 10 + (uint64_t)(*p - '0');
        }
        if (!count)
                return option_error_at(info, "a whole number above 0 is wanted", text, 0);
        ret_value->number = count;
        return 0;
}

static int parse_format(const struct option_info *info, const char *text,
                        union option_value *ret_value)
{
        const char *what;
        size_t at;

        if (format_check(text, &at, &what) < 0)
                return option_error_at(info, what, text, at);
        ret_value->text = text;
        return 0;
}

static int parse_config(const struct option_info *info, const char *text,
                        union option_value *ret_value)
{
        if (!*text)
                return option_error(info, "the name of the configuration is empty; name one, or "
                                          "leave the option out");
        ret_value->text = text;
        return 0;
}

/* ---- where the bus is ---------------------------------------------------------------------- */

/* HOST:PORT or [HOST]:PORT. What is written so but names nothing is not reached, which is another
 * kind of failure (9). */
static bool is_host_and_port(const char *text)
{
        const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
        unsigned long port = 0;

        if (end && *end == ']')
                end++;
        if (!end || *end != ':' || end == text || (text[0] == '[' && end == text + 2))
                return false;
        /* Without brackets a second colon would be of an IPv6 address. */
        if (text[0] != '[' && (strcspn(text, ": /%") < (size_t)(end - text)))
                return false;
        for (const char *p = end + 1; *p; p++) {
                if (*p < '0' || *p > '9' || port > 65535)
                        return false;
                port = 10 * port + (unsigned long)(*p - '0');
        }
        return port >= 1 && port <= 65535;
}

/* Points at what is wrong behind the scheme of a URL; NULL: nothing is. */
static const char *find_url_mistake(const char *url, const char *rest, const char **ret_what)
{
        *ret_what = "nothing may stand behind it";
        if (strncmp(url, "udp:", 4) == 0 || strncmp(url, "auto:", 5) == 0)
                return *rest ? rest : NULL;
        *ret_what = "write tcp:HOST:PORT or tcp:[ADDRESS]:PORT";
        if (strncmp(url, "tcp:", 4) == 0)
                return is_host_and_port(rest) ? NULL : rest;
        *ret_what = "it has a name, write mem:NAME";
        return strncmp(url, "mem:", 4) == 0 && !*rest ? rest : NULL;
}

static int parse_bus(const struct option_info *info, const char *text,
                     union option_value *ret_value)
{
        static const char *const schemes[] = { "auto:", "udp:", "unix:", "tcp:", "mem:" };
        const char *wrong, *what;

        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
                if (strncmp(text, schemes[i], strlen(schemes[i])) != 0)
                        continue;
                wrong = find_url_mistake(text, text + strlen(schemes[i]), &what);
                if (wrong)
                        return option_error_at(info, what, text, (size_t)(wrong - text));
                ret_value->text = text;
                return 0;
        }
        what = strchr(text, ':') ? "the bus is auto:, udp:, unix:PATH or tcp:HOST:PORT"
                                 : "the bus is auto:, udp:, unix:PATH or tcp:HOST:PORT; "
                                   "monitor --on NAME names one of the broker's";
        return option_error_at(info, what, text, 0);
}

/* ---- the options --------------------------------------------------------------------------- */

const struct option_info option_bus = { 'b', "bus", "URL",
                                        "where the bus is: auto: udp: unix:PATH tcp:HOST:PORT",
                                        parse_bus };
const struct option_info option_config = { 'c', "config", "FILE",
                                           "configuration; default $MBUS, else ~/.mbus",
                                           parse_config };
const struct option_info option_count = { 'C', "count", "N", "stop after N of them", parse_count };
const struct option_info option_format = { 'F', "format", "FMT", "print lines of this format",
                                           parse_format };
const struct option_info option_help = { 'h', "help", NULL, "print this and exit", NULL };
const struct option_info option_json = { 'j', "json", NULL, "print JSON objects, one a line",
                                         NULL };
const struct option_info option_version = { 'V', "version", NULL, "print the version and exit",
                                            NULL };
const struct option_info option_wait = { 'W', "wait", "SECS", "wait for at most that long",
                                         option_parse_duration };
