/*
 * public.h - mbus.h as the library sees it.
 *
 * It comes before all else that knows that header, so that the public functions, and nothing else,
 * are visible in the shared object.
 */
#ifndef MBUS_API_PUBLIC_H
#define MBUS_API_PUBLIC_H

#pragma GCC visibility push(default)
#include "../mbus.h"
#pragma GCC visibility pop

#endif
