/*
 * attach.c - entities of a link come and go: broker.attach and broker.detach (spec/attach.md).
 */
#include <stdio.h>

#include <broker/bridge/bridge.h>
#include "request.h"
#include "control.h"
#include <broker/sessions/ids.h>
#include <broker/routing/network-news.h>
#include <broker/routing/patience.h>
#include <broker/routing/retain.h>
#include <broker/base/excerpt.h>

#define VERSION_OF_LINK 1
/* What a ticket may take without a word from us when it has waited: the time-out of DIALECT=UCL, and more. */
#define AFTER_PATIENCE_MS 8000

/* What a client is to know of the bus main, and of us. */
static void format_options(const struct broker *b, const struct attachment *a, struct buffer *out)
{
        uint64_t silence = patience_of(b, a) / NSEC_PER_MSEC + AFTER_PATIENCE_MS;

        buffer_add_text(out, " (largest ");
        buffer_add_uint(out, engine_largest(b->engine));
        buffer_add_char(out, ')');
        if (b->bus.dialect == DIALECT_UCL)
                buffer_add_text(out, " (dialect ucl)");
        if (silence > LINK_SILENCE_MS) {
                buffer_add_text(out, " (silence ");
                buffer_add_uint(out, silence);
                buffer_add_char(out, ')');
        }
}

static void accept_attachment(struct request *r, const struct attachment *a)
{
        struct span address = attachment_text(a);
        struct buffer payload = BUFFER_INIT;

        buffer_add_text(&payload, "broker.attached(");
        buffer_add_uint(&payload, r->h->seq);
        buffer_add_text(&payload, " 1 ");
        value_format_string(address, &payload);
        format_options(r->b, a, &payload);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                client_kill(r->c, "memory is short");
        else
                control_confirm(r, buffer_span(&payload));
        outlook_tell(r->c);
        buffer_deinit(&payload);
        log_debug("link %llu (pid %d) attached %.*s", (unsigned long long)r->c->number,
                  (int)r->c->pid, (int)address.n, address.at);
        retain_give(r->b, a);
}

/* What else the client says with its question: lists of a name and what is said under it. Names that are
 * not known here are skipped. */
static const struct value *option_of(const struct request *r, const char *name)
{
        const struct value *args = payload_args(r->payload, r->command);
        const struct value *v = args + 1;

        for (uint32_t i = 0; i < args->items; i++, v += v->nodes)
                if (v->type == MBUS_VALUE_LIST && v->items == 2 && v[1].type == MBUS_VALUE_SYMBOL &&
                    span_equal_text(v[1].text, name))
                        return v + 2;
        return NULL;
}

/* (patience MS) */
static uint64_t patience_asked_for(const struct request *r)
{
        const struct value *v = option_of(r, "patience");

        if (!v || v->type != MBUS_VALUE_INTEGER || v->integer < 0)
                return 0;
        return v->integer < INT32_MAX ? (uint64_t)v->integer * NSEC_PER_MSEC
                                      : INT32_MAX * NSEC_PER_MSEC;
}

/* Whether the id in @address is one that the client relies on, and not one that a broker gave it before:
 * (id made) */
static bool is_given(const struct request *r, const struct address *address)
{
        const struct value *v = option_of(r, "id");

        return address_get(address, "id").at &&
               !(v && v->type == MBUS_VALUE_SYMBOL && span_equal_text(v->text, "made"));
}

static bool speaks_our_version(const struct request *r)
{
        const struct value *args = payload_args(r->payload, r->command);
        const struct value *v = args + 1;

        for (uint32_t i = 0; i < args->items; i++, v += v->nodes)
                if (v->type == MBUS_VALUE_INTEGER && v->integer == VERSION_OF_LINK)
                        return true;
        return false;
}

/* With an id of ours. As attachment_new(), and MBUS_E_MALFORMED. */
static int attach_with_id(struct broker *b, struct client *c, const struct address *asked,
                          struct attachment **ret_attachment)
{
        char plain[ADDRESS_TEXT_MAX], room[IDS_TEXT_SIZE];
        struct address address;
        int r;

