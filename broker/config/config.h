/*
 * config.h - the door of config/: the command line and the configuration file become plain
 * structures.
 *
 *      settings          which file it is, and all that stands in it
 *      ini               the parser of its sections, line by line
 *      options           [broker], and the command line
 *      limit             [limits]
 *      policy            [policy]: what users may do
 *      bus-config        [bus NAME] and routes; twins: two of them that are one
 *      tcp-listen-address
 *                        where TCP clients are taken
 */
#ifndef BROKER_CONFIG_CONFIG_H
#define BROKER_CONFIG_CONFIG_H

#include "bus-config.h"
#include "ini.h"
#include "limit.h"
#include "options.h"
#include "policy.h"
#include "settings.h"
#include "tcp-listen-address.h"
#include "twins.h"

#endif
