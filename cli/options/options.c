/*
 * options.c - parses the command line with getopt_long(3) from one table for all verbs.
 *
 * The verb may come after its options, so all are read first and compared with what the verb has
 * when it is known.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cli/text/duration.h>
#include <cli/text/format.h>
#include <cli/text/text.h>

#include "help.h"
#include "verb.h"

/* getopt_long() returns this + enum option_id; letters are below it. */
#define LONG_BASE 256

const struct option_info option_infos[OPTION_MAX] = {
        [OPTION_RELIABLE] = { 'r', "reliable", NULL, "to exactly one entity, which acknowledges" },
        [OPTION_AS] = { 0, "as", "ADDR", "the address to send from; default (app:mbus-cli)" },
        [OPTION_STAY] = { 0, "stay", "SECS", "stay that long, and print what comes back" },
        [OPTION_COUNT] = { 'C', "count", "N", "stop after N of them" },
        [OPTION_WAIT] = { 'W', "wait", "SECS", "wait for at most that long" },
        [OPTION_VERBOSE] = { 'v', "verbose", NULL, "tell more" },
        [OPTION_JSON] = { 'j', "json", NULL, "print JSON objects, one a line" },
        [OPTION_FORMAT] = { 'F', "format", "FMT", "print lines of this format" },
        [OPTION_HELLO] = { 0, "hello", NULL, "also bare hellos and acknowledgements" },
        [OPTION_PREFIX] = { 'p', "prefix", "PREFIX", "with a command whose name begins so" },
        [OPTION_ON] = { 0, "on", "NAME", "on this bus of the broker; default main" },
        [OPTION_OUTPUT] = { 'o', "output", "FILE", "write to FILE, - is standard output" },
        [OPTION_FORCE] = { 0, "force", NULL, "replace a file that is there" },
        [OPTION_SCOPE] = { 0, "scope", "SCOPE", "hostlocal (the default) or linklocal" },
        [OPTION_HASH] = { 0, "hash", "ALGO", "sha1 (the default) or md5" },
        [OPTION_CIPHER] = { 0, "cipher", "ALGO", "aes (the default), none, des, 3des or idea" },
        [OPTION_DIALECT] = { 0, "dialect", "NAME",
                             "rfc3259 (the default) or ucl, for old programs" },
        [OPTION_BUS] = { 'b', "bus", "URL",
                         "where the bus is: auto: udp: unix:PATH tcp:HOST:PORT" },
        [OPTION_CONFIG] = { 'c', "config", "FILE", "configuration; default $MBUS, else ~/.mbus" },
        [OPTION_HELP] = { 'h', "help", NULL, "print this and exit" },
        [OPTION_VERSION] = { 'V', "version", NULL, "print the version and exit" },
};

struct tables {
        struct option longs[OPTION_MAX + 1];
        char letters[2 + 2 * OPTION_MAX];
};

static void tables_fill(struct tables *t)
{
        size_t n = 0;

        t->letters[n++] = ':';
        for (int id = 0; id < OPTION_MAX; id++) {
                const struct option_info *info = &option_infos[id];
                int has_arg = info->arg ? required_argument : no_argument;

                t->longs[id] = (struct option){ info->name, has_arg, NULL, LONG_BASE + id };
                if (info->letter)
                        t->letters[n++] = info->letter;
                if (info->letter && info->arg)
                        t->letters[n++] = ':';
        }
        t->longs[OPTION_MAX] = (struct option){ 0 };
        t->letters[n] = '\0';
}

/* The option that getopt_long() returned, or OPTION_MAX. */
static enum option_id id_of(int c)
{
        if (c >= LONG_BASE)
                return (enum option_id)(c - LONG_BASE);
        for (int id = 0; id < OPTION_MAX; id++)
                if (option_infos[id].letter == c)
                        return (enum option_id)id;
        return OPTION_MAX;
}

