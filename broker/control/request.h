/*
 * request.h - a broker.* command on its way through the files that know the commands.
 *
 *      control          dispatch; quit
 *      control-attach   attach, detach
 *      control-proof    whether a client's configuration is of the same bus
 *      control-retain   last values
 *      control-status   what the owner of the broker may ask, and drop
 *      control-watch    watch and observe
 *      lists            answers that are told piece by piece
 */
#ifndef BROKER_CONTROL_REQUEST_H
#define BROKER_CONTROL_REQUEST_H

#include <broker/broker.h>

/* How far a list is told, in a way that lasts while what it lists comes and goes. */
struct list_place {
        uint64_t begun; /* broker.generation when it was asked for */
        unsigned stage;
        uint64_t number; /* of the last link, or of the bus that is being told of */
        struct index_walk walk;
};

struct request {
        struct broker *b;
        struct client *c;
        const struct header *h;
        struct attachment *src; /* NULL: SrcAddr is not attached to the link */
        struct span text;       /* of the whole message */
        const struct payload *payload;
        const struct command *command;
        /* The answer to the command is a list, of which this tells the next piece, one message. Whether it
         * was the last. NULL: it is none, or all of it was told. */
        bool (*list)(struct request *r, struct list_place *place);
        bool waits;    /* the message is kept for a list of it already */
        bool answered; /* the acknowledgement went with an answer, or there is none */
        bool failed;   /* what comes behind this command is not done */
};

/* Does the commands from *@at on, up to one whose answer is a list: *@at then stands there. */
void control_run(struct request *r, size_t *at);
/* All commands were done: acknowledges the message, if that is asked for and has not been. */
void control_end(struct request *r);
/* Says @payload to the entity that asked. */
void control_answer(struct request *r, struct span payload);
/* Says @payload to (), together with the acknowledgement. */
void control_confirm(struct request *r, struct span payload);
/* broker.refused(SEQ REASON "WHY"); there is no acknowledgement then. */
void control_refuse(struct request *r, const char *reason, const char *why);
/* Says that nothing came of it; there is no acknowledgement then. */
void control_fail(struct request *r, enum mbus_reason reason, const char *why);

/* control-attach.c */
void control_on_attach(struct request *r);
void control_on_detach(struct request *r);
/* control-proof.c */
void control_on_nonce(struct request *r);
void control_on_same_bus(struct request *r);
/* control-retain.c */
void control_on_retain(struct request *r);
void control_on_forget(struct request *r);
/* control-status.c */
void control_on_status(struct request *r);
void control_on_stats(struct request *r);
void control_on_buses(struct request *r);
void control_on_clients(struct request *r);
void control_on_entities(struct request *r);
void control_on_drop(struct request *r);
/* control-watch.c */
void control_on_watch(struct request *r);
void control_on_observe(struct request *r);
void control_on_unobserve(struct request *r);

#endif
