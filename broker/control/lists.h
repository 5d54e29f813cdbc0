/*
 * lists.h - answers that list entities or sessions, told piece by piece as the session reads them.
 *
 * A list has no limit but that of what it lists, and may be many times what may wait for a session.
 * So a piece is made when less than LISTS_MARK waits, and the message that asked waits until then,
 * with the commands behind the question. One list of a session is told at a time, in the order of
 * the questions; what a session asks for meanwhile that is no list is done at once.
 *
 * What waits here is charged to the session's user as octets.
 */
#ifndef BROKER_CONTROL_LISTS_H
#define BROKER_CONTROL_LISTS_H

#include "request.h"

/* Whether the question of @request may wait; if not, that is said. To be asked before anything
 * is done. */
bool lists_take(struct request *request);
/* Keeps the message of @request, of whose command @at the answer is request->list. */
void lists_add(struct request *request, size_t at);
/* Tells more, if there is room. */
void lists_go_on(struct session *s);
/* The same for all sessions that have written what was made before. */
void lists_process(struct control *control);
/* The socket of a session took what was made of a list: there is more to make. */
void lists_on_room(struct connection *c);
/* The session ends. */
void lists_forget(struct session *s);

#endif
