/*
 * broker.c - the turns of the loop (broker.h says what they are made of).
 */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <core/frame.h>
#include <io/clock.h>

#include <broker/bridge/bridge.h>
#include <broker/net/drain.h>
#include <broker/base/exit.h>
#include <broker/net/unix-listener.h>
#include <broker/net/tcp-listener.h>
#include <broker/bridge/bus-events.h>
#include <broker/control/lists.h>
#include <broker/base/socket-file.h>
#include <broker/routing/monitor.h>
#include <broker/routing/patience.h>
#include <broker/sessions/reliable.h>
#include <broker/ops/reload.h>
#include <broker/routing/fanout.h>
#include <broker/base/excerpt.h>

/* Two things that others wrote, and what is wrong with them. */
#define WHAT_SIZE (2 * SHOWN_MAX + 128)

void broker_count(struct broker *b, enum count count, const struct client *c, const char *format,
                  ...)
{
        struct log_cause *cause = c ? &c->user->odd[count] : &b->causes[count];
        char name[CLIENT_NAME_SIZE], what[WHAT_SIZE];
        uint64_t n_silent;
        va_list args;

        b->counts[count]++;
        if (!log_cause_is_due(cause, b->it.now, &n_silent))
                return;
        va_start(args, format);
        vsnprintf(what, sizeof(what), format, args);
        va_end(args);
        if (c)
                client_name(c, name);
        log_warning("%s%s%s (%" PRIu64 " more before)", c ? name : "", c ? ": " : "", what,
                    n_silent);
}

void broker_flush(struct broker *b)
{
        while (b->dirty) {
                struct client *c = b->dirty;

                b->dirty = c->next_dirty;
                c->dirty = false;
                client_settle(c);
        }
}

static void on_timer(uv_timer_t *timer)
{
        struct broker *b = timer->data;

        b->timer_at = TIME_NEVER;
        iteration_wake(&b->it);
}