static int parse_count(const char *text, uint64_t *ret_count)
{
        uint64_t count = 0;

        for (const char *p = text; *p; p++) {
                if (*p < '0' || *p > '9') {
                        text_error_at(stderr, "-C", "a whole number is wanted", text,
                                      (size_t)(p - text));
                        return -1;
                }
                if (count > UINT32_MAX) {
                        text_error_at(stderr, "-C", "nobody counts that far", text, 0);
                        return -1;
                }
                count = count * 10 + (uint64_t)(*p - '0');
        }
        if (!count) {
                text_error_at(stderr, "-C", "a whole number above 0 is wanted", text, 0);
                return -1;
        }
        *ret_count = count;
        return 0;
}

static int parse_wait(const char *option, const char *text, uint64_t *ret_ns)
{
        const char *what;
        size_t at;

        if (duration_parse(text, ret_ns, &at, &what) == 0)
                return 0;
        text_error_at(stderr, option, what, text, at);
        return -1;
}

static int parse_format(const char *text, const char **ret_format)
{
        const char *what;
        size_t at;

        if (format_check(text, &at, &what) == 0) {
                *ret_format = text;
                return 0;
        }
        text_error_at(stderr, "-F", what, text, at);
        return -1;
}

/* What the name of a command can begin with (RFC 3259, 5.3). */
static int parse_prefix(const char *text, const char **ret_prefix)
{
        for (const char *p = text; *p; p++) {
                bool letter = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
                bool other = (*p >= '0' && *p <= '9') || strchr("-_.", *p);

                if (!letter && (p == text || !other)) {
                        text_error_at(stderr, "-p", "the name of a command has no such character",
                                      text, (size_t)(p - text));
                        return -1;
                }
        }
        if (!*text) {
                text_error("-p: the beginning of a command's name is wanted");
                return -1;
        }
        *ret_prefix = text;
        return 0;
}

static int parse_name(const char *text, const char **ret_name)
{
        for (const char *p = text; *p; p++)
                if (strchr(":/ ", *p)) {
                        text_error_at(stderr, "--on",
                                      "the name of a bus of the broker is wanted, as in [bus NAME]",
                                      text, (size_t)(p - text));
                        return -1;
                }
        if (!*text) {
                text_error("--on: the name of a bus of the broker is wanted, as in [bus NAME]");
                return -1;
        }
        *ret_name = text;
        return 0;
}

/* HOST:PORT or [HOST]:PORT. What is written so but names nothing is not reached, which is another kind of
 * failure (9). */
static bool is_place(const char *text)
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
static const char *find_mistake(const char *url, const char *rest, const char **ret_what)
{
        *ret_what = "nothing may stand behind it";
        if (strncmp(url, "udp:", 4) == 0 || strncmp(url, "auto:", 5) == 0)
                return *rest ? rest : NULL;
        *ret_what = "write tcp:HOST:PORT or tcp:[ADDRESS]:PORT";
        if (strncmp(url, "tcp:", 4) == 0)
                return is_place(rest) ? NULL : rest;
        *ret_what = "it has a name, write mem:NAME";
        return strncmp(url, "mem:", 4) == 0 && !*rest ? rest : NULL;
}

static int parse_bus(const char *text, const char **ret_url)
{
        static const char *const schemes[] = { "auto:", "udp:", "unix:", "tcp:", "mem:" };
        const char *wrong, *what;

        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
                if (strncmp(text, schemes[i], strlen(schemes[i])) != 0)
                        continue;
                wrong = find_mistake(text, text + strlen(schemes[i]), &what);
                if (wrong) {
                        text_error_at(stderr, "-b", what, text, (size_t)(wrong - text));
                        return -1;
                }
                *ret_url = text;
                return 0;
        }
        text_error_at(stderr, "-b",
                      strchr(text, ':') ? "the bus is auto:, udp:, unix:PATH or tcp:HOST:PORT"
                                        : "the bus is auto:, udp:, unix:PATH or tcp:HOST:PORT; "
                                          "monitor --on NAME names one of the broker's",
                      text, 0);
        return -1;
}

