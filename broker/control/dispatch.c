/*
 * dispatch.c - the tables of commands, and who may give which.
 */
#include "dispatch.h"

#include <assert.h>
#include <stdio.h>

#include <core/nearly.h>

void control_add(struct control *control, const struct command_table *table)
{
        assert(control->n_tables < COMMAND_TABLES_MAX);
        control->tables[control->n_tables++] = table;
}

static bool may_speak(const struct request *request, enum speaker speaker)
{
        if (request->src || speaker == SPEAKER_NEW)
                return true;
        return speaker != SPEAKER_ATTACHED && request->h->src.n == 0;
}

static void deny_source(struct request *request)
{
        const struct span src = request->h->src.text;

        connection_count(&request->s->link, DROP_DENIED, "SrcAddr %.*s is not attached to it: %.*s",
                         excerpt_size(src), src.at, excerpt_size(request->command->text),
                         request->command->text.at);
        if (request->h->reliable)
                request_fail(request, MBUS_REASON_DENIED, "SrcAddr is not attached to the link");
        request->failed = true;
}

/* It is for the owner, who this is not. */
static void deny_stranger(struct request *request)
{
        connection_count(&request->s->link, DROP_DENIED, "only the owner may say %.*s",
                         excerpt_size(request->command->text), request->command->text.at);
        request_fail(
                request, MBUS_REASON_DENIED,
                "only the owner of the broker, its own user or root, may ask for this, whatever "
                "[policy] says");
}

static const char *table_find_near(const struct command_table *table, struct span name)
{
        for (size_t i = 0; i < table->n; i++)
                if (is_nearly(name, table->entries[i].name))
                        return table->entries[i].name;
        return NULL;
}

/* There is no such command: whoever waits for it would wait in vain. */
static void on_unknown(struct request *request)
{
        struct span name = request->command->name;
        const char *near = NULL;
        char why[EXCERPT_MAX + 64];

        for (unsigned i = 0; i < request->control->n_tables && !near; i++)
                near = table_find_near(request->control->tables[i], name);
        snprintf(why, sizeof(why), "there is no command %.*s%s%s%s", excerpt_size(name), name.at,
                 near ? ", is " : "", near ? near : "", near ? " meant?" : "");
        connection_count(&request->s->link, DROP_UNKNOWN, "%s", why);
        if (request->h->reliable)
                request_fail(request, MBUS_REASON_MALFORMED, why);
        request->failed = true;
}

static const struct command_entry *table_find(const struct command_table *table, struct span name)
{
        for (size_t i = 0; i < table->n; i++)
                if (span_equal_text(name, table->entries[i].name))
                        return &table->entries[i];
        return NULL;
}

static const struct command_entry *command_find(struct request *request)
{
        const struct control *control = request->control;

        for (unsigned i = 0; i < control->n_tables; i++) {
                const struct command_entry *entry =
                        table_find(control->tables[i], request->command->name);

                request->room = control->tables[i]->room;
                if (entry)
                        return entry;
        }
        return NULL;
}

/* Does one command, or says why not. */
static void dispatch(struct request *request)
{
        const struct command_entry *entry = command_find(request);

        if (!may_speak(request, entry ? entry->speaker : SPEAKER_ANY))
                deny_source(request);
        else if (!entry)
                on_unknown(request);
        else if (entry->speaker == SPEAKER_OWNER && !connection_is_owner(&request->s->link))
                deny_stranger(request);
        else
                entry->on_command(request);
}

void control_run(struct request *request, size_t *at)
{
        for (; *at < request->payload->n && !request->s->link.is_dead && !request->failed; ++*at) {
                /* Whoever told a list is done with it before the next command. */
                assert(!request->list);
                request->command = request->payload->commands + *at;
                dispatch(request);
                if (request->list)
                        return;
        }
}
