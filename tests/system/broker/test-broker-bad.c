/*
 * test-broker-bad.c - what clients and administrators do wrong, and what comes of it
 * (spec/limits.md, "Bad input"). Broken frames are in test-broker-limits.c, floods and a lack of
 * descriptors in test-broker-quota.c, addresses that are taken in test-broker-attach.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private-mounts.h"
#include "scene.h"
#include "stranger.h"

START_TEST(test_a_link_that_ends_within_a_frame_ends_its_entities_and_nothing_else)
{
        static const char whole[] = "mbus/1.0 5 1 U " A " " B " ()\r\nwhole()";
        char frame[4 + sizeof(whole) - 1] = { 0, 0, 0, sizeof(whole) - 1 };
        struct scene s;

        memcpy(frame + 4, whole, sizeof(whole) - 1);
        for (size_t n = 1; n < sizeof(frame); n += 7) {
                scene_init(&s, NULL);
                raw_send(&s.b, 'U', B, BROKER, "broker.watch(\"(app:a)\")");
                ck_assert(raw_receive(&s.b));
                ck_assert(raw_receive(&s.b));
                raw_send_octets(&s.a, frame, n);
                raw_close(&s.a);
                raw_expect(&s.b, "broker.left(\"" A "\" bye)");
                raw_open(&s.a, s.broker.socket);
                free(raw_attach(&s.a, A));
                ck_assert(raw_receive(&s.b));
                raw_send(&s.a, 'U', A, B, "afterwards()");
                raw_expect(&s.b, "afterwards()");
                scene_deinit(&s);
        }
}
END_TEST

START_TEST(test_links_without_end_that_speak_something_else_are_said_once)
{
        struct raw_client c;
        struct scene s;
        char *log, *line;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < 50; i++) {
                raw_open(&c, s.broker.socket);
                raw_send_octets(&c, "GET / HTTP/1.1\r\n\r\n", 18);
                raw_expect_closed(&c);
                raw_close(&c);
        }
        log = daemon_read_log(&s.broker);
        line = strstr(log, "sent something that is no frame, and is closed");
        ck_assert_ptr_nonnull(line);
        ck_assert_ptr_null(strstr(line + 1, "sent something that is no frame"));
        free(log);
        raw_send(&s.a, 'U', A, B, "still.here()");
        raw_expect(&s.b, "still.here()");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_link_that_is_never_completed_costs_nobody_anything)
{
        struct raw_client c[50];
        struct scene s;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < N(c); i++) {
                raw_open(&c[i], s.broker.socket);
                /* 64 KByte are promised, and never come. */
                raw_send_octets(&c[i], "\0\1\0\0x", i % 6);
        }
        for (unsigned i = 0; i < 100; i++) {
                raw_send(&s.a, 'U', A, B, "x()");
                raw_expect(&s.b, "x()");
        }
        for (unsigned i = 0; i < N(c); i++)
                raw_close(&c[i]);
        scene_deinit(&s);
}
END_TEST

/* Its length has the mark that is the broker's alone, which is not a promise of 2 GByte. */
START_TEST(test_a_link_that_sends_a_copy_piece_by_piece_is_closed_when_it_is_whole)
{
        struct raw_client c;
        struct scene s;

        scene_init(&s, NULL);
        raw_open(&c, s.broker.socket);
        raw_send_octets(&c, "\200\0\0\12mbus/", 9);
        for (unsigned i = 0; i < 20; i++) {
                raw_send(&s.a, 'U', A, B, "x()");
                raw_expect(&s.b, "x()");
        }
        raw_send_octets(&c, "1.0 0", 5);
        raw_expect_closed(&c);
        raw_close(&c);
        expect_in_log(&s.broker, "sent something that is no frame, and is closed");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_version_of_the_link_that_nobody_speaks_is_refused)
{
        static const char *const attaches[] = {
                "broker.attach()",    "broker.attach(0)",
                "broker.attach(2)",   "broker.attach(2 3 4294967297)",
                "broker.attach(1.0)", "broker.attach(\"1\")",
        };
        struct scene s;
        uint32_t seq;

        scene_init(&s, NULL);
        for (unsigned i = 0; i < N(attaches); i++) {
                seq = raw_send(&s.a, 'R', "(app:new)", BROKER, attaches[i]);
                raw_expect_about(&s.a, "broker.refused(%u version \"the broker speaks version 1\")",
                                 seq);
        }
        seq = raw_send(&s.a, 'R', "(app:new)", BROKER, "broker.attach(2 1)");
        ck_assert(raw_receive(&s.a));
        ck_assert_ptr_nonnull(strstr(s.a.text, "broker.attached("));
        scene_deinit(&s);
}
END_TEST

