/*
 * ini.h - the sections of the configuration file beside [MBUS], line by line.
 *
 * The file is the RFC's own (RFC 3259, section 12), with [MBUS] first; other programs skip what
 * follows, and core/config.c does, too. Lines are blank, comments (#), [NAME], [NAME WORD], or
 * belong to the section above them. Case does not matter in the names of sections and keys.
 *
 * What is wrong is said as "FILE:LINE: KEY: what, and how to mend it". A key that a section does
 * not have is warned of and ignored, as the RFC wants it. A section that nobody knows belongs to
 * some other program and is skipped, unless its name is nearly one of ours: then it is an error,
 * since rules and limits that are not applied for a slip of the pen would be missed too late. A
 * value is never repeated where it may be a secret in the wrong place.
 */
#ifndef BROKER_CONFIG_INI_H
#define BROKER_CONFIG_INI_H

#include <core/bytes.h>

#define INI_ERROR_SIZE 256

/* A line, and how to complain about it. */
struct ini_line {
        const char *file;
        unsigned number;
        struct span section; /* "bus" of [bus NAME], as it is written */
        struct span word;    /* "NAME", or empty */
        struct span text;    /* without white space at its ends; empty: this is the [NAME] itself */
        char *error;         /* INI_ERROR_SIZE */
};

struct ini_section {
        const char *name;
        /* Reads a line. False, with ini_fail(), if it is wrong. NULL: the section is somebody
         * else's. */
        bool (*on_line)(void *data, const struct ini_line *line);
        void *data;
        bool has_word; /* it is [NAME WORD] */
};

/* Reads all of @text. False, with the line to be shown in @ret_error, at the first error. */
bool ini_read(struct span text, const char *file, const struct ini_section *sections, size_t n,
              char ret_error[static INI_ERROR_SIZE]);

/* Says what is wrong; @key is shown as far as it looks like a key. Returns false. */
bool ini_fail(const struct ini_line *line, struct span key, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Logs "FILE:LINE: KEY: it is unknown in [SECTION] and ignored", and that @near may be meant; NULL:
 * none. */
void ini_warn_unknown(const struct ini_line *line, struct span key, const char *near);
/* Fails if the @key stood on the line @first already; 0: it did not. */
bool ini_check_once(const struct ini_line *line, struct span key, unsigned first);

/* KEY=VALUE, trimmed. False, with ini_fail(), if the line has no "=". */
bool ini_split(const struct ini_line *line, struct span *ret_key, struct span *ret_value);

/* A table of keys, for sections that have a few of them. */
struct ini_key {
        const char *name;
        bool (*set)(void *data, struct span value);
        const char *wants; /* ends the sentence that begins "is no value for it, " */
        unsigned *line;    /* gets the number of the line, 0 before */
        bool repeats;      /* it may stand several times */
};

/* A key that stands there twice is an error, and so is one without a value. */
bool ini_read_key(const struct ini_line *line, const struct ini_key *keys, size_t n, void *data);

/* The next word of *@rest, up to white space outside of parentheses; false at the end. */
bool ini_next_word(struct span *rest, struct span *ret_word);

#endif
