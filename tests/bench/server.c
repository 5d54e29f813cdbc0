/*
 * server.c - a server that a measurement starts, watches and ends.
 */
#include "server.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PATIENCE_MS 5000
#define PATH_SIZE 96

pid_t server_fork(void)
{
        pid_t pid;

        fflush(stdout);
        pid = fork();
        bench_check(pid >= 0, "fork");
        if (pid == 0)
                prctl(PR_SET_PDEATHSIG, SIGKILL);
        return pid;
}

void server_prepare(struct server *s)
{
        *s = (struct server){ .directory = "/tmp/mbus-bench-XXXXXX" };
        bench_check(mkdtemp(s->directory) != NULL, "a directory under /tmp");
        snprintf(s->socket, sizeof(s->socket), "%s/socket", s->directory);
}

static const char *path_of(const struct server *s, const char *name)
{
        static char path[PATH_SIZE];

        snprintf(path, sizeof(path), "%s/%s", s->directory, name);
        return path;
}

const char *server_write(const struct server *s, const char *name, const char *text)
{
        static char path[PATH_SIZE];
        int fd;

        snprintf(path, sizeof(path), "%s", path_of(s, name));
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        bench_check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
        close(fd);
        return path;
}

void server_exec(struct server *s, const char *const *argv)
{
        int log;

        s->pid = server_fork();
        if (s->pid > 0)
                return;
        log = open(path_of(s, "log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        close(log);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
}

double server_await(pid_t pid, bool killed)
{
        struct rusage usage;
        int status;

        bench_check(wait4(pid, &status, 0, &usage) == pid, "wait4");
        bench_check(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "a child ends well");
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double server_stop(struct server *s)
{
        DIR *directory = opendir(s->directory);
        struct dirent *entry;
        double seconds;

        kill(s->pid, SIGTERM);
        seconds = server_await(s->pid, true);
        while (directory && (entry = readdir(directory)))
                unlinkat(dirfd(directory), entry->d_name, 0);
        if (directory)
                closedir(directory);
        rmdir(s->directory);
        return seconds;
}

bool server_said(const struct server *s, const char *text)
{
        char log[4096];
        int fd = open(path_of(s, "log"), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, log, sizeof(log) - 1);

        if (fd >= 0)
                close(fd);
        log[n > 0 ? n : 0] = '\0';
        return strstr(log, text) != NULL;
}

void server_start_broker(struct server *s, const char *lines)
{
        const char *program = getenv("BROKER") ? getenv("BROKER") : BROKER;
        const char *config;
        char text[512];

        server_prepare(s);
        snprintf(text, sizeof(text),
                 "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                 "ENCRYPTIONKEY=(NOENCR,)\n%s",
                 lines);
        config = server_write(s, "config", text);
        server_exec(s, (const char *const[]){ program, "--foreground", "--config", config,
                                              "--socket", s->socket, NULL });
        for (unsigned ms = 0; !server_said(s, "ready on "); ms++) {
                bench_check(ms < PATIENCE_MS && waitpid(s->pid, NULL, WNOHANG) == 0,
                            "mbus-broker becomes ready");
                usleep(1000);
        }
}

int server_connect(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        bench_check(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
                    path);
        return fd;
}

/* ---- what it uses -------------------------------------------------------------------------- */

static void read_proc(const struct server *s, const char *name, char *ret_text, size_t size)
{
        char path[64];
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)s->pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        bench_check(fd >= 0, path);
        n = read(fd, ret_text, size - 1);
        bench_check(n > 0, path);
        ret_text[n] = '\0';
        close(fd);
}

static uint64_t find_kb(const char *status, const char *name)
{
        const char *at = strstr(status, name);

        bench_check(at != NULL, name);
        return strtoull(at + strlen(name), NULL, 10) * 1024;
}

static double find_cpu(const char *stat)
{
        unsigned long user = 0, kernel = 0;
        const char *at = strrchr(stat, ')');

        bench_check(at && sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                                 &kernel) == 2,
                    "times in /proc");
        return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static unsigned count_files(const struct server *s)
{
        char path[64];
        unsigned n = 0;
        DIR *directory;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)s->pid);
        directory = opendir(path);
        bench_check(directory != NULL, path);
        while (readdir(directory))
                n++;
        closedir(directory);
        return n - 2;
}

struct usage server_usage(const struct server *s)
{
        struct usage usage = { .n_files = count_files(s) };
        char text[4096];

        read_proc(s, "status", text, sizeof(text));
        usage.resident = find_kb(text, "VmRSS:");
        usage.peak = find_kb(text, "VmHWM:");
        read_proc(s, "stat", text, sizeof(text));
        usage.cpu = find_cpu(text);
        return usage;
}
