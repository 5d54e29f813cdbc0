/*
 * refuse.c - runs a program in a kernel that lacks something, as sandboxes and emulators do:
 *
 *      refuse CALL[:ARGUMENT[:ARGUMENT]]=ERRNO... -- COMMAND ARGUMENT...
 *
 * CALL is a name of the table below; the arguments are the second and third of setsockopt and getsockopt,
 * the first of socket: "socket:16=EAFNOSUPPORT", "setsockopt:1:40=ENOPROTOOPT", "renameat2=EINVAL".
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RULE_SIZE 7
#define RULES_MAX 32

static const struct {
        const char *name;
        unsigned number;
        unsigned first; /* the argument that is compared first */
} calls[] = {
        { "socket", SYS_socket, 0 },
        { "setsockopt", SYS_setsockopt, 1 },
        { "getsockopt", SYS_getsockopt, 1 },
        { "recvmmsg", SYS_recvmmsg, 0 },
        { "sendmmsg", SYS_sendmmsg, 0 },
        { "renameat2", SYS_renameat2, 0 },
        { "linkat", SYS_linkat, 0 },
        { "getrandom", SYS_getrandom, 0 },
        { "timerfd_create", SYS_timerfd_create, 0 },
        { "eventfd2", SYS_eventfd2, 0 },
        { "inotify_init1", SYS_inotify_init1, 0 },
        { "epoll_create1", SYS_epoll_create1, 0 },
        { "prlimit64", SYS_prlimit64, 0 },
        { "statx", SYS_statx, 0 },
        { "ioctl", SYS_ioctl, 1 },
};

static const struct {
        const char *name;
        unsigned number;
} errors[] = {
        { "EAFNOSUPPORT", EAFNOSUPPORT },
        { "ENOPROTOOPT", ENOPROTOOPT },
        { "ENOSYS", ENOSYS },
        { "EINVAL", EINVAL },
        { "EPERM", EPERM },
        { "EACCES", EACCES },
        { "EOPNOTSUPP", EOPNOTSUPP },
        { "ENOTTY", ENOTTY },
};

static struct sock_filter code[RULES_MAX * RULE_SIZE + 2];
static unsigned short n_code;

static void add(struct sock_filter one)
{
        code[n_code++] = one;
}

/* The lower half, which is where a number is on the machines that this is for. */
static unsigned offset_of(unsigned argument)
{
        return (unsigned)offsetof(struct seccomp_data, args) + 8 * argument;
}

static int usage(const char *what)
{
        fprintf(stderr, "refuse: %s?\nusage: refuse CALL[:ARGUMENT...]=ERRNO... -- COMMAND...\n",
                what);
        return 2;
}

/* Loads what is compared, and goes on behind the rule if it is not @value. */
static void compare(unsigned offset, unsigned value, unsigned char left)
{
        add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
        add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, left));
}

static int add_rule(char *text)
{
        char *error = strchr(text, '='), *argument;
        unsigned values[2], n = 0;
        size_t i, e;

        if (!error || n_code > (RULES_MAX - 1) * RULE_SIZE)
                return usage(text);
        *error++ = '\0';
        while (n < 2 && (argument = strrchr(text, ':'))) {
                values[n++] = (unsigned)strtoul(argument + 1, NULL, 0);
                *argument = '\0';
        }
        for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
                if (strcmp(calls[i].name, text) == 0)
                        break;
        for (e = 0; e < sizeof(errors) / sizeof(*errors); e++)
                if (strcmp(errors[e].name, error) == 0)
                        break;
        if (i == sizeof(calls) / sizeof(*calls) || e == sizeof(errors) / sizeof(*errors))
                return usage(text);
        compare(offsetof(struct seccomp_data, nr), calls[i].number, (unsigned char)(2 * n + 1));
        for (unsigned k = 0; k < n; k++)
                compare(offset_of(calls[i].first + k), values[n - 1 - k],
                        (unsigned char)(2 * (n - 1 - k) + 1));
        add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errors[e].number));
        return 0;
}

int main(int argc, char **argv)
{
        struct sock_fprog program = { .filter = code };
        int i;

        for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
                if (add_rule(argv[i]))
                        return 2;
        if (i + 1 >= argc)
                return usage("--");
        add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        program.len = n_code;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
                printf("skipped: this kernel has no filters of system calls: %s\n",
                       strerror(errno));
                return 77;
        }
        execvp(argv[i + 1], argv + i + 1);
        perror(argv[i + 1]);
        return 127;
}
