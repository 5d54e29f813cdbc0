/*
 * daemon.c - an mbus-broker of a test's own, in a directory of its own.
 */
#include "daemon.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

void daemon_prepare(struct daemon *d)
{
        const char *parent = getenv("TMPDIR");
        int n;

        *d = (struct daemon){ .pid = 0 };
        n = snprintf(d->directory, sizeof(d->directory), "%s/mbus-test-XXXXXX",
                     parent ? parent : "/tmp");
        ck_assert_uint_lt((size_t)n, sizeof(d->directory));
        ck_assert_ptr_nonnull(mkdtemp(d->directory));
        snprintf(d->socket, sizeof(d->socket), "%s/run/broker.sock", d->directory);
        snprintf(d->config, sizeof(d->config), "%s/.mbus", d->directory);
        snprintf(d->log, sizeof(d->log), "%s/log", d->directory);
}

void daemon_configure(const struct daemon *d, const char *lines)
{
        FILE *file = fopen(d->config, "we");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
        fprintf(file,
                "[MBUS]\nCONFIG_VERSION=1\n"
                "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"
                "ENCRYPTIONKEY=(NOENCR,)\n%s",
                lines);
        ck_assert_int_eq(fclose(file), 0);
}

static void exec_broker(const struct daemon *d, const char *option, const char *value)
{
        int log = open(d->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(log, STDERR_FILENO);
        close(log);
        setenv("HOME", d->directory, 1);
        unsetenv("MBUS");
        execl(getenv("BROKER"), "mbus-broker", "--socket", d->socket, option, value, (char *)NULL);
        _exit(127);
}

static void spawn(struct daemon *d, const char *option, const char *value)
{
        ck_assert_ptr_nonnull(getenv("BROKER"));
        unlink(d->log);
        d->pid = fork();
        ck_assert_int_ge(d->pid, 0);
        if (d->pid == 0)
                exec_broker(d, option, value);
}

int daemon_await(struct daemon *d)
{
        int status;

        ck_assert_int_eq(waitpid(d->pid, &status, 0), d->pid);
        d->pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *daemon_read_log(const struct daemon *d)
{
        char *text = calloc(1, 65536);
        FILE *file = fopen(d->log, "re");

        ck_assert_ptr_nonnull(text);
        if (file) {
                ck_assert_uint_lt(fread(text, 1, 65535, file), 65536);
                fclose(file);
        }
        return text;
}

static bool is_ready(const struct daemon *d)
{
        char *text = daemon_read_log(d);
        bool ready = strstr(text, "ready on ") != NULL;

        free(text);
        return ready;
}

void daemon_start_with(struct daemon *d, const char *option, const char *value)
{
        spawn(d, option, value);
        for (unsigned ms = 0; !is_ready(d); ms++) {
                ck_assert_msg(waitpid(d->pid, NULL, WNOHANG) == 0, "it ended: %s",
                              daemon_read_log(d));
                ck_assert_msg(ms < PATIENCE_MS, "it is not ready: %s", daemon_read_log(d));
                usleep(1000);
        }
}

void daemon_start(struct daemon *d)
{
        daemon_start_with(d, NULL, NULL);
}

void daemon_new(struct daemon *d)
{
        daemon_prepare(d);
        daemon_start(d);
}

int daemon_start_in_vain(struct daemon *d, const char *option, const char *value)
{
        spawn(d, option, value);
        return daemon_await(d);
}

int daemon_stop(struct daemon *d)
{
        ck_assert_int_eq(kill(d->pid, SIGTERM), 0);
        return daemon_await(d);
}

void daemon_free(struct daemon *d)
{
        char command[128];

        if (d->pid)
                ck_assert_int_eq(daemon_stop(d), 0);
        snprintf(command, sizeof(command), "rm -r %s", d->directory);
        ck_assert_int_eq(system(command), 0);
}

unsigned daemon_open_files(const struct daemon *d)
{
        char path[64];
        unsigned n = 0;
        DIR *directory;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)d->pid);
        directory = opendir(path);
        ck_assert_ptr_nonnull(directory);
        while (readdir(directory))
                n++;
        closedir(directory);
        return n - 2;
}

void daemon_take_descriptors(const struct daemon *d, struct rlimit *ret_before)
{
        struct rlimit none;
        char path[64];
        unsigned n = 0;

        /* What it has from others may have any number. */
        do
                snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)d->pid, n++);
        while (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
        ck_assert_int_eq(prlimit(d->pid, RLIMIT_NOFILE, NULL, ret_before), 0);
        none = (struct rlimit){ n - 1, ret_before->rlim_max };
        ck_assert_int_eq(prlimit(d->pid, RLIMIT_NOFILE, &none, NULL), 0);
}

unsigned long daemon_sleeps(const struct daemon *d)
{
        static const char key[] = "voluntary_ctxt_switches:";
        char path[64], line[256];
        unsigned long n = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/status", (int)d->pid);
        file = fopen(path, "re");
        ck_assert_ptr_nonnull(file);
        while (fgets(line, sizeof(line), file))
                if (strncmp(line, key, sizeof(key) - 1) == 0)
                        n = strtoul(line + sizeof(key) - 1, NULL, 10);
        fclose(file);
        return n;
}

size_t daemon_memory(const struct daemon *d)
{
        unsigned long size, resident;
        char path[64];
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/statm", (int)d->pid);
        file = fopen(path, "re");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%lu %lu", &size, &resident), 2);
        fclose(file);
        return resident * (size_t)sysconf(_SC_PAGESIZE);
}
