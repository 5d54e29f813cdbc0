/*
 * metrics.c - /metrics and /healthz over HTTP, on libmicrohttpd.
 *
 * The library has an epoll descriptor of its own, which becomes readable when it has something to
 * do, and a time-out; both are awaited by the loop of the broker, and no thread is needed.
 * Connections are accepted here: the library would try again without a pause while there are no
 * descriptors, or, once a reader is there, never again.
 */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "metrics-library.h"

struct metrics {
        struct ops *ops;
        struct mhd mhd;
        struct MHD_Daemon *daemon;
        int listener;
        struct own_file file; /* if it is a Unix socket */
        uv_poll_t poll;       /* of the library */
        uv_timer_t timer;
        uv_poll_t listener_poll;
        uv_timer_t accept_timer;
        struct log_trouble no_descriptors;
        struct log_trouble gone;
};

/* ---- answers ------------------------------------------------------------------------------- */

static enum MHD_Result http_answer(const struct mhd *mhd, struct MHD_Connection *connection,
                                   unsigned status, const char *type, struct span body)
{
        /* The library copies, and does not write through the pointer. */
        struct MHD_Response *response = mhd->create_response_from_buffer(
                body.n, (void *)(uintptr_t)body.at, MHD_RESPMEM_MUST_COPY);
        enum MHD_Result result;

        if (!response)
                return MHD_NO;
        mhd->add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
                mhd->add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
        result = mhd->queue_response(connection, status, response);
        mhd->destroy_response(response);
        return result;
}

static enum MHD_Result http_answer_text(const struct mhd *mhd, struct MHD_Connection *connection,
                                        unsigned status, const char *text)
{
        return http_answer(mhd, connection, status, "text/plain; charset=utf-8", span_of(text));
}

static enum MHD_Result http_answer_metrics(const struct metrics *m,
                                           struct MHD_Connection *connection)
{
        struct buffer page = BUFFER_INIT;
        enum MHD_Result result;

        metrics_format_page(m->ops, &page);
        if (page.failed)
                result = http_answer_text(&m->mhd, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                          "memory is short\n");
        else
                result =
                        http_answer(&m->mhd, connection, MHD_HTTP_OK,
                                    "text/plain; version=0.0.4; charset=utf-8", buffer_span(&page));
        buffer_deinit(&page);
        return result;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **request)
{
        struct metrics *m = data;

        (void)version;
        (void)upload;
        (void)request;
        if (*upload_n > 0)
                return MHD_NO;
        if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
                return http_answer_text(&m->mhd, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                                        "GET only\n");
        if (strcmp(url, "/metrics") == 0)
                return http_answer_metrics(m, connection);
        if (strcmp(url, "/healthz") == 0)
                return http_answer_text(&m->mhd, connection, MHD_HTTP_OK, "ok\n");
        return http_answer_text(&m->mhd, connection, MHD_HTTP_NOT_FOUND,
                                "there are /metrics and /healthz\n");
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void metrics_on_timer(uv_timer_t *timer);

static void serve(struct metrics *m)
{
        MHD_UNSIGNED_LONG_LONG ms;

        iteration_wake(m->ops->it);
        m->mhd.run(m->daemon);
        if (m->mhd.get_timeout(m->daemon, &ms) == MHD_YES)
                uv_timer_start(&m->timer, metrics_on_timer, ms, 0);
        else
                uv_timer_stop(&m->timer);
}

static void metrics_on_timer(uv_timer_t *timer)
{
        serve(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
        (void)status;
        (void)events;
        serve(poll->data);
}

static void metrics_on_accept_timer(uv_timer_t *timer);

static void pause_accepting(struct metrics *m, int error)
{
        struct ops *ops = m->ops;

        if (log_trouble_is_due(&m->no_descriptors, ops->it->now))
                log_warning(
                        "METRICS=%s: no more readers for now: %s; raise the limit of descriptors "
                        "(ulimit -n, LimitNOFILE=) or lower LINKS in [limits]",
                        ops->settings->options.metrics, strerror(error));
        uv_poll_stop(&m->listener_poll);
        uv_timer_start(&m->accept_timer, metrics_on_accept_timer, ACCEPT_PAUSE_MS, 0);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
        struct metrics *m = poll->data;
        struct sockaddr_storage peer;

        (void)status;
        (void)events;
        iteration_wake(m->ops->it);
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                socklen_t n = sizeof(peer);
                int fd = accept4(m->listener, (struct sockaddr *)&peer, &n,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd >= 0 && log_trouble_is_over(&m->no_descriptors))
                        log_info("METRICS=%s: readers are taken again",
                                 m->ops->settings->options.metrics);
                /* One too many is closed by the library. */
                if (fd >= 0)
                        m->mhd.add_connection(m->daemon, fd, (struct sockaddr *)&peer, n);
                if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
                        continue;
                if (errno != EAGAIN)
                        pause_accepting(m, errno);
                break;
        }
        serve(m);
}

static void metrics_on_accept_timer(uv_timer_t *timer)
{
        struct metrics *m = timer->data;

        uv_poll_start(&m->listener_poll, UV_READABLE, on_listener);
}

/* ---- opening and closing ------------------------------------------------------------------- */

/* Listens, and has the library. 0 or the exit status, with a line in the log. */
static int metrics_prepare(struct metrics *m)
{
        const struct ops *ops = m->ops;
        const char *place = ops->settings->options.metrics, *error;

        if (mhd_load(&m->mhd, &error) < 0) {
                log_error_at(ops->settings->path, ops->settings->options.lines.metrics, "METRICS",
                             "they are served by libmicrohttpd, install it or write no: %s", error);
                return EXIT_CONFIG;
        }
        m->listener = listen_address_open(place, &m->file);
        if (m->listener < 0) {
                log_error_at(ops->settings->path, ops->settings->options.lines.metrics, "METRICS",
                             "%s cannot be listened on: %s; write another place, or no", place,
                             strerror(-m->listener));
                return EXIT_NO_BUS;
        }
        return 0;
}

int metrics_open(struct ops *ops)
{
        struct metrics *m;
        int r;

        if (ops->settings->options.metrics[0] == '\0')
                return 0;
        m = malloc(sizeof(*m));
        if (!m)
                return EXIT_SYSTEM;
        *m = (struct metrics){ .ops = ops, .listener = -1, .file = OWN_FILE_INIT };
        r = metrics_prepare(m);
        if (r) {
                free(m);
                return r;
        }
        ops->metrics = m;
        return 0;
}

static int start_daemon(struct metrics *m)
{
        m->daemon = m->mhd.start_daemon(
                MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, m,
                MHD_OPTION_CONNECTION_LIMIT, METRICS_CONNECTIONS_MAX,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)METRICS_CONNECTION_BYTES_MAX,
                MHD_OPTION_CONNECTION_TIMEOUT, METRICS_TIMEOUT_S, MHD_OPTION_END);
        return m->daemon ? 0 : UV_ENOMEM;
}

