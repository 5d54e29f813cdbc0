/*
 * message.c - what an application may ask of a received message.
 *
 * A struct mbus_message is a struct message under its public name: immutable, counted by reference,
 * so these are views and cost nothing, but for the first look at an address, which makes it
 * canonical.
 */
#include "public.h"

#include <core/message.h>

static const struct message *message_of(const struct mbus_message *message)
{
        return (const struct message *)message;
}

struct mbus_message *mbus_message_ref(const struct mbus_message *message)
{
        /* The count is the one thing about a message that changes. */
        return message ? (struct mbus_message *)message_ref((struct message *)message) : NULL;
}

struct mbus_message *mbus_message_unref(struct mbus_message *message)
{
        message_unref((struct message *)message);
        return NULL;
}

const char *mbus_message_get_source(const struct mbus_message *message)
{
        return message ? message_source((struct message *)message) : NULL;
}

const char *mbus_message_get_destination(const struct mbus_message *message)
{
        return message ? message_destination((struct message *)message) : NULL;
}

uint32_t mbus_message_get_seq(const struct mbus_message *message)
{
        return message ? message_of(message)->header.seq : 0;
}

uint64_t mbus_message_get_timestamp(const struct mbus_message *message)
{
        return message ? header_timestamp_ms(&message_of(message)->header) : 0;
}

bool mbus_message_is_reliable(const struct mbus_message *message)
{
        return message ? message_of(message)->header.reliable : false;
}

bool mbus_message_get_ack(const struct mbus_message *message, size_t i, uint32_t *ret_seq)
{
        struct span rest;
        uint32_t seq;

        if (!message || !ret_seq)
                return false;
        rest = message_of(message)->header.acks;
        do {
                if (!acks_next(&rest, &seq))
                        return false;
        } while (i-- > 0);
        *ret_seq = seq;
        return true;
}

const char *mbus_message_get_text(const struct mbus_message *message, size_t *ret_n)
{
        if (!message)
                return NULL;
        if (ret_n)
                *ret_n = message_of(message)->text.n;
        return message_of(message)->text.at;
}

size_t mbus_message_get_n_commands(const struct mbus_message *message)
{
        return message ? message_of(message)->payload.n : 0;
}

const char *mbus_message_get_command(const struct mbus_message *message, size_t i)
{
        const struct payload *p = message ? &message_of(message)->payload : NULL;

        return p && i < p->n ? p->commands[i].name.at : NULL;
}

const struct mbus_value *mbus_message_get_args(const struct mbus_message *message, size_t i)
{
        const struct payload *p = message ? &message_of(message)->payload : NULL;

        if (!p || i >= p->n)
                return NULL;
        return (const struct mbus_value *)payload_args(p, &p->commands[i]);
}
