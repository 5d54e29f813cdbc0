/*
 * control.h - the door of control/: what the broker itself is asked, broker.* commands above all
 * (spec/attach.md).
 *
 *      dispatch      the tables of commands, and who may give which
 *      request       a command on its way through those who know the commands
 *      answer        an answer that is lists of names and values
 *      figure        a number that tells how the broker is doing
 *      lists         answers that are told piece by piece
 *      commands      ... which are in attach, watch-commands, same-bus, retain-commands, status and
 *                    bus-commands
 */
#ifndef BROKER_CONTROL_CONTROL_H
#define BROKER_CONTROL_CONTROL_H

#include "answer.h"
#include "dispatch.h"
#include "figure.h"
#include "lists.h"
#include "request.h"
#include "state.h"

/* Listens to the sessions, and gets what is for the broker itself. The pointers stay the
 * caller's. */
void control_init(struct control *control, struct bridges *bridges, const struct settings *settings,
                  const struct socket_file *socket);
/* When there is more to tell of lists. */
uint64_t control_deadline(const struct control *control);

#endif
