/*
 * twins.c - two buses of one configuration that are one.
 *
 * Keys are compared by what they do: one seals a message, the other opens it. So it does not matter
 * that HMAC fills a short key up with zero octets, that DES has bits that do not count, and that a
 * 3DES key of two halves may be written in three parts.
 */
#include "twins.h"

#include <assert.h>
#include <stdio.h>

#include <core/crypto.h>
#include <core/seal.h>
#include <io/interface.h>

/* Long enough that each cipher has blocks to get wrong. */
#define PROBE "mbus/1.0 0 0 U () () ()\r\nmbus.hello()\r\nmbus.hello()"
#define PROBE_SEALED_MAX 256

/* Where a bus is. */
struct where {
        union socket_address group;
        struct interface_choice choice;
};

/* One bus of the file. */
struct twin {
        const struct config *config;
        char title[BUS_NAME_MAX + sizeof("[bus ]")];
        unsigned line;
        struct where where;
};

static bool find_where(const struct config *config, struct where *ret_where)
{
        struct interface_rule rule;
        char error[512];

        if (interface_rule_make(config, &rule, error) ||
            interface_find(&rule, &ret_where->choice, error))
                return false;
        ret_where->group = rule.group;
        return true;
}

static bool is_same_group(const union socket_address *a, const union socket_address *b)
{
        if (a->any.sa_family != b->any.sa_family || !socket_address_same_host(a, b))
                return false;
        return a->any.sa_family == AF_INET ? a->v4.sin_port == b->v4.sin_port
                                           : a->v6.sin6_port == b->v6.sin6_port;
}

/* The name of an interface that both are on, or NULL. */
static const char *find_shared(const struct where *a, const struct where *b)
{
        for (unsigned i = 0; i < a->choice.n; i++)
                for (unsigned k = 0; k < b->choice.n; k++)
                        if (a->choice.interfaces[i].index == b->choice.interfaces[k].index)
                                return a->choice.interfaces[i].name;
        return NULL;
}

static bool opens_sealed(struct crypto *from, struct crypto *to)
{
        struct buffer sealed = BUFFER_INIT;
        char scratch[PROBE_SEALED_MAX];
        struct span text;
        bool same;

        seal_message(from, DIALECT_RFC3259, span_of(PROBE), &sealed);
        same = !sealed.failed && sealed.n <= sizeof(scratch) &&
               seal_open(to, buffer_span(&sealed), scratch, &text) == SEAL_OK &&
               span_equal_text(text, PROBE);
        buffer_deinit(&sealed);
        return same;
}

static bool has_same_keys(const struct config *a, const struct config *b)
{
        struct crypto *from = NULL, *to = NULL;
        bool same;

        crypto_global_init();
        same = crypto_new(a, &from) == 0 && crypto_new(b, &to) == 0 && opens_sealed(from, to);
        crypto_free(from);
        crypto_free(to);
        return same;
}

static bool compare_twins(const struct twin *a, const struct twin *b, const char *file,
                          char ret_error[static INI_ERROR_SIZE])
{
        const struct ini_line line = { .file = file, .number = b->line, .error = ret_error };
        const char *interface = is_same_group(&a->where.group, &b->where.group)
                                        ? find_shared(&a->where, &b->where)
                                        : NULL;
        char of_line[48] = " as it was when the broker began";

        if (!interface || !has_same_keys(a->config, b->config))
                return true;
        if (a->line > 0)
                snprintf(of_line, sizeof(of_line), " of line %u", a->line);
        return ini_fail(&line, span_of(b->title),
                        "it is the same bus as %s%s: group, port, keys and interface (%s) are "
                        "the same; remove it, or give it keys or a PORT of its own",
                        a->title, of_line, interface);
}

bool twins_check(const struct config *main, unsigned main_line, const struct bus_configs *configs,
                 const char *file, char ret_error[static INI_ERROR_SIZE])
{
        struct twin all[BUSES_MAX] = { { .config = main, .title = "[MBUS]", .line = main_line } };
        size_t n = find_where(main, &all[0].where) ? 1 : 0;

        for (size_t i = 0; i < configs->n; i++) {
                const struct bus_section *section = &configs->sections[i];
                struct twin *twin = &all[n];

                assert(n < BUSES_MAX);
                *twin = (struct twin){ .config = &section->reader.config, .line = section->line };
                snprintf(twin->title, sizeof(twin->title), "[bus %s]", section->name);
                if (!find_where(twin->config, &twin->where))
                        continue;
                for (size_t k = 0; k < n; k++)
                        if (!compare_twins(&all[k], twin, file, ret_error))
                                return false;
                n++;
        }
        return true;
}
