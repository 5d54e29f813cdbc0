/*
 * test-broker-start.c - how the broker begins and ends: options, configuration, its socket.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "scene.h"
#include "stranger.h"

static unsigned mode_of(const char *path)
{
        struct stat status;

        ck_assert_int_eq(stat(path, &status), 0);
        return status.st_mode & 07777;
}

/* CFG-04 CFG-05 */
START_TEST(test_without_a_configuration_it_makes_one_and_says_so)
{
        int host = host_new();
        struct daemon d;
        char path[128];

        daemon_new(&d);
        expect_in_log(&d, "/.mbus: made, with random keys (HMAC-SHA1-96, AES)");
        expect_in_log(&d, "bus udp:239.255.255.247:47000");
        ck_assert_uint_eq(mode_of(d.config), 0600);
        ck_assert_uint_eq(mode_of(d.socket), 0600);
        snprintf(path, sizeof(path), "%s/run", d.directory);
        ck_assert_uint_eq(mode_of(path), 0700);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_it_ends_within_a_second_and_takes_its_socket_away)
{
        struct timespec before, after;
        struct scene s;

        scene_init(&s, NULL);
        clock_gettime(CLOCK_MONOTONIC, &before);
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        clock_gettime(CLOCK_MONOTONIC, &after);
        ck_assert_int_lt((after.tv_sec - before.tv_sec) * 1000 +
                                 (after.tv_nsec - before.tv_nsec) / 1000000,
                         1000);
        ck_assert_int_eq(access(s.broker.socket, F_OK), -1);
        raw_expect_closed(&s.a);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_second_broker_ends_with_9_and_leaves_the_first_alone)
{
        struct scene s;
        pid_t first;

        scene_init(&s, NULL);
        first = s.broker.pid;
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
        expect_in_log(&s.broker, "a broker is running there already; it was left alone");
        s.broker.pid = first;
        raw_send(&s.a, 'U', A, B, "still.here()");
        raw_expect(&s.b, "still.here()");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_socket_that_something_else_listens_on_is_left_alone)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int host = host_new(), fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct daemon d;

        daemon_prepare(&d);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/other", d.directory);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        ck_assert_int_eq(daemon_start_in_vain(&d, "--socket", address.sun_path), 9);
        expect_in_log(&d, "a broker is running there already");
        ck_assert_int_eq(access(address.sun_path, F_OK), 0);
        close(fd);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_a_stale_socket_is_replaced)
{
        struct scene s;

        scene_init(&s, NULL);
        kill(s.broker.pid, SIGKILL);
        ck_assert_int_eq(waitpid(s.broker.pid, NULL, 0), s.broker.pid);
        raw_expect_closed(&s.a);
        ck_assert_int_eq(access(s.broker.socket, F_OK), 0);
        daemon_start(&s.broker);
        expect_in_log(&s.broker, "a stale socket was replaced");
        raw_close(&s.a);
        raw_open(&s.a, s.broker.socket);
        free(raw_attach(&s.a, A));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_file_that_is_no_socket_is_left_alone)
{
        struct scene s;

        scene_prepare(&s);
        daemon_configure(&s.broker, "");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--socket", s.broker.config), 9);
        expect_in_log(&s.broker, "what is there is no socket; remove it");
        ck_assert_uint_eq(mode_of(s.broker.config), 0600);
        daemon_start(&s.broker);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_path_too_long_for_a_socket_is_a_usage_error)
{
        struct scene s;
        char path[200];

        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        scene_prepare(&s);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--socket", path), 2);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_path_of_nothing_is_a_usage_error_and_nothing_is_made)
{
        struct scene s;

        scene_prepare(&s);
        ck_assert_int_eq(chdir(s.broker.directory), 0);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--socket", ""), 2);
        expect_in_log(&s.broker, "--socket: its path is empty; name one, or leave the option out");
        ck_assert_int_eq(access(".lock", F_OK), -1);
        ck_assert_int_eq(chdir("/"), 0);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_options_that_make_no_sense_end_with_2)
{
        struct scene s;

        scene_prepare(&s);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--no-such-option", NULL), 2);
        expect_in_log(&s.broker, "Try 'mbus-broker --help'.");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--log-level", "loud"), 2);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "argument", NULL), 2);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--help", NULL), 0);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--version", NULL), 0);
        scene_deinit(&s);
}
END_TEST

