/*
 * watch-commands.c - watching entities and observing messages (spec/attach.md).
 */
#include <core/value.h>

#include <broker/broker.h>
#include "request.h"
#include "control.h"
#include "lists.h"
#include <broker/routing/monitor.h>
#include <broker/routing/network-news.h>
#include <broker/base/excerpt.h>

/* ---- watch and observe --------------------------------------------------------------------- */

/* The library asks for a watch unreliably, and waits for the answer all the same. */
static void deny_by_policy(struct request *r, const char *why)
{
        broker_count(r->b, COUNT_DENIED, r->c, "[policy] does not let it say %.*s",
                     shown_size(r->command->text), r->command->text.at);
        control_fail(r, MBUS_REASON_DENIED, why);
}

static bool get_address(const struct request *r, struct address *ret_address)
{
        const struct value *args = payload_args(r->payload, r->command);

        return args->items == 1 && args[1].type == MBUS_VALUE_STRING &&
               address_parse(args[1].text, LENIENT, ret_address, NULL, NULL) == 0;
}

static bool tell_watched(struct request *r, struct list_place *place)
{
        struct address address;
        struct buffer text = BUFFER_INIT;

        if (!get_address(r, &address) || !monitor_has_watch(r->c, &address)) {
                /* broker.unwatched has been said. */
                control_fail(r, MBUS_REASON_DENIED, "the watch ended before all were told");
                return true;
        }
        if (!monitor_tell(r->b, r->c, &address, place))
                return false;
        outlook_tell(r->c);
        buffer_add_text(&text, "broker.watching(");
        buffer_add_uint(&text, r->h->seq);
        buffer_add_char(&text, ' ');
        value_format_string(span_of(udp_interface(r->b->udp)), &text);
        buffer_add_char(&text, ')');
        if (text.failed)
                client_kill(r->c, "memory is short");
        else
                control_say(r->c, buffer_span(&text));
        buffer_deinit(&text);
        return true;
}

void control_on_watch(struct request *r)
{
        struct address address;
        int result;

        if (!get_address(r, &address)) {
                control_fail(r, MBUS_REASON_MALFORMED, "broker.watch wants one address");
                return;
        }
        if (r->c->rights && !rights_may_watch(r->c->rights)) {
                deny_by_policy(r,
                               "[policy] of the broker does not let this user watch: that takes a "
                               "line for this user with attach=, send= or watch=yes, and without "
                               "watch=no");
                return;
        }
        if (!lists_take(r))
                return;
        result = monitor_watch(r->b, r->c, &address);
        if (result) {
                if (result == MBUS_E_FULL)
                        client_log_limit(r->c, LIMIT_WATCHES_PER_LINK, "it watches no more");
                control_fail(r, MBUS_REASON_FULL,
                             result == MBUS_E_FULL
                                     ? "this link watches too much: see WATCHES_PER_LINK in "
                                       "[limits] of the broker"
                                     : "the broker's memory is short");
                return;
        }
        r->list = tell_watched;
}

void control_on_observe(struct request *r)
{
        const struct value *args = payload_args(r->payload, r->command);
        struct filter *filters = NULL;
        int result = MBUS_E_MALFORMED;

        if (r->c->rights && !rights_may_observe(r->c->rights)) {
                deny_by_policy(r,
                               "[policy] of the broker does not let this user observe: that takes "
                               "observe=yes in a line for this user");
                return;
        }
        if (args->items > 0 && args[1].type == MBUS_VALUE_INTEGER)
                result = filters_parse(args + 2, args->items - 1, &filters);
        if (result == MBUS_E_FULL)
                client_log_fixed_limit(r->c, FIXED_OBSERVE_FILTERS,
                                       "it observes no more than before");
        if (result == 0)
                result = monitor_observe(r->b, r->c, args[1].integer, filters);
        if (result == MBUS_E_MALFORMED)
                control_fail(r, MBUS_REASON_MALFORMED,
                             "broker.observe wants a number, then lists of address, beginning and "
                             "bus");
        else if (result == MBUS_E_UNKNOWN)
                control_fail(
                        r, MBUS_REASON_UNKNOWN,
                        "the broker is on no bus of this name: mbus-cli status names those that "
                        "it is on");
        else if (result)
                control_fail(r, MBUS_REASON_FULL, "this link has too many filters");
        else
                outlook_tell(r->c);
}

void control_on_unobserve(struct request *r)
{
        monitor_unobserve(r->b, r->c);
}
