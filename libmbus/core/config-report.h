/*
 * config-report.h - where the reading of a configuration stands, and how its parts complain.
 *
 * Messages have the form "NAME:LINE: KEY: WHAT" (RFC 3259, section 12.1; CFG-06). Neither errors
 * nor warnings ever repeat a value, which may be a secret that stands in the wrong place.
 */
#ifndef MBUS_CORE_CONFIG_REPORT_H
#define MBUS_CORE_CONFIG_REPORT_H

#include "config-fields.h"
#include "error.h"

#define CONFIG_ERROR_SIZE 256
/* Keys that a reader can know. */
#define CONFIG_KEYS_MAX 24

struct config_reader {
        const char *name;    /* of the file */
        const char *section; /* "bus studio"; NULL: MBUS */
        unsigned line;
        struct span key;                /* of this line, as much of it as may be shown */
        struct config config;           /* what has been read so far */
        char *error;                    /* CONFIG_ERROR_SIZE */
        unsigned seen[CONFIG_KEYS_MAX]; /* the line on which each key stood, 0: it did not yet */
};

/* Writes "NAME:LINE: KEY: WHAT" to reader->error and returns MBUS_E_CONFIG. */
int config_fail(struct config_reader *reader, const char *what);
/* As config_fail(), with @number between the two parts of the sentence. */
int config_fail_number(struct config_reader *reader, const char *what, uint64_t number,
                       const char *behind);
/* As config_fail(), with the name of the section between the two parts of the sentence. */
int config_fail_section(struct config_reader *reader, const char *what, const char *behind);
/* The same for the list of warnings; what does not fit into it any more is dropped. */
void config_warn(struct config_reader *reader, const char *what);
/* The key is none that is known; NULL: nor is it nearly one. */
void config_warn_unknown(struct config_reader *reader, const char *near);
void config_warn_number(struct config_reader *reader, const char *what, uint64_t number,
                        const char *behind);

/* @s without white space at its ends. */
struct span config_trim(struct span s);
/* Cuts @s at the first @c into two trimmed parts. False, with all of @s in *@ret_before and nothing
 * in *@ret_behind, if there is no @c. */
bool config_split(struct span s, char c, struct span *ret_before, struct span *ret_behind);
/* Cuts the next line off *@rest, without its line end. False at the end. */
bool config_next_line(struct span *rest, struct span *ret_line);

#endif
