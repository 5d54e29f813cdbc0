/*
 * option.c - see option.h.
 */
#include "option.h"

#include <stdio.h>

#include <cli/text/duration.h>
#include <cli/text/text.h>

#define LABEL_SIZE 32

/* As people type it: -W, or --stay where there is no letter. */
static const char *label(const struct option_info *info, char buffer[static LABEL_SIZE])
{
        if (info->letter)
                snprintf(buffer, LABEL_SIZE, "-%c", info->letter);
        else
                snprintf(buffer, LABEL_SIZE, "--%s", info->name);
        return buffer;
}

int option_error(const struct option_info *info, const char *what)
{
        char buffer[LABEL_SIZE];

        text_error("%s: %s", label(info, buffer), what);
        return -1;
}

int option_error_at(const struct option_info *info, const char *what, const char *text, size_t at)
{
        char buffer[LABEL_SIZE];

        text_error_at(stderr, label(info, buffer), what, text, at);
        return -1;
}

int option_parse_duration(const struct option_info *info, const char *text,
                          union option_value *ret_value)
{
        const char *what;
        size_t at;

        return duration_parse(text, &ret_value->number, &at, &what) == 0
                       ? 0
                       : option_error_at(info, what, text, at);
}