START_TEST(test_two_clients_that_want_one_address_at_once_do_not_both_get_it)
{
        struct raw_client c[2];
        struct scene s;
        unsigned n;

        scene_init(&s, NULL);
        for (unsigned round = 0; round < 50; round++) {
                n = 0;
                for (unsigned i = 0; i < 2; i++)
                        raw_open(&c[i], s.broker.socket);
                for (unsigned i = 0; i < 2; i++)
                        raw_send(&c[i], 'R', "(app:one id:5-5@127.0.0.1)", BROKER,
                                 "broker.attach(1)");
                for (unsigned i = 0; i < 2; i++) {
                        ck_assert(raw_receive(&c[i]));
                        n += strstr(c[i].text, "broker.attached(") != NULL;
                        n += strstr(c[i].text, "broker.refused(0 taken ") != NULL ? 10 : 0;
                }
                ck_assert_uint_eq(n, 11);
                for (unsigned i = 0; i < 2; i++)
                        raw_close(&c[i]);
                /* It is free when both links are seen to have ended. */
                do {
                        raw_send(&s.a, 'R', "(app:one id:5-5@127.0.0.1)", BROKER,
                                 "broker.attach(1)");
                        ck_assert(raw_receive(&s.a));
                } while (!strstr(s.a.text, "broker.attached("));
                raw_send(&s.a, 'U', "(app:one id:5-5@127.0.0.1)", BROKER, "broker.detach()");
                raw_expect_nothing(&s.a);
        }
        scene_deinit(&s);
}
END_TEST

/* ---- where the socket is ------------------------------------------------------------------- */

START_TEST(test_a_directory_is_made_but_not_one_in_a_missing_one)
{
        struct scene s;

        scene_prepare(&s);
        snprintf(s.broker.socket, sizeof(s.broker.socket), "%s/x/y/socket", s.broker.directory);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
        expect_in_log(&s.broker,
                      "/x/y/socket: its directory cannot be made: No such file or directory");
        snprintf(s.broker.socket, sizeof(s.broker.socket), "%s/x/socket", s.broker.directory);
        daemon_start(&s.broker);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_directory_that_is_none_is_refused)
{
        struct scene s;

        scene_prepare(&s);
        daemon_configure(&s.broker, "");
        snprintf(s.broker.socket, sizeof(s.broker.socket), "%s/.mbus/socket", s.broker.directory);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
        expect_in_log(&s.broker, "its directory cannot be used: Not a directory");
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_directory_where_everybody_could_replace_the_socket_is_refused)
{
        struct scene s;
        char run[128];

        scene_prepare(&s);
        snprintf(run, sizeof(run), "%s/run", s.broker.directory);
        ck_assert_int_eq(mkdir(run, 0700), 0);
        ck_assert_int_eq(chmod(run, 0777), 0);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
        expect_in_log(&s.broker, "everybody can replace the socket; mend it with: chmod o-w ");
        /* As /tmp is. */
        ck_assert_int_eq(chmod(run, 01777), 0);
        daemon_start(&s.broker);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_directory_where_a_group_could_replace_the_socket_is_refused)
{
        struct scene s;
        char run[128];

        scene_prepare(&s);
        snprintf(run, sizeof(run), "%s/run", s.broker.directory);
        ck_assert_int_eq(mkdir(run, 0700), 0);
        ck_assert_int_eq(chmod(run, 0770), 0);
        /* The group root of the user root, which nobody else is in. */
        daemon_start(&s.broker);
        ck_assert_int_eq(daemon_stop(&s.broker), 0);
        if (chown(run, (uid_t)-1, STRANGER) == 0) {
                ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
                expect_in_log(&s.broker,
                              "members of group 65533 can replace the socket; mend it with: "
                              "chmod g-w ");
                /* It is no better if the broker is in it, too. */
                ck_assert_int_eq(setegid(STRANGER), 0);
                ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
                ck_assert_int_eq(setegid(0), 0);
                ck_assert_int_eq(chmod(run, 01770), 0);
                daemon_start(&s.broker);
        }
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_directory_that_everybody_could_replace_is_refused)
{
        char above[128], run[160];
        struct scene s;

        scene_prepare(&s);
        daemon_configure(&s.broker, "");
        snprintf(above, sizeof(above), "%s/above", s.broker.directory);
        snprintf(run, sizeof(run), "%s/run", above);
        snprintf(s.broker.socket, sizeof(s.broker.socket), "%s/above/run/s", s.broker.directory);
        ck_assert_int_eq(mkdir(above, 0700), 0);
        ck_assert_int_eq(mkdir(run, 0700), 0);
        ck_assert_int_eq(chmod(above, 0777), 0);
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
        expect_in_log(&s.broker, "/s: everybody can replace its directory in ");
        expect_in_log(&s.broker, "/above; mend it with: chmod o-w ");
        ck_assert_int_eq(chmod(above, 01777), 0);
        daemon_start(&s.broker);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_the_directory_of_somebody_else_is_refused)
{
        struct scene s;
        char run[128];

        scene_prepare(&s);
        snprintf(run, sizeof(run), "%s/run", s.broker.directory);
        ck_assert_int_eq(mkdir(run, 0700), 0);
        if (chown(run, 65533, 65533) == 0) {
                ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 9);
                expect_in_log(&s.broker,
                              "its directory belongs to uid 65533, who could replace the "
                              "socket; name another with --socket");
        }
        scene_deinit(&s);
}
END_TEST

