/*
 * test-broker-service.c - the broker under a service manager: the socket that is handed over, what the
 * manager is told, its journal, and how it ends: with many clients, and with something left to say.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "scene.h"

#define CLIENTS 1000

/* A service manager, and the broker that it started. */
struct manager {
        int host;
        struct daemon d;
        int listener;
        int notify;
};

static int unix_socket(const char *path, int type)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
                         0);
        return fd;
}

static void exec_broker(const struct manager *m, int handed, const char *notify, const char *usec)
{
        char pid[16];

        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", "1", 1);
        setenv("NOTIFY_SOCKET", notify, 1);
        if (usec) {
                setenv("WATCHDOG_USEC", usec, 1);
                setenv("WATCHDOG_PID", pid, 1);
        }
        setenv("HOME", m->d.directory, 1);
        unsetenv("MBUS");
        if (handed == 3)
                fcntl(3, F_SETFD, 0);
        else
                dup2(handed, 3);
        dup2(open(m->d.log, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        execl(getenv("BROKER"), "mbus-broker", (char *)NULL);
        _exit(127);
}

/* Hands @handed over. */
static void start(struct manager *m, int handed, const char *notify, const char *usec)
{
        m->d.pid = fork();
        ck_assert_int_ge(m->d.pid, 0);
        if (m->d.pid == 0)
                exec_broker(m, handed, notify, usec);
}

static void manager_init(struct manager *m, const char *notify)
{
        char path[128];

        m->host = host_new();
        daemon_prepare(&m->d);
        daemon_configure(&m->d, "");
        snprintf(m->d.socket, sizeof(m->d.socket), "%s/handed.sock", m->d.directory);
        m->listener = unix_socket(m->d.socket, SOCK_STREAM);
        ck_assert_int_eq(listen(m->listener, SOMAXCONN), 0);
        snprintf(path, sizeof(path), "%s/notify", m->d.directory);
        m->notify = unix_socket(notify ? notify : path, SOCK_DGRAM);
}

static void manager_start(struct manager *m, const char *usec)
{
        char path[128];

        manager_init(m, NULL);
        snprintf(path, sizeof(path), "%s/notify", m->d.directory);
        start(m, m->listener, path, usec);
}

static void manager_deinit(struct manager *m)
{
        daemon_free(&m->d);
        close(m->listener);
        close(m->notify);
        close(m->host);
}

/* The next thing that the manager is told. */
static const char *told(struct manager *m)
{
        static char text[512];
        struct pollfd fd = { .fd = m->notify, .events = POLLIN };
        ssize_t n;

        ck_assert_msg(poll(&fd, 1, 10000) == 1, "the manager is told nothing");
        n = recv(m->notify, text, sizeof(text) - 1, 0);
        ck_assert_int_ge(n, 0);
        text[n] = '\0';
        return text;
}

static void expect_begin(const char *text, const char *begin)
{
        ck_assert_msg(strncmp(text, begin, strlen(begin)) == 0, "instead of: %s\ncame: %s", begin,
                      text);
}

/* The first thing that people look at says from the start how it is doing. */
static void expect_ready(struct manager *m)
{
        expect_begin(told(m), "READY=1\nSTATUS=0 clients, 1 local and 0 remote entities");
}

START_TEST(test_clients_of_a_socket_that_was_handed_over_are_served_and_it_stays_at_the_end)
{
        struct raw_client early;
        struct manager m;

        manager_init(&m, NULL);
        raw_open(&early, m.d.socket); /* before there is a broker */
        {
                char path[128];

                snprintf(path, sizeof(path), "%s/notify", m.d.directory);
                start(&m, m.listener, path, NULL);
        }
        free(raw_attach(&early, A));
        expect_ready(&m);
        ck_assert_int_eq(daemon_stop(&m.d), 0);
        ck_assert_str_eq(told(&m), "STOPPING=1");
        ck_assert_int_eq(access(m.d.socket, F_OK), 0);
        raw_close(&early);
        manager_deinit(&m);
}
END_TEST

START_TEST(test_the_manager_is_told_that_the_broker_is_alive_twice_in_its_time)
{
        struct timespec before, after;
        struct manager m;

        manager_start(&m, "400000");
        expect_ready(&m);
        clock_gettime(CLOCK_MONOTONIC, &before);
        for (unsigned i = 0; i < 4; i++)
                expect_begin(told(&m),
                             "WATCHDOG=1\nSTATUS=0 clients, 1 local and 0 remote entities");
        clock_gettime(CLOCK_MONOTONIC, &after);
        /* Not more often, either: it would be busy with that. */
        ck_assert_int_ge((after.tv_sec - before.tv_sec) * 1000 +
                                 (after.tv_nsec - before.tv_nsec) / 1000000,
                         4 * 200 - 100);
        manager_deinit(&m);
}
END_TEST

START_TEST(test_a_manager_may_listen_on_an_abstract_socket)
{
        char name[64];
        struct manager m;

        snprintf(name, sizeof(name), "@mbus-test-%d", (int)getpid());
        manager_init(&m, name);
        start(&m, m.listener, name, NULL);
        expect_ready(&m);
        manager_deinit(&m);
}
END_TEST

START_TEST(test_what_is_no_listening_unix_socket_is_not_taken)
{
        int fds[2];
        struct manager m;
        char *log;
        int status;

        manager_init(&m, NULL);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        start(&m, fds[0], "/nowhere", NULL);
        ck_assert_int_eq(waitpid(m.d.pid, &status, 0), m.d.pid);
        m.d.pid = 0;
        ck_assert_int_eq(WEXITSTATUS(status), 9);
        log = daemon_read_log(&m.d);
        ck_assert_ptr_nonnull(
                strstr(log, "is not one Unix socket that listens (ListenStream=PATH)"));
        free(log);
        close(fds[0]);
        close(fds[1]);
        manager_deinit(&m);
}
END_TEST

START_TEST(test_the_manager_is_told_of_a_reload)
{
        struct manager m;

        manager_start(&m, NULL);
        expect_ready(&m);
        ck_assert_int_eq(kill(m.d.pid, SIGHUP), 0);
        expect_begin(told(&m), "RELOADING=1\nMONOTONIC_USEC=");
        expect_ready(&m);
        manager_deinit(&m);
}
END_TEST

/* A program in between may have left the variables to us. */
START_TEST(test_a_socket_for_another_process_is_none_of_its_business)
{
        struct scene s;

        scene_prepare(&s);
        setenv("LISTEN_PID", "1", 1);
        setenv("LISTEN_FDS", "1", 1);
        daemon_start(&s.broker);
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        ck_assert_int_eq(access(s.broker.socket, F_OK), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_it_ends_within_a_second_with_a_thousand_clients)
{
        struct raw_client *clients = calloc(CLIENTS, sizeof(*clients));
        struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };
        struct timespec before, after;
        int host = host_new();
        char address[64];
        struct daemon d;

        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        daemon_new(&d);
        for (unsigned i = 0; i < CLIENTS; i++) {
                raw_open(&clients[i], d.socket);
                snprintf(address, sizeof(address), "(app:many id:7-%u@127.0.0.1)", i + 1);
                free(raw_attach(&clients[i], address));
        }
        clock_gettime(CLOCK_MONOTONIC, &before);
        ck_assert_int_eq(daemon_stop(&d), 0);
        clock_gettime(CLOCK_MONOTONIC, &after);
        ck_assert_int_lt((after.tv_sec - before.tv_sec) * 1000 +
                                 (after.tv_nsec - before.tv_nsec) / 1000000,
                         1000);
        for (unsigned i = 0; i < CLIENTS; i++) {
                raw_expect_closed(&clients[i]);
                raw_close(&clients[i]);
        }
        free(clients);
        daemon_free(&d);
        close(host);
}
END_TEST

/* ---- the journal --------------------------------------------------------------------------- */

/* Starts a broker that has a mistake to tell of; @stream NULL: its stderr is the journal. */
static char *log_with_journal(struct daemon *d, const char *stream)
{
        pid_t pid = fork();
        char own[64];
        struct stat s;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                dup2(open(d->log, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
                fstat(STDERR_FILENO, &s);
                snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)s.st_dev, (uintmax_t)s.st_ino);
                setenv("JOURNAL_STREAM", stream ? stream : own, 1);
                execl(getenv("BROKER"), "mbus-broker", "--socket", d->socket, "--config", d->config,
                      (char *)NULL);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        return daemon_read_log(d);
}

START_TEST(test_lines_bear_a_priority_if_they_go_to_the_journal_and_nowhere_else)
{
        static const char *const strangers[] = { "8:123", "", "x", "0:0", "1:" };
        struct scene s;
        char *log;

        scene_prepare(&s);
        daemon_configure(&s.broker, "SCOPE=GALAXY\n");
        log = log_with_journal(&s.broker, NULL);
        expect_begin(log, "<3>mbus-broker: ");
        free(log);
        for (unsigned i = 0; i < N(strangers); i++) {
                log = log_with_journal(&s.broker, strangers[i]);
                expect_begin(log, "mbus-broker: ");
                free(log);
        }
        scene_deinit(&s);
}
END_TEST

/* ---- the last words ------------------------------------------------------------------------ */

#define WAITING 1500

/* So many messages that no socket takes them all wait for the second client, which reads nothing. */
static void fill(struct scene *s)
{
        static char payload[1024];

        memset(payload, 'x', sizeof(payload) - 1);
        memcpy(payload, "a.b(\"", 5);
        memcpy(payload + sizeof(payload) - 3, "\")", 2);
        for (unsigned i = 0; i < WAITING; i++)
                raw_send(&s->a, 'U', A, B, payload);
        raw_expect_nothing(&s->a);
}

/* Takes what there is until the link is closed. */
static unsigned count(struct raw_client *c, const char *command)
{
        unsigned n = 0;

        while (raw_receive(c))
                n += strstr(c->text, command) != NULL;
        return n;
}

START_TEST(test_who_reads_gets_all_that_waited_when_the_broker_ends)
{
        struct scene s;

        scene_init(&s, NULL);
        fill(&s);
        ck_assert_int_eq(kill(s.broker.pid, SIGTERM), 0);
        ck_assert_uint_eq(count(&s.b, "\r\na.b("), WAITING);
        ck_assert_int_eq(daemon_await(&s.broker), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_was_lost_before_is_told_to_who_reads_when_the_broker_ends)
{
        struct scene s;

        scene_init(&s, "[limits]\nMESSAGES_PER_LINK=100\n");
        fill(&s);
        ck_assert_int_eq(kill(s.broker.pid, SIGTERM), 0);
        ck_assert_uint_eq(count(&s.b, "\r\nbroker.dropped("), 1);
        ck_assert_int_eq(daemon_await(&s.broker), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_who_does_not_read_does_not_keep_the_broker_from_its_end)
{
        struct timespec before, after;
        struct scene s;

        scene_init(&s, NULL);
        fill(&s);
        clock_gettime(CLOCK_MONOTONIC, &before);
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        clock_gettime(CLOCK_MONOTONIC, &after);
        ck_assert_int_lt((after.tv_sec - before.tv_sec) * 1000 +
                                 (after.tv_nsec - before.tv_nsec) / 1000000,
                         1000);
        /* It learns of that by the end of its link, here or within a message. */
        ck_assert_uint_lt(count(&s.b, "\r\na.b("), WAITING);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_clients_of_a_socket_that_was_handed_over_are_served_and_it_stays_at_the_end,
                test_the_manager_is_told_that_the_broker_is_alive_twice_in_its_time,
                test_a_manager_may_listen_on_an_abstract_socket,
                test_what_is_no_listening_unix_socket_is_not_taken,
                test_the_manager_is_told_of_a_reload,
                test_a_socket_for_another_process_is_none_of_its_business,
                test_it_ends_within_a_second_with_a_thousand_clients,
                test_lines_bear_a_priority_if_they_go_to_the_journal_and_nowhere_else,
                test_who_reads_gets_all_that_waited_when_the_broker_ends,
                test_what_was_lost_before_is_told_to_who_reads_when_the_broker_ends,
                test_who_does_not_read_does_not_keep_the_broker_from_its_end,
        };

        return run_tests("broker-service", tests, N(tests));
}
