/*
 * broker.c - the rooms are made, tied, and given their turns (broker.h says which there are).
 */
#include "broker.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

/* ---- an iteration -------------------------------------------------------------------------- */

static void broker_on_timer(uv_timer_t *timer)
{
        struct broker *b = timer->data;

        b->handles.timer_at = TIME_NEVER;
        iteration_wake(&b->it);
}

/* When some room has something to do. */
static uint64_t next_deadline(const struct broker *b)
{
        const uint64_t deadlines[] = {
                connections_deadline(&b->net),
                reliable_deadline(&b->sessions),
                denials_deadline(&b->sessions),
                routing_deadline(&b->routing),
                bridges_deadline(&b->bridges),
                control_deadline(&b->control),
                log_deadline(),
        };
        uint64_t at = TIME_NEVER;

        for (size_t i = 0; i < sizeof(deadlines) / sizeof(*deadlines); i++)
                at = deadlines[i] < at ? deadlines[i] : at;
        return at;
}

/* The loop counts in ms, and may not wake up too early: it would only find nothing to do. */
static void broker_set_timer(struct broker *b)
{
        uint64_t at = next_deadline(b), now = b->it.now;

        if (at == b->handles.timer_at)
                return;
        b->handles.timer_at = at;
        if (at == TIME_NEVER) {
                uv_timer_stop(&b->handles.timer);
                return;
        }
        uv_update_time(&b->it.loop);
        uv_timer_start(&b->handles.timer, broker_on_timer,
                       at > now ? (at - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC : 0, 0);
}

/* All that was left behind is done, before the loop sleeps again. */
static void on_prepare(uv_prepare_t *prepare)
{
        struct broker *b = prepare->data;
        bool again;

        connections_resume(&b->net);
        do {
                connections_reap(&b->net);
                reliable_expire(&b->sessions);
                router_process(&b->routing);
                again = bridges_process(&b->bridges);
                loss_tell(&b->bridges);
                denials_tell(&b->sessions);
                lists_process(&b->control);
                connections_flush(&b->net);
        } while (!list_is_empty(&b->net.dead) || again);
        bridges_send(&b->bridges);
        log_tick(b->it.now);
        broker_set_timer(b);
        status_end_iteration(&b->ops);
}

/* ---- from outside -------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *signal, int number)
{
        struct broker *b = signal->data;

        if (number == SIGHUP) {
                iteration_wake(&b->it);
                reload(&b->ops);
                return;
        }
        log_info("%s: the broker ends", strsignal(number));
        iteration_stop(&b->it, true);
}

static void on_upkeep(uv_timer_t *timer)
{
        struct broker *b = timer->data;
        int fd;

        iteration_wake(&b->it);
        fd = socket_file_check(&b->socket, b->it.now);
        if (fd >= 0)
                unix_listener_replace(&b->listener, fd);
        metrics_check(&b->ops);
}

/* ---- opening ------------------------------------------------------------------------------- */

/* What the configuration says is shown to those who go by it. */
static void spread_settings(struct broker *b)
{
        const struct settings *s = &b->settings;

        quota_init(&b->quota, &s->options.limits, s->path);
        b->net.policy = s->options.policy;
        b->net.config_path = s->path;
        b->buses.config_path = s->path;
}

static int open_buses(struct broker *b)
{
        struct settings *s = &b->settings;
        int r = settings_load(&s->options, &s->mbus, &s->path);

        spread_settings(b);
        if (r == 0)
                r = bus_open(&b->buses.main, &b->buses, BUS_MAIN, &s->mbus,
                             bridges_relay_main(s->options.buses));
        if (r)
                return r;
        routing_open(&b->routing);
        r = sessions_open(&b->sessions);
        return r ? r : bridges_open(&b->bridges, s->options.buses);
}

static int share_socket(struct broker *b)
{
        const struct options *o = &b->settings.options;
        const struct socket_access access = { .mode = o->socket_mode,
                                              .group = o->socket_group,
                                              .config_path = b->settings.path,
                                              .group_line = o->lines.socket_group };

        return socket_file_share(&b->socket, &access);
}

static void init_rooms(struct broker *b, const struct options *options)
{
        *b = (struct broker){
                .handles.timer_at = TIME_NEVER,
                .socket = SOCKET_FILE_INIT,
                .settings = { .given = *options, .options = *options, .mbus = CONFIG_INIT }
        };
        iteration_init(&b->it);
        connections_init(&b->net, &b->it, &b->quota, &b->sessions.owner);
        buses_init(&b->buses, &b->it);
        sessions_init(&b->sessions, &b->it, &b->net, &b->buses);
        routing_init(&b->routing, &b->sessions, &b->settings.options);
        bridges_init(&b->bridges, &b->routing);
        control_init(&b->control, &b->bridges, &b->settings, &b->socket);
        ops_init(&b->ops, &b->control, &b->settings, &b->tcp);
}

int broker_open(struct broker *b, const struct options *options)
{
        int r;

        init_rooms(b, options);
        descriptors_raise();
        r = descriptors_check();
        /* The socket comes first: a second broker must not show up on the bus before it finds out
         * that it is one. */
        if (r == 0)
                r = socket_file_open(&b->socket, b->settings.options.socket);
        if (r)
                return r;
        r = open_buses(b);
        if (r == 0)
                r = share_socket(b);
        if (r == 0)
                r = metrics_open(&b->ops);
        if (r == 0)
                r = tcp_listener_open(&b->tcp, &b->net, b->buses.main.crypto,
                                      &b->settings.options.tcp, b->settings.path);
        if (r)
                socket_file_remove(&b->socket);
        return r;
}

/* ---- running ------------------------------------------------------------------------------- */

static int start_handles(struct broker *b)
{
        static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
        struct handles *h = &b->handles;
        int r = uv_loop_init(&b->it.loop);

        if (r)
                return r;
        uv_prepare_init(&b->it.loop, &h->prepare);
        uv_timer_init(&b->it.loop, &h->timer);
        uv_timer_init(&b->it.loop, &h->upkeep);
        h->prepare.data = h->timer.data = h->upkeep.data = b;
        uv_prepare_start(&h->prepare, on_prepare);
        for (unsigned i = 0; i < 3 && r == 0; i++) {
                r = uv_signal_init(&b->it.loop, &h->signals[i]);
                h->signals[i].data = b;
                if (r == 0)
                        r = uv_signal_start(&h->signals[i], on_signal, numbers[i]);
        }
        return r ? r : uv_timer_start(&h->upkeep, on_upkeep, SOCKET_CHECK_MS, SOCKET_CHECK_MS);
}

int broker_start(struct broker *b)
{
        const struct udp *udp = b->buses.main.udp;
        int r = start_handles(b);

        if (r == 0)
                r = status_start(&b->ops);
        if (r == 0)
                r = metrics_start(&b->ops);
        if (r == 0)
                r = bridges_start(&b->bridges);
        if (r == 0)
                r = tcp_listener_start(&b->tcp);
        if (r == 0)
                r = unix_listener_start(&b->listener, &b->net, b->socket.fd, b->socket.path);
        if (r) {
                log_error("the loop cannot be started: %s", uv_strerror(r));
                return EXIT_SYSTEM;
        }
        log_info("ready on %s, bus udp:%s, interface %s", b->socket.path, udp_name(udp),
                 udp_interface(udp));
        status_ready(&b->ops);
        return EXIT_OK;
}

/* Everybody leaves; the broker last, in whose name clients are told what became of their
 * messages. */
static void say_bye(struct broker *b)
{
        iteration_wake(&b->it);
        b->it.stop_at = b->it.now + STOP_MS * NSEC_PER_MSEC;
        routing_say_bye(&b->routing);
        bridges_stop(&b->bridges);
        bus_drain(&b->buses.main);
        drain_connections(&b->net, &b->tcp);
        sessions_leave(&b->sessions);
        bus_drain(&b->buses.main);
        connections_end(&b->net, "the broker ends");
}

static void close_handle(uv_handle_t *handle, void *data)
{
        (void)data;
        if (!uv_is_closing(handle))
                uv_close(handle, NULL);
}

void broker_stop(struct broker *b)
{
        int r;

        service_manager_say("STOPPING=1");
        metrics_stop(&b->ops);
        unix_listener_stop(&b->listener);
        uv_timer_stop(&b->handles.upkeep);
        socket_file_remove(&b->socket);
        say_bye(b);
        tcp_listener_stop(&b->tcp);
        uv_walk(&b->it.loop, close_handle, NULL);
        uv_run(&b->it.loop, UV_RUN_DEFAULT);
        r = uv_loop_close(&b->it.loop);
        /* Each room has closed its handles. */
        assert(r == 0);
        (void)r;
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
        sessions_leave(&b->sessions);
        bridges_close(&b->bridges);
        metrics_close(&b->ops);
        routing_close(&b->routing);
        sessions_close(&b->sessions);
        tcp_listener_close(&b->tcp);
        socket_file_close(&b->socket);
        bus_close(&b->buses.main);
        connections_deinit(&b->net);
        settings_deinit(&b->settings);
        quota_deinit(&b->quota);
        iteration_deinit(&b->it);
}
