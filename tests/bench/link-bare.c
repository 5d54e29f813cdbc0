/*
 * link-bare.c - sendmmsg and recvmmsg and nothing else: how fast the kernel lets anybody be.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "link.h"

#define SLOT 2048

struct batch {
        char bytes[FLOOD_BATCH][SLOT];
        struct iovec vectors[FLOOD_BATCH];
        struct mmsghdr messages[FLOOD_BATCH];
};

static struct sockaddr_in group_address(void)
{
        return (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_port = htons(BENCH_PORT),
                                     .sin_addr.s_addr = inet_addr(BENCH_GROUP) };
}

/* Hears the group on the loopback; gives up waiting now and then, to look at shared.stop. */
static int open_group(void)
{
        struct sockaddr_in group = group_address();
        struct ip_mreqn member = { .imr_multiaddr = group.sin_addr,
                                   .imr_address.s_addr = htonl(INADDR_LOOPBACK) };
        struct timeval patience = { .tv_usec = 100000 };
        int on = 1, size = 4 << 20;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        bench_check(fd >= 0, "socket");
        bench_check(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
        bench_check(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
                    "SO_RCVTIMEO");
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        bench_check(!bind(fd, (struct sockaddr *)&group, sizeof(group)), "bind");
        bench_check(!setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof(member)),
                    "IP_ADD_MEMBERSHIP");
        return fd;
}

/* Sends to the group on the loopback, and nowhere else. */
static int open_own(void)
{
        struct sockaddr_in group = group_address();
        struct ip_mreqn out = { .imr_address.s_addr = htonl(INADDR_LOOPBACK) };
        int ttl = 0;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        bench_check(fd >= 0, "socket");
        bench_check(!setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)),
                    "IP_MULTICAST_IF");
        bench_check(!setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)),
                    "IP_MULTICAST_TTL");
        bench_check(!connect(fd, (struct sockaddr *)&group, sizeof(group)), "connect");
        return fd;
}

static void batch_init(struct batch *b, struct span datagram)
{
        for (unsigned i = 0; i < FLOOD_BATCH; ++i) {
                if (datagram.n > 0)
                        memcpy(b->bytes[i], datagram.at, datagram.n);
                b->vectors[i] = (struct iovec){ b->bytes[i], datagram.n ? datagram.n : SLOT };
                b->messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &b->vectors[i],
                                                                .msg_iovlen = 1 } };
        }
}

static void sink(struct shared *s, unsigned i)
{
        static struct batch b;
        int fd = open_group();

        batch_init(&b, SPAN_NULL);
        atomic_fetch_add(&s->n_ready, 1);
        while (!atomic_load(&s->stop)) {
                int n = recvmmsg(fd, b.messages, FLOOD_BATCH, MSG_WAITFORONE, NULL);

                if (n > 0)
                        atomic_fetch_add(&s->received[i], (uint64_t)n);
        }
        close(fd);
}

static void flood(struct shared *s, unsigned n_sinks, uint64_t n, int hear)
{
        static struct batch out, in;
        struct span datagram = bench_datagram();
        int fd = open_own();

        bench_check(datagram.n <= SLOT, "a datagram that fits");
        batch_init(&out, datagram);
        batch_init(&in, SPAN_NULL);
        for (uint64_t sent = 0; sent < n;) {
                uint64_t left = n - sent;
                unsigned want = left < FLOOD_BATCH ? (unsigned)left : FLOOD_BATCH;
                int done = sendmmsg(fd, out.messages, want, 0);

                bench_check(done > 0, "sendmmsg");
                sent += (uint64_t)done;
                if (hear >= 0)
                        recvmmsg(hear, in.messages, FLOOD_BATCH, MSG_DONTWAIT, NULL);
                bench_keep_window(s, n_sinks, sent);
        }
        close(fd);
}

static void source(struct shared *s, unsigned n_sinks, uint64_t n)
{
        flood(s, n_sinks, n, -1);
}

static void source_joined(struct shared *s, unsigned n_sinks, uint64_t n)
{
        int hear = open_group();

        flood(s, n_sinks, n, hear);
        close(hear);
}

static in_port_t port_of(int fd)
{
        struct sockaddr_in self;
        socklen_t n = sizeof(self);

        bench_check(!getsockname(fd, (struct sockaddr *)&self, &n), "getsockname");
        return self.sin_port;
}

/* Takes the next datagram of the group that does not come from @own_port; 0 if none comes. */
static size_t receive_other(int group, in_port_t own_port, char *bytes)
{
        struct sockaddr_in from;
        socklen_t from_n = sizeof(from);
        ssize_t n;

        for (;;) {
                n = recvfrom(group, bytes, SLOT, 0, (struct sockaddr *)&from, &from_n);
                if (n < 0)
                        return 0;
                if (from.sin_port != own_port)
                        return (size_t)n;
        }
}

static void echo(struct shared *s, unsigned i)
{
        char bytes[SLOT];
        int group = open_group(), own = open_own();
        in_port_t own_port = port_of(own);

        (void)i;
        atomic_fetch_add(&s->n_ready, 1);
        while (!atomic_load(&s->stop)) {
                size_t n = receive_other(group, own_port, bytes);

                if (n > 0)
                        bench_check(send(own, bytes, n, 0) == (ssize_t)n, "send");
        }
        close(group);
        close(own);
}

static void ask(struct shared *s, uint64_t n, double *ret_times)
{
        struct span datagram = bench_datagram();
        char bytes[SLOT];
        int group = open_group(), own = open_own();
        in_port_t own_port = port_of(own);

        (void)s;
        for (uint64_t i = 0; i < n; ++i) {
                uint64_t start = clock_now();

                bench_check(send(own, datagram.at, datagram.n, 0) == (ssize_t)datagram.n, "send");
                bench_check(receive_other(group, own_port, bytes) > 0, "an answer");
                ret_times[i] = (double)(clock_now() - start);
        }
        close(group);
        close(own);
}

const struct link_kind link_bare = {
        .name = "bare sendmmsg and recvmmsg",
        .sink = sink,
        .source = source,
        .echo = echo,
        .ask = ask,
};

const struct link_kind link_bare_joined = {
        .name = "bare, the source hears itself",
        .sink = sink,
        .source = source_joined,
};
