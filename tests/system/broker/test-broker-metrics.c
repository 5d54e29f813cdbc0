/*
 * test-broker-metrics.c - /metrics and /healthz, read as a scraper would.
 *
 * $METRICS says whether the broker was built with libmicrohttpd.
 */
#include <ctype.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "../../../broker/base/limits.h"

#include "scene.h"

#define ANSWER_SIZE 65536

/* ---- a client of HTTP ---------------------------------------------------------------------- */

static int connect_to(const struct sockaddr *address, socklen_t n)
{
        int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_msg(connect(fd, address, n) == 0, "%s", strerror(errno));
        return fd;
}

static int connect_port(unsigned short port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons(port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        return connect_to((struct sockaddr *)&address, sizeof(address));
}

/* Sends @request and reads the answer, which is closed at its end; to be freed. */
static char *ask(int fd, const char *request)
{
        char *answer = calloc(1, ANSWER_SIZE);
        size_t n = 0;
        ssize_t got;

        ck_assert_ptr_nonnull(answer);
        ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
                         (ssize_t)strlen(request));
        while ((got = read(fd, answer + n, ANSWER_SIZE - 1 - n)) > 0)
                n += (size_t)got;
        close(fd);
        return answer;
}

static char *get(int fd, const char *path)
{
        char request[256];

        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
        return ask(fd, request);
}

static const char *body(const char *answer)
{
        const char *at = strstr(answer, "\r\n\r\n");

        ck_assert_msg(at != NULL, "no answer: %s", answer);
        return at + 4;
}

static void expect_status(char *answer, const char *status)
{
        ck_assert_msg(strncmp(answer + strlen("HTTP/1.1 "), status, strlen(status)) == 0, "%s",
                      answer);
        free(answer);
}

/* ---- the text format of Prometheus --------------------------------------------------------- */

struct reader {
        char family[128]; /* of the last TYPE line */
        bool is_counter;
        unsigned n_samples;
        char seen[128][160]; /* names with labels */
};

static size_t name_size(const char *at)
{
        size_t n = 0;

        ck_assert_msg(isalpha((unsigned char)at[0]) || at[0] == '_' || at[0] == ':', "no name: %s",
                      at);
        while (isalnum((unsigned char)at[n]) || at[n] == '_' || at[n] == ':')
                n++;
        return n;
}

static void read_type(struct reader *r, char *line)
{
        char type[16];

        ck_assert_int_eq(sscanf(line, "# TYPE %127s %15s", r->family, type), 2);
        r->is_counter = strcmp(type, "counter") == 0;
        ck_assert_msg(r->is_counter || strcmp(type, "gauge") == 0, "%s", line);
        if (r->is_counter)
                ck_assert_msg(strcmp(r->family + strlen(r->family) - 6, "_total") == 0, "%s", line);
}

static void read_sample(struct reader *r, char *line)
{
        size_t n = name_size(line);
        char *space = strrchr(line, ' '), *end;

        ck_assert_msg(n == strlen(r->family) && strncmp(line, r->family, n) == 0,
                      "%s stands under %s", line, r->family);
        ck_assert_ptr_nonnull(space);
        strtod(space + 1, &end);
        ck_assert_msg(end > space + 1 && *end == '\0', "no number: %s", line);
        if (line[n] == '{') {
                size_t label = name_size(line + n + 1);

                ck_assert_msg(strncmp(line + n + 1 + label, "=\"", 2) == 0 && space[-1] == '}' &&
                                      space[-2] == '"',
                              "%s", line);
        } else {
                ck_assert_ptr_eq(line + n, space);
        }
        *space = '\0';
        for (unsigned i = 0; i < r->n_samples; i++)
                ck_assert_str_ne(r->seen[i], line);
        ck_assert_uint_lt(r->n_samples, N(r->seen));
        snprintf(r->seen[r->n_samples++], sizeof(r->seen[0]), "%s", line);
        *space = ' ';
}

/* Checks a page as a whole. */
static void check_page(const char *page)
{
        struct reader r = { .n_samples = 0 };
        char *copy = strdup(page), *rest = copy, *line, name[128];

        while ((line = strsep(&rest, "\n")) && rest) {
                if (strncmp(line, "# HELP ", 7) == 0) {
                        ck_assert_int_eq(sscanf(line, "# HELP %127s", name), 1);
                } else if (strncmp(line, "# TYPE ", 7) == 0) {
                        read_type(&r, line);
                        ck_assert_str_eq(r.family, name); /* HELP comes before */
                } else {
                        read_sample(&r, line);
                }
        }
        ck_assert_str_eq(line, ""); /* the last line has an end, too */
        ck_assert_uint_gt(r.n_samples, 40);
        free(copy);
}

static double value_of(const char *page, const char *sample)
{
        char line[192];
        const char *at;

        snprintf(line, sizeof(line), "\n%s ", sample);
        at = strstr(page, line);
        ck_assert_msg(at != NULL, "%s is not in: %s", sample, page);
        return strtod(at + strlen(line), NULL);
}