        address_put_plain(asked, plain, &address);
        r = ids_complete(b, ids_first(c), address.text, room, &address);
        return r ? r : attachment_new(b, c, &address, ret_attachment);
}

/* As attachment_new(). A proxy that has the address gives way: it stands for somebody only as long as
 * nobody here has the address (spec/buses.md). */
static int attach_as_asked(struct broker *b, struct client *c, const struct address *address,
                           struct attachment **ret_attachment)
{
        const struct attachment *other = attachment_find(b, address);

        if (other && other->proxy)
                bridge_conflict(other->proxy);
        return attachment_new(b, c, address, ret_attachment);
}

/* Puts the entity that is asked for on the bus. */
static void attach(struct request *r, const struct address *address)
{
        enum limit limit = quota_check(r->c->user, QUOTA_ENTITIES, r->c->n_attachments, 1, 1);
        struct attachment *a;
        char why[128];
        int result;

        if (r->c->rights && !rights_may_attach(r->c->rights, address)) {
                broker_count(r->b, COUNT_DENIED, r->c, "[policy] does not let it attach %.*s",
                             shown_size(address->text), address->text.at);
                control_refuse(
                        r, "denied",
                        "[policy] of the broker does not let this user attach it: that takes "
                        "attach= in a line for this user");
                return;
        }
        /* With somebody else's id it would get what is meant for that one. */
        if (r->c->rights && address_get(address, "id").at && ids_in_use(r->b, address)) {
                control_refuse(r, "taken", "another entity has this id");
                return;
        }
        if (limit) {
                client_log_limit(r->c, limit, "no more entities are attached");
                snprintf(why, sizeof(why),
                         "%s has too many entities: see %s in [limits] of the broker",
                         limit == LIMIT_ENTITIES_PER_LINK ? "this link" : "this user",
                         limit_name(limit));
                control_refuse(r, "full", why);
                return;
        }
        result = address_get(address, "id").at ? attach_as_asked(r->b, r->c, address, &a)
                                               : attach_with_id(r->b, r->c, address, &a);
        if (result == 0) {
                a->patience = patience_asked_for(r);
                if (is_given(r, address))
                        entity_keep_address(a->entity);
                a->is_given = is_given(r, address);
                accept_attachment(r, a);
        } else if (result == MBUS_E_TAKEN) {
                control_refuse(r, "taken", "another entity has this address");
        } else if (result == MBUS_E_MALFORMED) {
                control_refuse(r, "malformed", "the address has no room for an id");
        } else {
                control_refuse(r, "full", "the broker has too many entities");
        }
}

void control_on_attach(struct request *r)
{
        struct address address;
        struct parse_error error;

        if (!speaks_our_version(r))
                control_refuse(r, "version", "the broker speaks version 1");
        else if (address_parse(r->h->src.text, STRICT, &address, NULL, &error))
                control_refuse(r, "malformed", error.what);
        else if (address_get(&address, "id").at && !address_has_proper_id(&address))
                control_refuse(r, "malformed", "an id is NUMBER-NUMBER@HOST");
        else if (span_equal_text(address_get(&address, "app"), "mbus-broker"))
                control_refuse(r, "denied", "app:mbus-broker is the broker");
        else
                attach(r, &address);
}

void control_detach(struct broker *b, struct attachment *a, enum mbus_reason reason,
                    const char *why)
{
        struct buffer address = BUFFER_INIT;

        value_format_string(attachment_text(a), &address);
        if (address.failed)
                client_kill(a->client, "memory is short");
        else
                control_say_reason(a->client, span_of("()"), "broker.detached",
                                   buffer_span(&address), control_reason(reason), why);
        buffer_deinit(&address);
        a->silent = reason == MBUS_REASON_TAKEN;
        attachment_free(b, a);
}

void control_on_detach(struct request *r)
{
        r->src = attachment_free(r->b, r->src);
}
