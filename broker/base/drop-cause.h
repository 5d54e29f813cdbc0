/*
 * drop-cause.h - what does not reach its destination, and what is odd, by cause.
 */
#ifndef BROKER_BASE_DROP_CAUSE_H
#define BROKER_BASE_DROP_CAUSE_H

/* Each is a line: cause(NAME, LABEL) is DROP_NAME, and the figure dropped_total with
 * cause="LABEL". */
/* clang-format off */
#define DROP_CAUSES(cause)                                                                         \
        /* frames that are no message */                                                           \
        cause(MALFORMED, "malformed")                                                              \
        /* what the sender may not: a SrcAddr that is not its own, [policy], mbus.bye */           \
        cause(DENIED, "denied")                                                                    \
        /* commands for the broker that do not exist, or came over the bus */                      \
        cause(UNKNOWN, "unknown_command")                                                          \
        /* unreliable messages that a client's full queue lost */                                  \
        cause(DROPPED, "client_full")                                                              \
        /* copies that an observer's full queue lost */                                            \
        cause(COPIES, "observer_full")                                                             \
        /* unreliable messages that did not get out to the bus */                                  \
        cause(BUS_FULL, "bus_full")                                                                \
        /* messages from the bus that came too fast */                                             \
        cause(BUS_LOST, "bus_lost")                                                                \
        /* acknowledgements that nobody waited for */                                              \
        cause(ACK, "stray_acknowledgement")
/* clang-format on */

#define DROP_ID(name, label) DROP_##name,
enum drop_cause { DROP_CAUSES(DROP_ID) DROP_MAX };

#endif
