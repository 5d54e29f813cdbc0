/*
 * test-resolve.c - a broker over TCP that moves, and its name with it. /etc/hosts is the test's own, in
 * a mount namespace of its own.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <mbus/mbus.h>

#include "buses.h"
#include "daemon.h"
#include "namespace.h"
#include "run.h"

#define NAME "moves.example"
#define KEYS                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\n"                                                               \
        "HASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"                                    \
        "ENCRYPTIONKEY=(NOENCR,)\n"

static void lead_to(const struct daemon *d, const char *address)
{
        char path[128];
        FILE *file;

        snprintf(path, sizeof(path), "%s/hosts", d->directory);
        /* The same file, which is mounted. */
        file = fopen(path, "we");
        ck_assert_ptr_nonnull(file);
        if (address)
                fprintf(file, "%s " NAME "\n", address);
        ck_assert_int_eq(fclose(file), 0);
}

/* False if this cannot be done here. */
static bool own_names(const struct daemon *d)
{
        char path[128];

        snprintf(path, sizeof(path), "%s/hosts", d->directory);
        lead_to(d, "127.0.0.1");
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount(path, "/etc/hosts", NULL, MS_BIND, NULL) < 0) {
                puts("skipped: names of its own take a mount namespace");
                return false;
        }
        return true;
}

static void start_at(struct daemon *d, const char *address)
{
        char lines[128];

        snprintf(lines, sizeof(lines), "[broker]\nTCP=%s:47111\n", address);
        daemon_configure(d, lines);
        daemon_start(d);
}

/* Whether @type comes within @seconds. */
static bool comes(struct mbus_bus *bus, enum mbus_event_type type, unsigned seconds)
{
        for (unsigned ms = 0; ms < seconds * 1000; ms += 100) {
                const struct mbus_event *event;

                (void)mbus_bus_wait(bus, 100000000);
                while ((event = mbus_bus_pop_event(bus)))
                        if (event->type == type)
                                return true;
        }
        return false;
}

START_TEST(test_a_name_is_asked_again_when_that_is_asked_for)
{
        struct mbus_bus *bus;
        struct daemon d;
        int host = host_new();

        daemon_prepare(&d);
        if (!own_names(&d))
                return;
        start_at(&d, "127.0.0.1");
        bus = bus_open("tcp:" NAME ":47111", KEYS);
        ck_assert_int_eq(daemon_stop(&d), 0);
        ck_assert(comes(bus, MBUS_EVENT_LINK_DOWN, 10));
        lead_to(&d, "127.0.0.2");
        start_at(&d, "127.0.0.2");
        /* The address that was found is tried, and no other. */
        ck_assert(!comes(bus, MBUS_EVENT_LINK_UP, 4));
        ck_assert_int_eq(mbus_bus_resolve(bus), 0);
        ck_assert(comes(bus, MBUS_EVENT_LINK_UP, 10));
        ck_assert_str_eq(mbus_bus_get_url(bus), "tcp:" NAME ":47111");
        mbus_bus_close(bus);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_a_name_that_is_not_known_any_more_changes_nothing)
{
        struct mbus_bus *bus;
        struct daemon d;
        int host = host_new();

        daemon_prepare(&d);
        if (!own_names(&d))
                return;
        start_at(&d, "127.0.0.1");
        bus = bus_open("tcp:" NAME ":47111", KEYS);
        lead_to(&d, NULL);
        ck_assert_int_eq(mbus_bus_resolve(bus), MBUS_E_NO_BUS);
        ck_assert_ptr_nonnull(mbus_bus_get_warning(bus, 0));
        ck_assert_ptr_nonnull(strstr(mbus_bus_get_warning(bus, 0), NAME " cannot be looked up: "));
        ck_assert_int_eq(daemon_stop(&d), 0);
        ck_assert(comes(bus, MBUS_EVENT_LINK_DOWN, 10));
        start_at(&d, "127.0.0.1");
        ck_assert(comes(bus, MBUS_EVENT_LINK_UP, 10));
        mbus_bus_close(bus);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_where_there_is_no_name_there_is_nothing_to_ask)
{
        struct mbus_bus *bus = bus_open("mem:resolve", NULL);

        ck_assert_int_eq(mbus_bus_resolve(bus), 0);
        mbus_bus_close(bus);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_name_is_asked_again_when_that_is_asked_for,
                test_a_name_that_is_not_known_any_more_changes_nothing,
                test_where_there_is_no_name_there_is_nothing_to_ask,
        };

        return run_tests("resolve", tests, N(tests));
}
