/*
 * poll.c - a bus beside other descriptors in a main loop of poll(2): lines from the standard input
 * go to everybody, and what comes from the bus is printed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mbus/mbus.h>

/* A time-out for poll(2), rounded up so that it never ends before the deadline. */
static int timeout_ms(uint64_t deadline)
{
        struct timespec time;
        uint64_t now, ms;

        if (deadline == UINT64_MAX)
                return -1;
        clock_gettime(CLOCK_MONOTONIC, &time);
        now = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
        if (deadline <= now)
                return 0;
        ms = (deadline - now + 999999) / 1000000;
        return ms > 60000 ? 60000 : (int)ms;
}

/* Sends a line; false at the end of the input. */
static bool on_line(struct mbus_entity *me)
{
        char line[1024];
        ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
        struct mbus_commands *commands;
        int r;

        if (n <= 0)
                return false;
        line[n] = '\0';
        line[strcspn(line, "\n")] = '\0';
        r = mbus_commands_new(&commands);
        if (r == 0) {
                mbus_commands_begin(commands, "example.line");
                mbus_commands_add_string(commands, line);
                mbus_commands_end(commands);
                r = mbus_entity_send(me, "()", commands);
                mbus_commands_free(commands);
        }
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
        if (poll(fds, 1 + n, timeout_ms(mbus_bus_get_deadline(bus))) < 0)
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
