/*
 * send.c - sends one command reliably to one entity and says whether it arrived.
 *
 *      send '(module:engine)' 'audio.input.mute(1)'
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mbus/mbus.h>

#define SECOND INT64_C(1000000000)

static int fail(const char *what, int error)
{
        fprintf(stderr, "send: %s: %s\n", what, mbus_error_text(error));
        return 1;
}

/* Waits until an event of @type came, for at most @timeout ns. */
static const struct mbus_event *await(struct mbus_bus *bus, enum mbus_event_type type,
                                      enum mbus_event_type other, int64_t timeout)
{
        const struct mbus_event *event;

        while (mbus_bus_wait(bus, timeout) == 0) {
                event = mbus_bus_pop_event(bus);
                if (event && (event->type == type || event->type == other))
                        return event;
        }
        return NULL;
}

static int deliver(struct mbus_bus *bus, struct mbus_entity *me, const char *destination,
                   const struct mbus_commands *commands)
{
        const struct mbus_event *event;
        uint64_t ticket;
        int r;

        /* Without a broker, others are known once they were heard: ask, and give them a moment. */
        r = mbus_bus_wait_ready(me, 5 * SECOND);
        if (r != 0)
                return fail("attaching", r);
        mbus_bus_watch(bus, destination);
        mbus_entity_ping(me, destination);
        if (!await(bus, MBUS_EVENT_JOINED, MBUS_EVENT_JOINED, 2 * SECOND))
                return fail(destination, MBUS_E_UNKNOWN);
        r = mbus_entity_send_reliable(me, destination, commands, &ticket);
        if (r != 0)
                return fail(destination, r);
        event = await(bus, MBUS_EVENT_DELIVERED, MBUS_EVENT_FAILED, 5 * SECOND);
        if (event && event->type == MBUS_EVENT_DELIVERED)
                return 0;
        fprintf(stderr, "send: ticket %" PRIu64 ": %s\n", ticket,
                event ? mbus_reason_text(event->reason) : "no answer");
        return 1;
}

int main(int argc, char **argv)
{
        struct mbus_commands *commands = NULL;
        struct mbus_config *config = NULL;
        struct mbus_bus *bus = NULL;
        struct mbus_entity *me;
        int r;

        if (argc != 3) {
                fprintf(stderr, "usage: send ADDRESS COMMANDS\n");
                return 2;
        }
        r = mbus_config_new(&config);
        if (r == 0)
                r = mbus_bus_open(&bus, config);
        if (r != 0) {
                fprintf(stderr, "send: %s\n", config ? mbus_config_get_error(config) : "no memory");
                mbus_config_free(config);
                return 1;
        }
        r = mbus_commands_new(&commands);
        if (r == 0)
                r = mbus_commands_add_text(commands, argv[2], NULL, NULL);
        if (r == 0)
                r = mbus_bus_add_entity(bus, "(app:example module:send)", &me);
        r = r == 0 ? deliver(bus, me, argv[1], commands) : fail(argv[2], r);
        mbus_commands_free(commands);
        mbus_bus_close(bus);
        mbus_config_free(config);
        return r;
}
