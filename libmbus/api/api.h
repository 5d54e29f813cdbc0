/*
 * api.h - the door of libmbus/api: the public header, and what the rest of the library asks of the
 * values, names, payloads and settings that an application hands over.
 *
 * It comes first in each file of the library (public.h).
 */
#ifndef MBUS_API_H
#define MBUS_API_H

#include "public.h"

#include "address.h"
#include "commands.h"
#include "config.h"
#include "names.h"

#endif
