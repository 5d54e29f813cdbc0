/*
 * test-udp-pieces.c - datagrams that pass through the kernel together (io/batch.h) are what they would
 * have been one by one: for us, for every other program, and in what is counted.
 *
 * The linker puts this file between the sockets and the C library, so that a test can have a kernel
 * that knows nothing of pieces.
 */
#include "fake-engine.h"
#include "run.h"

static const struct config host_v4 = { .port = CONFIG_PORT_DEFAULT };

/* ---- the kernel ---------------------------------------------------------------------------- */

static bool is_old; /* it knows no UDP_SEGMENT */
static unsigned n_pieces, n_calls;

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
        int r = 0;

        n_calls++;
        if (!is_old) {
                r = __real_sendmmsg(fd, messages, n, flags);
                n_pieces += r > 0 ? (unsigned)r : 0;
                return r;
        }
        while ((unsigned)r < n && messages[r].msg_hdr.msg_controllen == 0)
                r++;
        if (r > 0)
                return __real_sendmmsg(fd, messages, (unsigned)r, flags);
        errno = EINVAL;
        return -1;
}

/* ---- what is sent -------------------------------------------------------------------------- */

#define SENT_N 300

/* Sizes that stay, shrink, grow and return, a few large enough to fill a piece alone. */
static size_t size_of(unsigned i)
{
        static const size_t sizes[] = { 200, 200, 200, 40, 200, 200, 300, 300, 20, 20, 300, 9000 };

        return i < 150 ? 200 : sizes[i % N(sizes)];
}

static void queue_all(struct bus *b)
{
        char bytes[9000];

        for (unsigned i = 0; i < SENT_N; i++) {
                memset(bytes, 'x', sizeof(bytes));
                snprintf(bytes, sizeof(bytes), "%u", i);
                ck_assert_int_eq(outgoing_push(&b->engine.out, (struct span){ bytes, size_of(i) },
                                               &ENDPOINT_GROUP),
                                 0);
        }
}

static void expect(unsigned i, const char *text, size_t n)
{
        ck_assert_int_eq(atoi(text), (int)i);
        ck_assert_uint_eq(n, size_of(i));
}

/* A program of another make, on the bus of host_v4. */
static int open_plain(void)
{
        struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(47000) };
        struct ip_mreqn member = { .imr_address.s_addr = htonl(INADDR_LOOPBACK) };
        struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1, size = UDP_RECEIVE_BUFFER;

        inet_pton(AF_INET, "239.255.255.247", &group.sin_addr);
        member.imr_multiaddr = group.sin_addr;
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&group, sizeof(group)), 0);
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof(member)), 0);
        return fd;
}

static void others_get_them_one_by_one(struct bus *a)
{
        char bytes[DATAGRAM_MAX];
        int plain = open_plain();

        queue_all(a);
        ck_assert_int_eq(udp_send(a->udp, &a->engine), 0);
        for (unsigned i = 0; i < SENT_N; i++) {
                ssize_t n = recv(plain, bytes, sizeof(bytes), 0);

                ck_assert_int_gt(n, 0);
                expect(i, bytes, (size_t)n);
        }
        ck_assert_int_lt(recv(plain, bytes, sizeof(bytes), MSG_DONTWAIT), 0);
        close(plain);
}

/* They come in order, and each is heard as it was sent. */
static void hear_all(struct bus *b)
{
        while (b->engine.n < SENT_N)
                bus_wait(b);
        ck_assert_uint_eq(b->engine.n, SENT_N);
        for (unsigned i = SENT_N - HEARD_MAX; i < SENT_N; i++)
                expect(i, b->engine.heard[i % HEARD_MAX].text, b->engine.heard[i % HEARD_MAX].size);
}

START_TEST(test_every_program_gets_the_datagrams_that_were_sent)
{
        int host = host_new();
        struct bus a, b;

        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        n_pieces = 0;
        others_get_them_one_by_one(&a);
        hear_all(&b);
        ck_assert_uint_lt(n_pieces, SENT_N / 2);
        ck_assert_uint_eq(udp_traffic(a.udp)->datagrams_out, SENT_N);
        ck_assert_uint_eq(udp_traffic(b.udp)->datagrams_in, SENT_N);
        ck_assert_uint_eq(udp_traffic(b.udp)->bytes_in, udp_traffic(a.udp)->bytes_out);
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_OWN], SENT_N);
        bus_close(&a);
        bus_close(&b);
        close(host);
}
END_TEST

START_TEST(test_a_kernel_without_pieces_gets_single_datagrams)
{
        int host = host_new();
        struct bus a, b;

        is_old = true;
        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        others_get_them_one_by_one(&a);
        hear_all(&b);
        ck_assert_uint_eq(udp_traffic(a.udp)->datagrams_out, SENT_N);
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_OWN], SENT_N);
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SENT], 0);
        /* It was asked once. */
        n_calls = 0;
        queue_all(&a);
        ck_assert_int_eq(udp_send(a.udp, &a.engine), 0);
        ck_assert_uint_eq(n_calls, (SENT_N + UDP_BATCH - 1) / UDP_BATCH);
        bus_close(&a);
        bus_close(&b);
        is_old = false;
        close(host);
}
END_TEST

/* Sends without end until @b has lost some, and some more. */
static size_t flood(struct bus *a, struct bus *b)
{
        static char bytes[200];
        size_t sent = 0;

        for (unsigned i = 0; i < 600; i++) {
                for (unsigned k = 0; k < UDP_BATCH; k++, sent++)
                        ck_assert_int_eq(outgoing_push(&a->engine.out,
                                                       (struct span){ bytes, sizeof(bytes) },
                                                       &ENDPOINT_GROUP),
                                         0);
                ck_assert_int_eq(udp_send(a->udp, &a->engine), 0);
        }
        while (bus_process(b) == 1)
                ;
        return sent;
}

static void what_is_lost_is_counted(bool old)
{
        int host = host_new();
        struct bus a, b;
        size_t sent;

        is_old = old;
        bus_must_open(&a, &host_v4);
        bus_must_open(&b, &host_v4);
        sent = flood(&a, &b);
        ck_assert_uint_lt(b.engine.n, sent);
        /* The kernel tells of the loss with the next one that it queues. */
        bus_say(&a, "next");
        bus_hears(&b, "next");
        ck_assert_uint_eq(b.engine.n + b.engine.dropped[MBUS_DROP_SOCKET], sent + 1);
        /* The one who sent them has lost none, and says so when it hears anybody. */
        bus_say(&b, "answer");
        bus_hears(&a, "answer");
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_SOCKET], 0);
        ck_assert_uint_eq(a.engine.dropped[MBUS_DROP_OWN], sent + 1);
        bus_close(&a);
        bus_close(&b);
        is_old = false;
        close(host);
}

START_TEST(test_datagrams_lost_together_are_counted_one_by_one)
{
        what_is_lost_is_counted(false);
        what_is_lost_is_counted(true);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_every_program_gets_the_datagrams_that_were_sent,
                test_a_kernel_without_pieces_gets_single_datagrams,
                test_datagrams_lost_together_are_counted_one_by_one,
        };

        return run_tests("udp-pieces", tests, N(tests));
}
