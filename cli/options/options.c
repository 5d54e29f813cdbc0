/*
 * options.c - parses the command line with getopt_long(3), by the lists of options of all verbs.
 *
 * The verb may come after its options, so all are read first and compared with what the verb has
 * when it is known.
 */
#include "options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <cli/text/text.h>

#include "common.h"
#include "help.h"

/* getopt_long() returns this + the index in the tables; letters are below it. */
#define LONG_BASE 256

/* ---- what was given ------------------------------------------------------------------------ */

static size_t find_given(const struct options *o, const struct option_info *info)
{
        size_t i = 0;

        while (i < o->n_given && o->given[i].info != info)
                i++;
        return i;
}

bool options_has(const struct options *o, const struct option_info *info)
{
        return find_given(o, info) < o->n_given;
}

const char *options_text(const struct options *o, const struct option_info *info)
{
        size_t i = find_given(o, info);

        return i < o->n_given ? o->given[i].value.text : NULL;
}

uint64_t options_number(const struct options *o, const struct option_info *info, uint64_t otherwise)
{
        size_t i = find_given(o, info);

        return i < o->n_given ? o->given[i].value.number : otherwise;
}

void options_set(struct options *o, const struct option_info *info, union option_value value)
{
        size_t i = find_given(o, info);

        assert(i < OPTIONS_MAX);
        o->given[i].info = info;
        o->given[i].value = value;
        if (i == o->n_given)
                o->n_given++;
}

/* ---- parsing ------------------------------------------------------------------------------- */

/* The options of all verbs, each once, as they are and as getopt_long() wants them. */
struct tables {
        const struct option_info *infos[OPTIONS_MAX];
        size_t n;
        struct option longs[OPTIONS_MAX + 1];
        char letters[2 + 2 * OPTIONS_MAX];
};

static void tables_add(struct tables *t, const struct option_info *info)
{
        size_t n = strlen(t->letters);

        for (size_t i = 0; i < t->n; i++) {
                if (t->infos[i] == info)
                        return;
                /* A letter or a name that means two things would be taken for the first. */
                assert(strcmp(t->infos[i]->name, info->name) != 0);
                assert(!info->letter || t->infos[i]->letter != info->letter);
        }
        assert(t->n < OPTIONS_MAX);
        t->longs[t->n] = (struct option){ info->name, info->arg ? required_argument : no_argument,
                                          NULL, LONG_BASE + (int)t->n };
        t->infos[t->n++] = info;
        if (info->letter)
                t->letters[n++] = info->letter;
        if (info->letter && info->arg)
                t->letters[n++] = ':';
}

static void tables_fill(struct tables *t, const struct verb *const *verbs)
{
        *t = (struct tables){ .letters = ":" };
        for (; *verbs; verbs++)
                for (size_t i = 0; (*verbs)->options[i]; i++)
                        tables_add(t, (*verbs)->options[i]);
}

/* The option that getopt_long() returned. */
static const struct option_info *tables_get(const struct tables *t, int c)
{
        size_t i = 0;

        if (c >= LONG_BASE)
                return t->infos[c - LONG_BASE];
        while (i < t->n && t->infos[i]->letter != c)
                i++;
        assert(i < t->n);
        return t->infos[i];
}

static int take_option(struct options *o, const struct option_info *info, const char *arg)
{
        union option_value value = { .text = arg };

        if (info->parse && info->parse(info, arg, &value) < 0)
                return -1;
        options_set(o, info, value);
        return 0;
}

static int refuse_option(const struct verb *verb, const char *what, const char *option)
{
        fprintf(stderr, "mbus-cli: %s%s%s %s", verb ? verb->name : "", verb ? ": " : "", what,
                option);
        if (verb) {
                fputs("; it has ", stderr);
                help_print_options_line(stderr, verb);
        } else {
                fputs("; try mbus-cli --help", stderr);
        }
        fputc('\n', stderr);
        return -1;
}

/* Reads all options; *@ret_bad is the first that nobody knows, with *@ret_missing if it is known
 * but lacks its argument. */
static int read_options(const struct verb *const *verbs, int argc, char **argv, struct options *o,
                        const char **ret_bad, bool *ret_missing)
{
        static char letter[] = "-?";
        struct tables tables;
        int c;

        tables_fill(&tables, verbs);
        opterr = 0;
        while ((c = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) >= 0) {
                if (c == '?' || c == ':') {
                        if (*ret_bad)
                                continue;
                        letter[1] = (char)optopt;
                        *ret_missing = c == ':';
                        *ret_bad = optopt > 0 && optopt < LONG_BASE ? letter : argv[optind - 1];
                } else if (take_option(o, tables_get(&tables, c), optarg) < 0) {
                        return -1;
                }
        }
        return 0;
}

static int find_verb(const struct verb *const *verbs, int argc, char **argv, struct options *o)
{
        size_t i = 0;

        if (optind < argc) {
                while (verbs[i] && strcmp(verbs[i]->name, argv[optind]) != 0)
                        i++;
                if (!verbs[i]) {
                        fprintf(stderr, "mbus-cli: no verb %s; there are", argv[optind]);
                        for (; *verbs; verbs++)
                                fprintf(stderr, " %s", (*verbs)->name);
                        fputc('\n', stderr);
                        return -1;
                }
                optind++;
        }
        o->verb = verbs[i];
        o->args = argv + optind;
        o->n_args = (size_t)(argc - optind);
        return 0;
}

static bool verb_has(const struct verb *verb, const struct option_info *info)
{
        size_t i = 0;

        while (verb->options[i] && verb->options[i] != info)
                i++;
        return verb->options[i];
}

static int check_options(const struct options *o)
{
        for (size_t i = 0; i < o->n_given; i++) {
                char name[32];

                if (verb_has(o->verb, o->given[i].info))
                        continue;
                snprintf(name, sizeof(name), "--%s", o->given[i].info->name);
                return refuse_option(o->verb, "no option", name);
        }
        if (options_has(o, &option_json) && options_has(o, &option_format)) {
                text_error("%s: -j and -F exclude each other", o->verb->name);
                return -1;
        }
        return 0;
}

static int check_args(const struct options *o)
{
        if (o->n_args >= o->verb->args_min && o->n_args <= o->verb->args_max)
                return 0;
        text_error("%s: too %s arguments; usage: mbus-cli %s %s", o->verb->name,
                   o->n_args < o->verb->args_min ? "few" : "many", o->verb->name, o->verb->usage);
        return -1;
}

int options_parse(const struct verb *const *verbs, int argc, char **argv,
                  struct options *ret_options)
{
        struct options o = { .n_given = 0 };
        const char *bad = NULL;
        bool missing = false, named;

        if (read_options(verbs, argc, argv, &o, &bad, &missing) < 0)
                return -1;
        named = optind < argc;
        if (options_has(&o, &option_version)) {
                help_print_version(stdout);
                return 1;
        }
        if (find_verb(verbs, argc, argv, &o) < 0)
                return -1;
        if (options_has(&o, &option_help)) {
                help_print(stdout, verbs, named ? o.verb : NULL);
                return 1;
        }
        if (bad)
                return refuse_option(named ? o.verb : NULL,
                                     missing ? "an argument is missing behind" : "no option", bad);
        if (check_options(&o) < 0 || check_args(&o) < 0)
                return -1;
        *ret_options = o;
        return 0;
}
