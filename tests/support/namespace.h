/*
 * namespace.h - hosts for a test: network namespaces, cables between them, and a look at the wire.
 *
 * A process is in one host at a time; sockets stay in the host in which they were made. The program
 * itself is started by tests/system/in-namespace, so that even its first host is not the real one.
 */
#ifndef MBUS_TESTS_NAMESPACE_H
#define MBUS_TESTS_NAMESPACE_H

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Runs a command of the shell, which must succeed. */
__attribute__((format(printf, 1, 2))) static inline void run(const char *format, ...)
{
        char command[512];
        va_list ap;

        va_start(ap, format);
        vsnprintf(command, sizeof(command), format, ap);
        va_end(ap);
        ck_assert_msg(system(command) == 0, "%s", command);
}

/* A new host with nothing but lo, which is up, and goes there. To be closed. */
static inline int host_new(void)
{
        int fd;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        /* Interfaces have the addresses that a test gives them, at once, and no others later. */
        run("echo 1 >/proc/sys/net/ipv6/conf/default/addr_gen_mode");
        run("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad");
        run("ip link set lo up");
        return fd;
}

static inline void host_enter(int host)
{
        ck_assert_int_eq(setns(host, CLONE_NEWNET), 0);
}

/* A cable from interface @a of this host to interface @b of @host; both are down. */
static inline void cable(const char *a, int host, const char *b)
{
        run("ip link add name %s type veth peer name %s netns /proc/%d/fd/%d", a, b, (int)getpid(),
            host);
}

static inline void plug(const char *interface, const char *address)
{
        run("ip address add %s dev %s", address, interface);
        run("ip link set %s up", interface);
}

/* The kernel starts a link a moment after both ends are up, and drops what is sent before. */
static inline void await_link(const char *interface)
{
        run("for i in $(seq 1000); do "
            "ip link show dev %s | grep -q 'noqueue state UP' && exit 0; sleep 0.01; "
            "done; exit 1",
            interface);
}

/* Waits until IPv6 is ready on an interface whose other end is up, too. */
static inline void await_ipv6(const char *interface)
{
        run("for i in $(seq 1000); do "
            "ip -6 route show table local dev %s | grep -q ff00::/8 && exit 0; sleep 0.01; "
            "done; exit 1",
            interface);
}

static inline void plug_on(int host, const char *interface, const char *address)
{
        host_enter(host);
        plug(interface, address);
}

/* Two hosts and a cable from interface near, here, to interface far, there. */
struct hosts {
        int here;
        int there;
};

static inline struct hosts hosts_without_cable(void)
{
        struct hosts h;

        h.there = host_new();
        h.here = host_new();
        return h;
}

/* Until both ends can send. */
static inline void hosts_await(const struct hosts *h, bool v6)
{
        host_enter(h->there);
        await_link("far");
        if (v6)
                await_ipv6("far");
        host_enter(h->here);
        await_link("near");
        if (v6)
                await_ipv6("near");
}

static inline struct hosts hosts_new(const char *a, const char *b)
{
        struct hosts h = hosts_without_cable();

        cable("near", h.there, "far");
        plug("near", a);
        host_enter(h.there);
        plug("far", b);
        hosts_await(&h, false);
        return h;
}

static inline void hosts_close(struct hosts *h)
{
        close(h->here);
        close(h->there);
}

/* A UDP packet as it was on the wire. */
struct packet {
        int version;
        int ttl;
        char source[INET6_ADDRSTRLEN];
        char to[INET6_ADDRSTRLEN];
        unsigned source_port;
        unsigned port;
        char text[64];
};

/* Listens to all that passes an interface. To be closed. */
static inline int wire_open(const char *interface)
{
        struct sockaddr_ll name = { .sll_family = AF_PACKET,
                                    .sll_protocol = htons(ETH_P_ALL),
                                    .sll_ifindex = (int)if_nametoindex(interface) };
        int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
        return fd;
}

static inline bool wire_parse(const unsigned char *at, size_t n, struct packet *ret_packet)
{
        struct packet p = { .version = n > 0 ? at[0] >> 4 : 0 };
        size_t ip = p.version == 4 ? (size_t)(at[0] & 15) * 4 : 40;

        if (n < ip + 8 || (p.version == 4 ? at[9] : at[6]) != IPPROTO_UDP)
                return false;
        p.ttl = p.version == 4 ? at[8] : at[7];
        inet_ntop(p.version == 4 ? AF_INET : AF_INET6, at + (p.version == 4 ? 12 : 8), p.source,
                  sizeof(p.source));
        inet_ntop(p.version == 4 ? AF_INET : AF_INET6, at + (p.version == 4 ? 16 : 24), p.to,
                  sizeof(p.to));
        p.source_port = (unsigned)at[ip] << 8 | at[ip + 1];
        p.port = (unsigned)at[ip + 2] << 8 | at[ip + 3];
        snprintf(p.text, sizeof(p.text), "%.*s", (int)(n - ip - 8), (const char *)at + ip + 8);
        *ret_packet = p;
        return true;
}

/* The next UDP packet that comes by. */
static inline struct packet wire_next(int wire)
{
        unsigned char bytes[2048];
        struct packet p;

        for (;;) {
                struct pollfd fd = { .fd = wire, .events = POLLIN };
                ssize_t n;

                ck_assert_int_eq(poll(&fd, 1, 10000), 1);
                n = recv(wire, bytes, sizeof(bytes), 0);
                ck_assert_int_ge(n, 0);
                if (wire_parse(bytes, (size_t)n, &p))
                        return p;
        }
}

static inline unsigned open_files(void)
{
        unsigned n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

#endif
