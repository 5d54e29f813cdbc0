/*
 * duration.h - spans of time as people write them: 2, 0.5, 500ms, 2s, 1m, 1h.
 */
#ifndef CLI_DURATION_H
#define CLI_DURATION_H

#include <stddef.h>
#include <stdint.h>

#define DURATION_S UINT64_C(1000000000)
#define DURATION_MS UINT64_C(1000000)
/* Room for a text of duration_format(). */
#define DURATION_SIZE 24

/* 0, or -1 with the offset of what is wrong and a sentence about it. */
int duration_parse(const char *text, uint64_t *ret_ns, size_t *ret_at, const char **ret_what);
/* In the largest unit that leaves at least one: "850ms", "12s", "3m", "9d". Returns @buffer. */
const char *duration_format(uint64_t ns, char buffer[static DURATION_SIZE]);

#endif
