/*
 * reload.h - the configuration is read again (SIGHUP), and no client notices.
 *
 * All of the new file counts, or nothing of it: what is wrong is logged with its line, and the old
 * configuration stays. [broker], [policy], [limits] and [bus NAME] take effect at once: rights are
 * found anew for all links, and what they do not cover any more ends; messages that are on their
 * way pass; what a limit would not allow any more stays; buses are joined and left. What the
 * sockets of clients and of the bus main were opened with, [MBUS] above all, cannot change without
 * a restart, which is said then.
 */
#ifndef BROKER_OPS_RELOAD_H
#define BROKER_OPS_RELOAD_H

#include "state.h"

void reload(struct ops *ops);

/* Appends the names of the keys in which @a and @b differ, with commas between; never a value. */
void reload_format_changes(const struct config *a, const struct config *b, struct buffer *out);

#endif
