/*
 * config-file.h - the file that a configuration lives in (RFC 3259, section 12.1).
 *
 * It holds the keys of the bus, so it is read only if nobody else could have read or written it.
 * config-make makes it.
 */
#ifndef MBUS_IO_CONFIG_FILE_H
#define MBUS_IO_CONFIG_FILE_H

#include <core/config.h>

#define CONFIG_FILE_ERROR_SIZE 512

/* @given if not NULL, else $MBUS, else ~/.mbus; to be freed. 0, -ENOMEM, -ENOENT if the user has
 * no home directory, or another -errno if that cannot be found out (io/account.h). */
int config_file_path(const char *given, char **ret_path);

/*
 * Reads the file at @path. MBUS_E_UNKNOWN if there is none, MBUS_E_CONFIG if it cannot be used,
 * -errno if it cannot be read; *@ret_error is then one line that says so and how to mend it.
 */
int config_file_read(const char *path, struct config *ret_config,
                     char ret_error[static CONFIG_FILE_ERROR_SIZE]);

/* The same for a reader who wants the text, to parse it and what stands behind [MBUS]; to be given
 * to config_file_wipe(). */
int config_file_read_text(const char *path, struct buffer *ret_text,
                          char ret_error[static CONFIG_FILE_ERROR_SIZE]);
/* Frees @text, which holds keys, and leaves nothing of it in memory. */
void config_file_wipe(struct buffer *text);

#endif