/* ---- tests --------------------------------------------------------------------------------- */

START_TEST(test_figures_are_served_in_the_text_format_of_prometheus)
{
        struct scene s;
        char *answer;
        const char *page;
        uint32_t seq;

        scene_init(&s, "[broker]\nMETRICS=127.0.0.1:9259\nMULTICAST=never\n");
        raw_send(&s.a, 'U', A, B, "x.y()");
        raw_expect(&s.b, "x.y()");
        seq = raw_send(&s.a, 'U', B, A, "forged()");
        raw_expect_about(
                &s.a, "broker.dropped(1 denied %u \"SrcAddr is not attached to the link\")", seq);
        answer = get(connect_port(9259), "/metrics");
        ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
        page = body(answer);
        check_page(page);
        ck_assert_int_eq(value_of(page, "mbus_broker_clients"), 2);
        ck_assert_int_eq(value_of(page, "mbus_broker_entities{where=\"local\"}"), 3);
        ck_assert_int_eq(value_of(page, "mbus_broker_link_messages_total{direction=\"in\"}"), 4);
        ck_assert_int_eq(value_of(page, "mbus_broker_dropped_total{cause=\"denied\"}"), 1);
        ck_assert_int_eq(
                value_of(page, "mbus_broker_bus_dropped_total{bus=\"main\",cause=\"digest\"}"), 0);
        ck_assert_int_eq(value_of(page, "mbus_broker_hello_interval_seconds"), 1);
        ck_assert_ptr_nonnull(strstr(page, "mbus_broker_build_info{version=\"1."));
        free(answer);
        scene_deinit(&s);
}
END_TEST

