/*
 * keygen-choice.c - how the keys of a new configuration are chosen on the command line.
 *
 * The library makes them (mbus_config_generate()); here are the short names of what it can make.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "keygen-choice.h"

struct choice {
        const char *option; /* as on the command line */
        const char *value;  /* as in the file */
};

static const struct choice hashes[] = {
        { "sha1", "HMAC-SHA1-96" },
        { "md5", "HMAC-MD5-96" },
        { 0 },
};

static const struct choice ciphers[] = {
        { "aes", "AES" },   { "none", "NOENCR" }, { "des", "DES" },
        { "3des", "3DES" }, { "idea", "IDEA" },   { 0 },
};

static const struct choice scopes[] = {
        { "hostlocal", "HOSTLOCAL" },
        { "linklocal", "LINKLOCAL" },
        { 0 },
};

static const struct choice dialects[] = {
        { "rfc3259", "RFC3259" },
        { "ucl", "UCL" },
        { 0 },
};

static bool is_choice(const struct choice *table, const char *option)
{
        for (; option && table->option; table++)
                if (strcmp(table->option, option) == 0)
                        return true;
        return !option;
}

const char *keygen_check(const struct keygen *keygen)
{
        return !is_choice(scopes, keygen->scope)       ? "--scope"
               : !is_choice(hashes, keygen->hash)      ? "--hash"
               : !is_choice(ciphers, keygen->cipher)   ? "--cipher"
               : !is_choice(dialects, keygen->dialect) ? "--dialect"
                                                       : NULL;
}

static bool is(const char *option, const char *name)
{
        return option && strcmp(option, name) == 0;
}

bool keygen_is_unreadable(const struct keygen *keygen)
{
        return is(keygen->dialect, "ucl") &&
               (is(keygen->hash, "sha1") ||
                (keygen->cipher && !is(keygen->cipher, "none") && !is(keygen->cipher, "des")));
}

/* NULL is left to the library. */
static void apply_choice(struct mbus_config *config, const char *key, const struct choice *table,
                         const char *option)
{
        for (; option && table->option; table++)
                if (strcmp(table->option, option) == 0)
                        mbus_config_set_entry(config, key, table->value);
}

void keygen_apply(const struct keygen *keygen, struct mbus_config *config)
{
        assert(!keygen_check(keygen));
        apply_choice(config, "SCOPE", scopes, keygen->scope);
        apply_choice(config, "HASHKEY", hashes, keygen->hash);
        apply_choice(config, "ENCRYPTIONKEY", ciphers, keygen->cipher);
        apply_choice(config, "DIALECT", dialects, keygen->dialect);
}
