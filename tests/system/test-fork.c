/*
 * test-fork.c - a child has copies of its parent's buses, whose sockets are the parent's: it can free
 * them, and nothing that it does is seen outside.
 *
 * The child runs in a sandbox in which every system call but those of memory and close() ends it, so
 * what the library does there is known, whichever way it would have gone out. Under a sanitizer there is
 * no sandbox; there, the child must not leak.
 */
#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mbus/mbus.h>

#include "buses.h"
#include "daemon.h"
#include "namespace.h"
#include "run.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)
#define SANDBOX false
#else
#define SANDBOX true
#endif

#define KEYS                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(NOENCR,)\n"
#define NSEC 1000000000ll

int __real_madvise(void *at, size_t n, int advice);
int __wrap_madvise(void *at, size_t n, int advice);

/* A kernel that cannot wipe pages: $WIPEONFORK is no. */
int __wrap_madvise(void *at, size_t n, int advice)
{
        const char *wipe = getenv("WIPEONFORK");

        if (wipe && strcmp(wipe, "no") == 0) {
                errno = EINVAL;
                return -1;
        }
        return __real_madvise(at, n, advice);
}

/* ---- the child ----------------------------------------------------------------------------- */

/* With the one system call that the sandbox allows for it. */
__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
        char text[256];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        if (write(STDERR_FILENO, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text)) < 0)
                _exit(4);
}

static void on_forbidden(int signal, siginfo_t *info, void *context)
{
        (void)signal;
        (void)context;
        tell("the child made system call %d\n", info->si_syscall);
        _exit(3);
}

static void enter_sandbox(void)
{
#define ALLOW(name)                                                                                \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                     \
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
        struct sock_filter rules[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                ALLOW(close),
                ALLOW(mmap),
                ALLOW(munmap),
                ALLOW(mremap),
                ALLOW(brk),
                ALLOW(madvise),
                ALLOW(futex),
                ALLOW(exit_group),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STDERR_FILENO, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        };
        struct sock_fprog program = { sizeof(rules) / sizeof(*rules), rules };
        struct sigaction action = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };

        if (!SANDBOX)
                return;
        if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
                tell("no sandbox: %s\n", strerror(errno));
                _exit(2);
        }
}

#define CHECK(condition)                                                                           \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        tell("%s:%d: %s\n", __FILE__, __LINE__, #condition);                       \
                        _exit(1);                                                                  \
                }                                                                                  \
        } while (0)

/* A bus in one of the modes, and what the child is to use of it. */
struct mine {
        struct mbus_bus *bus;
        struct mbus_entity *me;
        struct mbus_commands *commands;
        struct mbus_observation *observation;
        struct mbus_peers *peers;
        struct mbus_message *message; /* of the event that was popped last */
        int fd;
};

static void expect_refusals(const struct mine *m)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        struct mbus_entity *entity = NULL;
        struct mbus_peers *peers = NULL;
        uint64_t ticket = 77;
        size_t n = 77;
        int fd = -77;

        CHECK(mbus_bus_get_pollfds(m->bus, fds, MBUS_POLLFDS_MAX, &n) == -ECHILD && n == 77);
        CHECK(mbus_bus_get_deadline(m->bus) == UINT64_MAX);
        CHECK(mbus_bus_get_fd(m->bus, &fd) == -ECHILD && fd == -77);
        CHECK(mbus_bus_process(m->bus) == -ECHILD);
        CHECK(mbus_bus_wait(m->bus, -1) == -ECHILD);
        CHECK(mbus_bus_flush(m->bus, -1) == -ECHILD);
        CHECK(mbus_bus_pop_event(m->bus) == NULL);
        CHECK(mbus_bus_add_entity(m->bus, "(app:child)", &entity) == -ECHILD && !entity);
        CHECK(mbus_entity_send(m->me, "()", m->commands) == -ECHILD);
        CHECK(mbus_entity_send_reliable(m->me, "()", m->commands, &ticket) == -ECHILD);
        CHECK(mbus_entity_send_each(m->me, "()", m->commands, &ticket, 1, &n) == -ECHILD);
        CHECK(ticket == 77 && n == 77);
        CHECK(mbus_entity_send_text(m->me, "()", "a()") == -ECHILD);
        CHECK(mbus_entity_ping(m->me, "()") == -ECHILD);
        CHECK(mbus_bus_watch(m->bus, "()") == -ECHILD);
        CHECK(mbus_bus_observe(m->bus, m->observation) == -ECHILD);
        CHECK(mbus_peers_new(m->bus, "()", &peers) == -ECHILD && !peers);
}

