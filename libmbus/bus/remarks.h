/*
 * remarks.h - what a bus has to remark, for whoever reads the program's output: each once,
 * WARNINGS_MAX at most.
 */
#ifndef MBUS_BUS_REMARKS_H
#define MBUS_BUS_REMARKS_H

#include <api/api.h>

struct remarks {
        char *texts[WARNINGS_MAX]; /* owned */
        size_t n;
};

/* A remark that memory is too short for is no reason to fail. */
void remarks_add(struct remarks *r, const char *text);
void remarks_deinit(struct remarks *r);

#endif
