/*
 * bus-config.c - what the [bus NAME] sections of the configuration ask for (spec/buses.md).
 *
 * All keys but ROUTE are those of [MBUS], and read by the same reader.
 */
#include "bus-config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <io/config-file.h>

#include <broker/base/base.h>

struct bus_configs *bus_configs_new(void)
{
        return calloc(1, sizeof(struct bus_configs));
}

static struct export_rule *export_rule_free(struct export_rule *rule)
{
        struct export_rule *next = rule->next;

        free(rule->address);
        free(rule->commands);
        free(rule);
        return next;
}

struct bus_configs *bus_configs_free(struct bus_configs *configs)
{
        if (!configs)
                return NULL;
        while (configs->rules)
                configs->rules = export_rule_free(configs->rules);
        /* Its keys are secret. */
        for (size_t i = 0; i < configs->n; i++)
                explicit_bzero(&configs->sections[i], sizeof(configs->sections[i]));
        free(configs->sections);
        free(configs);
        return NULL;
}

/* ---- sections ------------------------------------------------------------------------------ */

static bool is_name(struct span name)
{
        for (size_t i = 0; i < name.n; i++)
                if (!is_alpha(name.at[i]) && !is_digit(name.at[i]) && name.at[i] != '-' &&
                    name.at[i] != '_')
                        return false;
        return name.n > 0 && name.n <= BUS_NAME_MAX;
}

static void set_name(char name[static BUS_NAME_MAX + 1], struct span from)
{
        memcpy(name, from.at, from.n);
        name[from.n] = '\0';
}

static bool is_known(const struct bus_configs *configs, struct span name)
{
        for (size_t i = 0; i < configs->n; i++)
                if (span_equal_nocase(name, configs->sections[i].name))
                        return true;
        return span_equal_nocase(name, BUS_MAIN);
}

static bool begin_section(struct bus_configs *configs, const struct ini_line *line)
{
        struct bus_section *sections, *section;

        assert(configs->n < BUSES_MAX);
        if (!is_name(line->word))
                return ini_fail(line, span_of("[bus]"),
                                "a bus has a name of letters, digits, - and _, write [bus "
                                "NAME]");
        if (is_known(configs, line->word))
                return ini_fail(line, span_of("[bus]"),
                                "there is a bus of this name already, take another; main is "
                                "that of [MBUS]");
        if (configs->n == BUSES_MAX - 1)
                return ini_fail(line, span_of("[bus]"), "there are more than %d buses", BUSES_MAX);
        sections = realloc(configs->sections, (configs->n + 1) * sizeof(*sections));
        if (!sections)
                return ini_fail(line, span_of("[bus]"), "memory is short");
        configs->sections = sections;
        section = &sections[configs->n++];
        *section =
                (struct bus_section){ .line = line->number, .reader = { .config = CONFIG_INIT } };
        set_name(section->name, line->word);
        snprintf(section->title, sizeof(section->title), "bus %s", section->name);
        return true;
}

/* ---- routes -------------------------------------------------------------------------------- */

struct route_words {
        struct span to;
        struct span from;
        struct span address;
        struct span commands;
};

static bool take_words(const struct ini_line *line, struct span rest, struct route_words *ret_words)
{
        struct route_words w = { 0 };
        struct span word;

        while (ini_next_word(&rest, &word)) {
                struct span *place = NULL;
                const char *equals = memchr(word.at, '=', word.n);
                struct span key = { word.at, equals ? (size_t)(equals - word.at) : word.n };

                if (span_equal_nocase(key, "to"))
                        place = &w.to;
                else if (span_equal_nocase(key, "from"))
                        place = &w.from;
                else if (span_equal_nocase(key, "address"))
                        place = &w.address;
                else if (span_equal_nocase(key, "commands"))
                        place = &w.commands;
                if (!place || !equals)
                        return ini_fail(line, span_of("ROUTE"),
                                        "write to=BUS or from=BUS, then address=(...) and "
                                        "commands=NAME,NAME if not all may pass");
                if (place->at)
                        return ini_fail(line, span_of("ROUTE"),
                                        "%.*s= stands there twice, remove one of the two",
                                        (int)key.n, key.at);
                *place = span_from(word, key.n + 1);
                if (place->n == 0)
                        return ini_fail(line, span_of("ROUTE"),
                                        "%.*s= has nothing behind it, write it or remove %.*s=",
                                        (int)key.n, key.at, (int)key.n, key.at);
        }
        if (!w.to.at == !w.from.at)
                return ini_fail(line, span_of("ROUTE"), "write one of to=BUS and from=BUS");
        if (!w.address.at)
                w.address = span_of("()");
        *ret_words = w;
        return true;
}

