/*
 * test-oom-calls.c - sockets, files, descriptors and memory that the system refuses.
 *
 * Opening says in one line what failed and why. A bus that is open goes on: what a call lost is
 * sent again, or counted, or the call's error comes from mbus_bus_process(). No descriptor is left.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail-call.h"
#include "fail-malloc.h"
#include "io/config-make.h"
#include "programs.h"
#include "run.h"

#define PATH "config.mbus"

#define KEYS                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(NOENCR,)\n"

static bool is_trouble(int r)
{
        return r < 0 || r == MBUS_E_NO_BUS || r == MBUS_E_CONFIG;
}

#define UDP(config)                                                                                \
        {                                                                                          \
                .url = "udp:", .text = config, .get_cause = fail_call_cause,                       \
                .is_trouble = is_trouble, .stop = fail_call_stop,                                  \
        }

static const struct setting udp = UDP(KEYS);
/* Asks for the route, which leads nowhere here, so that lo has to do. */
static const struct setting udp_link = UDP(KEYS "SCOPE=LINKLOCAL\n");
static const struct setting udp_ipv6 = UDP(KEYS "IPVERSION=6\n");
static const struct setting udp_broadcast = UDP(KEYS "ADDRESS=BROADCAST\n");

/* ---- scenarios ---- */

static void talk_over_udp(struct trial *t)
{
        struct mbus_commands *c;
        int fd;

        programs_begin(t, &udp);
        if (programs[1].bus)
                programs_ok(t, mbus_bus_get_fd(programs[1].bus, &fd));
        trial_must(t, mbus_commands_new(&c) == 0);
        trial_must(t, mbus_commands_add_text(c, "x(1)\r\ny(\"z\")", NULL, NULL) == 0);
        for (size_t i = 0; i < PROGRAMS; ++i) {
                if (!programs[i].me)
                        continue;
                programs_ok(t, mbus_entity_send(programs[i].me, "()", c));
                program_send_reliable(t, &programs[i], program_names[(i + 1) % PROGRAMS], c);
                programs_run(t, 100);
        }
        mbus_commands_free(c);
        programs_run(t, 2000);
        programs_end(t);
}

static void open_link_local(struct trial *t)
{
        programs_begin(t, &udp_link);
        programs_end(t);
}

static void open_ipv6(struct trial *t)
{
        programs_begin(t, &udp_ipv6);
        programs_end(t);
}

static void open_broadcast(struct trial *t)
{
        programs_begin(t, &udp_broadcast);
        programs_end(t);
}

static void read_file(struct trial *t)
{
        struct config config;
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        int r = config_file_read(PATH, &config, error);

        trial_must(t, r <= 0 || r == MBUS_E_UNKNOWN);
        if (trial_ok(t, r)) {
                trial_note(t, "%zu", config.hash_key.n);
                return;
        }
        trial_must(t, strstr(error, PATH) != NULL);
        trial_must(t, strstr(error, r == MBUS_E_UNKNOWN ? "no such file" : fail_call_cause()));
}

static bool is_written(void)
{
        struct stat s;

        return stat(PATH ".new", &s) == 0 && (s.st_mode & 0777) == 0600 && s.st_size > 100;
}

static void write_file(struct trial *t, bool force)
{
        struct config config = CONFIG_INIT;
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        int r = config_generate(&config);

        if (!trial_ok(t, r))
                return;
        r = config_file_write(PATH ".new", &config, force, error);
        if (!trial_ok(t, r))
                trial_must(t, strstr(error, PATH ".new: ") && strstr(error, fail_call_cause()));
        fail_call_stop();
        /* Whole or not at all, and nothing beside it. */
        trial_must(t, is_written() || (r != 0 && access(PATH ".new", F_OK) != 0));
        unlink(PATH ".new");
        trial_must(t, system("test -z \"$(ls " PATH ".new* 2>/dev/null)\"") == 0);
}

static void make_file(struct trial *t)
{
        write_file(t, false);
}

static void replace_file(struct trial *t)
{
        write_file(t, true);
}

static void make_config(void)
{
        struct config config = CONFIG_INIT;
        char error[CONFIG_FILE_ERROR_SIZE];

        ck_assert_int_eq(config_generate(&config), 0);
        ck_assert_int_eq(config_file_write(PATH, &config, true, error), 0);
}

/* ---- the same with memory ---- */

static const char *memory_text(void)
{
        return strerror(ENOMEM);
}

static bool is_memory(int r)
{
        return r == -ENOMEM;
}

static const struct setting udp_short = {
        .url = "udp:",
        .text = KEYS,
        .get_cause = memory_text,
        .is_trouble = is_memory,
        .stop = fail_malloc_stop,
};

static void open_short_of_memory(struct trial *t)
{
        programs_begin(t, &udp_short);
        programs_end(t);
}

static void read_short_of_memory(struct trial *t)
{
        struct config config;
        char error[CONFIG_FILE_ERROR_SIZE] = "", *path;
        int r = config_file_path(PATH, &path);

        trial_must(t, r == 0 || r == -ENOMEM);
        if (!trial_ok(t, r))
                return;
        r = config_file_read(path, &config, error);
        trial_must(t, r == 0 || (r == -ENOMEM && strstr(error, memory_text())));
        if (trial_ok(t, r))
                trial_note(t, "%zu", config.hash_key.n);
        free(path);
}

static void write_short_of_memory(struct trial *t)
{
        struct config config = CONFIG_INIT;
        char error[CONFIG_FILE_ERROR_SIZE] = "";
        int r;

        trial_must(t, config_generate(&config) == 0);
        r = config_file_write(PATH ".new", &config, false, error);
        trial_must(t, r == 0 || (r == -ENOMEM && strstr(error, memory_text())));
        trial_ok(t, r);
        trial_must(t, is_written() == (r == 0));
        unlink(PATH ".new");
}

START_TEST(test_files_and_networks_bear_a_lack_of_memory)
{
        make_config();
        fail_each_malloc("reading a configuration file", read_short_of_memory);
        fail_each_malloc("making one", write_short_of_memory);
        unlink(PATH);
        fail_each_malloc("over the network", open_short_of_memory);
}
END_TEST

START_TEST(test_configuration_files_say_what_the_system_refused)
{
        make_config();
        fail_each_call("reading a configuration file", read_file);
        fail_each_call("making one", make_file);
        fail_each_call("replacing one", replace_file);
        unlink(PATH);
}
END_TEST

START_TEST(test_buses_go_on_when_a_call_failed)
{
        fail_each_call("talking over the network", talk_over_udp);
        fail_each_call("on the link", open_link_local);
        fail_each_call("by broadcast", open_broadcast);
        ck_assert_int_eq(system("ip -6 route add local ff00::/8 dev lo table local"), 0);
        fail_each_call("over IPv6", open_ipv6);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_files_and_networks_bear_a_lack_of_memory,
                test_configuration_files_say_what_the_system_refused,
                test_buses_go_on_when_a_call_failed,
        };

        char directory[] = "/tmp/mbus-oom-XXXXXX";
        int r;

        if (!mkdtemp(directory) || chdir(directory) < 0)
                return EXIT_FAILURE;
        r = run_tests("oom-calls", tests, N(tests));
        rmdir(directory);
        return r;
}
