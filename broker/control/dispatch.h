/*
 * dispatch.h - the tables of commands, and who may give which.
 */
#ifndef BROKER_CONTROL_DISPATCH_H
#define BROKER_CONTROL_DISPATCH_H

#include "request.h"

/* Who may give a command. */
enum speaker {
        SPEAKER_ANY,      /* SrcAddr may be () */
        SPEAKER_ATTACHED, /* an entity of the session */
        SPEAKER_NEW,      /* SrcAddr is what is asked for */
        SPEAKER_OWNER,    /* as SPEAKER_ANY, of the owner of the broker, whatever [policy] says */
};

struct command_entry {
        const char *name;
        enum speaker speaker;
        void (*on_command)(struct request *request);
};

/* The commands that a room, or a file, knows. */
struct command_table {
        const struct command_entry *entries;
        size_t n;
        void *room; /* goes to request.room */
};

/* @table stays valid as long as @control. */
void control_add(struct control *control, const struct command_table *table);
/* Does the commands from *@at on, up to one whose answer is a list: *@at then stands there. */
void control_run(struct request *request, size_t *at);

#endif
