/*
 * test-broker-account.c - groups and users by name, as the system has them. /etc/group is the test's own,
 * in a mount namespace of its own.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private-mounts.h"
#include "scene.h"
#include "stranger.h"

#define MEMBERS 5000
#define GID 4242

/* Groups "big", of many members, and "small" are there. False if that cannot be arranged. */
static bool prepare_groups(const struct daemon *d)
{
        char path[128];
        FILE *file;

        if (private_mounts() < 0) {
                puts("not allowed: an /etc/group of its own takes a mount namespace");
                return false;
        }
        snprintf(path, sizeof(path), "%s/group", d->directory);
        file = fopen(path, "we");
        ck_assert_ptr_nonnull(file);
        fprintf(file, "root:x:0:\nsmall:x:%d:\nbig:x:%d:member0", GID + 1, GID);
        for (unsigned i = 1; i < MEMBERS; i++)
                fprintf(file, ",member%u", i);
        fprintf(file, "\n");
        fclose(file);
        ck_assert_int_eq(mount(path, "/etc/group", NULL, MS_BIND, NULL), 0);
        return true;
}

START_TEST(test_a_group_of_many_members_is_found)
{
        struct stat status;
        struct scene s;

        if (!can_be_a_stranger())
                return;
        scene_prepare(&s);
        if (!prepare_groups(&s.broker))
                return;
        daemon_configure(&s.broker, "[broker]\nSOCKET_MODE=0660\nSOCKET_GROUP=big\n"
                                    "[policy]\nallow group=small,big watch=yes\n");
        daemon_start(&s.broker);
        ck_assert_int_eq(stat(s.broker.socket, &status), 0);
        ck_assert_uint_eq(status.st_gid, GID);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_group_that_is_not_there_is_named_with_its_line)
{
        struct scene s;

        scene_prepare(&s);
        if (!prepare_groups(&s.broker))
                return;
        daemon_configure(&s.broker, "[broker]\nSOCKET_GROUP=bigger\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker,
                      "/.mbus:6: SOCKET_GROUP: there is no group \"bigger\", make one, write a "
                      "number, or remove it");
        daemon_configure(&s.broker, "[policy]\nallow group=bigger all\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "/.mbus:6: group: there is no group \"bigger\"");
        daemon_configure(&s.broker, "[policy]\nallow user=nobody-of-this-name all\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "/.mbus:6: user: there is no user \"nobody-of-this-name\"");
        daemon_configure(&s.broker, "[broker]\nSOCKET_GROUP=\n");
        ck_assert_int_eq(daemon_start_in_vain(&s.broker, NULL, NULL), 8);
        expect_in_log(&s.broker, "/.mbus:6: SOCKET_GROUP: a name is missing or too long");
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_a_group_of_many_members_is_found,
                test_a_group_that_is_not_there_is_named_with_its_line,
        };

        return run_tests("broker-account", tests, N(tests));
}