static int start_polls(struct metrics *m)
{
        const union MHD_DaemonInfo *info =
                m->mhd.get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        uv_loop_t *loop = &m->ops->it->loop;
        int r = info ? uv_poll_init(loop, &m->poll, info->epoll_fd) : UV_ENOTSUP;

        if (r == 0)
                r = uv_poll_start(&m->poll, UV_READABLE, on_poll);
        if (r == 0)
                r = uv_poll_init(loop, &m->listener_poll, m->listener);
        if (r == 0)
                r = uv_poll_start(&m->listener_poll, UV_READABLE, on_listener);
        return r;
}

int metrics_start(struct ops *ops)
{
        struct metrics *m = ops->metrics;
        int r;

        if (!m)
                return 0;
        uv_timer_init(&ops->it->loop, &m->timer);
        uv_timer_init(&ops->it->loop, &m->accept_timer);
        m->timer.data = m->poll.data = m->accept_timer.data = m->listener_poll.data = m;
        r = start_daemon(m);
        if (r == 0)
                r = start_polls(m);
        if (r == 0)
                log_info("metrics on %s", ops->settings->options.metrics);
        return r;
}

void metrics_check(struct ops *ops)
{
        struct metrics *m = ops->metrics;
        int fd;

        if (!m || listen_address_is_there(ops->settings->options.metrics, &m->file))
                return;
        own_file_remove(&m->file);
        fd = listen_address_open(ops->settings->options.metrics, &m->file);
        if (log_trouble_is_due(&m->gone, ops->it->now))
                log_warning("METRICS=%s: it was removed, and is %s%s",
                            ops->settings->options.metrics,
                            fd < 0 ? "not to be had again: " : "there again",
                            fd < 0 ? strerror(-fd) : "");
        if (fd < 0)
                return;
        uv_poll_stop(&m->listener_poll);
        /* It has the number of the old one, which the poll knows. */
        (void)!dup3(fd, m->listener, O_CLOEXEC);
        close(fd);
        uv_poll_start(&m->listener_poll, UV_READABLE, on_listener);
        (void)log_trouble_is_over(&m->gone);
}

void metrics_stop(struct ops *ops)
{
        if (!ops->metrics)
                return;
        uv_timer_stop(&ops->metrics->timer);
        uv_timer_stop(&ops->metrics->accept_timer);
        uv_poll_stop(&ops->metrics->poll);
        uv_poll_stop(&ops->metrics->listener_poll);
}

void metrics_close(struct ops *ops)
{
        struct metrics *m = ops->metrics;

        if (!m)
                return;
        if (m->daemon)
                m->mhd.stop_daemon(m->daemon);
        own_file_remove(&m->file);
        if (m->listener >= 0)
                close(m->listener);
        free(m);
        ops->metrics = NULL;
}
