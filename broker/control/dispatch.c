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

static bool may_speak(const struct request *r, enum speaker speaker)
{
        if (r->src || speaker == SPEAKER_NEW)
                return true;
        return speaker != SPEAKER_ATTACHED && r->h->src.n == 0;
}

static void deny_source(struct request *r)
{
        const struct span src = r->h->src.text;

        connection_count(&r->s->link, COUNT_DENIED, "SrcAddr %.*s is not attached to it: %.*s",
                         shown_size(src), src.at, shown_size(r->command->text),
                         r->command->text.at);
        if (r->h->reliable)
                request_fail(r, MBUS_REASON_DENIED, "SrcAddr is not attached to the link");
        r->failed = true;
}

/* It is for the owner, who this is not. */
static void deny_stranger(struct request *r)
{
        connection_count(&r->s->link, COUNT_DENIED, "only the owner may say %.*s",
                         shown_size(r->command->text), r->command->text.at);
        request_fail(
                r, MBUS_REASON_DENIED,
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
static void on_unknown(struct request *r)
{
        struct span name = r->command->name;
        const char *near = NULL;
        char why[SHOWN_MAX + 64];

        for (unsigned i = 0; i < r->control->n_tables && !near; i++)
                near = table_find_near(r->control->tables[i], name);
        snprintf(why, sizeof(why), "there is no command %.*s%s%s%s", shown_size(name), name.at,
                 near ? ", is " : "", near ? near : "", near ? " meant?" : "");
        connection_count(&r->s->link, COUNT_UNKNOWN, "%s", why);
        if (r->h->reliable)
                request_fail(r, MBUS_REASON_MALFORMED, why);
        r->failed = true;
}

static const struct command_entry *table_find(const struct command_table *table, struct span name)
{
        for (size_t i = 0; i < table->n; i++)
                if (span_equal_text(name, table->entries[i].name))
                        return &table->entries[i];
        return NULL;
}

static const struct command_entry *command_find(struct request *r)
{
        const struct control *control = r->control;

        for (unsigned i = 0; i < control->n_tables; i++) {
                const struct command_entry *entry =
                        table_find(control->tables[i], r->command->name);

                r->room = control->tables[i]->room;
                if (entry)
                        return entry;
        }
        return NULL;
}

/* Does one command, or says why not. */
static void dispatch(struct request *r)
{
        const struct command_entry *entry = command_find(r);

        if (!may_speak(r, entry ? entry->speaker : SPEAKER_ANY))
                deny_source(r);
        else if (!entry)
                on_unknown(r);
        else if (entry->speaker == SPEAKER_OWNER && !connection_is_owner(&r->s->link))
                deny_stranger(r);
        else
                entry->on_command(r);
}

void control_run(struct request *r, size_t *at)
{
        for (; *at < r->payload->n && !r->s->link.is_dead && !r->failed; ++*at) {
                r->command = r->payload->commands + *at;
                dispatch(r);
                if (r->list)
                        return;
        }
}
