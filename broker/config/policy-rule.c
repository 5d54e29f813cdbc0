/*
 * policy-rule.c - reads a line of [policy].
 *
 * A line that is not understood wholly is an error, not a warning: half of a rule is another rule.
 */
#include "policy-rule.h"

#include <stdlib.h>
#include <string.h>

#include <io/nobody.h>

#include <broker/base/base.h>

#include "ini-account.h"

static void free_patterns(struct pattern *pattern)
{
        struct pattern *next;

        for (; pattern; pattern = next) {
                next = pattern->next;
                free(pattern->address);
                free(pattern);
        }
}

struct policy_rule *policy_rule_free(struct policy_rule *rule)
{
        if (!rule)
                return NULL;
        free_patterns(rule->attach);
        free_patterns(rule->send);
        while (rule->who) {
                struct who *who = rule->who;

                rule->who = who->next;
                free(who);
        }
        while (rule->commands) {
                struct command_name *name = rule->commands;

                rule->commands = name->next;
                free(name);
        }
        free(rule);
        return NULL;
}

static bool no_memory(const struct ini_line *line)
{
        return ini_fail(line, line->section, "memory is short");
}

/* The next part of a list with commas; false at the end. */
static bool next_of_list(struct span *rest, struct span *ret_part)
{
        const char *comma;

        if (!rest->at)
                return false;
        comma = memchr(rest->at, ',', rest->n);
        *ret_part = (struct span){ rest->at, comma ? (size_t)(comma - rest->at) : rest->n };
        *rest = comma ? span_from(*rest, ret_part->n + 1) : SPAN_NULL;
        return true;
}

/* Who reads the line believes in a user of this number. */
static void warn_of_nobody(const struct ini_line *line, struct span key, bool is_group, uint32_t id)
{
        struct nobody nobody;

        nobody_read(&nobody);
        if (is_group ? nobody_is_gid(&nobody, id) : nobody_is_uid(&nobody, id))
                log_warning("%s:%u: %.*s: in this user namespace %u is everybody who has no number "
                            "here, so nothing is granted to it; map the number that is meant",
                            line->file, line->number, (int)key.n, key.at, (unsigned)id);
}

static bool add_who(const struct ini_line *line, struct policy_rule *rule, struct span key,
                    struct span name)
{
        bool is_group = span_equal_text(key, "group");
        struct who *who;
        uint32_t id;

        if (span_equal_text(name, "*")) {
                rule->everybody = true;
                return true;
        }
        if (!(is_group ? ini_find_group(line, key, name, &id)
                       : ini_find_user(line, key, name, &id)))
                return false;
        if (!rule->deny)
                warn_of_nobody(line, key, is_group, id);
        who = malloc(sizeof(*who));
        if (!who)
                return no_memory(line);
        *who = (struct who){ .next = rule->who, .is_group = is_group, .id = id };
        rule->who = who;
        return true;
}

static bool read_who(const struct ini_line *line, struct policy_rule *rule, struct span key,
                     struct span value)
{
        struct span name;

        while (next_of_list(&value, &name))
                if (!add_who(line, rule, key, name))
                        return false;
        return true;
}

/* Writes @value without a "*" that ends it into @text, and whether there was one. */
static bool take_star(struct span value, char *text, size_t *ret_n)
{
        size_t n = value.n - 1;

        while (n > 1 && is_wsp(value.at[n - 1]))
                n--;
        *ret_n = value.n;
        memcpy(text, value.at, value.n);
        if (n < 2 || value.at[n - 1] != '*' || !(n == 2 || is_wsp(value.at[n - 2])))
                return false;
        text[n - 1] = ')';
        *ret_n = n;
        return true;
}

static bool add_pattern(const struct ini_line *line, struct pattern **list, struct span key,
                        struct span value)
{
        struct parse_error error = { 0, "it is too long" };
        char text[ADDRESS_TEXT_MAX + 8];
        struct pattern *pattern;
        struct address address;
        bool open = true;
        size_t n = 2;

        if (span_equal_text(value, "*"))
                memcpy(text, "()", 2);
        else if (value.n > sizeof(text) || value.n < 2 || value.at[value.n - 1] != ')')
                return ini_fail(line, key, "\"%.*s\" is no address, write (TAG:VALUE ...) or *",
                                (int)(value.n < 40 ? value.n : 40), value.at);
        else
                open = take_star(value, text, &n);
        if (address_parse((struct span){ text, n }, LENIENT, &address, NULL, &error))
                return ini_fail(line, key,
                                "the address is malformed, write (TAG:VALUE ...): "
                                "%s",
                                error.what);
        for (unsigned i = 0; i < address.n; i++)
                if (span_equal_text(address_value(&address, i), "*"))
                        return ini_fail(line, key,
                                        "* stands for whole elements, write it "
                                        "alone before the )");
        pattern = malloc(sizeof(*pattern));
        if (!pattern)
                return no_memory(line);
        *pattern =
                (struct pattern){ .next = *list, .address = address_dup(&address), .open = open };
        *list = pattern;
        return pattern->address ? true : no_memory(line);
}

static bool read_attach(const struct ini_line *line, struct policy_rule *rule, struct span key,
                        struct span value)
{
        return add_pattern(line, &rule->attach, key, value);
}

