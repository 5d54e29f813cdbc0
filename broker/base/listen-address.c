/*
 * listen-address.c - a place on this host to listen at: 127.0.0.1:PORT, [::1]:PORT or unix:PATH.
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

union place {
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

/* Fills @ret_place and returns its size; 0 if @text is no place. */
static socklen_t parse(struct span text, union place *ret_place)
{
        struct span path = text;

        if (span_begins(text, prefix_v4)) {
                ret_place->v4 = (struct sockaddr_in){ .sin_family = AF_INET };
                ret_place->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                return parse_port(span_from(text, sizeof(prefix_v4) - 1), &ret_place->v4.sin_port)
                               ? sizeof(ret_place->v4)
                               : 0;
        }
        if (span_begins(text, prefix_v6)) {
                ret_place->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                                       .sin6_addr = IN6ADDR_LOOPBACK_INIT };
                return parse_port(span_from(text, sizeof(prefix_v6) - 1), &ret_place->v6.sin6_port)
                               ? sizeof(ret_place->v6)
                               : 0;
        }
        if (!span_begins(text, prefix_unix))
                return 0;
        path = span_from(text, sizeof(prefix_unix) - 1);
        ret_place->local = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (path.n == 0 || path.at[0] != '/' || path.n >= sizeof(ret_place->local.sun_path))
                return 0;
        memcpy(ret_place->local.sun_path, path.at, path.n);
        return sizeof(ret_place->local);
}

bool place_parse(struct span text, char ret_text[static PLACE_SIZE])
{
        union place place;

        if (text.n >= PLACE_SIZE || (text.n > 0 && parse(text, &place) == 0))
                return false;
        if (text.n > 0)
                memcpy(ret_text, text.at, text.n);
        ret_text[text.n] = '\0';
        return true;
}

/* Removes a socket that nobody listens on; anything else there makes bind() fail. */
static void remove_stale(const struct sockaddr_un *address)
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
static int listen_on(int fd, const union place *place, socklen_t n, struct own_file *file)
{
        mode_t mask = umask(0177);
        int r = bind(fd, &place->any, n) < 0 ? -errno : 0;

        umask(mask);
        if (r == 0 && place->any.sa_family == AF_UNIX)
                r = own_file_note(file, place->local.sun_path);
        if (r == 0 && listen(fd, BACKLOG) < 0) {
                r = -errno;
                own_file_remove(file);
        }
        return r;
}

int place_listen(const char *text, struct own_file *file)
{
        union place place;
        socklen_t n = parse(span_of(text), &place);
        int fd, r, one = 1;

        if (n == 0)
                return -EINVAL;
        fd = socket(place.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (place.any.sa_family == AF_UNIX)
                remove_stale(&place.local);
        else
                setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        r = listen_on(fd, &place, n, file);
        if (r == 0)
                return fd;
        close(fd);
        return r;
}

bool place_is_there(const char *text, const struct own_file *file)
{
        return !span_begins(span_of(text), prefix_unix) ||
               own_file_is_at(file, text + sizeof(prefix_unix) - 1);
}
