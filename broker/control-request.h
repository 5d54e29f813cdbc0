/*
 * control-request.h - a broker.* command on its way through the files that know the commands.
 *
 *      control          dispatch; quit
 *      control-attach   attach, detach
 *      control-retain   last values
 *      control-status   what the owner of the broker may ask, and drop
 *      control-watch    watch and observe
 */
#ifndef BROKER_CONTROL_REQUEST_H
#define BROKER_CONTROL_REQUEST_H

#include "broker.h"

struct request {
        struct broker *b;
        struct client *c;
        const struct header *h;
        struct attachment *src; /* NULL: SrcAddr is not attached to the link */
        const struct payload *payload;
        const struct command *command;
        bool answered; /* the acknowledgement went with an answer, or there is none */
        bool failed;   /* what comes behind this command is not done */
};

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
