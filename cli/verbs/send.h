/*
 * send.h - for verbs that send one message of their own reliably to one entity, as send -r does.
 */
#ifndef CLI_VERBS_SEND_H
#define CLI_VERBS_SEND_H

#include <cli/options/options.h>

#include <mbus/mbus.h>

/* Sends @commands to the one entity that @destination matches. Returns the exit status. */
int send_reliably(const struct options *options, const char *destination,
                  struct mbus_commands *commands);

#endif