/* ---- the configuration --------------------------------------------------------------------- */

START_TEST(test_the_broker_of_root_reads_the_file_of_the_system_first_if_nothing_is_named)
{
        int host = host_new(), fd, r;
        char copy[128], command[300];
        struct daemon d;

        daemon_prepare(&d);
        r = private_mounts();
        if (r == 0 && mount("none", "/etc", "tmpfs", 0, NULL) < 0)
                r = -errno;
        if (r < 0) {
                ck_assert_msg(r == -EPERM, "%s", strerror(-r));
                puts("not allowed: a file in /etc of a test's own takes a mount namespace");
                daemon_free(&d);
                close(host);
                return;
        }
        daemon_configure(&d, "[broker]\nMULTICAST=sometimes\n");
        ck_assert_int_eq(daemon_start_in_vain(&d, NULL, NULL), 8);
        expect_in_log(&d, "/.mbus:6: MULTICAST: ");
        snprintf(copy, sizeof(copy), "%s/copy", d.directory);
        snprintf(command, sizeof(command), "cp -p %s %s", d.config, copy);
        run("%s", command);
        fd = open("/etc/mbus-broker.conf", O_WRONLY | O_CREAT, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(close(fd), 0);
        /* It is there, so it is the one, even if it cannot be used. */
        ck_assert_int_eq(daemon_start_in_vain(&d, NULL, NULL), 8);
        expect_in_log(&d, "/etc/mbus-broker.conf:1: [MBUS]: ");
        daemon_configure(&d, "");
        run("cp -p %s /etc/mbus-broker.conf", d.config);
        unlink(d.config);
        daemon_start(&d);
        ck_assert_int_eq(daemon_stop(&d), 0);
        ck_assert_int_ne(daemon_start_in_vain(&d, "--config", copy), 0);
        expect_in_log(&d, "/copy:6: MULTICAST: ");
        daemon_free(&d);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_link_that_ends_within_a_frame_ends_its_entities_and_nothing_else,
                test_links_without_end_that_speak_something_else_are_said_once,
                test_a_link_that_is_never_completed_costs_nobody_anything,
                test_a_link_that_sends_a_copy_piece_by_piece_is_closed_when_it_is_whole,
                test_a_version_of_the_link_that_nobody_speaks_is_refused,
                test_two_clients_that_want_one_address_at_once_do_not_both_get_it,
                test_a_directory_is_made_but_not_one_in_a_missing_one,
                test_a_directory_that_is_none_is_refused,
                test_a_directory_where_everybody_could_replace_the_socket_is_refused,
                test_a_directory_where_a_group_could_replace_the_socket_is_refused,
                test_a_directory_that_everybody_could_replace_is_refused,
                test_the_directory_of_somebody_else_is_refused,
                test_the_broker_of_root_reads_the_file_of_the_system_first_if_nothing_is_named,
        };

        return run_tests("broker-bad", tests, N(tests));
}