/* CFG-01 CFG-06 */
START_TEST(test_a_configuration_that_cannot_be_used_ends_with_8_and_the_line)
{
        struct scene s;

        scene_prepare(&s);
        daemon_configure(&s.broker, "SCOPE=GALAXY\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "/.mbus:5: SCOPE: ");
        daemon_configure(&s.broker,
                         "[other]\nMULTICAST=x\n[broker]\n# mine\nMULTICAST=sometimes\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "/.mbus:9: MULTICAST: \"sometimes\" is no value for it");
        daemon_configure(&s.broker,
                         "[bus twin]\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                         "ENCRYPTIONKEY=(NOENCR,)\nDIALECT=UCL\nROUTE=to=main\nROUTE=from=main\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "/.mbus:5: [bus twin]: it is the same bus as [MBUS] of line 1: ");
        daemon_configure(&s.broker, "[limits]\nENTITIES=5\nENTITIES_PER_LINK=6\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "/.mbus:7: ENTITIES_PER_LINK: 6 is above ENTITIES=5 of line 6");
        daemon_configure(&s.broker, "[broker]\nMULTICAST\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, "--config", "/no/such/directory/mbus"), 8);
        scene_deinit(&s);
}
END_TEST

/* CFG-05 */
START_TEST(test_a_configuration_that_others_can_read_ends_with_8)
{
        struct scene s;

        scene_prepare(&s);
        daemon_configure(&s.broker, "");
        ck_assert_int_eq(chmod(s.broker.config, 0644), 0);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "chmod");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_unknown_keys_of_the_section_are_warned_of_and_case_does_not_matter)
{
        struct scene s;

        scene_prepare(&s);
        daemon_configure(&s.broker, "[Broker]\r\nFROBNICATE=1\r\n  multicast = When-Remote \r\n");
        daemon_start(&s.broker);
        expect_in_log(&s.broker, "/.mbus:6: FROBNICATE: it is unknown in [Broker] and ignored");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_place_that_cannot_be_had_is_named_with_its_line)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons(47111),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int host = host_new(), fd = socket(AF_INET, SOCK_STREAM, 0);
        struct daemon d;

        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        daemon_prepare(&d);
        daemon_configure(&d, "[broker]\n# for containers\nTCP=127.0.0.1:47111\n");
        ck_assert_int_eq(daemon_start_in_vain(&d, NULL, NULL), 9);
        expect_in_log(&d,
                      "/.mbus:7: TCP: 127.0.0.1:47111 cannot be listened on: Address already in "
                      "use; write another place, or no");
        close(fd);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_a_group_that_the_socket_cannot_have_is_named_with_its_line)
{
        int host = host_new(), status;
        struct daemon d;
        pid_t pid;

        if (!can_be_a_stranger()) {
                close(host);
                return;
        }
        daemon_prepare(&d);
        daemon_configure(&d, "[broker]\nSOCKET_MODE=0660\nSOCKET_GROUP=77\n");
        run("chown -R %d %s", STRANGER, d.directory);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(setuid(STRANGER) == 0 ? daemon_start_in_vain(&d, NULL, NULL) : 127);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(WEXITSTATUS(status), 9);
        expect_in_log(&d, "/.mbus:7: SOCKET_GROUP: ");
        expect_in_log(&d,
                      " cannot be given to group 77: Operation not permitted; write a group that "
                      "the broker's user is in");
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_without_a_network_it_ends_with_9)
{
        struct daemon d;
        int host;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        daemon_prepare(&d);
        daemon_configure(&d, "INTERFACE=no-such-if\n");
        ck_assert_int_eq(daemon_start_in_vain(&d, NULL, NULL), 9);
        expect_in_log(&d, "/.mbus:5: INTERFACE: no-such-if: no interface has this name or address: "
                          "`ip address` lists them");
        daemon_free(&d);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_without_a_configuration_it_makes_one_and_says_so,
                test_it_ends_within_a_second_and_takes_its_socket_away,
                test_a_second_broker_ends_with_9_and_leaves_the_first_alone,
                test_a_socket_that_something_else_listens_on_is_left_alone,
                test_a_stale_socket_is_replaced,
                test_a_file_that_is_no_socket_is_left_alone,
                test_a_path_too_long_for_a_socket_is_a_usage_error,
                test_a_path_of_nothing_is_a_usage_error_and_nothing_is_made,
                test_options_that_make_no_sense_end_with_2,
                test_a_configuration_that_cannot_be_used_ends_with_8_and_the_line,
                test_a_configuration_that_others_can_read_ends_with_8,
                test_unknown_keys_of_the_section_are_warned_of_and_case_does_not_matter,
                test_a_place_that_cannot_be_had_is_named_with_its_line,
                test_a_group_that_the_socket_cannot_have_is_named_with_its_line,
                test_without_a_network_it_ends_with_9,
        };

        return run_tests("broker-start", tests, N(tests));
}
