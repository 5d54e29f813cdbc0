/*
 * drop-cause.h - what does not reach its destination, and what is odd, by cause.
 */
#ifndef BROKER_BASE_DROP_CAUSE_H
#define BROKER_BASE_DROP_CAUSE_H

enum drop_cause {
        DROP_MALFORMED, /* frames that are no message */
        /* what the sender may not: a SrcAddr that is not its own, [policy], mbus.bye */
        DROP_DENIED,
        DROP_UNKNOWN,  /* commands for the broker that do not exist, or came over the bus */
        DROP_DROPPED,  /* unreliable messages that a client's full queue lost */
        DROP_COPIES,   /* copies that an observer's full queue lost */
        DROP_BUS_FULL, /* unreliable messages that did not get out to the bus */
        DROP_BUS_LOST, /* messages from the bus that came too fast */
        DROP_ACK,      /* acknowledgements that nobody waited for */
        DROP_MAX,
};

#endif
