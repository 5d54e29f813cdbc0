/*
 * request.c - see request.h.
 */
#include "request.h"

#include <assert.h>

#include <cli/options/common.h>
#include <cli/text/text.h>

#include "exits.h"

void request_init(struct request *request, const struct options *options, void *data,
                  int (*on_event)(void *data, const struct mbus_event *event),
                  int (*on_deadline)(void *data))
{
        *request = (struct request){
                .options = options,
                .address = options->n_args ? options->args[0] : "()",
                .loop = { .data = data, .on_event = on_event, .on_deadline = on_deadline },
        };
}

int request_open(struct request *request, const struct options *options)
{
        int status = session_check_address("ADDR", request->address, false);

        return status ? status : session_open(options, &request->session);
}

int request_join(struct request *request, const char *address)
{
        assert(!request->entity);
        return mbus_bus_add_entity(request->session.bus, address, &request->entity);
}

int request_run(struct request *request, uint64_t wait)
{
        request->loop.bus = request->session.bus;
        request->loop.deadline = loop_after(options_number(request->options, &option_wait, wait));
        return loop_run(&request->loop);
}

int request_on_event(const struct mbus_event *event)
{
        if (event->type != MBUS_EVENT_LINK_DOWN)
                return LOOP_ON;
        text_error("the broker went away");
        return EXITS_NO_BUS;
}

int request_unanswered(const struct request *request)
{
        return loop_unanswered(request->session.bus);
}
