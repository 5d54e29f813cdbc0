/*
 * settings.h - the configuration file of the broker: which it is, and all that stands in it.
 *
 * It is the first of these: --config FILE; $MBUS; for root, /etc/mbus-broker.conf if that is there;
 * ~/.mbus. If there is no such file it is made with random keys.
 */
#ifndef BROKER_CONFIG_SETTINGS_H
#define BROKER_CONFIG_SETTINGS_H

#include <core/config.h>

#include "options.h"

#define SETTINGS_SYSTEM_FILE "/etc/mbus-broker.conf"

/* What the broker was given, and what it goes by. */
struct settings {
        struct options given;   /* by the command line */
        struct options options; /* with what the file says, as it counts now */
        struct config mbus;     /* [MBUS] as the bus main was opened with it */
        char *path;             /* of the file */
};

/*
 * Reads the file: [MBUS] goes to *@ret_config, the other sections to @o, which gets a policy, and
 * the name of the file to *@ret_path. What was read is the caller's even if that fails. 0 or the
 * exit status, with a line in the log.
 */
int settings_load(struct options *o, struct config *ret_config, char **ret_path);
/* Lets go of what was read, and wipes the keys. */
void settings_deinit(struct settings *s);
/* Reads the file at @path once more; it is not made if it is missing. As above. */
int settings_reload(struct options *o, const char *path, struct config *ret_config);

#endif
