/*
 * help.c - the texts of --help and --version. The completion reads them, and the man page says the
 * same: tests/lint/check-help compares.
 */
#include "help.h"

#include <mbus/mbus.h>

#include "common.h"
#include "verb.h"

static void print_option(FILE *file, const struct option_info *info)
{
        char name[40];

        snprintf(name, sizeof(name), "--%s%s%s", info->name, info->arg ? " " : "",
                 info->arg ? info->arg : "");
        if (info->letter)
                fprintf(file, "  -%c, %-18s  %s\n", info->letter, name, info->help);
        else
                fprintf(file, "      %-18s  %s\n", name, info->help);
}

static void print_options(FILE *file, const struct option_info *const *options)
{
        for (; *options; options++)
                print_option(file, *options);
}

static void print_verb(FILE *file, const struct verb *verb)
{
        fprintf(file, "mbus-cli %s%s%s\n%s.\n\n", verb->name, *verb->usage ? " " : "", verb->usage,
                verb->summary);
        print_options(file, verb->options);
        fprintf(file, "\n%s", verb->notes);
        if (verb->print_more)
                verb->print_more(file);
}

static void print_tool(FILE *file, const struct verb *const *verbs)
{
        static const struct option_info *const common[] = { OPTIONS_COMMON };

        fputs("mbus-cli [-b URL] [-c FILE] [VERB] ...\n"
              "Talks to the programs on an Mbus (RFC 3259).\n\n",
              file);
        for (size_t i = 0; verbs[i]; i++)
                fprintf(file, "  %-10s %s%s\n", verbs[i]->name, verbs[i]->summary,
                        i ? "" : "; so does no verb at all");
        fputc('\n', file);
        print_options(file, common);
        fputs("\nmbus-cli VERB --help tells the options of a verb. They may stand before it, too.\n"
              "Durations are seconds, or have a unit: 0.5, 500ms, 2s, 1m.\n"
              "URL is auto: (the broker if there is one, else the network), udp:,\n"
              "unix:PATH or tcp:HOST:PORT.\n"
              "Exit: 0 ok, 1 other failure, 2 usage, 3 no entity matches, 4 not unique,\n"
              "5 not acknowledged, 7 denied, 8 configuration, 9 no bus, 27 time is over,\n"
              "130 interrupted.\n",
              file);
}

void help_print(FILE *file, const struct verb *const *verbs, const struct verb *verb)
{
        if (verb)
                print_verb(file, verb);
        else
                print_tool(file, verbs);
}

void help_print_version(FILE *file)
{
        unsigned library = mbus_version();

        fprintf(file, "mbus-cli %d.%d.%d (libmbus %u.%u.%u)\n", MBUS_VERSION_MAJOR,
                MBUS_VERSION_MINOR, MBUS_VERSION_PATCH, library >> 16, library >> 8 & 0xff,
                library & 0xff);
}

void help_print_options_line(FILE *file, const struct verb *verb)
{
        const char *separator = "";

        for (size_t i = 0; verb->options[i]; i++) {
                const struct option_info *info = verb->options[i];

                fputs(separator, file);
                if (info->letter)
                        fprintf(file, "-%c ", info->letter);
                fprintf(file, "--%s", info->name);
                separator = ", ";
        }
}