/* What passes a bus is in its own figures. */
START_TEST(test_figures_of_traffic_and_drops_name_their_bus)
{
        struct scene s;
        char *answer;
        const char *page;

        scene_init(&s, "[broker]\nMETRICS=127.0.0.1:9259\n"
                       "[bus old]\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                       "ENCRYPTIONKEY=(NOENCR,)\nPORT=47001\n");
        raw_send(&s.a, 'U', A, "(app:nobody)", "x.y()");
        raw_expect_nothing(&s.a);
        answer = get(connect_port(9259), "/metrics");
        page = body(answer);
        check_page(page);
        ck_assert_int_gt(
                value_of(page, "mbus_broker_bus_datagrams_total{bus=\"main\",direction=\"out\"}"),
                0);
        ck_assert_int_eq(
                value_of(page, "mbus_broker_bus_datagrams_total{bus=\"old\",direction=\"out\"}"),
                0);
        value_of(page, "mbus_broker_bus_bytes_total{bus=\"old\",direction=\"in\"}");
        value_of(page, "mbus_broker_bus_dropped_total{bus=\"old\",cause=\"digest\"}");
        value_of(page, "mbus_broker_bus_queued_datagrams{bus=\"old\"}");
        value_of(page, "mbus_broker_bus_memory_bytes{bus=\"old\"}");
        free(answer);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_health_and_what_is_not_there)
{
        struct scene s;
        char *answer;

        scene_init(&s, "[broker]\nMETRICS=127.0.0.1:9259\n");
        answer = get(connect_port(9259), "/healthz");
        ck_assert_str_eq(body(answer), "ok\n");
        expect_status(answer, "200");
        expect_status(get(connect_port(9259), "/"), "404");
        expect_status(get(connect_port(9259), "/metrics/x"), "404");
        expect_status(ask(connect_port(9259), "DELETE /metrics HTTP/1.1\r\nHost: x\r\n"
                                              "Connection: close\r\n\r\n"),
                      "405");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_scrapers_that_do_not_finish_keep_nobody_away)
{
        struct scene s;
        int idle[12];

        scene_init(&s, "[broker]\nMETRICS=127.0.0.1:9259\n");
        for (unsigned i = 0; i < N(idle); i++) {
                idle[i] = connect_port(9259);
                ck_assert_int_eq(send(idle[i], "GET /met", 8, MSG_NOSIGNAL), 8);
        }
        expect_status(get(connect_port(9259), "/healthz"), "200");
        raw_send(&s.a, 'U', A, B, "x.y()");
        raw_expect(&s.b, "x.y()");
        for (unsigned i = 0; i < N(idle); i++)
                close(idle[i]);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_readers_without_a_descriptor_wait_and_do_not_keep_the_broker_busy)
{
        struct rlimit before;
        unsigned long sleeps;
        struct scene s;
        int fds[3];
        char *log;

        scene_init(&s, "[broker]\nMETRICS=127.0.0.1:9259\n");
        daemon_take_descriptors(&s.broker, &before);
        for (unsigned i = 0; i < N(fds); i++)
                fds[i] = connect_port(9259);
        raw_expect_nothing(&s.a);
        sleeps = daemon_sleeps(&s.broker);
        for (unsigned ms = 0; daemon_sleeps(&s.broker) < sleeps + 5; ms++) {
                ck_assert_msg(ms < 10000, "it does not sleep");
                usleep(1000);
        }
        ck_assert_int_eq(prlimit(s.broker.pid, RLIMIT_NOFILE, &before, NULL), 0);
        for (unsigned i = 0; i < N(fds); i++)
                expect_status(get(fds[i], "/healthz"), "200");
        log = daemon_read_log(&s.broker);
        ck_assert_ptr_nonnull(strstr(log, "METRICS=127.0.0.1:9259: no more readers for now: "));
        ck_assert_ptr_nonnull(strstr(log, "METRICS=127.0.0.1:9259: readers are taken again"));
        free(log);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_of_too_many_readers_the_last_is_turned_away_and_there_is_room_again)
{
        int idle[METRICS_CONNECTIONS_MAX];
        struct scene s;
        char octet;

        scene_init(&s, "[broker]\nMETRICS=127.0.0.1:9259\n");
        for (unsigned round = 0; round < 3; round++) {
                int last;

                for (unsigned i = 0; i < N(idle); i++)
                        idle[i] = connect_port(9259);
                last = connect_port(9259);
                ck_assert_int_le(recv(last, &octet, 1, 0), 0);
                close(last);
                for (unsigned i = 0; i < N(idle); i++)
                        close(idle[i]);
                raw_expect_nothing(&s.a);
        }
        expect_status(get(connect_port(9259), "/healthz"), "200");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_unix_socket_serves_and_goes_away_at_the_end)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char lines[160];
        struct scene s;
        unsigned files;

        scene_prepare(&s);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/metrics", s.broker.directory);
        snprintf(lines, sizeof(lines), "[broker]\nMETRICS=unix:%s\n", address.sun_path);
        daemon_configure(&s.broker, lines);
        daemon_start(&s.broker);
        files = daemon_open_files(&s.broker);
        for (unsigned i = 0; i < 5; i++)
                expect_status(
                        get(connect_to((struct sockaddr *)&address, sizeof(address)), "/healthz"),
                        "200");
        /* The last one is closed when the broker has read that the other end is. */
        for (unsigned ms = 0; daemon_open_files(&s.broker) != files; ms++) {
                ck_assert_uint_lt(ms, 10000);
                usleep(1000);
        }
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        ck_assert_int_eq(access(address.sun_path, F_OK), -1);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_port_that_is_taken_ends_it_with_9_and_says_so)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons(9259),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int host = host_new(), fd = socket(AF_INET, SOCK_STREAM, 0);
        struct daemon d;
        char *log;

        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        daemon_prepare(&d);
        daemon_configure(&d, "[broker]\nMETRICS=127.0.0.1:9259\n");
        ck_assert_int_eq(daemon_start_in_vain(&d, NULL, NULL), 9);
        log = daemon_read_log(&d);
        ck_assert_ptr_nonnull(strstr(log,
                                     "/.mbus:6: METRICS: 127.0.0.1:9259 cannot be listened on: "
                                     "Address already in use; write another place, or no"));
        free(log);
        close(fd);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_no_other_host_can_be_served)
{
        static const char *const places[] = { "0.0.0.0:9259",  "127.0.0.1:0",   "127.0.0.1",
                                              "10.0.0.1:9259", "unix:relative", "localhost:9259" };
        char lines[96];
        struct scene s;

        scene_prepare(&s);
        for (unsigned i = 0; i < N(places); i++) {
                snprintf(lines, sizeof(lines), "[broker]\nMETRICS=%s\n", places[i]);
                daemon_configure(&s.broker, lines);
                ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        }
        scene_deinit(&s);
}
END_TEST

START_TEST(test_without_libmicrohttpd_who_asks_for_metrics_is_told)
{
        struct scene s;
        char *log;

        scene_prepare(&s);
        daemon_configure(&s.broker, "[broker]\nMETRICS=127.0.0.1:9259\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        log = daemon_read_log(&s.broker);
        ck_assert_ptr_nonnull(strstr(log, "/.mbus:6: METRICS: this mbus-broker was built without "
                                          "libmicrohttpd"));
        free(log);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const with[] = {
                test_figures_are_served_in_the_text_format_of_prometheus,
                test_figures_of_traffic_and_drops_name_their_bus,
                test_health_and_what_is_not_there,
                test_scrapers_that_do_not_finish_keep_nobody_away,
                test_readers_without_a_descriptor_wait_and_do_not_keep_the_broker_busy,
                test_of_too_many_readers_the_last_is_turned_away_and_there_is_room_again,
                test_a_unix_socket_serves_and_goes_away_at_the_end,
                test_a_port_that_is_taken_ends_it_with_9_and_says_so,
                test_no_other_host_can_be_served,
        };
        const TTest *const without[] = {
                test_no_other_host_can_be_served,
                test_without_libmicrohttpd_who_asks_for_metrics_is_told,
        };

        return strcmp(getenv("METRICS"), "yes") == 0
                       ? run_tests("broker-metrics", with, N(with))
                       : run_tests("broker-metrics", without, N(without));
}