/* What is nothing but memory is the child's own. */
static void use_memory(const struct mine *m)
{
        CHECK(strncmp(mbus_entity_get_address(m->me), "(app:parent id:", 15) == 0);
        CHECK(mbus_bus_get_url(m->bus) && mbus_bus_get_dropped(m->bus, MBUS_DROP_DIGEST) == 0);
        mbus_entity_set_data(m->me, m->commands);
        CHECK(mbus_entity_get_data(m->me) == m->commands);
        CHECK(mbus_peers_get_n(m->peers) > 0 && mbus_peers_get_address(m->peers, 0));
        CHECK(strcmp(mbus_message_get_command(m->message, 0), "first") == 0);
        CHECK(mbus_commands_add_text(m->commands, "more(1)", NULL, NULL) == 0);
        CHECK(strcmp(mbus_commands_get_text(m->commands), "a(1)\r\nmore(1)") == 0);
}

static void forget(struct mine *m, bool remove)
{
        mbus_message_unref(m->message);
        mbus_peers_free(m->peers);
        mbus_commands_free(m->commands);
        mbus_observation_free(m->observation);
        if (remove)
                mbus_entity_remove(m->me);
        mbus_bus_close(m->bus);
}

/* ---- the parent ---------------------------------------------------------------------------- */

static void expect_message(struct mbus_bus *bus, struct mbus_bus *other, const char *command)
{
        const struct mbus_event *event = event_await(bus, other, MBUS_EVENT_MESSAGE);

        ck_assert_str_eq(mbus_message_get_command(event->message, 0), command);
}

static struct mine mine_new(const char *url, struct mbus_bus *witness,
                            struct mbus_entity *witness_entity)
{
        struct mine m = { .bus = bus_open(url, KEYS) };

        m.me = entity_add(m.bus, "(app:parent)");
        event_await(m.bus, witness, MBUS_EVENT_READY);
        ck_assert_int_eq(mbus_bus_get_fd(m.bus, &m.fd), 0);
        ck_assert_int_eq(mbus_bus_watch(m.bus, "()"), 0);
        event_await(m.bus, witness, MBUS_EVENT_JOINED);
        ck_assert_int_eq(mbus_peers_new(m.bus, "()", &m.peers), 0);
        ck_assert_int_eq(mbus_observation_new(&m.observation), 0);
        ck_assert_int_eq(mbus_commands_new(&m.commands), 0);
        ck_assert_int_eq(mbus_commands_add_text(m.commands, "a(1)", NULL, NULL), 0);
        ck_assert_int_eq(mbus_entity_send_text(witness_entity, "(app:parent)", "first()"), 0);
        ck_assert_int_eq(mbus_entity_send_text(witness_entity, "(app:parent)", "second()"), 0);
        m.message = mbus_message_ref(event_await(m.bus, witness, MBUS_EVENT_MESSAGE)->message);
        return m;
}

/* Without what fork() does in the C library. */
static pid_t bare_fork(void)
{
        return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void expect_good_end(pid_t child)
{
        int status;

        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child's status is %#x",
                      (unsigned)status);
}

/* What a child may do, in the modes of @url. */
static void play(const char *url, pid_t (*make_child)(void))
{
        struct mbus_bus *witness = bus_open(url, KEYS);
        struct mbus_entity *w = entity_add(witness, "(app:witness)");
        struct mine m;
        pid_t child;

        event_await(witness, witness, MBUS_EVENT_READY);
        ck_assert_int_eq(mbus_bus_watch(witness, "(app:parent)"), 0);
        m = mine_new(url, witness, w);
        event_await(witness, m.bus, MBUS_EVENT_JOINED);
        /* Something waits to go out, and something is unread. */
        ck_assert_int_eq(mbus_entity_send_text(m.me, "(app:witness)", "third()"), 0);
        for (int remove = 0; remove < 2; remove++) {
                child = make_child();
                if (child == 0) {
                        enter_sandbox();
                        expect_refusals(&m);
                        use_memory(&m);
                        forget(&m, remove);
                        mbus_bus_close(witness);
                        /* Leaks are looked for behind main(). */
                        if (!SANDBOX)
                                exit(0);
                        _exit(0);
                }
                expect_good_end(child);
        }
        /* The parent's bus is as it was: nobody left, all that waited is there, its descriptor too. */
        expect_message(witness, m.bus, "third");
        expect_message(m.bus, witness, "second");
        events_clear(m.bus);
        ck_assert_int_eq(mbus_entity_send_text(w, "(app:parent)", "fourth()"), 0);
        for (int i = 0; i < 5000; i++) {
                struct pollfd fd = { .fd = m.fd, .events = POLLIN };
                const struct mbus_event *event;

                ck_assert_int_ge(mbus_bus_process(witness), 0);
                if (poll(&fd, 1, 2) == 1)
                        ck_assert_int_ge(mbus_bus_process(m.bus), 0);
                event = event_find(m.bus, MBUS_EVENT_MESSAGE);
                if (event)
                        break;
                ck_assert_int_lt(i, 4999);
        }
        while (mbus_bus_wait(witness, 0) == 0)
                ck_assert_int_ne(mbus_bus_pop_event(witness)->type, MBUS_EVENT_LEFT);
        forget(&m, false);
        ck_assert_int_eq(event_await(witness, witness, MBUS_EVENT_LEFT)->reason, MBUS_REASON_BYE);
        mbus_bus_close(witness);
}

