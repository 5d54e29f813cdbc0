/*
 * apart.c - runs a program with mounts of its own (private-mounts.h):
 *
 *      apart COMMAND ARGUMENT...
 *
 * For tests in shell, as `unshare --mount`, which fails in a chroot. Exits with 77 where it may not.
 */
#include <stdio.h>
#include <string.h>

#include "private-mounts.h"

int main(int argc, char **argv)
{
        int r;

        if (argc < 2) {
                fprintf(stderr, "usage: apart COMMAND ARGUMENT...\n");
                return 2;
        }
        r = private_mounts();
        if (r == -EPERM) {
                puts("not allowed: files of a test's own in /run and /etc take a mount namespace");
                return 77;
        }
        if (r < 0) {
                fprintf(stderr, "apart: mounts of its own: %s\n", strerror(-r));
                return 1;
        }
        execvp(argv[1], argv + 1);
        fprintf(stderr, "apart: %s: %s\n", argv[1], strerror(errno));
        return 1;
}
