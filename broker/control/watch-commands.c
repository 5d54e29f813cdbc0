/*
 * watch-commands.c - watching entities and observing messages (spec/attach.md).
 */
#include "commands.h"

#include <stdio.h>

#include <core/value.h>

#include "lists.h"

/* ---- watch and observe --------------------------------------------------------------------- */

/* The library asks for a watch unreliably, and waits for the answer all the same. */
static void deny_by_policy(struct request *request, const char *why)
{
        connection_count(&request->s->link, DROP_DENIED, "[policy] does not let it say %.*s",
                         excerpt_size(request->command->text), request->command->text.at);
        request_fail(request, MBUS_REASON_DENIED, why);
}

static bool get_address(const struct request *request, struct address *ret_address)
{
        const struct value *args = payload_args(request->payload, request->command);

        return args->items == 1 && args[1].type == MBUS_VALUE_STRING &&
               address_parse(args[1].text, LENIENT, ret_address, NULL, NULL) == 0;
}

static bool tell_watched(struct request *request, struct list_position *position)
{
        struct address address;
        struct buffer text = BUFFER_INIT;

        if (!get_address(request, &address) || !presence_has_watch(request->s, &address)) {
                /* broker.unwatched has been said. */
                request_fail(request, MBUS_REASON_DENIED, "the watch ended before all were told");
                return true;
        }
        if (!presence_tell(request->control->routing, request->s, &address, position))
                return false;
        network_tell(request->s);
        buffer_add_text(&text, "broker.watching(");
        buffer_add_uint(&text, request->h->seq);
        buffer_add_char(&text, ' ');
        value_format_string(span_of(udp_interface(request->control->buses->main.udp)), &text);
        buffer_add_char(&text, ')');
        if (text.failed)
                connection_kill(&request->s->link, "memory is short");
        else
                reply_say(request->s, buffer_span(&text));
        buffer_deinit(&text);
        return true;
}

/* The session watches too much, by @limit. */
static void watch_fail_for(struct request *request, enum limit limit)
{
        char why[128];

        connection_log_limit(&request->s->link, limit, "it watches no more");
        snprintf(why, sizeof(why), "this link watches too much: see %s in [limits] of the broker",
                 limit_name(limit));
        request_fail(request, MBUS_REASON_FULL, why);
}

static void on_watch(struct request *request)
{
        struct address address;
        enum limit limit;
        int result;

        if (!get_address(request, &address)) {
                request_fail(request, MBUS_REASON_MALFORMED, "broker.watch wants one address");
                return;
        }
        if (request->s->rights && !rights_may_watch(request->s->rights)) {
                deny_by_policy(request,
                               "[policy] of the broker does not let this user watch: that takes a "
                               "line for this user with attach=, send= or watch=yes, and without "
                               "watch=no");
                return;
        }
        if (!lists_take(request))
                return;
        result = presence_watch(request->control->routing, request->s, &address, &limit);
        if (result == 0)
                request->list = tell_watched;
        else if (result == MBUS_E_FULL)
                watch_fail_for(request, limit);
        else
                request_fail(request, MBUS_REASON_FULL, "the broker's memory is short");
}

static void on_observe(struct request *request)
{
        const struct value *args = payload_args(request->payload, request->command);
        struct filter *filters = NULL;
        int result = MBUS_E_MALFORMED;

        if (request->s->rights && !rights_may_observe(request->s->rights)) {
                deny_by_policy(request,
                               "[policy] of the broker does not let this user observe: that takes "
                               "observe=yes in a line for this user");
                return;
        }
        if (args->items > 0 && args[1].type == MBUS_VALUE_INTEGER)
                result = filters_parse(args + 2, args->items - 1, &filters);
        if (result == MBUS_E_FULL)
                connection_log_fixed_limit(&request->s->link, FIXED_OBSERVE_FILTERS,
                                           "it observes no more than before");
        if (result == 0)
                result = monitor_observe(request->control->routing, request->s, args[1].integer,
                                         filters);
        if (result == MBUS_E_MALFORMED)
                request_fail(request, MBUS_REASON_MALFORMED,
                             "broker.observe wants a number, then lists of address, beginning and "
                             "bus");
        else if (result == MBUS_E_UNKNOWN)
                request_fail(
                        request, MBUS_REASON_UNKNOWN,
                        "the broker is on no bus of this name: mbus-cli status names those that "
                        "it is on");
        else if (result)
                request_fail(request, MBUS_REASON_FULL, "this link has too many filters");
        else
                network_tell(request->s);
}

static void on_unobserve(struct request *request)
{
        monitor_unobserve(request->control->routing, request->s);
}

static const struct command_entry entries[] = {
        { "broker.watch", SPEAKER_ANY, on_watch },
        { "broker.observe", SPEAKER_ANY, on_observe },
        { "broker.unobserve", SPEAKER_ANY, on_unobserve },
};

const struct command_table watch_commands = { entries, sizeof(entries) / sizeof(*entries), NULL };
