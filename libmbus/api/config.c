/*
 * config.c - the passive bag of settings that a bus is opened with, and what came of it.
 *
 * Setters return nothing; what is wrong with a setting, memory included, mbus_bus_open() says.
 */
#include <bus/bus.h>

#include <stdlib.h>
#include <string.h>

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
static void wipe(char *text)
{
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
}

struct mbus_config *mbus_config_free(struct mbus_config *c)
{
        if (c) {
                config_clear_result(c);
                free(c->url);
                free(c->file);
                wipe(c->text);
                free(c->path);
                for (size_t i = 0; i < c->n_entries; i++)
                        config_entry_deinit(&c->entries[i]);
                free(c);
        }
        return NULL;
}

static void set(struct mbus_config *c, char **setting, enum config_setting name, const char *text)
{
        char *copy = text ? strdup(text) : NULL;

        if (text && !copy) {
                c->failed |= name;
                return;
        }
        c->failed &= ~(unsigned)name;
        wipe(*setting);
        *setting = copy;
}

void mbus_config_set_url(struct mbus_config *c, const char *url)
{
        if (c)
                set(c, &c->url, SETTING_URL, url);
}

void mbus_config_set_file(struct mbus_config *c, const char *path)
{
        if (c)
                set(c, &c->file, SETTING_FILE, path);
}

void mbus_config_set_text(struct mbus_config *c, const char *text)
{
        if (c)
                set(c, &c->text, SETTING_TEXT, text);
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

void config_take_warnings(struct mbus_config *c, const struct mbus_bus *bus)
{
        for (size_t i = 0; i < bus->n_warnings; i++) {
                char *copy = strdup(bus->warnings[i]);

                /* A remark that memory is too short for is no reason to fail. */
                if (copy)
                        c->warnings[c->n_warnings++] = copy;
        }
}