static int set(struct options *o, enum option_id id, const char *arg)
{
        o->given |= OPTION_BIT(id);
        switch (id) {
        case OPTION_AS:
                o->arg_as = arg;
                return 0;
        case OPTION_COUNT:
                return parse_count(arg, &o->arg_count);
        case OPTION_WAIT:
                return parse_wait("-W", arg, &o->arg_wait);
        case OPTION_STAY:
                return parse_wait("--stay", arg, &o->arg_stay);
        case OPTION_FORMAT:
                return parse_format(arg, &o->arg_format);
        case OPTION_PREFIX:
                return parse_prefix(arg, &o->arg_prefix);
        case OPTION_ON:
                return parse_name(arg, &o->arg_on);
        case OPTION_OUTPUT:
                o->arg_output = arg;
                return 0;
        case OPTION_SCOPE:
                o->arg_scope = arg;
                return 0;
        case OPTION_HASH:
                o->arg_hash = arg;
                return 0;
        case OPTION_CIPHER:
                o->arg_cipher = arg;
                return 0;
        case OPTION_DIALECT:
                o->arg_dialect = arg;
                return 0;
        case OPTION_BUS:
                return parse_bus(arg, &o->arg_bus);
        case OPTION_CONFIG:
                if (!*arg) {
                        text_error("-c: the name of the configuration is empty; name one, or leave "
                                   "the option out");
                        return -1;
                }
                o->arg_config = arg;
                return 0;
        default:
                return 0;
        }
}

static int refuse(const struct verb *verb, const char *what, const char *option)
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
static int read_options(int argc, char **argv, struct options *o, const char **ret_bad,
                        bool *ret_missing)
{
        static char letter[] = "-?";
        struct tables tables;
        int c;

        tables_fill(&tables);
        opterr = 0;
        while ((c = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) >= 0) {
                if (c == '?' || c == ':') {
                        if (*ret_bad)
                                continue;
                        letter[1] = (char)optopt;
                        *ret_missing = c == ':';
                        *ret_bad = optopt > 0 && optopt < LONG_BASE ? letter : argv[optind - 1];
                } else if (set(o, id_of(c), optarg) < 0) {
                        return -1;
                }
        }
        return 0;
}

static int find_verb(int argc, char **argv, struct options *o)
{
        o->verb = &verb_list;
        if (optind < argc) {
                o->verb = verb_find(argv[optind]);
                if (!o->verb) {
                        fprintf(stderr, "mbus-cli: no verb %s; there are", argv[optind]);
                        for (size_t i = 0; verbs[i]; i++)
                                fprintf(stderr, " %s", verbs[i]->name);
                        fputc('\n', stderr);
                        return -1;
                }
                optind++;
        }
        o->args = argv + optind;
        o->n_args = (size_t)(argc - optind);
        return 0;
}

static int check_options(const struct options *o)
{
        for (unsigned id = 0; id < OPTION_MAX; id++) {
                char name[32];

                if (!(o->given & ~o->verb->options & OPTION_BIT(id)))
                        continue;
                snprintf(name, sizeof(name), "--%s", option_infos[id].name);
                return refuse(o->verb, "no option", name);
        }
        if (options_has(o, OPTION_JSON) && options_has(o, OPTION_FORMAT)) {
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

int options_parse(int argc, char **argv, struct options *ret_options)
{
        struct options o = { .arg_count = 0 };
        const char *bad = NULL;
        bool missing = false, named;

        if (read_options(argc, argv, &o, &bad, &missing) < 0)
                return -1;
        named = optind < argc;
        if (options_has(&o, OPTION_VERSION)) {
                help_print_version(stdout);
                return 1;
        }
        if (find_verb(argc, argv, &o) < 0)
                return -1;
        if (options_has(&o, OPTION_HELP)) {
                help_print(stdout, named ? o.verb : NULL);
                return 1;
        }
        if (bad)
                return refuse(named ? o.verb : NULL,
                              missing ? "an argument is missing behind" : "no option", bad);
        if (check_options(&o) < 0 || check_args(&o) < 0)
                return -1;
        *ret_options = o;
        return 0;
}
