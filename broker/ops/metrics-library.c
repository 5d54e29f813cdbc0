/*
 * metrics-library.c - see metrics-library.h. The number behind ".so" stands for the calls and types
 * of <microhttpd.h> since 0.9.60, which the build asks for.
 */
#include "metrics-library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libmicrohttpd.so.12"

static const struct {
        const char *name;
        size_t offset; /* in struct mhd */
} functions[] = {
        { "MHD_start_daemon", offsetof(struct mhd, start_daemon) },
        { "MHD_stop_daemon", offsetof(struct mhd, stop_daemon) },
        { "MHD_add_connection", offsetof(struct mhd, add_connection) },
        { "MHD_run", offsetof(struct mhd, run) },
        { "MHD_get_timeout", offsetof(struct mhd, get_timeout) },
        { "MHD_get_daemon_info", offsetof(struct mhd, get_daemon_info) },
        { "MHD_create_response_from_buffer", offsetof(struct mhd, create_response_from_buffer) },
        { "MHD_add_response_header", offsetof(struct mhd, add_response_header) },
        { "MHD_queue_response", offsetof(struct mhd, queue_response) },
        { "MHD_destroy_response", offsetof(struct mhd, destroy_response) },
};

int mhd_load(struct mhd *ret_mhd, const char **ret_error)
{
        void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        struct mhd mhd;

        for (size_t i = 0; handle && i < sizeof(functions) / sizeof(*functions); i++) {
                void *function = dlsym(handle, functions[i].name);

                if (!function)
                        handle = NULL;
                /* A pointer to a function is no void * in C, but it is in POSIX. */
                memcpy((char *)&mhd + functions[i].offset, &function, sizeof(function));
        }
        if (!handle) {
                *ret_error = dlerror();
                return -ENOENT;
        }
        *ret_mhd = mhd;
        return 0;
}
