/*
 * config-key.h - the key entries "(algorithm,base64)" of a configuration (RFC 3259, section 12).
 */
#ifndef MBUS_CORE_CONFIG_KEY_H
#define MBUS_CORE_CONFIG_KEY_H

#include "config-report.h"

/* Read the value of HASHKEY and of ENCRYPTIONKEY into reader->config. 0 or MBUS_E_CONFIG. */
int config_read_hash_key(struct config_reader *reader, struct span value);
int config_read_cipher_key(struct config_reader *reader, struct span value);

/* Append "(algorithm,base64)". */
void config_format_hash_key(const struct config *c, struct buffer *out);
void config_format_cipher_key(const struct config *c, struct buffer *out);

#endif
