/*
 * config-generate.c - new configurations, as an application wants them (RFC 3259, 12.1).
 *
 * What it wants are entries as they stand in the file, and the parser of files judges them: there
 * is one list of keys and values, and each key of it can be set.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <core/config-reader.h>
#include <io/account.h>
#include <io/config-make.h>

/* ---- what is wanted ------------------------------------------------------------------------ */

static int generate_fail(struct mbus_config *c, const char *key, const char *what)
{
        snprintf(c->error, sizeof(c->error), "%s%s%s", key, *key ? ": " : "", what);
        return MBUS_E_CONFIG;
}

/* No line can hold these. */
static bool has_control(const char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || *text == 0x7f)
                        return true;
        return false;
}

static int read_hash(struct mbus_config *c, const struct config_entry *e, struct config *config)
{
        for (enum hash hash = 0; hash < HASH_MAX; hash++) {
                if (strcasecmp(e->value, hash_name(hash)) == 0) {
                        config->hash = hash;
                        return 0;
                }
        }
        return generate_fail(c, "HASHKEY",
                             "has an unknown algorithm, use HMAC-SHA1-96 or HMAC-MD5-96");
}

static int read_cipher(struct mbus_config *c, const struct config_entry *e, struct config *config)
{
        for (enum cipher cipher = 0; cipher < CIPHER_MAX; cipher++) {
                if (strcasecmp(e->value, cipher_name(cipher)) == 0) {
                        config->cipher = cipher;
                        return 0;
                }
        }
        return generate_fail(c, "ENCRYPTIONKEY",
                             "has an unknown algorithm, use AES, IDEA, 3DES, DES or NOENCR");
}

/* As if "KEY=VALUE" stood on the line @number. */
static int read_line(struct mbus_config *c, const struct config_entry *e, unsigned number,
                     struct config_reader *r)
{
        struct buffer line = BUFFER_INIT;
        bool known = false;
        int error;

        buffer_add_text(&line, e->key);
        buffer_add_char(&line, '=');
        buffer_add_text(&line, e->value);
        error = line.failed ? -ENOMEM : config_read_entry(r, number, buffer_span(&line));
        buffer_deinit(&line);
        if (error == MBUS_E_CONFIG) {
                /* Its place, ":NUMBER: ", says nothing here. */
                const char *what = strchr(r->error, ' ');

                return generate_fail(c, "", what ? what + 1 : r->error);
        }
        for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
                known |= r->seen[i] == number;
        return error || known ? error
                              : generate_fail(c, e->key, "is no key of a configuration file");
}

static int read_entry(struct mbus_config *c, size_t i, struct config_reader *r)
{
        const struct config_entry *e = &c->entries[i];

        if (has_control(e->key) || has_control(e->value))
                return generate_fail(c, "",
                                     "an entry holds a control character, write it on one line");
        if (strcasecmp(e->key, "HASHKEY") == 0)
                return read_hash(c, e, &r->config);
        if (strcasecmp(e->key, "ENCRYPTIONKEY") == 0)
                return read_cipher(c, e, &r->config);
        return read_line(c, e, (unsigned)i + 1, r);
}

static int read_entries(struct mbus_config *c, struct config *ret_config)
{
        char error[CONFIG_ERROR_SIZE] = "";
        struct config_reader r = { .name = "", .config = CONFIG_INIT, .error = error };
        int result = 0;

        if (c->entries_failed < 0 || c->failed & SETTING_FILE)
                return -ENOMEM;
        if (c->entries_failed)
                return generate_fail(c, "", "there are more entries than a configuration has keys");
        r.config.hash = HASH_SHA1;
        r.config.cipher = CIPHER_AES;
        for (size_t i = 0; i < c->n_entries && result == 0; i++)
                result = read_entry(c, i, &r);
        /* The algorithms that all of the old programs know. */
        if (r.config.dialect == DIALECT_UCL && !config_find_entry(c, "HASHKEY"))
                r.config.hash = HASH_MD5;
        if (r.config.dialect == DIALECT_UCL && !config_find_entry(c, "ENCRYPTIONKEY"))
                r.config.cipher = CIPHER_DES;
        /* They take another default than ours. */
        if (r.config.dialect == DIALECT_UCL && !config_find_entry(c, "ADDRESS"))
                strcpy(r.config.address, CONFIG_ADDRESS_UCL);
        if (result == 0)
                *ret_config = r.config;
        return result;
}

/* ---- making it ----------------------------------------------------------------------------- */

static int generate_text(struct mbus_config *c, const struct config *config)
{
        struct buffer text = BUFFER_INIT;

        config_format(config, &text);
        buffer_add_char(&text, '\0');
        if (!text.failed)
                mbus_config_set_text(c, text.at);
        if (text.failed || c->failed & SETTING_TEXT) {
                config_file_wipe(&text);
                return -ENOMEM;
        }
        config_file_wipe(&text);
        return 0;
}

static int generate_file(struct mbus_config *c, const struct config *config, bool replace)
{
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        char *path;
        int r;

        if (c->file && !c->file[0])
                return generate_fail(c, "", "the name of the file is empty: name one");
        r = config_file_path(c->file, &path);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && r != -ENOENT)
                return generate_fail(c, "the home directory cannot be looked up", account_error(r));
        if (r < 0)
                return generate_fail(c, "", "there is no home directory for .mbus: name a file");
        r = config_file_write(path, config, replace, error);
        free(path);
        if (r)
                snprintf(c->error, sizeof(c->error), "%s", error);
        return r;
}

int mbus_config_generate(struct mbus_config *c, unsigned flags)
{
        struct config config;
        int r;

        if (!c)
                return MBUS_E_MALFORMED;
        config_clear_result(c);
        r = read_entries(c, &config);
        if (r == 0) {
                r = config_generate(&config);
                if (r < 0)
                        snprintf(c->error, sizeof(c->error), "there are no random numbers: %s",
                                 strerror(-r));
                else if (flags & MBUS_GENERATE_TEXT)
                        r = generate_text(c, &config);
                else
                        r = generate_file(c, &config, flags & MBUS_GENERATE_REPLACE);
                explicit_bzero(&config, sizeof(config));
        }
        if (r == -ENOMEM && !c->error[0])
                snprintf(c->error, sizeof(c->error), "%s", strerror(ENOMEM));
        return r;
}