/* "a.,b." becomes "a.\0b.\0\0". False if it is no list of commands. */
static bool set_commands(struct export_rule *rule, struct span list)
{
        char *at;

        if (list.n == 0)
                return true;
        rule->commands = at = malloc(list.n + 2);
        if (!at)
                return false;
        for (size_t i = 0; i < list.n; i++) {
                char c = list.at[i];
                bool first = i == 0 || list.at[i - 1] == ',';

                if (c == ',' && (first || i + 1 == list.n))
                        return false;
                if (c != ',' && !is_alpha(c) && !is_digit(c) && c != '.' && c != '_' && c != '-')
                        return false;
                *at++ = c == ',' ? '\0' : c;
        }
        *at++ = '\0';
        *at = '\0';
        return true;
}

static bool fill_rule(struct export_rule *rule, const struct ini_line *line,
                      const struct bus_section *bus, const struct route_words *w)
{
        struct span other = w->to.n > 0 ? w->to : w->from;
        struct address address;

        if (!is_name(other))
                return ini_fail(line, span_of("ROUTE"),
                                "what is to be the name of a bus is "
                                "none");
        if (span_equal_nocase(other, bus->name))
                return ini_fail(line, span_of("ROUTE"), "it leads from the bus to itself");
        set_name(w->to.n > 0 ? rule->to : rule->from, other);
        set_name(w->to.n > 0 ? rule->from : rule->to, span_of(bus->name));
        if (address_parse(w->address, LENIENT, &address, NULL, NULL))
                return ini_fail(line, span_of("ROUTE"),
                                "what is behind address= is no "
                                "address, write (tag:value ...)");
        rule->address = address_dup(&address);
        if (!rule->address)
                return ini_fail(line, span_of("ROUTE"), "memory is short");
        if (!set_commands(rule, w->commands))
                return ini_fail(line, span_of("ROUTE"),
                                "what is behind commands= is no list of names, write "
                                "audio.,video.play");
        return true;
}

