/*
 * config-reader.h - the keys of a bus, read line by line (RFC 3259, section 12).
 *
 * For config.c, and for whoever reads the keys of a bus from another section than [MBUS] (the
 * broker's [bus NAME]).
 */
#ifndef MBUS_CORE_CONFIG_READER_H
#define MBUS_CORE_CONFIG_READER_H

#include "config-report.h"

/* Reads "KEY=VALUE", which stands on the line @number. 0 or MBUS_E_CONFIG. */
int config_read_entry(struct config_reader *reader, unsigned number, struct span line);
/* Whether all keys have stood there that a bus cannot do without; what is missing is said of the
 * line reader->line. 0 or MBUS_E_CONFIG. */
int config_check_keys(struct config_reader *reader);
/* Warns if CONFIG_VERSION has not stood there. */
void config_warn_of_version(struct config_reader *reader);

#endif
