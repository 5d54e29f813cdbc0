/*
 * loop.c - poll(2) over the descriptors of the bus, the self-pipe of the signal handler and
 * standard output.
 *
 * Standard output is watched for an error only: poll() tells at once when the reader of a pipe is
 * gone, while a write would tell at the next message, which may never come.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cli/text/text.h>
#include <programs/inherited.h>
#include <programs/streams.h>

#include "exits.h"
#include "loop.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
/* How long loop_drain() waits at most: no socket of one host stays full for longer. */
#define DRAIN_NS (500 * NS_PER_MS)

/* A signal handler has no other way. */
static int signal_pipe[2] = { -1, -1 };

static void loop_on_signal(int number)
{
        unsigned char byte = (unsigned char)number;
        int saved = errno;

        streams_ended = number;
        (void)!write(signal_pipe[1], &byte, 1);
        errno = saved;
}

/* The first one ends the tool in order, a second of the same ends it at once. */
static void catch_signal(int number)
{
        struct sigaction action = { .sa_handler = loop_on_signal, .sa_flags = (int)SA_RESETHAND };

        sigemptyset(&action.sa_mask);
        sigaction(number, &action, NULL);
}

int loop_catch_signals(void)
{
        struct sigaction hangup;

        assert(signal_pipe[0] < 0);
        if (pipe(signal_pipe) < 0) {
                text_error("cannot make a pipe: %s", strerror(errno));
                return EXITS_FAILED;
        }
        for (int i = 0; i < 2; i++) {
                fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
                fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
        }
        streams_end_with(signal_pipe[0]);
        catch_signal(SIGINT);
        catch_signal(SIGTERM);
        /* nohup(1) is left alone. */
        if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
                catch_signal(SIGHUP);
        return EXITS_OK;
}

