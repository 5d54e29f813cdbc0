/*
 * test-pipe.c - octets on their way, in order, and no more than there is room for.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <broker/base/limits.h>
#include <broker/base/pipe.h>

#include "run.h"

START_TEST(test_what_is_done_with_goes_and_the_rest_stays_in_order)
{
        struct pipe p = { .bytes = BUFFER_INIT };

        buffer_add_text(&p.bytes, "abcdefgh");
        pipe_shift(&p, 3);
        ck_assert(span_equal_text(pipe_span(&p), "defgh"));
        ck_assert_uint_eq(p.at, 3);
        /* More is done with than is left, which comes to the front. */
        pipe_shift(&p, 2);
        ck_assert(span_equal_text(pipe_span(&p), "fgh"));
        ck_assert_uint_eq(p.at, 0);
        pipe_shift(&p, 3);
        ck_assert_uint_eq(pipe_n(&p), 0);
        ck_assert_ptr_null(p.bytes.at);
}
END_TEST

START_TEST(test_it_reads_and_writes_what_there_is_and_says_when_the_end_came)
{
        struct pipe p = { .bytes = BUFFER_INIT };
        char got[16];
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(pipe_read(&p, fds[0], 100), 0);
        ck_assert_int_eq(write(fds[1], "hello", 5), 5);
        ck_assert_int_eq(pipe_read(&p, fds[0], 3), 1);
        ck_assert(span_equal_text(pipe_span(&p), "hel"));
        ck_assert_int_eq(pipe_read(&p, fds[0], 100), 1);
        ck_assert_int_eq(pipe_write(&p, fds[0]), 0);
        ck_assert_uint_eq(pipe_n(&p), 0);
        ck_assert_int_eq(read(fds[1], got, sizeof(got)), 5);
        close(fds[1]);
        ck_assert_int_eq(pipe_read(&p, fds[0], 100), -EPIPE);
        buffer_add_text(&p.bytes, "x");
        ck_assert_int_eq(pipe_write(&p, fds[0]), -EPIPE);
        buffer_deinit(&p.bytes);
        close(fds[0]);
}
END_TEST

START_TEST(test_a_full_socket_leaves_the_rest_and_a_full_pipe_has_no_room)
{
        static const char piece[16384];
        struct pipe p = { .bytes = BUFFER_INIT };
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        while (pipe_n(&p) < TCP_PIPE_MAX) {
                ck_assert(pipe_has_room(&p));
                buffer_add_text(&p.bytes, "0123456789abcdef");
        }
        ck_assert(!pipe_has_room(&p));
        while (pipe_n(&p) < 4 * TCP_PIPE_MAX)
                buffer_add_span(&p.bytes, (struct span){ piece, sizeof(piece) });
        ck_assert_int_eq(pipe_write(&p, fds[0]), 0);
        ck_assert_uint_gt(pipe_n(&p), 0);
        buffer_deinit(&p.bytes);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_is_done_with_goes_and_the_rest_stays_in_order,
                test_it_reads_and_writes_what_there_is_and_says_when_the_end_came,
                test_a_full_socket_leaves_the_rest_and_a_full_pipe_has_no_room,
        };

        return run_tests("broker-pipe", tests, N(tests));
}
