/*
 * poll.c - a bus beside other descriptors in a main loop of poll(2): lines from the standard input
 * go to everybody, and what comes from the bus is printed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mbus/mbus.h>

/* Sends a line; false at the end of the input. */
static bool on_line(struct mbus_entity *me)
{
        char line[1024];
        ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
        int r;

        if (n <= 0)
                return false;
        line[n] = '\0';
        line[strcspn(line, "\n")] = '\0';
        r = mbus_entity_sendf(me, "()", "example.line(%s)", line);
        if (r != 0)
                fprintf(stderr, "poll: %s\n", mbus_error_name(r));
        return true;
}

static bool turn(struct mbus_bus *bus, struct mbus_entity *me)
{
        struct pollfd fds[1 + MBUS_POLLFDS_MAX] = { { .fd = STDIN_FILENO, .events = POLLIN } };
        const struct mbus_event *event;
        size_t n;
        int r;

        mbus_bus_get_pollfds(bus, fds + 1, MBUS_POLLFDS_MAX, &n);
        if (poll(fds, 1 + n, mbus_bus_get_timeout_ms(bus)) < 0)
                return errno == EINTR;
        if (fds[0].revents && !on_line(me))
                return false;
        r = mbus_bus_process(bus);
        if (r < 0) {
                fprintf(stderr, "poll: %s\n", mbus_error_name(r));
                return false;
        }
        while ((event = mbus_bus_pop_event(bus)))
                if (event->type == MBUS_EVENT_MESSAGE)
                        printf("%s: %s\n", mbus_message_get_source(event->message),
                               mbus_message_get_command(event->message, 0));
        fflush(stdout);
        return true;
}

int main(void)
{
        struct mbus_config *config = NULL;
        struct mbus_bus *bus = NULL;
        struct mbus_entity *me;
        int r = mbus_config_new(&config);

        if (r == 0)
                r = mbus_bus_open(&bus, config);
        if (r == 0)
                r = mbus_bus_add_entity(bus, "(app:example module:poll)", &me);
        if (r != 0)
                fprintf(stderr, "poll: %s\n",
                        config && !bus ? mbus_config_get_error(config) : mbus_error_name(r));
        while (r == 0 && turn(bus, me))
                ;
        mbus_bus_close(bus);
        mbus_config_free(config);
        return r != 0;
}
