/*
 * config.h - the configuration of a bus (RFC 3259, section 12): keys, scope, address, port.
 *
 * Text in, struct out, and the reverse; files and permissions are io/config-file. Sections other
 * than [MBUS] are skipped: the broker keeps its own in the same file. Keys that we add are ignored
 * by other readers, and theirs by us, with a warning: section 12.1, CFG-08.
 */
#ifndef MBUS_CORE_CONFIG_H
#define MBUS_CORE_CONFIG_H

#include "config-algorithm.h"
#include "config-fields.h"
#include "error.h"

/*
 * Parses the text of a configuration file; @name stands in errors and warnings for the file.
 * CRLF line ends, a byte order mark, blank lines and # comments are accepted. 0, MBUS_E_CONFIG with
 * one line "NAME:LINE: KEY: what is wrong, how to mend it" in @ret_error, *@ret_config untouched.
 */
int config_parse(struct span text, const char *name, struct config *ret_config,
                 char ret_error[static 256]);
/* Appends the text of a configuration file that config_parse() reads back as the same. */
void config_format(const struct config *c, struct buffer *out);

#endif
