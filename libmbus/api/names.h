/*
 * names.h - the symbols that a broker writes for a reason or a drop (spec/attach.md).
 */
#ifndef MBUS_API_NAMES_H
#define MBUS_API_NAMES_H

#include "public.h"

#include <core/bytes.h>

/* MBUS_REASON_NONE: of a name that is not known here. */
enum mbus_reason reason_from_name(struct span name);
/* MBUS_DROP_EVENTS: of a name that is not known here. */
enum mbus_drop drop_from_name(struct span name);

#endif