uint64_t loop_now(void)
{
        struct timespec ts = { 0 };

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t loop_after(uint64_t ns)
{
        uint64_t now = loop_now();

        return ns < LOOP_NEVER - now ? now + ns : LOOP_NEVER;
}

/* ms from now until @deadline, rounded up, as poll() wants it. */
static int poll_timeout(uint64_t deadline)
{
        uint64_t now = loop_now(), ms;

        if (deadline == LOOP_NEVER)
                return -1;
        if (deadline <= now)
                return 0;
        ms = (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
        return ms < 3600 * 1000 ? (int)ms : 3600 * 1000;
}

static int bus_failed(int error)
{
        text_error("the bus cannot go on: %s", mbus_error_name(error));
        return EXITS_NO_BUS;
}

void loop_print_warnings(struct mbus_bus *bus)
{
        static size_t n_printed;
        const char *warning;

        while ((warning = mbus_bus_get_warning(bus, n_printed))) {
                text_error("%s", warning);
                n_printed++;
        }
}

int loop_unanswered(struct mbus_bus *bus)
{
        text_error("%s does not answer", mbus_bus_get_url(bus));
        return EXITS_NO_BUS;
}

/* ---- the network --------------------------------------------------------------------------- */

/* What stderr was told and is not over: of the one bus that a tool opens. */
static bool reported[MBUS_NETWORK_MAX];

static void loop_report_network(enum mbus_network network, const char *why)
{
        fputs("mbus-cli: ", stderr);
        text_print_visible(stderr, why, strlen(why));
        fputc('\n', stderr);
        if (network == MBUS_NETWORK_OK)
                memset(reported, 0, sizeof(reported));
        else
                reported[network] = true;
}

void loop_tell_network(struct mbus_bus *bus, enum mbus_network network)
{
        const char *why = mbus_bus_get_network(bus, network);

        if (why && !reported[network])
                loop_report_network(network, why);
}

static void loop_on_network(const struct mbus_event *event)
{
        bool known = event->network < MBUS_NETWORK_MAX;

        if (event->why && known)
                loop_report_network(event->network, event->why);
}

/* Processes the bus and hands out its events. *@ret_more: there is more to process. */
static int iterate(struct loop *loop, bool *ret_more)
{
        const struct mbus_event *event;
        int r = mbus_bus_process(loop->bus), status;

        if (r < 0)
                return bus_failed(r);
        *ret_more = r > 0;
        while ((event = mbus_bus_pop_event(loop->bus))) {
                loop->answer_by = 0;
                if (event->type == MBUS_EVENT_NETWORK)
                        loop_on_network(event);
                status = loop->on_event(loop->data, event);
                if (status != LOOP_ON)
                        return status;
        }
        loop_print_warnings(loop->bus);
        if (loop->answer_by && loop_now() >= loop->answer_by)
                return loop_unanswered(loop->bus);
        if (loop->deadline != LOOP_NEVER && loop_now() >= loop->deadline)
                return loop->on_deadline(loop->data);
        return LOOP_ON;
}

/* The first two are ours, the others belong to the bus. */
enum { POLL_SIGNAL, POLL_OUTPUT, POLL_BUS };

/* LOOP_ON: there was none after all. */
static int take_signal(void)
{
        unsigned char number;

        return read(signal_pipe[0], &number, 1) == 1 ? EXITS_SIGNAL + number : LOOP_ON;
}

static int poll_result(const struct pollfd *fds)
{
        int status = fds[POLL_SIGNAL].revents ? take_signal() : LOOP_ON;

        if (status != LOOP_ON)
                return status;
        if (fds[POLL_OUTPUT].revents & (POLLERR | POLLHUP))
                return EXITS_OK;
        return LOOP_ON;
}

static int sleep_until_due(const struct loop *loop, bool more)
{
        struct pollfd fds[POLL_BUS + MBUS_POLLFDS_MAX] = {
                [POLL_SIGNAL] = { .fd = signal_pipe[0], .events = POLLIN },
                [POLL_OUTPUT] = { .fd = loop->prints ? STDOUT_FILENO : -1 },
        };
        uint64_t deadline = mbus_bus_get_deadline(loop->bus);
        size_t n;
        int r = mbus_bus_get_pollfds(loop->bus, fds + POLL_BUS, MBUS_POLLFDS_MAX, &n);

        if (r)
                return bus_failed(r);
        if (loop->deadline < deadline)
                deadline = loop->deadline;
        if (loop->answer_by && loop->answer_by < deadline)
                deadline = loop->answer_by;
        if (poll(fds, POLL_BUS + n, more ? 0 : poll_timeout(deadline)) < 0)
                return errno == EINTR ? LOOP_ON : bus_failed(-errno);
        return poll_result(fds);
}

int loop_run(struct loop *loop)
{
        int status;
        bool more;

        assert(loop->bus && loop->on_event && signal_pipe[0] >= 0);
        if (!loop->on_deadline)
                loop->deadline = LOOP_NEVER;
        /* What nobody can see need not be waited for. */
        if (loop->prints && !inherited_is_writable(STDOUT_FILENO)) {
                text_error(
                        "standard output is closed, and there is nothing to do but to write to it");
                return EXITS_FAILED;
        }
        do {
                status = iterate(loop, &more);
                if (status == LOOP_ON)
                        status = sleep_until_due(loop, more);
        } while (status == LOOP_ON);
        return status;
}

int loop_flush(struct mbus_bus *bus, uint64_t end, int *ret_left)
{
        struct pollfd signal = { .fd = signal_pipe[0], .events = POLLIN };
        int r;

        do {
                uint64_t now = loop_now();

                if (poll(&signal, 1, 0) == 1) {
                        r = take_signal();
                        if (r != LOOP_ON)
                                return r;
                }
                r = mbus_bus_flush(bus, end == LOOP_NEVER ? -1
                                        : now < end       ? (int64_t)(end - now)
                                                          : 0);
        } while (r == -EINTR);
        if (r < 0)
                return bus_failed(r);
        *ret_left = r;
        return EXITS_OK;
}

/* Keeps of @fds those that wait for room to write. */
static size_t only_writers(struct pollfd *fds, size_t n)
{
        size_t writers = 0;

        for (size_t i = 0; i < n; i++)
                if (fds[i].events & POLLOUT)
                        fds[writers++] = (struct pollfd){ .fd = fds[i].fd, .events = POLLOUT };
        return writers;
}

void loop_drain(struct mbus_bus *bus)
{
        uint64_t end = loop_after(DRAIN_NS);
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n;
        int r;

        do {
                r = mbus_bus_process(bus);
                if (r < 0 || mbus_bus_get_pollfds(bus, fds, MBUS_POLLFDS_MAX, &n))
                        return;
                n = only_writers(fds, n);
                if (!r && !n)
                        return;
                poll(fds, n, r ? 0 : poll_timeout(end));
        } while (loop_now() < end);
}
