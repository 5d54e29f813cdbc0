/*
 * drop-cause.h - what does not reach its destination, and what is odd, by cause.
 */
#ifndef BROKER_BASE_DROP_CAUSE_H
#define BROKER_BASE_DROP_CAUSE_H

enum count {
        COUNT_MALFORMED, /* frames that are no message */
        /* what the sender may not: a SrcAddr that is not its own, [policy], mbus.bye */
        COUNT_DENIED,
        COUNT_UNKNOWN,  /* commands for the broker that do not exist, or came over the bus */
        COUNT_DROPPED,  /* unreliable messages that a client's full queue lost */
        COUNT_COPIES,   /* copies that an observer's full queue lost */
        COUNT_BUS_FULL, /* unreliable messages that did not get out to the bus */
        COUNT_BUS_LOST, /* messages from the bus that came too fast */
        COUNT_ACK,      /* acknowledgements that nobody waited for */
        COUNT_MAX,
};

#endif
