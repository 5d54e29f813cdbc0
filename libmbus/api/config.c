/*
 * config.c - the passive bag of settings that a bus is opened with, and what came of it.
 *
 * Setters return nothing; what is wrong with a setting, memory included, mbus_bus_open() says.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <io/config-file.h>

int mbus_config_new(struct mbus_config **ret_config)
{
        struct mbus_config *c = ret_config ? malloc(sizeof(*c)) : NULL;

        if (!ret_config)
                return MBUS_E_MALFORMED;
        if (!c)
                return -ENOMEM;
        *c = MBUS_CONFIG_INIT;
        *ret_config = c;
        return 0;
}

void config_clear_result(struct mbus_config *c)
{
        for (size_t i = 0; i < c->n_warnings; i++)
                free(c->warnings[i]);
        c->n_warnings = 0;
        c->error[0] = '\0';
}

/* Frees @text, which may hold keys, and leaves nothing of it in memory. */
static void config_wipe(char *text)
{
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
}

struct config_entry *config_find_entry(struct mbus_config *c, const char *key)
{
        for (size_t i = 0; i < c->n_entries; i++)
                if (strcasecmp(c->entries[i].key, key) == 0)
                        return &c->entries[i];
        return NULL;
}

static void config_entry_deinit(struct config_entry *e)
{
        free(e->key);
        free(e->value);
}

static void config_forget_entry(struct mbus_config *c, struct config_entry *e)
{
        if (!e)
                return;
        assert(c->n_entries > 0 && e < c->entries + c->n_entries);
        config_entry_deinit(e);
        *e = c->entries[--c->n_entries];
}

void config_forget_keys(struct mbus_config *c)
{
        c->crypto = crypto_free(c->crypto);
}

struct mbus_config *mbus_config_free(struct mbus_config *c)
{
        if (c) {
                config_clear_result(c);
                config_forget_keys(c);
                free(c->url);
                free(c->file);
                config_wipe(c->text);
                free(c->path);
                for (size_t i = 0; i < c->n_entries; i++)
                        config_entry_deinit(&c->entries[i]);
                free(c);
        }
        return NULL;
}

static void config_set(struct mbus_config *c, char **setting, enum config_setting name,
                       const char *text)
{
        char *copy = text ? strdup(text) : NULL;

        if (text && !copy) {
                c->failed |= name;
                return;
        }
        c->failed &= ~(unsigned)name;
        if (name != SETTING_URL)
                config_forget_keys(c);
        config_wipe(*setting);
        *setting = copy;
}

void mbus_config_set_url(struct mbus_config *c, const char *url)
{
        if (c)
                config_set(c, &c->url, SETTING_URL, url);
}

void mbus_config_set_file(struct mbus_config *c, const char *path)
{
        if (c)
                config_set(c, &c->file, SETTING_FILE, path);
}

void mbus_config_set_text(struct mbus_config *c, const char *text)
{
        if (c)
                config_set(c, &c->text, SETTING_TEXT, text);
}

void mbus_config_set_entry(struct mbus_config *c, const char *key, const char *value)
{
        struct config_entry e = { 0 };

        if (!c || !key)
                return;
        config_forget_entry(c, config_find_entry(c, key));
        if (!value)
                return;
        e = (struct config_entry){ strdup(key), strdup(value) };
        if (c->n_entries == ENTRIES_MAX || !e.key || !e.value) {
                c->entries_failed = c->n_entries == ENTRIES_MAX ? MBUS_E_FULL : -ENOMEM;
                config_entry_deinit(&e);
                return;
        }
        assert(!config_find_entry(c, key));
        c->entries[c->n_entries++] = e;
}

void mbus_config_set_patience(struct mbus_config *c, uint64_t patience)
{
        if (c)
                c->patience = patience;
}

const char *mbus_config_get_error(const struct mbus_config *c)
{
        return c ? c->error : "";
}

const char *mbus_config_get_warning(const struct mbus_config *c, size_t i)
{
        return c && i < c->n_warnings ? c->warnings[i] : NULL;
}

const char *mbus_config_get_file(struct mbus_config *c)
{
        if (!c)
                return NULL;
        free(c->path);
        c->path = NULL;
        if (config_file_path(c->file, &c->path) < 0)
                return NULL;
        return c->path;
}

const char *mbus_config_get_text(const struct mbus_config *c)
{
        return c ? c->text : NULL;
}

void config_add_warning(struct mbus_config *c, const char *text)
{
        char *copy = c->n_warnings < WARNINGS_MAX ? strdup(text) : NULL;

        /* A remark that memory is too short for is no reason to fail. */
        if (copy)
                c->warnings[c->n_warnings++] = copy;
}
