/*
 * twins.h - two buses of one configuration that are one: the same group, port and interface, and
 * keys with which each reads what the other writes.
 *
 * A broker on both would hear itself as somebody else, and its routes would lead from a bus to
 * itself. How keys and addresses are written does not matter, nor does the dialect, which every
 * reader takes.
 */
#ifndef BROKER_CONFIG_TWINS_H
#define BROKER_CONFIG_TWINS_H

#include "bus-config.h"

/* Whether [MBUS], which begins on the line @main_line (0: it is not in the file any more) of @file
 * and says @main, and the buses of @configs are all different. False, with a line in @ret_error, if
 * two are one. A bus whose interface cannot be found is no twin: it cannot be opened. */
bool twins_check(const struct config *main, unsigned main_line, const struct bus_configs *configs,
                 const char *file, char ret_error[static INI_ERROR_SIZE]);

#endif
