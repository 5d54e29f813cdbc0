/*
 * test-standard.c - an application that has closed its standard descriptors: the library keeps clear of
 * them, so that what the application prints goes nowhere, and not to the network or into keys.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mbus/mbus.h>

#include "run.h"

#define TEXT                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(NOENCR,)\n"

/* What a child found: 0 is good. */
enum found {
        GOOD,
        NOT_OPENED,
        NOT_CLEAR,
        NO_DESCRIPTOR,
        NOT_MADE,
};

static int listener = -1;

static bool is_clear(unsigned closed)
{
        for (int fd = 0; fd < 3; fd++)
                if (closed & 1u << fd && fcntl(fd, F_GETFD) >= 0)
                        return false;
        return true;
}

static enum found open_bus(const char *url, unsigned closed)
{
        struct mbus_config *config;
        struct mbus_bus *bus;
        enum found found = GOOD;
        int fd;

        if (mbus_config_new(&config) < 0)
                return NOT_OPENED;
        mbus_config_set_url(config, url);
        if (strcmp(url, "udp:") == 0)
                mbus_config_set_text(config, TEXT);
        if (mbus_bus_open(&bus, config) != 0)
                return NOT_OPENED;
        if (mbus_bus_get_fd(bus, &fd) != 0 || fd < 3)
                found = NO_DESCRIPTOR;
        if (found == GOOD && !is_clear(closed))
                found = NOT_CLEAR;
        mbus_bus_close(bus);
        mbus_config_free(config);
        return found;
}

static enum found make_keys(unsigned closed)
{
        char path[] = "/tmp/test-standard-XXXXXX";
        enum found found = NOT_MADE;
        struct mbus_config *config;

        if (!mkdtemp(path) || chdir(path) < 0 || mbus_config_new(&config) < 0)
                return NOT_MADE;
        mbus_config_set_file(config, "keys");
        if (mbus_config_generate(config, 0) == 0 && access("keys", R_OK) == 0)
                found = is_clear(closed) ? GOOD : NOT_CLEAR;
        unlink("keys");
        rmdir(path);
        mbus_config_free(config);
        return found;
}

/* In a child that has closed those of 0, 1 and 2 whose bits are set. */
static int in_child(enum found (*what)(const char *url, unsigned closed), const char *url,
                    unsigned closed)
{
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                for (int fd = 0; fd < 3; fd++)
                        if (closed & 1u << fd)
                                close(fd);
                _exit((int)what(url, closed));
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static enum found make_keys_for(const char *url, unsigned closed)
{
        (void)url;
        return make_keys(closed);
}

#define URL_SIZE (sizeof("unix:") + sizeof(((struct sockaddr_un *)NULL)->sun_path))

/* Somebody who listens, as a broker does, and says nothing. */
static void listen_at(char url[static URL_SIZE])
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test-standard-%d",
                 (int)getpid());
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_ge(listener, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 64), 0);
        snprintf(url, URL_SIZE, "unix:%s", address.sun_path);
}

START_TEST(test_no_descriptor_of_a_bus_is_a_standard_one)
{
        char broker[URL_SIZE];

        listen_at(broker);
        for (unsigned closed = 0; closed < 8; closed++) {
                ck_assert_int_eq(in_child(open_bus, "udp:", closed), GOOD);
                ck_assert_int_eq(in_child(open_bus, "mem:standard", closed), GOOD);
                ck_assert_int_eq(in_child(open_bus, broker, closed), GOOD);
        }
        close(listener);
        unlink(broker + strlen("unix:"));
}
END_TEST

START_TEST(test_keys_are_made_without_standard_descriptors)
{
        for (unsigned closed = 0; closed < 8; closed++)
                ck_assert_int_eq(in_child(make_keys_for, NULL, closed), GOOD);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_no_descriptor_of_a_bus_is_a_standard_one,
                test_keys_are_made_without_standard_descriptors,
        };

        return run_tests("standard", tests, N(tests));
}
