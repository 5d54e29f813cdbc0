/*
 * keygen-choice.h - how the keys of a new configuration are chosen on the command line.
 */
#ifndef CLI_KEYGEN_CHOICE_H
#define CLI_KEYGEN_CHOICE_H

#include <stdbool.h>

#include <mbus/mbus.h>

/* Names as on the command line, NULL for the default. */
struct keygen {
        const char *scope;
        const char *hash;
        const char *cipher;
        const char *dialect;
};

/* NULL, or the option that names something unknown. */
const char *keygen_check(const struct keygen *keygen);
/* Whether old programs, for which the dialect is, cannot read what is asked for. */
bool keygen_is_unreadable(const struct keygen *keygen);
/* Sets the entries of @config for mbus_config_generate(). Names were checked before. */
void keygen_apply(const struct keygen *keygen, struct mbus_config *config);

#endif
