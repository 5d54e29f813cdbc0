/*
 * listen-address.c - an address of this host to listen at: 127.0.0.1:PORT, [::1]:PORT or unix:PATH.
 */
#include "listen-address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

union local_address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
};

static const char prefix_unix[] = "unix:";
static const char prefix_v4[] = "127.0.0.1:";
static const char prefix_v6[] = "[::1]:";

static bool parse_port(struct span text, in_port_t *ret_port)
{
        uint64_t port;

        if (!span_to_uint(text, UINT16_MAX, &port) || port == 0)
                return false;
        *ret_port = htons((uint16_t)port);
        return true;
}

/* Fills @ret_address and returns its size; 0 if @text is none. */
static socklen_t parse_address(struct span text, union local_address *ret_address)
{
        struct span path = text;

        if (span_begins(text, prefix_v4)) {
                ret_address->v4 = (struct sockaddr_in){ .sin_family = AF_INET };
                ret_address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                return parse_port(span_from(text, sizeof(prefix_v4) - 1), &ret_address->v4.sin_port)
                               ? sizeof(ret_address->v4)
                               : 0;
        }
        if (span_begins(text, prefix_v6)) {
                ret_address->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT };
                return parse_port(span_from(text, sizeof(prefix_v6) - 1),
                                  &ret_address->v6.sin6_port)
                               ? sizeof(ret_address->v6)
                               : 0;
        }
        if (!span_begins(text, prefix_unix))
                return 0;
        path = span_from(text, sizeof(prefix_unix) - 1);
        ret_address->local = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (path.n == 0 || path.at[0] != '/' || path.n >= sizeof(ret_address->local.sun_path))
                return 0;
        memcpy(ret_address->local.sun_path, path.at, path.n);
        return sizeof(ret_address->local);
}

bool listen_address_parse(struct span text, char ret_text[static LISTEN_ADDRESS_SIZE])
{
        union local_address address;

        if (text.n >= LISTEN_ADDRESS_SIZE || (text.n > 0 && parse_address(text, &address) == 0))
                return false;
        if (text.n > 0)
                memcpy(ret_text, text.at, text.n);
        ret_text[text.n] = '\0';
        return true;
}

/* Removes a socket that nobody listens on; anything else there makes bind() fail. */
static void remove_stale_socket(const struct sockaddr_un *address)
{
        struct own_file stale = OWN_FILE_INIT;
        struct stat status;
        int fd;

        if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode) ||
            own_file_note(&stale, address->sun_path) < 0)
                return;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
            errno == ECONNREFUSED)
                own_file_remove(&stale);
        if (fd >= 0)
                close(fd);
        own_file_forget(&stale);
}

/* 0 or -errno. */
static int listen_on(int fd, const union local_address *address, socklen_t n, struct own_file *file)
{
        mode_t mask = umask(0177);
        int r = bind(fd, &address->any, n) < 0 ? -errno : 0;

        umask(mask);
        if (r == 0 && address->any.sa_family == AF_UNIX)
                r = own_file_note(file, address->local.sun_path);
        if (r == 0 && listen(fd, BACKLOG) < 0) {
                r = -errno;
                own_file_remove(file);
        }
        return r;
}

int listen_address_open(const char *text, struct own_file *file)
{
        union local_address address;
        socklen_t n = parse_address(span_of(text), &address);
        int fd, r, one = 1;

        if (n == 0)
                return -EINVAL;
        fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (address.any.sa_family == AF_UNIX)
                remove_stale_socket(&address.local);
        else
                setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        r = listen_on(fd, &address, n, file);
        if (r == 0)
                return fd;
        close(fd);
        return r;
}

bool listen_address_is_there(const char *text, const struct own_file *file)
{
        return !span_begins(span_of(text), prefix_unix) ||
               own_file_is_at(file, text + sizeof(prefix_unix) - 1);
}
