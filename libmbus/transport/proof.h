/*
 * proof.h - whether the broker at a Unix socket is on the bus of the configuration that was named
 * (spec/attach.md, "Which bus"; core/proof.h).
 *
 * An application that names a configuration, in whatever way, wants the bus of that configuration,
 * and not whichever a broker is on. So before the connection becomes a link the broker is asked.
 * The file is read anew each time: after a restart of the broker both may have new keys.
 */
#ifndef MBUS_LINK_PROOF_H
#define MBUS_LINK_PROOF_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whom the library asks. */
#define LINK_BROKER "(app:mbus-broker)"

struct mbus_config;
struct link_proof;

/* *@ret_proof is NULL if @given, and the environment, name no configuration: nothing is asked
 * then. 0 or -ENOMEM. */
int link_proof_new(const struct mbus_config *given, struct link_proof **ret_proof);
/* Takes NULL, returns NULL. */
struct link_proof *link_proof_free(struct link_proof *p);

/*
 * Reads the configuration, and asks the broker at the other end of @fd, which is taken over, also
 * on failure. 0; MBUS_E_CONFIG, and -ENOMEM or another -errno, as link_proof_go_on().
 */
int link_proof_begin(struct link_proof *p, int fd);
/*
 * Goes on without waiting. 0: it is on the same bus, or too old to tell (link_proof_is_old()), and
 * *@ret_fd is the caller's; MBUS_E_NOT_READY: not yet; MBUS_E_CONFIG, MBUS_E_NO_BUS with a line in
 * link_proof_error(): another bus, a configuration that cannot be used, no link to be had; -errno:
 * the link is of no use.
 */
int link_proof_go_on(struct link_proof *p, int *ret_fd);
bool link_proof_is_going_on(const struct link_proof *p);
/* When it has taken too long. */
uint64_t link_proof_deadline(const struct link_proof *p);
/* What is to be waited for; how many. */
size_t link_proof_get_pollfds(const struct link_proof *p, struct pollfd *ret_fd);

/* Lines: behind "broker at PLACE: ". */
const char *link_proof_error(const struct link_proof *p);
/* The broker does not know the question. */
bool link_proof_is_old(const struct link_proof *p);
/* The configuration, as messages name it. */
const char *link_proof_name(const struct link_proof *p);
/* The SeqNum that the link goes on with. */
uint32_t link_proof_next_seq(const struct link_proof *p);

#endif
