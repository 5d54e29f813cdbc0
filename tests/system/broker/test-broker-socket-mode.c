/*
 * test-broker-socket-mode.c - who can reach the broker's socket: its mode, its group and its directory.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "scene.h"
#include "stranger.h"

static unsigned mode_of(const char *path, gid_t *ret_gid)
{
        struct stat status;

        ck_assert_int_eq(stat(path, &status), 0);
        *ret_gid = status.st_gid;
        return status.st_mode & 07777;
}

START_TEST(test_without_a_mode_nobody_else_can_connect)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct scene s;
        char run[128];
        int fd;

        scene_init(&s, NULL);
        snprintf(run, sizeof(run), "%s/run", s.broker.directory);
        ck_assert_int_eq(chmod(s.broker.directory, 0755), 0);
        ck_assert_int_eq(chmod(run, 0755), 0);
        strcpy(address.sun_path, s.broker.socket);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(seteuid(STRANGER), 0);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
        ck_assert_int_eq(errno, EACCES);
        ck_assert_int_eq(seteuid(0), 0);
        close(fd);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_socket_mode_and_group_are_set_and_the_directory_can_be_entered)
{
        struct scene s;
        char run[128];
        gid_t gid;

        scene_init(&s, "[broker]\nSOCKET_MODE=0660\nSOCKET_GROUP=77\n");
        ck_assert_uint_eq(mode_of(s.broker.socket, &gid), 0660);
        ck_assert_uint_eq(gid, 77);
        snprintf(run, sizeof(run), "%s/run", s.broker.directory);
        ck_assert_uint_eq(mode_of(run, &gid), 0711);
        scene_deinit(&s);
}
END_TEST

START_TEST(test_a_directory_that_others_cannot_enter_is_warned_of)
{
        struct scene s;
        char run[128];
        gid_t gid;

        scene_prepare(&s);
        snprintf(run, sizeof(run), "%s/run", s.broker.directory);
        ck_assert_int_eq(mkdir(run, 0700), 0);
        daemon_configure(&s.broker, "[broker]\nSOCKET_MODE=0666\n");
        daemon_start(&s.broker);
        expect_in_log(&s.broker, "mend it with: chmod go+x ");
        ck_assert_uint_eq(mode_of(run, &gid), 0700);
        scene_deinit(&s);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_without_a_mode_nobody_else_can_connect,
                test_socket_mode_and_group_are_set_and_the_directory_can_be_entered,
                test_a_directory_that_others_cannot_enter_is_warned_of,
        };

        return run_tests("broker-socket-mode", tests, N(tests));
}
