/*
 * bus-config.h - what the [bus NAME] sections of the configuration ask for (spec/buses.md).
 *
 * A section has the keys of [MBUS], and routes:
 *
 *      [bus studio]
 *      HASHKEY=...
 *      ENCRYPTIONKEY=...
 *      ROUTE=to=main address=(media:audio) commands=audio.
 *      ROUTE=from=main address=(app:mixer)
 */
#ifndef BROKER_CONFIG_BUS_CONFIG_H
#define BROKER_CONFIG_BUS_CONFIG_H

#include <core/address.h>
#include <core/config-reader.h>
#include <core/filter.h>

#include <broker/base/base.h>

#include "ini.h"

/* Entities of one bus that another one sees, and what of theirs it hears. */
struct export_rule {
        char from[BUS_NAME_MAX + 1];
        char to[BUS_NAME_MAX + 1];
        unsigned line;
        struct address *address;
        char *commands; /* names, each with a zero octet, and one more at the end; NULL: any */
        struct export_rule *next;
};

struct bus_section {
        char name[BUS_NAME_MAX + 1];
        char title[sizeof("bus ") + BUS_NAME_MAX]; /* "bus NAME" */
        unsigned line;
        struct config_reader reader; /* its config is the bus's */
        char error[CONFIG_ERROR_SIZE];
};

/* Number 0 is [MBUS], which is read elsewhere. */
struct bus_configs {
        struct bus_section *sections;
        size_t n;
        struct export_rule *rules; /* in the order of the file */
        size_t n_rules;
};

/* NULL when memory is short. */
struct bus_configs *bus_configs_new(void);
/* Takes NULL, returns NULL. */
struct bus_configs *bus_configs_free(struct bus_configs *configs);
/* Reads a line of [bus NAME], for ini_read(); @data is the struct bus_configs. */
bool bus_configs_on_line(void *data, const struct ini_line *line);
/* All lines were read. False, with a line in @ret_error, if something is missing. */
bool bus_configs_check(struct bus_configs *configs, const char *file,
                       char ret_error[static INI_ERROR_SIZE]);

/* The section of the bus @name in @configs (may be NULL), or NULL. */
const struct bus_section *bus_configs_find(const struct bus_configs *configs, const char *name);
/* Whether both ask for the same bus, whatever its routes. */
bool bus_section_equal(const struct bus_section *a, const struct bus_section *b);

/* Whether a rule is about @address, and whether it lets a command called @name pass. */
bool export_rule_is_about(const struct export_rule *rule, const struct address *address);
bool export_rule_admits(const struct export_rule *rule, struct span name);
/* Appends it as the section of `from` has it: to=BUS address=ADDRESS commands=NAME,NAME */
void export_rule_format(const struct export_rule *rule, struct buffer *out);

#endif
