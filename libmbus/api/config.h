/*
 * config.h - the settings that a bus is opened with, and what came of it.
 */
#ifndef MBUS_API_CONFIG_H
#define MBUS_API_CONFIG_H

#include "public.h"

#include <core/command.h>
#include <core/config.h>
#include <core/crypto.h>
#include <core/limits.h>

/* Lines of why a bus cannot be opened. */
#define BUS_ERROR_SIZE 512
/* Remarks of a bus that an application may read. */
#define WARNINGS_MAX 32
/* Entries that a new configuration can be given: more than there are keys. */
#define ENTRIES_MAX 24
/* Answers to a ping take a second, twice, and a little. */
#define PATIENCE_DEFAULT_MS 2500

enum config_setting {
        SETTING_URL = 1,
        SETTING_FILE = 2,
        SETTING_TEXT = 4,
};

struct config_entry {
        char *key;
        char *value;
};

/*
 * A setter returns nothing: that there was no memory for it stands in `failed`, or in
 * `entries_failed`, until the same setting is set again, and mbus_bus_open() says it. `error` and
 * `warnings` are of the last mbus_bus_open() or mbus_config_generate().
 */
struct mbus_config {
        char *url;
        char *file;
        char *text;
        uint64_t patience;
        unsigned failed; /* the settings whose last setter had no memory */
        char error[BUS_ERROR_SIZE];
        char *warnings[WARNINGS_MAX];
        size_t n_warnings;
        char *path; /* what mbus_config_get_file() returned */
        struct config_entry entries[ENTRIES_MAX];
        size_t n_entries;
        int entries_failed;    /* -ENOMEM or MBUS_E_FULL: one could not be kept */
        struct crypto *crypto; /* NULL until a datagram is opened or sealed: its keys */
        enum dialect dialect;  /* with that */
};

#define MBUS_CONFIG_INIT ((struct mbus_config){ .patience = PATIENCE_DEFAULT_MS * NSEC_PER_MSEC })

/* Another file or text counts from now on: the keys of the old one are wiped. */
void config_forget_keys(struct mbus_config *c);
void config_clear_result(struct mbus_config *c);
/* Adds a remark, of which there are WARNINGS_MAX at most. */
void config_add_warning(struct mbus_config *c, const char *text);
/* The entry of @key, however that is written, or NULL. */
struct config_entry *config_find_entry(struct mbus_config *c, const char *key);
/* Reads the configuration that @given names. 0, MBUS_E_CONFIG with a line in @ret_error, -ENOMEM
 * or another -errno. */
int config_read(const struct mbus_config *given, struct config *ret_config,
                char ret_error[static BUS_ERROR_SIZE]);

#endif
