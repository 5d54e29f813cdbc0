/*
 * test-broker-socket.c - the file of the socket: others remove it, replace it, and come after us.
 */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "scene.h"

static void expect_not_in_log(const struct daemon *d, const char *text)
{
        char *log = daemon_read_log(d);

        ck_assert_msg(strstr(log, text) == NULL, "\"%s\" is in: %s", text, log);
        free(log);
}

static bool can_connect(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

        strcpy(address.sun_path, path);
        r = connect(fd, (struct sockaddr *)&address, sizeof(address));
        close(fd);
        return r == 0;
}

static void await_socket(const char *path)
{
        for (unsigned ms = 0; !can_connect(path); ms += 10) {
                ck_assert_msg(ms < 10000, "%s: nobody listens", path);
                usleep(10000);
        }
}

static ino_t inode_of(const char *path)
{
        struct stat s;

        ck_assert_msg(lstat(path, &s) == 0, "%s: %s", path, strerror(errno));
        return s.st_ino;
}

/* Another broker for the place of @first, with a log of its own. */
static struct daemon successor_of(const struct daemon *first)
{
        struct daemon d = *first;

        d.pid = 0;
        snprintf(d.log, sizeof(d.log), "%s/log2", d.directory);
        return d;
}

/* A client whose link is from before still has it, and a new one finds the broker. */
static void expect_served(struct scene *s)
{
        struct raw_client c;

        await_socket(s->broker.socket);
        raw_send(&s->a, 'U', A, B, "still.here()");
        raw_expect(&s->b, "still.here()");
        raw_open(&c, s->broker.socket);
        free(raw_attach(&c, "(app:c module:new id:1-3@127.0.0.1)"));
        raw_send(&s->a, 'U', A, "(module:new)", "hello.there()");
        raw_expect(&c, "hello.there()");
        raw_close(&c);
}