static bool read_send(const struct ini_line *line, struct policy_rule *rule, struct span key,
                      struct span value)
{
        return add_pattern(line, &rule->send, key, value);
}

static bool is_command(struct span name)
{
        for (size_t i = 0; i < name.n; i++)
                if (!is_alpha(name.at[i]) && !is_digit(name.at[i]) && name.at[i] != '.' &&
                    name.at[i] != '_' && name.at[i] != '-')
                        return false;
        return name.n > 0;
}

static bool read_commands(const struct ini_line *line, struct policy_rule *rule, struct span key,
                          struct span value)
{
        struct span part;

        while (next_of_list(&value, &part)) {
                struct command_name *name;

                if (!is_command(part))
                        return ini_fail(line, key,
                                        "a name of a command is missing or "
                                        "malformed, write commands=audio.,quit");
                name = malloc(sizeof(*name) + part.n);
                if (!name)
                        return no_memory(line);
                name->next = rule->commands;
                name->n = part.n;
                memcpy(name->text, part.at, part.n);
                rule->commands = name;
        }
        return true;
}

static bool read_yes(const struct ini_line *line, struct span key, struct span value, bool *ret_yes)
{
        if (!span_equal_nocase(value, "yes") && !span_equal_nocase(value, "no"))
                return ini_fail(line, key, "it is neither, write yes or no");
        *ret_yes = span_equal_nocase(value, "yes");
        return true;
}

static bool read_watch(const struct ini_line *line, struct policy_rule *rule, struct span key,
                       struct span value)
{
        return read_yes(line, key, value, &rule->watch);
}

static bool read_observe(const struct ini_line *line, struct policy_rule *rule, struct span key,
                         struct span value)
{
        return read_yes(line, key, value, &rule->observe);
}

static bool read_all(const struct ini_line *line, struct policy_rule *rule, struct span key,
                     struct span value)
{
        (void)line;
        (void)key;
        (void)value;
        rule->all = true;
        return true;
}

static const struct {
        const char *name;
        bool (*read)(const struct ini_line *line, struct policy_rule *rule, struct span key,
                     struct span value);
        bool grants; /* it has no place in a deny line */
        bool once;
} words[] = {
        { "user", read_who, false, false },         { "group", read_who, false, false },
        { "attach", read_attach, true, false },     { "send", read_send, true, false },
        { "commands", read_commands, true, false }, { "watch", read_watch, true, true },
        { "observe", read_observe, true, true },    { "all", read_all, true, true },
};

#define WORDS_MAX (sizeof(words) / sizeof(*words))

/* Reads one word of a line; @seen has a bit for each that was there. */
static bool read_word(const struct ini_line *line, struct policy_rule *rule, struct span word,
                      unsigned *seen)
{
        const char *equals = memchr(word.at, '=', word.n);
        struct span key = { word.at, equals ? (size_t)(equals - word.at) : word.n };
        struct span value = span_from(word, key.n + (equals ? 1 : 0));

        for (unsigned i = 0; i < WORDS_MAX; i++) {
                if (!span_equal_text(key, words[i].name))
                        continue;
                if ((words[i].read == read_all) == (equals != NULL))
                        return ini_fail(line, key, "write %s%s", words[i].name,
                                        equals ? " alone" : "=VALUE");
                if (rule->deny && words[i].grants)
                        return ini_fail(line, key,
                                        "a deny line has user= and group= only, "
                                        "remove it");
                if (words[i].once && *seen & 1u << i)
                        return ini_fail(line, key, "stands there twice, remove one of the two");
                *seen |= 1u << i;
                return words[i].read(line, rule, key, value);
        }
        return ini_fail(line, key,
                        "it is unknown; there are user=, group=, attach=, send=, "
                        "commands=, watch=, observe= and all");
}

static bool check_rule(const struct ini_line *line, struct policy_rule *rule, unsigned seen)
{
        struct span key = span_of(rule->deny ? "deny" : "allow");

        if (!rule->who && !rule->everybody)
                return ini_fail(line, key,
                                "it does not say for whom, add user=NAME, "
                                "group=NAME or user=*");
        if (rule->commands && !rule->send)
                return ini_fail(line, span_of("commands"),
                                "it limits send=, which is missing; "
                                "add send=*");
        if (!rule->deny && !(seen & ~3u))
                return ini_fail(line, key,
                                "it grants nothing, add attach=, send=, watch=, "
                                "observe= or all");
        return true;
}

bool policy_rule_read(const struct ini_line *line, struct policy_rule *rule)
{
        struct span rest = line->text, word;
        unsigned seen = 0;
        bool saw_watch;

        ini_next_word(&rest, &word);
        rule->deny = span_equal_text(word, "deny");
        if (!rule->deny && !span_equal_text(word, "allow"))
                return ini_fail(line, word, "a line of [policy] begins with allow or deny");
        while (ini_next_word(&rest, &word))
                if (!read_word(line, rule, word, &seen))
                        return false;
        saw_watch = seen & 1u << 5;
        if (!saw_watch)
                rule->watch = rule->attach || rule->send;
        return check_rule(line, rule, seen);
}
