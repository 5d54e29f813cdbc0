/*
 * test-broker-nobody.c - a broker in a user namespace, where strangers have one number for all of them.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"
#include "stranger.h"

#define C "(app:c module:ui id:1-3@127.0.0.1)"
#define SOMEBODY 4711

/* The broker goes into a user namespace of its own, in which the @n ids from 0 are mapped as they are. */
static void start_in_namespace(struct daemon *d, unsigned n, const char *lines)
{
        char path[128];
        FILE *script;

        daemon_prepare(d);
        daemon_configure(d, lines);
        snprintf(path, sizeof(path), "%s/broker", d->directory);
        script = fopen(path, "we");
        ck_assert_ptr_nonnull(script);
        fprintf(script,
                "#!/bin/sh\n"
                "if [ %u = 0 ]; then exec unshare --user -- '%s' \"$@\"; fi\n"
                "(\n"
                "       until [ \"$(readlink /proc/$$/ns/user)\" != \"$(readlink "
                "/proc/1/ns/user)\" ]\n"
                "       do sleep 0.01; done\n"
                "       echo 0 0 %u >/proc/$$/uid_map\n"
                "       echo 0 0 %u >/proc/$$/gid_map\n"
                ") &\n"
                "exec unshare --user -- sh -c '\n"
                "       until [ \"$(wc -l </proc/self/gid_map)\" != 0 ]; do sleep 0.01; done\n"
                "       exec \"$0\" \"$@\"' '%s' \"$@\"\n",
                n, getenv("BROKER"), n, n, getenv("BROKER"));
        fclose(script);
        ck_assert_int_eq(chmod(path, 0755), 0);
        setenv("BROKER", path, 1);
        ck_assert_int_eq(chmod(d->directory, 0755), 0);
        daemon_start(d);
}

static void open_as(struct raw_client *c, const char *path, uid_t uid, gid_t gid)
{
        ck_assert_int_eq(setgroups(0, NULL), 0);
        ck_assert_int_eq(setegid(gid), 0);
        ck_assert_int_eq(seteuid(uid), 0);
        raw_open(c, path);
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(setegid(0), 0);
}

static void expect_refused(struct raw_client *c, const char *address)
{
        raw_send(c, 'R', address, BROKER, "broker.attach(1)");
        ck_assert(raw_receive(c));
        ck_assert_msg(strstr(c->text, " denied ") != NULL, "%s: %s", address, c->text);
}

static void expect_no_owner(struct raw_client *c)
{
        raw_send(c, 'R', "()", BROKER, "broker.status()");
        ck_assert(raw_receive(c));
        ck_assert_msg(strstr(c->text, "only the owner") != NULL, "%s", c->text);
}

START_TEST(test_who_has_no_number_is_not_taken_for_the_owner)
{
        struct raw_client stranger;
        struct daemon d;
        int host;

        if (!can_be_a_stranger() || !can_have_user_namespace())
                return;
        host = host_new();
        start_in_namespace(&d, 0,
                           "[broker]\nSOCKET_MODE=0666\n"
                           "[policy]\nallow user=65534 all\nallow group=65534 all\n");
        expect_in_log(&d,
                      "uid 65534 is everybody who has no number here, so the broker's own user");
        expect_in_log(&d, "/.mbus:8: user: in this user namespace 65534 is everybody");
        expect_in_log(&d, "/.mbus:9: group: in this user namespace 65534 is everybody");
        open_as(&stranger, d.socket, SOMEBODY, SOMEBODY);
        expect_refused(&stranger, C);
        expect_no_owner(&stranger);
        raw_close(&stranger);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_in_a_namespace_of_one_number_the_owner_has_it_and_others_are_nobody)
{
        struct raw_client owner, stranger;
        struct daemon d;
        int host;

        if (!can_be_a_stranger() || !can_have_user_namespace())
                return;
        host = host_new();
        start_in_namespace(&d, 1,
                           "[broker]\nSOCKET_MODE=0666\n"
                           "[policy]\nallow user=65534 all\nallow user=* attach=(app:c *)\n");
        raw_open(&owner, d.socket);
        free(raw_attach(&owner, A));
        open_as(&stranger, d.socket, SOMEBODY, SOMEBODY);
        expect_refused(&stranger, B);
        expect_no_owner(&stranger);
        free(raw_attach(&stranger, C));
        raw_close(&stranger);
        raw_close(&owner);
        daemon_free(&d);
        close(host);
}
END_TEST

/* The number is mapped there, and yet it may be anybody's. */
START_TEST(test_a_mapped_overflow_id_is_nobody_too)
{
        struct raw_client stranger, mapped;
        struct daemon d;
        int host;

        if (!can_be_a_stranger() || !can_have_user_namespace())
                return;
        host = host_new();
        start_in_namespace(&d, 65535,
                           "[broker]\nSOCKET_MODE=0666\n"
                           "[policy]\nallow user=65534 all\nallow user=4711 attach=(app:c *)\n");
        open_as(&stranger, d.socket, 70000, 70000);
        expect_refused(&stranger, C);
        open_as(&mapped, d.socket, SOMEBODY, SOMEBODY);
        free(raw_attach(&mapped, C));
        raw_close(&mapped);
        raw_close(&stranger);
        daemon_free(&d);
        close(host);
}
END_TEST

START_TEST(test_where_all_numbers_are_mapped_it_is_a_user_like_any)
{
        struct raw_client c;
        struct daemon d;
        int host;

        if (!can_be_a_stranger() || !can_have_user_namespace())
                return;
        host = host_new();
        daemon_prepare(&d);
        daemon_configure(&d, "[broker]\nSOCKET_MODE=0666\n[policy]\nallow user=65534 all\n");
        ck_assert_int_eq(chmod(d.directory, 0755), 0);
        daemon_start(&d);
        open_as(&c, d.socket, 65534, 65534);
        free(raw_attach(&c, C));
        raw_close(&c);
        daemon_free(&d);
        close(host);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_who_has_no_number_is_not_taken_for_the_owner,
                test_in_a_namespace_of_one_number_the_owner_has_it_and_others_are_nobody,
                test_a_mapped_overflow_id_is_nobody_too,
                test_where_all_numbers_are_mapped_it_is_a_user_like_any,
        };

        return run_tests("broker-nobody", tests, N(tests));
}