/* The loop counts in ms, and may not wake up too early: it would only find nothing to do. */
static void set_timer(struct broker *b)
{
        uint64_t at = bus_deadline(&b->bus);
        uint64_t waits = deadlines_next(&b->deadlines);
        uint64_t pauses = deadlines_next(&b->pauses);
        uint64_t bridges = bridges_deadline(b);
        uint64_t loss = loss_deadline(b);
        uint64_t denials = denials_deadline(b);
        uint64_t patience = patience_deadline(b);
        uint64_t ms;

        if (waits < at)
                at = waits;
        if (pauses < at)
                at = pauses;
        if (bridges < at)
                at = bridges;
        if (loss < at)
                at = loss;
        if (log_deadline() < at)
                at = log_deadline();
        if (denials < at)
                at = denials;
        if (patience < at)
                at = patience;
        if (b->listing)
                at = b->it.now;
        if (at == b->timer_at)
                return;
        b->timer_at = at;
        if (at == TIME_NEVER) {
                uv_timer_stop(&b->timer);
                return;
        }
        ms = at > b->it.now ? (at - b->it.now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC : 0;
        uv_update_time(&b->it.loop);
        uv_timer_start(&b->timer, on_timer, ms, 0);
}

/* The end of a turn: all that was left behind is done, before the loop sleeps again. */
static void broker_settle(struct broker *b)
{
        bool again;

        link_local_resume(b);
        do {
                link_local_reap(b);
                reliable_expire(b);
                patience_process(b);
                link_udp_process(b);
                again = bridges_process(b);
                loss_tell(b);
                denials_tell(b);
                lists_go_on_all(b);
                broker_flush(b);
        } while (b->dead || again);
        bus_send(&b->bus);
        bridges_send(b);
        log_turn(b->it.now);
        set_timer(b);
        supervise_turn(b);
}

static void on_prepare(uv_prepare_t *prepare)
{
        broker_settle(prepare->data);
}

static void on_signal(uv_signal_t *signal, int number)
{
        struct broker *b = signal->data;

        if (number == SIGHUP) {
                iteration_wake(&b->it);
                reload(b);
                return;
        }
        log_info("%s: the broker ends", strsignal(number));
        iteration_stop(&b->it, true);
}

/* As many descriptors as the system allows: each client is one. */
static void raise_limits(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
                return;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                log_warning("the limit of descriptors cannot be raised: %s", strerror(errno));
}

static void find_nobody(struct nobody *nobody)
{
        nobody_read(nobody);
        if (nobody_is_uid(nobody, geteuid()))
                log_warning("in this user namespace uid %u is everybody who has no number here, so "
                            "the broker's own user may do no more than [policy] lets user=*; run "
                            "it as a uid that is mapped",
                            (unsigned)nobody->uid);
}

/* libuv aborts where it cannot open what its loop needs. */
static int check_room(void)
{
        int fds[DESCRIPTORS_MIN], error = 0;
        unsigned n = 0;

        while (n < DESCRIPTORS_MIN && !error) {
                fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
                error = fds[n] < 0 ? errno : 0;
                n += !error;
        }
        for (unsigned i = 0; i < n; i++)
                close(fds[i]);
        if (!error)
                return 0;
        log_error(
                "a broker without clients takes %u descriptors, and there are %u: %s; raise their "
                "limit (ulimit -n, LimitNOFILE=)",
                DESCRIPTORS_MIN, n, strerror(error));
        return EXIT_SYSTEM;
}

int broker_open(struct broker *b, const struct options *options)
{
        int r;

        *b = (struct broker){ .given = *options,
                              .options = *options,
                              .timer_at = TIME_NEVER,
                              .denials_at = TIME_NEVER,
                              .listener = -1,
                              .lock = -1,
                              .socket_file = OWN_FILE_INIT,
                              .deadlines = DEADLINES_INIT,
                              .pauses = DEADLINES_INIT };
        iteration_init(&b->it);
        raise_limits();
        find_nobody(&b->nobody);
        iteration_wake(&b->it);
        b->started = b->it.now;
        r = check_room();
        if (r)
                return r;
        /* The socket comes first: a second broker must not show up on the bus before it finds out
         * that it is one. */
        r = local_socket_open(b);
        if (r)
                return r;
        r = link_udp_open(b);
        if (r == 0)
                r = local_socket_share(b);
        if (r == 0)
                r = metrics_open(b);
        if (r == 0)
                r = link_tcp_open(b);
        if (r)
                local_socket_remove(b);
        return r;
}

static int start_loop(struct broker *b)
{
        static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
        int r = uv_loop_init(&b->it.loop);

        if (r)
                return r;
        uv_prepare_init(&b->it.loop, &b->prepare);
        uv_timer_init(&b->it.loop, &b->timer);
        b->prepare.data = b->timer.data = b;
        uv_prepare_start(&b->prepare, on_prepare);
        for (unsigned i = 0; i < 3 && r == 0; i++) {
                r = uv_signal_init(&b->it.loop, &b->signals[i]);
                b->signals[i].data = b;
                if (r == 0)
                        r = uv_signal_start(&b->signals[i], on_signal, numbers[i]);
        }
        if (r == 0)
                r = local_socket_start(b);
        if (r == 0)
                r = supervise_start(b);
        if (r == 0)
                r = metrics_start(b);
        if (r == 0)
                r = bus_start(&b->bus);
        if (r == 0)
                r = bridges_start(b);
        if (r == 0)
                r = link_tcp_start(b);
        return r ? r : link_local_start(b);
}

/* The clients' entities leave. The datagrams go out in between, or a thousand of them would not fit. */
static void leave_bus(struct broker *b)
{
        unsigned n = 0;

        for (struct client *c = b->clients; c; c = c->next) {
                while (c->attachments) {
                        attachment_free(b, c->attachments);
                        if (++n % 1024 == 0)
                                bus_drain(&b->bus);
                }
        }
        bridges_stop(b);
        bus_drain(&b->bus);
}

/* Everybody leaves; the broker last, in whose name clients are told what became of their messages. */
static void say_bye(struct broker *b)
{
        iteration_wake(&b->it);
        b->it.stop_at = b->it.now + STOP_MS * NSEC_PER_MSEC;
        /* That all have left is what the end of the link says; to tell each of each as well would take
         * too long. */
        for (struct client *c = b->clients; c; c = c->next)
                monitor_forget(b, c);
        leave_bus(b);
        drain_links(b);
        b->self = attachment_free(b, b->self);
        bus_drain(&b->bus);
        for (struct client *c = b->clients; c; c = c->next) {
                client_kill(c, "the broker ends");
                c->dirty = false;
        }
        b->dirty = NULL;
        link_local_reap(b);
}

static void close_handle(uv_handle_t *handle, void *data)
{
        (void)data;
        if (!uv_is_closing(handle))
                uv_close(handle, NULL);
}

int broker_start(struct broker *b)
{
        int r = start_loop(b);

        if (r) {
                log_error("the loop cannot be started: %s", uv_strerror(r));
                return EXIT_SYSTEM;
        }
        log_info("ready on %s, bus udp:%s, interface %s", b->path, udp_name(b->udp),
                 udp_interface(b->udp));
        supervise_ready(b);
        return EXIT_OK;
}

void broker_stop(struct broker *b)
{
        supervise_say("STOPPING=1");
        metrics_stop(b);
        link_local_stop(b);
        say_bye(b);
        link_tcp_stop(b);
        uv_walk(&b->it.loop, close_handle, NULL);
        uv_run(&b->it.loop, UV_RUN_DEFAULT);
        uv_loop_close(&b->it.loop);
}

int broker_run(struct broker *b)
{
        int r = broker_start(b);

        if (r)
                return r;
        uv_run(&b->it.loop, UV_RUN_DEFAULT);
        broker_stop(b);
        return b->it.stopping ? EXIT_OK : EXIT_SYSTEM;
}

void broker_close(struct broker *b)
{
        if (b->self)
                attachment_free(b, b->self);
        bridges_close(b);
        metrics_close(b);
        route_free(b->wide);
        link_tcp_close(b);
        link_local_close(b);
        link_udp_close(b);
        deadlines_deinit(&b->deadlines);
        deadlines_deinit(&b->pauses);
        policy_free(b->options.policy);
        bus_configs_free(b->options.buses);
        explicit_bzero(&b->config, sizeof(b->config));
        quota_deinit(&b->quota);
        free(b->config_path);
        free(b->matches);
        iteration_deinit(&b->it);
}