static bool read_route(struct bus_configs *configs, const struct ini_line *line, struct span value)
{
        struct export_rule **end = &configs->rules;
        struct route_words words = { 0 };
        struct export_rule *rule;

        /* There is no line before the first [bus NAME]. */
        assert(configs->n > 0 && configs->n_rules <= EXPORT_RULES_MAX);
        if (!take_words(line, value, &words))
                return false;
        if (configs->n_rules == EXPORT_RULES_MAX)
                return ini_fail(line, span_of("ROUTE"), "there are more than %d routes",
                                EXPORT_RULES_MAX);
        rule = malloc(sizeof(*rule));
        if (!rule)
                return ini_fail(line, span_of("ROUTE"), "memory is short");
        *rule = (struct export_rule){ .line = line->number };
        if (!fill_rule(rule, line, &configs->sections[configs->n - 1], &words)) {
                export_rule_free(rule);
                return false;
        }
        while (*end)
                end = &(*end)->next;
        *end = rule;
        configs->n_rules++;
        return true;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* The section may have moved since it was used. */
static void prepare_reader(struct bus_section *section, const char *file)
{
        section->reader.name = file;
        section->reader.section = section->title;
        section->reader.error = section->error;
}

bool bus_configs_on_line(void *data, const struct ini_line *line)
{
        struct bus_configs *configs = data;
        struct bus_section *section;
        struct span key, value;

        if (line->text.n == 0)
                return begin_section(configs, line);
        if (!ini_split(line, &key, &value))
                return false;
        if (span_equal_nocase(key, "ROUTE"))
                return read_route(configs, line, value);
        section = &configs->sections[configs->n - 1];
        prepare_reader(section, line->file);
        if (config_read_entry(&section->reader, line->number, line->text) == 0)
                return true;
        snprintf(line->error, INI_ERROR_SIZE, "%s", section->error);
        return false;
}

static void log_warnings(const struct config *config)
{
        for (unsigned i = 0; i < config->n_warnings; i++)
                log_warning("%s", config->warnings[i]);
}

/* Spells @name as its section does. False if there is none. */
static bool spell_bus(const struct bus_configs *configs, char name[static BUS_NAME_MAX + 1])
{
        const char *section = BUS_MAIN;

        for (size_t i = 0; i < configs->n; i++)
                if (span_equal_nocase(span_of(name), configs->sections[i].name))
                        section = configs->sections[i].name;
        if (!span_equal_nocase(span_of(name), section))
                return false;
        memcpy(name, section, strlen(section));
        return true;
}

bool bus_configs_check(struct bus_configs *configs, const char *file,
                       char ret_error[static INI_ERROR_SIZE])
{
        struct ini_line line = { .file = file, .error = ret_error };

        for (size_t i = 0; i < configs->n; i++) {
                struct bus_section *section = &configs->sections[i];

                prepare_reader(section, file);
                section->reader.line = section->line;
                log_warnings(&section->reader.config);
                if (config_check_keys(&section->reader) == 0)
                        continue;
                snprintf(ret_error, INI_ERROR_SIZE, "%s", section->error);
                return false;
        }
        for (struct export_rule *rule = configs->rules; rule; rule = rule->next) {
                line.number = rule->line;
                if (!spell_bus(configs, rule->from) || !spell_bus(configs, rule->to))
                        return ini_fail(&line, span_of("ROUTE"),
                                        "there is no bus of this name, add [bus NAME]");
        }
        return true;
}

/* ---- the same? ----------------------------------------------------------------------------- */

const struct bus_section *bus_configs_find(const struct bus_configs *configs, const char *name)
{
        for (size_t i = 0; configs && i < configs->n; i++)
                if (strcmp(configs->sections[i].name, name) == 0)
                        return &configs->sections[i];
        return NULL;
}

bool bus_section_equal(const struct bus_section *a, const struct bus_section *b)
{
        struct buffer text_a = BUFFER_INIT, text_b = BUFFER_INIT;
        bool same;

        config_format(&a->reader.config, &text_a);
        config_format(&b->reader.config, &text_b);
        same = strcmp(a->name, b->name) == 0 && !text_a.failed && !text_b.failed &&
               span_equal(buffer_span(&text_a), buffer_span(&text_b));
        config_file_wipe(&text_a);
        config_file_wipe(&text_b);
        return same;
}

/* ---- rules --------------------------------------------------------------------------------- */

bool export_rule_is_about(const struct export_rule *rule, const struct address *address)
{
        return address_is_subset(rule->address, address);
}

bool export_rule_admits(const struct export_rule *rule, struct span name)
{
        if (!rule->commands)
                return true;
        for (const char *at = rule->commands; *at; at += strlen(at) + 1)
                if (at[strlen(at) - 1] == '.' ? span_begins(name, at) : span_equal_text(name, at))
                        return true;
        return false;
}

void export_rule_format(const struct export_rule *rule, struct buffer *out)
{
        buffer_add_text(out, "to=");
        buffer_add_text(out, rule->to);
        if (rule->address->n > 0) {
                buffer_add_text(out, " address=");
                buffer_add_span(out, rule->address->text);
        }
        if (!rule->commands)
                return;
        for (const char *at = rule->commands; *at; at += strlen(at) + 1) {
                buffer_add_text(out, at == rule->commands ? " commands=" : ",");
                buffer_add_text(out, at);
        }
}
