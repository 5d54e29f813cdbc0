/*
 * ack-list.h - the acknowledgements in a message from a session (RFC 3259, 7).
 *
 * The library believes an acknowledgement that it gets over a link. So none is passed on but those
 * that the destination waits for from this source; the others are counted. Those for the bus go to
 * the engine, which has its own SeqNums there.
 */
#ifndef BROKER_ROUTING_ACK_LIST_H
#define BROKER_ROUTING_ACK_LIST_H

#include "inbound.h"

/* Takes the acknowledgements out of @in, which has some, and passes them on. False if nothing is
 * left of it. */
bool ack_list_separate(struct inbound *in);

#endif
