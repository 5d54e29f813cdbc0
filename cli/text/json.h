/*
 * json.h - messages, addresses and values as JSON, one object a line.
 *
 * Nothing is lost: Integer is a number, Float a number with a fraction, String a string, Symbol
 * {"sym":"OK"}, Data {"data":"BASE64"}, List an array. An integer beyond 64 bits, which most
 * readers of JSON would round, is {"int":"DIGITS"}.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <mbus/mbus.h>

/* A string with its quotes. Valid UTF-8 passes, anything else becomes U+FFFD. */
void json_print_string(FILE *file, const char *text, size_t n);
/* The elements in the order they were written: {"app":"rat","id":"1-1@::1"}. */
void json_print_address(FILE *file, const char *address);
void json_print_value(FILE *file, const struct mbus_value *value);
/* @expand: commands as {"name":...,"args":[...]}, else each as the text it was. @time is when it
 * was received, CLOCK_REALTIME ns. No line end. */
void json_print_message(FILE *file, const struct mbus_message *message, uint64_t time, bool expand);

/* @n messages were lost for @cause: {"time":...,"lost":17,"cause":"copies"}, the time is now. */
void json_print_lost(FILE *file, uint64_t n, const char *cause);

#endif