/* A child may have a bus of its own, in the same place. */
static void play_own(const char *url)
{
        struct mbus_bus *inherited = bus_open(url, KEYS);
        pid_t child;

        entity_add(inherited, "(app:parent)");
        child = fork();
        if (child == 0) {
                struct mbus_config *config;
                struct mbus_bus *a, *b;
                struct mbus_entity *from, *to;
                const struct mbus_event *event = NULL;

                CHECK(mbus_config_new(&config) == 0);
                mbus_config_set_url(config, url);
                mbus_config_set_text(config, KEYS);
                CHECK(mbus_bus_open(&a, config) == 0 && mbus_bus_open(&b, config) == 0);
                CHECK(mbus_bus_process(inherited) == -ECHILD);
                CHECK(mbus_bus_add_entity(a, "(app:from)", &from) == 0);
                CHECK(mbus_bus_add_entity(b, "(app:to)", &to) == 0);
                mbus_bus_close(inherited);
                for (int i = 0;
                     i < 100 && !(mbus_entity_get_address(from) && mbus_entity_get_address(to));
                     i++) {
                        mbus_bus_wait(a, NSEC / 100);
                        mbus_bus_wait(b, NSEC / 100);
                        mbus_bus_pop_event(a);
                        mbus_bus_pop_event(b);
                }
                CHECK(mbus_entity_send_text(from, "(app:to)", "x()") == 0);
                CHECK(mbus_bus_process(a) >= 0);
                while (!event || event->type != MBUS_EVENT_MESSAGE) {
                        CHECK(mbus_bus_wait(b, 10 * NSEC) == 0);
                        event = mbus_bus_pop_event(b);
                }
                mbus_bus_close(a);
                mbus_bus_close(b);
                mbus_config_free(config);
                /* A grandchild is none of theirs either; leaks are looked for at the end. */
                exit(0);
        }
        expect_good_end(child);
        ck_assert_int_ge(mbus_bus_process(inherited), 0);
        mbus_bus_close(inherited);
}

static void play_all(const char *url)
{
        const char *wipe = getenv("WIPEONFORK");

        play(url, fork);
        if (!wipe || strcmp(wipe, "no") != 0)
                play(url, bare_fork);
        play_own(url);
}

START_TEST(test_a_child_does_nothing_to_its_parents_bus_inside_the_process)
{
        play_all("mem:fork");
}
END_TEST

START_TEST(test_a_child_does_nothing_to_its_parents_bus_on_the_network)
{
        int host = host_new();

        play_all("udp:");
        close(host);
}
END_TEST

START_TEST(test_a_child_does_nothing_to_its_parents_link_to_a_broker)
{
        int host = host_new();
        struct daemon d;
        char url[128];

        daemon_prepare(&d);
        daemon_configure(&d, "[broker]\nTCP=127.0.0.1:47111\n");
        daemon_start(&d);
        snprintf(url, sizeof(url), "unix:%s", d.socket);
        play_all(url);
        play_all("tcp:127.0.0.1:47111");
        daemon_free(&d);
        close(host);
}
END_TEST

/* What is closed while a child has a copy of it stays in an epoll set, unless it is taken out. */
START_TEST(test_a_lost_link_leaves_the_descriptor_although_a_child_has_a_copy)
{
        int host = host_new(), fd, status;
        struct mbus_bus *bus;
        struct pollfd set;
        struct daemon d;
        char url[128];
        pid_t child;

        daemon_prepare(&d);
        daemon_configure(&d, "");
        daemon_start(&d);
        snprintf(url, sizeof(url), "unix:%s", d.socket);
        bus = bus_open(url, KEYS);
        entity_add(bus, "(app:x)");
        ck_assert_int_eq(mbus_bus_get_fd(bus, &fd), 0);
        ck_assert_int_eq(mbus_bus_wait(bus, 10 * NSEC), 0);
        events_clear(bus);
        child = fork();
        if (child == 0) {
                pause();
                _exit(0);
        }
        ck_assert_int_eq(daemon_stop(&d), 0);
        while (!event_find(bus, MBUS_EVENT_LINK_DOWN))
                ck_assert_int_ge(mbus_bus_process(bus), 0);
        set = (struct pollfd){ .fd = fd, .events = POLLIN };
        /* Between two attempts to get it back it sleeps. */
        for (int i = 0; poll(&set, 1, 0) == 1; i++) {
                ck_assert_int_lt(i, 100);
                ck_assert_int_ge(mbus_bus_process(bus), 0);
                events_clear(bus);
        }
        mbus_bus_close(bus);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        daemon_free(&d);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_child_does_nothing_to_its_parents_bus_inside_the_process,
                test_a_child_does_nothing_to_its_parents_bus_on_the_network,
                test_a_child_does_nothing_to_its_parents_link_to_a_broker,
                test_a_lost_link_leaves_the_descriptor_although_a_child_has_a_copy,
        };

        return run_tests("fork", tests, N(tests));
}
