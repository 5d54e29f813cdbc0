/*
 * request.h - a command for the broker on its way through those who know the commands, and how it
 * is answered.
 */
#ifndef BROKER_CONTROL_REQUEST_H
#define BROKER_CONTROL_REQUEST_H

#include "state.h"

/*
 * Invariant: a reliable message to the broker ends exactly once (RFC 3259, 7): `answered` is set by
 * whoever acknowledges it or says that there will be no acknowledgement, and request_end() does it
 * if nobody has.
 */
struct request {
        struct control *control;
        void *room; /* of whoever handed the command in */
        struct session *s;
        const struct header *h;
        struct local_entity *src; /* NULL: SrcAddr is not attached to the session */
        struct span text;         /* of the whole message */
        const struct payload *payload;
        const struct command *command;
        /* The answer to the command is a list, of which this tells the next piece, one message.
         * Whether it was the last. NULL: it is none, or all of it was told. */
        bool (*list)(struct request *request, struct list_position *position);
        bool waits;    /* the message is kept for a list of it already */
        bool answered; /* the acknowledgement went with an answer, or there is none */
        bool failed;   /* what comes behind this command is not done */
};

/* Says @payload to the entity that asked. */
void request_answer(struct request *request, struct span payload);
/* Says @payload to (), together with the acknowledgement. */
void request_confirm(struct request *request, struct span payload);
/* broker.refused(SEQ REASON "WHY"); there is no acknowledgement then. */
void request_refuse(struct request *request, const char *reason, const char *why);
/* Says that nothing came of it; there is no acknowledgement then. */
void request_fail(struct request *request, enum mbus_reason reason, const char *why);
/* All commands were done: acknowledges the message, if that is asked for and has not been. */
void request_end(struct request *request);

#endif
