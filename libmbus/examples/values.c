/*
 * values.c - parameters without pain: an interface asks a player, on a bus inside this program, to
 * play something; the player reads what it is asked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mbus/mbus.h>

#define SECOND INT64_C(1000000000)

/* player.load(URI TRACK [GAIN]) */
static void on_load(const struct mbus_value *args)
{
        const char *uri, *what;
        int64_t track;
        double gain = 1;
        size_t argument;

        if (mbus_value_scan(args, "s i [f]", &uri, &track, &gain) == 0) {
                printf("track %" PRId64 " of %s, gain %g\n", track, uri, gain);
                return;
        }
        mbus_value_check(args, "s i [f]", &argument, NULL, &what);
        printf("player.load: parameter %zu: %s\n", argument, what);
}

/* Handles the next message; 0, or what went wrong. */
static int handle(struct mbus_bus *bus)
{
        const struct mbus_event *event;
        int r;

        while ((r = mbus_bus_wait(bus, SECOND)) == 0) {
                event = mbus_bus_pop_event(bus);
                if (!event || event->type != MBUS_EVENT_MESSAGE)
                        continue;
                if (strcmp(mbus_message_get_command(event->message, 0), "player.load") == 0)
                        on_load(mbus_message_get_args(event->message, 0));
                return 0;
        }
        return r;
}

static int play(struct mbus_bus *bus, struct mbus_entity *ui, struct mbus_entity *player)
{
        int r = mbus_bus_wait_ready(player, SECOND);

        if (r == 0)
                r = mbus_bus_wait_ready(ui, SECOND);
        if (r == 0)
                r = mbus_entity_sendf(ui, "(module:player)", "player.load(%s %d %f)",
                                      "rtp://239.1.2.3/a \"b\"", 3, 0.5);
        if (r == 0)
                r = handle(bus);
        /* The player says what is wrong with this one ... */
        if (r == 0)
                r = mbus_entity_sendf(ui, "(module:player)", "player.load(%d)", 3);
        if (r == 0)
                r = handle(bus);
        /* ... and the library with this one: there are no characters on the bus. */
        if (r == 0 && mbus_entity_sendf(ui, "(module:player)", "player.load(%c)", 'x') != 0)
                printf("%s\n", mbus_bus_get_error(bus));
        return r;
}

int main(void)
{
        struct mbus_config *config = NULL;
        struct mbus_bus *bus = NULL;
        struct mbus_entity *ui, *player;
        int r = mbus_config_new(&config);

        if (r == 0) {
                mbus_config_set_url(config, "mem:values");
                r = mbus_bus_open(&bus, config);
        }
        if (r == 0)
                r = mbus_bus_add_entity(bus, "(module:ui)", &ui);
        if (r == 0)
                r = mbus_bus_add_entity(bus, "(module:player)", &player);
        if (r == 0)
                r = play(bus, ui, player);
        if (r != 0)
                fprintf(stderr, "values: %s\n", mbus_error_text(r));
        mbus_bus_close(bus);
        mbus_config_free(config);
        return r != 0;
}
