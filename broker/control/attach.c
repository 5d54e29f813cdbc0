/*
 * attach.c - entities of a session come and go: broker.attach and broker.detach (spec/attach.md).
 */
#include "commands.h"

#include <stdio.h>

#define VERSION_OF_LINK 1
/* What a ticket may take without a word from us when it has waited: the time-out of DIALECT=UCL,
 * and more. */
#define AFTER_PATIENCE_MS 8000

/* What a client is to know of the bus main, and of us. */
static void format_options(const struct control *control, const struct local_entity *e,
                           struct buffer *out)
{
        uint64_t silence = patience_of(control->routing, e) / NSEC_PER_MSEC + AFTER_PATIENCE_MS;

        buffer_add_text(out, " (largest ");
        buffer_add_uint(out, engine_largest(control->routing->engine));
        buffer_add_char(out, ')');
        if (control->buses->main.dialect == DIALECT_UCL)
                buffer_add_text(out, " (dialect ucl)");
        if (silence > LINK_SILENCE_MS) {
                buffer_add_text(out, " (silence ");
                buffer_add_uint(out, silence);
                buffer_add_char(out, ')');
        }
}

static void accept_entity(struct request *request, const struct local_entity *e)
{
        struct span address = local_entity_text(e);
        struct buffer payload = BUFFER_INIT;

        buffer_add_text(&payload, "broker.attached(");
        buffer_add_uint(&payload, request->h->seq);
        buffer_add_text(&payload, " 1 ");
        value_format_string(address, &payload);
        format_options(request->control, e, &payload);
        buffer_add_char(&payload, ')');
        if (payload.failed)
                connection_kill(&request->s->link, "memory is short");
        else
                request_confirm(request, buffer_span(&payload));
        network_tell(request->s);
        buffer_deinit(&payload);
        log_debug("link %llu (pid %d) attached %.*s", (unsigned long long)request->s->link.number,
                  (int)request->s->link.pid, (int)address.n, address.at);
        retain_give(request->control->routing, e);
}

/* What else the client says with its question: lists of a name and what is said under it. Names
 * that are not known here are skipped. */
static const struct value *option_of(const struct request *request, const char *name)
{
        const struct value *args = payload_args(request->payload, request->command);
        const struct value *v = args + 1;

        for (uint32_t i = 0; i < args->items; i++, v += v->nodes)
                if (v->type == MBUS_VALUE_LIST && v->items == 2 && v[1].type == MBUS_VALUE_SYMBOL &&
                    span_equal_text(v[1].text, name))
                        return v + 2;
        return NULL;
}

/* (patience MS) */
static uint64_t patience_asked_for(const struct request *request)
{
        const struct value *v = option_of(request, "patience");

        if (!v || v->type != MBUS_VALUE_INTEGER || v->integer < 0)
                return 0;
        return v->integer < INT32_MAX ? (uint64_t)v->integer * NSEC_PER_MSEC
                                      : INT32_MAX * NSEC_PER_MSEC;
}

/* Whether the id in @address is one that the client relies on, and not one that a broker gave it
 * before: (id made) */
static bool is_given(const struct request *request, const struct address *address)
{
        const struct value *v = option_of(request, "id");

        return address_get(address, "id").at &&
               !(v && v->type == MBUS_VALUE_SYMBOL && span_equal_text(v->text, "made"));
}

static bool speaks_our_version(const struct request *request)
{
        const struct value *args = payload_args(request->payload, request->command);
        const struct value *v = args + 1;

        for (uint32_t i = 0; i < args->items; i++, v += v->nodes)
                if (v->type == MBUS_VALUE_INTEGER && v->integer == VERSION_OF_LINK)
                        return true;
        return false;
}

/* With an id of ours. As local_entity_new(), and MBUS_E_MALFORMED. */
static int attach_with_id(struct sessions *all, struct session *s, const struct address *asked,
                          struct local_entity **ret_entity)
{
        char plain[ADDRESS_TEXT_MAX], room[IDS_TEXT_SIZE];
        struct address address;
        int r;

        address_put_plain(asked, plain, &address);
        r = ids_complete(all, ids_first(s), address.text, room, &address);
        return r ? r : local_entity_new(all, s, &address, ret_entity);
}

/* As local_entity_new(). A proxy that has the address gives way: it stands for somebody only as
 * long as nobody here has the address (spec/buses.md). */
static int attach_as_asked(struct sessions *all, struct session *s, const struct address *address,
                           struct local_entity **ret_entity)
{
        const struct local_entity *other = local_entity_find(all, address);

        if (other && other->proxy)
                proxy_lose_address(other->proxy);
        return local_entity_new(all, s, address, ret_entity);
}

/* Puts the entity that is asked for on the bus. */
static void attach(struct request *request, const struct address *address)
{
        enum limit limit =
                quota_check(request->s->link.user, QUOTA_ENTITIES, request->s->n_entities, 1, 1);
        struct local_entity *e;
        char why[128];
        int result;

        if (request->s->rights && !rights_may_attach(request->s->rights, address)) {
                connection_count(&request->s->link, DROP_DENIED,
                                 "[policy] does not let it attach %.*s",
                                 excerpt_size(address->text), address->text.at);
                request_refuse(
                        request, "denied",
                        "[policy] of the broker does not let this user attach it: that takes "
                        "attach= in a line for this user");
                return;
        }
        /* With somebody else's id it would get what is meant for that one. */
        if (request->s->rights && address_get(address, "id").at &&
            ids_in_use(request->control->sessions, address)) {
                request_refuse(request, "taken", "another entity has this id");
                return;
        }
        if (limit) {
                connection_log_limit(&request->s->link, limit, "no more entities are attached");
                snprintf(why, sizeof(why),
                         "%s has too many entities: see %s in [limits] of the broker",
                         limit == LIMIT_ENTITIES_PER_LINK ? "this link" : "this user",
                         limit_name(limit));
                request_refuse(request, "full", why);
                return;
        }
        result = address_get(address, "id").at
                         ? attach_as_asked(request->control->sessions, request->s, address, &e)
                         : attach_with_id(request->control->sessions, request->s, address, &e);
        if (result == 0) {
                e->patience = patience_asked_for(request);
                if (is_given(request, address))
                        entity_keep_address(e->entity);
                e->is_given = is_given(request, address);
                accept_entity(request, e);
        } else if (result == MBUS_E_TAKEN) {
                request_refuse(request, "taken", "another entity has this address");
        } else if (result == MBUS_E_MALFORMED) {
                request_refuse(request, "malformed", "the address has no room for an id");
        } else {
                request_refuse(request, "full", "the broker has too many entities");
        }
}

static void on_attach(struct request *request)
{
        struct address address;
        struct parse_error error;

        if (!speaks_our_version(request))
                request_refuse(request, "version", "the broker speaks version 1");
        else if (address_parse(request->h->src.text, STRICT, &address, NULL, &error))
                request_refuse(request, "malformed", error.what);
        else if (address_get(&address, "id").at && !address_has_proper_id(&address))
                request_refuse(request, "malformed", "an id is NUMBER-NUMBER@HOST");
        else if (span_equal_text(address_get(&address, "app"), "mbus-broker"))
                request_refuse(request, "denied", "app:mbus-broker is the broker");
        else
                attach(request, &address);
}

static void on_detach(struct request *request)
{
        request->src = local_entity_free(request->src);
}

static const struct command_entry entries[] = {
        { "broker.attach", SPEAKER_NEW, on_attach },
        { "broker.detach", SPEAKER_ATTACHED, on_detach },
};

const struct command_table attach_commands = { entries, sizeof(entries) / sizeof(*entries), NULL };
