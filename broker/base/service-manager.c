/*
 * service-manager.c - what a service manager hands over, wants to hear and is told.
 */
#include "service-manager.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <core/bytes.h>

/* The first descriptor that is handed over, by sd_listen_fds(3). */
#define LISTEN_FDS_START 3

/* The number in the variable @name; 0 if it has none. */
static uint64_t number_in(const char *name)
{
        const char *text = getenv(name);
        uint64_t number;

        return text && span_to_uint(span_of(text), UINT64_MAX / 2, &number) ? number : 0;
}

/* ---- the socket ---------------------------------------------------------------------------- */

static bool is_listening_unix_socket(int fd)
{
        int family, listening, type;
        socklen_t n = sizeof(int);

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0 && family == AF_UNIX &&
               getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM &&
               getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) == 0 && listening;
}

/* The name is only for people: a socket without a path has one, too. */
static char *name_of(int fd)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        socklen_t n = sizeof(address);

        if (getsockname(fd, (struct sockaddr *)&address, &n) < 0 ||
            n <= offsetof(struct sockaddr_un, sun_path) || address.sun_path[0] != '/')
                return strdup("the socket that was handed over");
        return strndup(address.sun_path, n - offsetof(struct sockaddr_un, sun_path));
}

int service_manager_take_listener(int *ret_fd, char **ret_path)
{
        uint64_t n = number_in("LISTEN_FDS");
        int fd = LISTEN_FDS_START;
        bool ours = number_in("LISTEN_PID") == (uint64_t)getpid();
        char *path;

        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
        if (!ours || n == 0)
                return -ENOENT;
        if (n > 1 || !is_listening_unix_socket(fd))
                return -EINVAL;
        path = name_of(fd);
        if (!path)
                return -ENOMEM;
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        *ret_fd = fd;
        *ret_path = path;
        return 0;
}

/* ---- the manager --------------------------------------------------------------------------- */

/* The manager's socket; a name that begins with "@" is an abstract one. */
static bool manager_address(struct sockaddr_un *ret_address, socklen_t *ret_n)
{
        const char *name = getenv("NOTIFY_SOCKET");
        size_t n = name ? strlen(name) : 0;

        *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (n < 2 || (name[0] != '/' && name[0] != '@') || n >= sizeof(ret_address->sun_path))
                return false;
        memcpy(ret_address->sun_path, name, n);
        if (name[0] == '@')
                ret_address->sun_path[0] = '\0';
        *ret_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
        return true;
}

void service_manager_say(const char *state)
{
        struct sockaddr_un address;
        socklen_t n;
        int fd;

        if (!manager_address(&address, &n))
                return;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        /* A manager that does not listen is none of our troubles. */
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                     (struct sockaddr *)&address, n);
        close(fd);
}

uint64_t service_manager_watchdog_ms(void)
{
        const char *pid = getenv("WATCHDOG_PID");
        uint64_t usec = number_in("WATCHDOG_USEC");

        if (pid && number_in("WATCHDOG_PID") != (uint64_t)getpid())
                return 0;
        return usec / 1000;
}

bool service_manager_listens(void)
{
        struct sockaddr_un address;
        socklen_t n;

        return manager_address(&address, &n);
}
