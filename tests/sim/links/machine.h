/*
 * machine.h - a machine that never was: a clock, processes, their descriptors, and networks, for the broker
 * and the library as they are.
 *
 * Both run unchanged. Where they ask the operating system they find this instead: calls.c has the calls of
 * sockets, loop.c the functions of libuv, udp.c those of io/udp, environment.c clocks, configuration and the
 * service manager. Everything that happens by chance comes from the machine's seeded generator.
 */
#ifndef MBUS_TESTS_SIM_LINKS_MACHINE_H
#define MBUS_TESTS_SIM_LINKS_MACHINE_H

#include <poll.h>
#include <sys/types.h>

#include "../failure.h"
#include "../network.h"
#include "../scenario.h"

/* Virtual descriptors begin here, far above those of the system. They are never used twice, so that one
 * which is used after it was closed is found out. */
#define FD_FIRST 1000000
#define BACKLOG_MAX 64
#define NAME_MAX_SIZE 40
/* Buses that there are: of the clients, and one beyond a bridge. */
#define NETS 2

/* Octets that arrive together. */
struct piece {
        uint64_t at;
        size_t n;
};

/* One direction of a stream, at the end that reads it. */
struct stream_in {
        char *bytes;
        size_t n;
        size_t size;
        struct piece *pieces;
        size_t n_pieces;
        size_t pieces_size;
        uint64_t ended_at; /* when the reader finds out that the other end is closed */
};

enum descriptor_type {
        DESCRIPTOR_CLOSED,
        DESCRIPTOR_SOCKET, /* it is nothing yet */
        DESCRIPTOR_LISTENER,
        DESCRIPTOR_STREAM,
        DESCRIPTOR_DATAGRAMS,
};

struct descriptor {
        enum descriptor_type type;
        uint32_t owner; /* process */
        char name[NAME_MAX_SIZE];
        int backlog[BACKLOG_MAX]; /* of a listener */
        size_t n_waiting;         /* of those, or of datagrams */
        int peer;                 /* of a stream; -1: closed */
        bool inner;               /* both ends are one process's: nothing takes time */
        bool reset;               /* the other end was closed before it had read all */
        int error;                /* that getsockopt() tells */
        struct stream_in in;
};

struct process {
        uint32_t index;
        uint32_t pid; /* of this life; 0: it does not run */
        bool waits;   /* in poll(): the others go on meanwhile */
        bool muted;   /* it was killed: what it still does while its memory is freed is not done */
        uint64_t stalled_until; /* it gets no time before */
        uint64_t seen_at;       /* to find one that is due again and again */
        unsigned n_seen;
        const char *config; /* what it finds in its configuration file */
};

struct udp;

struct machine {
        uint64_t now;
        struct random random;
        struct link_options rules;
        struct process *running;
        void (*pass)(
                uint64_t until); /* whoever runs waits: the others go on, until @until at most */
        uint32_t last_pid;
        struct descriptor **descriptors;
        size_t n_descriptors;
        size_t descriptors_size;
        char (*stale)[NAME_MAX_SIZE]; /* sockets whose files are there, but nobody listens */
        size_t n_stale;
        struct network nets[NETS];
        struct udp **ports[NETS]; /* by process */
        uint32_t n_processes;
        uint64_t n_pieces; /* that were read */
        struct failure failure;
};

extern struct machine *machine;

void machine_init(uint64_t seed, const struct scenario *s, uint32_t n_processes);
void machine_deinit(void);

/* Records the first failure. */
void machine_fail(const char *claim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A process begins, runs, ends. Whatever is called between enter and leave is done by it. */
void process_begin(struct process *p);
void process_enter(struct process *p);
void process_leave(void);
/* It is gone from one moment to the next: all its descriptors are closed. */
void process_kill(struct process *p);
/* False, with a failure recorded, if it is due again and again at one moment. */
bool process_goes_on(struct process *p);

/* ---- descriptors ---- */

int descriptor_new(enum descriptor_type type);
/* NULL if there is no such descriptor, which is a failure. */
struct descriptor *descriptor_of(int fd);
void descriptor_close(int fd);
/* What poll(2) says of it now, and when it may say something else without anybody's doing. */
short descriptor_events(int fd);
uint64_t descriptor_next(int fd);
/* How many are open that @p has. */
size_t descriptors_of(const struct process *p);
/* The socket of that name, or NULL. */
struct descriptor *find_listener(const char *name);
bool is_stale(const char *name);

/* Two ends of a stream; @owner of the second. */
void stream_pair(uint32_t owner, bool inner, int ret_fds[2]);
/* As recv() and send() with descriptors that do not wait. */
ssize_t stream_read(int fd, void *bytes, size_t n);
ssize_t stream_write(int fd, const void *bytes, size_t n);
/* The connection breaks: what is on the way is lost from somewhere on. */
void stream_break(int fd);

/* ---- udp.c ---- */

/* Carries what has arrived by now to the sockets. */
void nets_arrive(void);
uint64_t nets_next(void);

/* ---- loop.c ---- */

struct uv_loop_s;

bool loop_is_due(const struct uv_loop_s *loop);
uint64_t loop_next(const struct uv_loop_s *loop);
/* Lets the loop do what is due. False if it was stopped. */
bool loop_turn(struct uv_loop_s *loop);
void loop_signal(struct uv_loop_s *loop, int number);

#endif
