/*
 * subscribe.c - joins the bus under an address and prints what is sent to it.
 *
 *      subscribe '(module:engine)'
 */
#include <errno.h>
#include <stdio.h>

#include <mbus/mbus.h>

static void print_value(const struct mbus_value *value)
{
        size_t n;
        const char *raw = mbus_value_get_raw(value, &n);

        printf("%.*s", (int)n, raw);
}

static void print_message(const struct mbus_message *message)
{
        printf("from %s\n", mbus_message_get_source(message));
        for (size_t i = 0; i < mbus_message_get_n_commands(message); i++) {
                printf("        %s", mbus_message_get_command(message, i));
                print_value(mbus_message_get_args(message, i));
                putchar('\n');
        }
        fflush(stdout);
}

/* False when it is time to end. */
static bool handle(const struct mbus_event *event)
{
        switch (event->type) {
        case MBUS_EVENT_READY:
                printf("ready as %s\n", event->address);
                fflush(stdout);
                return true;
        case MBUS_EVENT_REFUSED:
                fprintf(stderr, "subscribe: refused: %s\n", mbus_reason_name(event->reason));
                return false;
        case MBUS_EVENT_MESSAGE:
                print_message(event->message);
                return true;
        case MBUS_EVENT_QUIT:
                return false;
        default:
                return true;
        }
}

int main(int argc, char **argv)
{
        const struct mbus_event *event;
        struct mbus_config *config = NULL;
        struct mbus_bus *bus = NULL;
        struct mbus_entity *me;
        bool go_on = true;
        int r;

        if (argc != 2) {
                fprintf(stderr, "usage: subscribe ADDRESS\n");
                return 2;
        }
        r = mbus_config_new(&config);
        if (r == 0)
                r = mbus_bus_open(&bus, config);
        if (r == 0)
                r = mbus_bus_add_entity(bus, argv[1], &me);
        while (r == 0 && go_on) {
                r = mbus_bus_wait(bus, -1);
                if (r == 0 && (event = mbus_bus_pop_event(bus)))
                        go_on = handle(event);
        }
        if (r != 0 && r != -EINTR)
                fprintf(stderr, "subscribe: %s\n",
                        config && !bus ? mbus_config_get_error(config) : mbus_error_name(r));
        mbus_bus_close(bus);
        mbus_config_free(config);
        return r != 0;
}
