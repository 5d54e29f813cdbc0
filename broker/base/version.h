/*
 * version.h - the version of the broker, which is that of the library.
 */
#ifndef BROKER_BASE_VERSION_H
#define BROKER_BASE_VERSION_H

#include <mbus.h>

#define VERSION_DIGITS(x) #x
#define VERSION_TEXT(a, b, c) VERSION_DIGITS(a) "." VERSION_DIGITS(b) "." VERSION_DIGITS(c)
/* "1.0.0" */
#define BROKER_VERSION VERSION_TEXT(MBUS_VERSION_MAJOR, MBUS_VERSION_MINOR, MBUS_VERSION_PATCH)

#endif
