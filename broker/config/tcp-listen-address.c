/*
 * tcp-listen-address.c - see tcp-listen-address.h.
 */
#include "tcp-listen-address.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <uv.h>

#include <core/error.h>

static const char wants[] = "write no, 127.0.0.1:PORT, or the NAME:PORT, ADDRESS:PORT, "
                            "[ADDRESS%INTERFACE]:PORT or *:PORT to listen on";

/* "*:PORT" is "[::]:PORT". */
static bool parse_tcp_address(struct span text, struct tcp_name *ret_name)
{
        char room[32] = "[::]";

        if (text.n < 2 || text.at[0] != '*' || text.at[1] != ':')
                return tcp_name_parse(text, ret_name);
        if (text.n - 1 >= sizeof(room) - 4)
                return false;
        memcpy(room + 4, text.at + 1, text.n - 1);
        return tcp_name_parse((struct span){ room, text.n + 3 }, ret_name);
}

static bool fail_value(const struct ini_line *line, struct span key, struct span value)
{
        return ini_fail(line, key, "\"%.*s\" is no value for it, %s",
                        (int)(value.n < 40 ? value.n : 40), value.at, wants);
}

bool tcp_listen_addresses_read(struct tcp_listen_addresses *addresses, const struct ini_line *line,
                               struct span key, struct span value)
{
        bool no = span_equal_nocase(value, "no");
        struct tcp_name name;

        if (!no && (value.n >= TCP_LISTEN_ADDRESS_SIZE || !parse_tcp_address(value, &name)))
                return fail_value(line, key, value);
        if (no ? addresses->n > 0 : addresses->no_line > 0)
                return ini_fail(line, key, "line %u says otherwise, remove one of them",
                                no ? addresses->of[0].line : addresses->no_line);
        if (no) {
                addresses->no_line = line->number;
                return true;
        }
        for (unsigned i = 0; i < addresses->n; i++)
                if (span_equal_text(value, addresses->of[i].text))
                        return ini_fail(line, key, "line %u says the same, remove one of them",
                                        addresses->of[i].line);
        if (addresses->n == TCP_PLACES_MAX)
                return ini_fail(line, key, "there are more than TCP_PLACES_MAX=%d, remove some",
                                TCP_PLACES_MAX);
        assert(addresses->n < TCP_PLACES_MAX && value.n < TCP_LISTEN_ADDRESS_SIZE);
        memcpy(addresses->of[addresses->n].text, value.at, value.n);
        addresses->of[addresses->n].text[value.n] = '\0';
        addresses->of[addresses->n++].line = line->number;
        return true;
}

bool tcp_listen_addresses_equal(const struct tcp_listen_addresses *a,
                                const struct tcp_listen_addresses *b)
{
        bool equal = a->n == b->n;

        for (unsigned i = 0; i < a->n && equal; i++)
                equal = strcmp(a->of[i].text, b->of[i].text) == 0;
        return equal;
}

/* Asks the system's resolver, at once: nobody waits for the broker yet. */
static int ask_resolver(const struct tcp_name *name, struct tcp_addresses *ret_addresses,
                        const char **ret_why)
{
        uv_getaddrinfo_t request = { .data = NULL };
        struct addrinfo hints;
        uv_loop_t loop;
        int r = uv_loop_init(&loop);

        if (r < 0)
                return r;
        tcp_name_hints(name, &hints);
        r = uv_getaddrinfo(&loop, &request, NULL, name->host, NULL, &hints);
        if (r == 0) {
                tcp_name_take(name, request.addrinfo, ret_addresses);
                uv_freeaddrinfo(request.addrinfo);
        }
        uv_loop_close(&loop);
        if (r == UV_ENOMEM || r == UV_EAI_MEMORY)
                return -ENOMEM;
        *ret_why = r < 0 ? uv_strerror(r) : "it has no address";
        return r < 0 || ret_addresses->n == 0 ? MBUS_E_UNKNOWN : 0;
}

int tcp_listen_address_find(const char *text, struct tcp_addresses *ret_addresses,
                            const char **ret_why)
{
        struct tcp_addresses found = { .n = 0 };
        struct tcp_name name;
        int r;

        if (!parse_tcp_address(span_of(text), &name)) {
                *ret_why = "it is no place";
                return MBUS_E_UNKNOWN;
        }
        r = strcmp(name.host, "localhost") == 0 ? tcp_name_resolve(&name, &found, ret_why)
                                                : ask_resolver(&name, &found, ret_why);
        if (r == 0)
                *ret_addresses = found;
        return r;
}
