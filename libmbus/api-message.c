/*
 * api-message.c - what an application may ask of a received message.
 *
 * A struct mbus_message is a struct message under its public name: immutable, counted by reference,
 * so these are views and cost nothing.
 */
#include "bus.h"

static const struct message *inner(const struct mbus_message *message)
{
        return (const struct message *)message;
}

struct mbus_message *mbus_message_ref(const struct mbus_message *message)
{
        /* The count is the one thing about a message that changes. */
        return (struct mbus_message *)message_ref((struct message *)message);
}

struct mbus_message *mbus_message_unref(struct mbus_message *message)
{
        message_unref((struct message *)message);
        return NULL;
}

const char *mbus_message_get_source(const struct mbus_message *message)
{
        return inner(message)->src;
}

const char *mbus_message_get_destination(const struct mbus_message *message)
{
        return inner(message)->dest;
}

uint32_t mbus_message_get_seq(const struct mbus_message *message)
{
        return inner(message)->header.seq;
}

uint64_t mbus_message_get_timestamp(const struct mbus_message *message)
{
        return header_timestamp_ms(&inner(message)->header);
}

bool mbus_message_is_reliable(const struct mbus_message *message)
{
        return inner(message)->header.reliable;
}

bool mbus_message_get_ack(const struct mbus_message *message, size_t i, uint32_t *ret_seq)
{
        struct span rest = inner(message)->header.acks;
        uint32_t seq;

        do {
                if (!acks_next(&rest, &seq))
                        return false;
        } while (i-- > 0);
        *ret_seq = seq;
        return true;
}

const char *mbus_message_get_text(const struct mbus_message *message, size_t *ret_n)
{
        if (ret_n)
                *ret_n = inner(message)->text.n;
        return inner(message)->text.at;
}

size_t mbus_message_get_n_commands(const struct mbus_message *message)
{
        return inner(message)->payload.n;
}

const char *mbus_message_get_command(const struct mbus_message *message, size_t i)
{
        const struct payload *p = &inner(message)->payload;

        return i < p->n ? p->commands[i].name.at : NULL;
}

const struct mbus_value *mbus_message_get_args(const struct mbus_message *message, size_t i)
{
        const struct payload *p = &inner(message)->payload;

        if (i >= p->n)
                return NULL;
        return (const struct mbus_value *)payload_args(p, &p->commands[i]);
}
