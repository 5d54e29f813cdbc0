/*
 * common.h - the options that several verbs have. Those of one verb are in its file.
 */
#ifndef CLI_COMMON_H
#define CLI_COMMON_H

#include "option.h"

extern const struct option_info option_bus;
extern const struct option_info option_config;
extern const struct option_info option_count;
extern const struct option_info option_format;
extern const struct option_info option_help;
extern const struct option_info option_json;
extern const struct option_info option_version;
extern const struct option_info option_wait;

/* The end of each verb's list: what all have. */
#define OPTIONS_COMMON &option_bus, &option_config, &option_help, &option_version, NULL

#endif
