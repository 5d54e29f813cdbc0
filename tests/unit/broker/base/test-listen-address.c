/*
 * test-listen-address.c - addresses of this host, and the sockets that are made of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <broker/base/listen-address.h>

#include "run.h"

START_TEST(test_addresses_of_this_host_can_be_listened_at)
{
        static const char *const good[] = { "127.0.0.1:1", "127.0.0.1:65535", "[::1]:9259",
                                            "unix:/run/x" };
        char text[LISTEN_ADDRESS_SIZE];

        for (size_t i = 0; i < N(good); i++) {
                ck_assert(listen_address_parse(span_of(good[i]), text));
                ck_assert_str_eq(text, good[i]);
        }
        ck_assert(listen_address_parse(SPAN_NULL, text));
        ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_nothing_else_can)
{
        struct own_file file = OWN_FILE_INIT;
        static const char *const bad[] = { "127.0.0.1",       "127.0.0.1:",    "127.0.0.1:0",
                                           "127.0.0.1:65536", "127.0.0.1:80x", "127.0.0.2:80",
                                           "[::1]",           "[::]:80",       "0.0.0.0:80",
                                           "unix:",           "unix:relative", "/run/x" };
        char text[LISTEN_ADDRESS_SIZE] = "untouched", path[200] = "unix:/";

        for (size_t i = 0; i < N(bad); i++)
                ck_assert_msg(!listen_address_parse(span_of(bad[i]), text), "%s", bad[i]);
        memset(path + 6, 'x', 106);
        ck_assert(listen_address_parse(span_of(path),
                                       text)); /* 107 octets and a zero fill sockaddr_un */
        path[112] = 'x';
        ck_assert(!listen_address_parse(span_of(path), text));
        memset(path + 6, 'x', 150);
        ck_assert(!listen_address_parse(span_of(path), text));
        ck_assert_int_eq(listen_address_open("nowhere", &file), -EINVAL);
}
END_TEST

START_TEST(test_a_socket_that_nobody_listens_on_is_replaced_and_nothing_else)
{
        char directory[] = "/tmp/test-listen-XXXXXX", text[LISTEN_ADDRESS_SIZE];
        struct own_file file = OWN_FILE_INIT, other = OWN_FILE_INIT;
        struct stat s;
        int fd;

        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(text, sizeof(text), "unix:%s/socket", directory);
        fd = listen_address_open(text, &file);
        ck_assert_int_ge(fd, 0);
        ck_assert(listen_address_is_there(text, &file));
        ck_assert_int_eq(stat(text + 5, &s), 0);
        ck_assert_uint_eq(s.st_mode & 0777, 0600);
        /* It is listened on, and stays. */
        ck_assert_int_eq(listen_address_open(text, &other), -EADDRINUSE);
        ck_assert(listen_address_is_there(text, &file));
        /* Its file outlives it. */
        close(fd);
        fd = listen_address_open(text, &other);
        ck_assert_int_ge(fd, 0);
        ck_assert(listen_address_is_there(text, &other));
        own_file_remove(&other);
        ck_assert(!listen_address_is_there(text, &other));
        own_file_forget(&file);
        close(fd);
        /* What is no socket is somebody's. */
        fd = open(text + 5, O_CREAT | O_WRONLY, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(listen_address_open(text, &file), -EADDRINUSE);
        close(fd);
        unlink(text + 5);
        rmdir(directory);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_addresses_of_this_host_can_be_listened_at,
                test_nothing_else_can,
                test_a_socket_that_nobody_listens_on_is_replaced_and_nothing_else,
        };

        return run_tests("broker-listen-address", tests, N(tests));
}
