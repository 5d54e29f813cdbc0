/*
 * base64.h - base64 (RFC 2045, 6.8), written only: for data in JSON and keys in a configuration.
 */
#ifndef CLI_BASE64_H
#define CLI_BASE64_H

#include <stddef.h>
#include <stdio.h>

void base64_print(FILE *file, const void *bytes, size_t n);

#endif
