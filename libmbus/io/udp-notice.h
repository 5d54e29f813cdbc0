/*
 * udp-notice.h - what there is to tell about the network: each trouble once when it begins, and
 * once when it is over.
 */
#ifndef MBUS_IO_UDP_NOTICE_H
#define MBUS_IO_UDP_NOTICE_H

#include "udp-state.h"

/* Something is the matter, or else worth telling; what was not popped yet about @network is
 * replaced. */
__attribute__((format(printf, 3, 4))) void udp_tell(struct udp *u, enum mbus_network network,
                                                    const char *format, ...);
/* A trouble is over. Who was not told of it is not told of its end. */
void udp_end_notice(struct udp *u, enum mbus_network network, const char *what);
/* @before was where it was; @error is what is wrong with where it should be, or "". */
void udp_note_choice(struct udp *u, const struct interface_choice *before, const char *error);
/* The kernel refused to send to the group. */
void udp_note_refusal(struct udp *u, int error);
/* A group could not be joined on @interface. */
void udp_note_not_joined(struct udp *u, const struct interface *interface, int error);
/* What mends an error of the network, for people. */
const char *udp_advise(const struct udp *u, int error);

#endif
