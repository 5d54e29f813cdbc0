/*
 * verbs.h - the table of verbs.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include <cli/options/verb.h>

/* In the order of --help; what stands first is done where no verb is named. A line here is all that
 * a new one takes beside its own file, which defines verb_NAME. */
#define VERBS(verb)                                                                                \
        verb(list) verb(send) verb(subscribe) verb(monitor) verb(ping) verb(wait) verb(go)         \
                verb(quit) verb(status) verb(keygen)

#define VERBS_DECLARE(name) extern const struct verb verb_##name;
VERBS(VERBS_DECLARE)

/* NULL behind the last. */
extern const struct verb *const verbs[];

#endif