START_TEST(test_a_socket_that_was_removed_is_made_again_and_links_stay)
{
        struct scene s;

        scene_init(&s, "[broker]\nSOCKET_MODE=0666\n");
        ck_assert_int_eq(unlink(s.broker.socket), 0);
        expect_served(&s);
        free(await_in_log(&s.broker, "/broker.sock: it, or its lock file, was removed or replaced",
                          1));
        free(await_in_log(&s.broker, "/broker.sock: it is there again", 1));
        run("test \"$(stat -c %%a %s)\" = 666", s.broker.socket);
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        ck_assert_int_eq(access(s.broker.socket, F_OK), -1);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_directory_that_was_removed_or_moved_away_is_made_again)
{
        struct scene s;
        unsigned files;

        scene_init(&s, "");
        run("rm -r %s/run", s.broker.directory);
        expect_served(&s);
        files = daemon_open_files(&s.broker);
        for (unsigned i = 0; i < 3; i++) {
                run("mv %s/run %s/moved%u", s.broker.directory, s.broker.directory, i);
                expect_served(&s);
                /* What was ours in the old one does not lie about. */
                run("! test -e %s/moved%u/broker.sock", s.broker.directory, i);
        }
        run("test \"$(stat -c %%a %s/run)\" = 700", s.broker.directory);
        ck_assert_uint_le(daemon_open_files(&s.broker), files);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_broker_that_ends_leaves_the_socket_of_its_successor)
{
        struct daemon second;
        struct scene s;
        ino_t inode;

        scene_init(&s, "");
        kill(s.broker.pid, SIGSTOP);
        run("rm -r %s/run", s.broker.directory);
        second = successor_of(&s.broker);
        daemon_start(&second);
        inode = inode_of(second.socket);
        kill(s.broker.pid, SIGCONT);
        /* It sees that it has been replaced, which no log need tell twice. */
        free(await_in_log(&s.broker, "a broker is running there already; it was left alone", 1));
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        ck_assert_uint_eq(inode_of(second.socket), inode);
        ck_assert(can_connect(second.socket));
        ck_assert_int_eq(daemon_stop(&second), 0);
        ck_assert_int_eq(access(second.socket, F_OK), -1);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_it_takes_its_place_again_when_the_successor_has_gone)
{
        struct daemon second;
        struct scene s;

        scene_init(&s, "");
        kill(s.broker.pid, SIGSTOP);
        run("rm -r %s/run", s.broker.directory);
        second = successor_of(&s.broker);
        daemon_start(&second);
        kill(s.broker.pid, SIGCONT);
        free(await_in_log(&s.broker, "a broker is running there already", 1));
        ck_assert_int_eq(daemon_stop(&second), 0);
        expect_served(&s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_path_that_leads_elsewhere_by_now_is_not_touched)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct scene s;

        scene_init(&s, "");
        kill(s.broker.pid, SIGSTOP);
        run("mv %s/run %s/old && mkdir %s/other && ln -s other %s/run", s.broker.directory,
            s.broker.directory, s.broker.directory, s.broker.directory);
        strcpy(address.sun_path, s.broker.socket);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 8), 0);
        kill(s.broker.pid, SIGCONT);
        free(await_in_log(&s.broker, "a broker is running there already", 1));
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        ck_assert_int_eq(access(s.broker.socket, F_OK), 0);
        run("! test -e %s/old/broker.sock", s.broker.directory);
        close(fd);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_what_stands_in_its_place_is_left_alone_and_told_of_once)
{
        struct scene s;
        char *log;

        scene_init(&s, "");
        run("rm %s && echo mine >%s", s.broker.socket, s.broker.socket);
        free(await_in_log(&s.broker, "what is there is no socket; remove it", 1));
        sleep(3);
        run("grep -q mine %s", s.broker.socket);
        log = daemon_read_log(&s.broker);
        ck_assert_ptr_null(strstr(strstr(log, "is no socket") + 1, "is no socket"));
        free(log);
        ck_assert_int_eq(unlink(s.broker.socket), 0);
        expect_served(&s);
        free(await_in_log(&s.broker, "it is there again", 1));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_second_start_tells_of_one_that_holds_the_lock_and_does_not_listen)
{
        struct daemon second;
        char want[96];
        struct scene s;

        scene_init(&s, "");
        kill(s.broker.pid, SIGSTOP);
        ck_assert_int_eq(unlink(s.broker.socket), 0);
        second = successor_of(&s.broker);
        ck_assert_int_eq(daemon_start_in_vain(&second, NULL, NULL), 9);
        snprintf(want, sizeof(want),
                 "the broker of pid %d has the lock file beside it, but nobody can connect there: "
                 "No such",
                 (int)s.broker.pid);
        free(await_in_log(&second, want, 1));
        expect_not_in_log(&second, "running there already");
        kill(s.broker.pid, SIGCONT);
        /* Now it is about to be there again, for which a second start waits. */
        expect_served(&s);
        ck_assert_int_eq(unlink(s.broker.socket), 0);
        ck_assert_int_eq(daemon_start_in_vain(&second, NULL, NULL), 9);
        free(await_in_log(&second, "a broker is running there already; it was left alone", 1));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_lock_file_that_was_removed_is_made_again)
{
        struct daemon second;
        struct scene s;
        ino_t inode;

        scene_init(&s, "");
        inode = inode_of(s.broker.socket);
        run("rm %s.lock", s.broker.socket);
        for (unsigned ms = 0;; ms += 10) {
                char path[128];

                snprintf(path, sizeof(path), "%s.lock", s.broker.socket);
                if (access(path, F_OK) == 0)
                        break;
                ck_assert_uint_lt(ms, 10000);
                usleep(10000);
        }
        ck_assert_uint_eq(inode_of(s.broker.socket), inode);
        second = successor_of(&s.broker);
        ck_assert_int_eq(daemon_start_in_vain(&second, NULL, NULL), 9);
        free(await_in_log(&second, "a broker is running there already; it was left alone", 1));
        expect_served(&s);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_second_start_takes_the_place_of_one_that_is_about_to_end)
{
        struct daemon second;
        struct scene s;
        pid_t pid;
        int status;

        scene_init(&s, "");
        kill(s.broker.pid, SIGSTOP);
        ck_assert_int_eq(unlink(s.broker.socket), 0);
        second = successor_of(&s.broker);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                usleep(300000);
                _exit(kill(s.broker.pid, SIGKILL) < 0);
        }
        daemon_start(&second);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(daemon_await(&s.broker), 128 + SIGKILL);
        ck_assert(can_connect(second.socket));
        ck_assert_int_eq(daemon_stop(&second), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_socket_of_metrics_is_made_again_and_that_of_a_successor_is_left)
{
        char path[128], lines[256];
        struct daemon second;
        struct scene s;
        int host;

        if (strcmp(getenv("METRICS"), "yes") != 0)
                return;
        host = host_new();
        daemon_prepare(&s.broker);
        snprintf(path, sizeof(path), "%s/metrics.sock", s.broker.directory);
        snprintf(lines, sizeof(lines), "[broker]\nMETRICS=unix:%s\n", path);
        daemon_configure(&s.broker, lines);
        daemon_start(&s.broker);
        await_socket(path);
        ck_assert_int_eq(unlink(path), 0);
        await_socket(path);
        free(await_in_log(&s.broker, "/metrics.sock: it was removed, and is there again", 1));
        kill(s.broker.pid, SIGSTOP);
        run("rm -r %s/run %s", s.broker.directory, path);
        second = successor_of(&s.broker);
        daemon_start(&second);
        kill(s.broker.pid, SIGCONT);
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        ck_assert(can_connect(path));
        ck_assert(can_connect(second.socket));
        ck_assert_int_eq(daemon_stop(&second), 0);
        ck_assert_int_eq(access(path, F_OK), -1);
        daemon_free(&s.broker);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_socket_that_was_removed_is_made_again_and_links_stay,
                test_a_directory_that_was_removed_or_moved_away_is_made_again,
                test_a_broker_that_ends_leaves_the_socket_of_its_successor,
                test_it_takes_its_place_again_when_the_successor_has_gone,
                test_a_path_that_leads_elsewhere_by_now_is_not_touched,
                test_what_stands_in_its_place_is_left_alone_and_told_of_once,
                test_a_second_start_tells_of_one_that_holds_the_lock_and_does_not_listen,
                test_a_lock_file_that_was_removed_is_made_again,
                test_a_second_start_takes_the_place_of_one_that_is_about_to_end,
                test_a_socket_of_metrics_is_made_again_and_that_of_a_successor_is_left,
        };

        return run_tests("broker-socket", tests, N(tests));
}
