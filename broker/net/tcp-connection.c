/*
 * tcp-connection.c - one connection over TCP: it becomes a client when it has proved that it has
 * the keys of the bus.
 */
#include "tcp-connection.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <io/clock.h>
#include <io/entropy.h>

/* ---- its end ------------------------------------------------------------------------------- */

static void on_tcp_closed(uv_handle_t *handle)
{
        struct tcp_connection *c = handle->data;

        assert(c->ended && c->n_handles > 0);
        if (--c->n_handles > 0)
                return;
        stream_deinit(&c->stream);
        buffer_deinit(&c->from_net.bytes);
        buffer_deinit(&c->to_pair.bytes);
        buffer_deinit(&c->from_pair.bytes);
        buffer_deinit(&c->to_net.bytes);
        free(c);
}

void tcp_connection_end(struct tcp_connection *c, const char *why)
{
        if (c->ended)
                return;
        c->ended = true;
        log_debug("TCP link from %s ends: %s", c->peer, why);
        list_remove(&c->listener->accepted, &c->node);
        uv_poll_stop(&c->net_poll);
        uv_close((uv_handle_t *)&c->net_poll, on_tcp_closed);
        close(c->net);
        if (!tcp_connection_is_authenticated(c)) {
                assert(c->listener->n_unauthenticated > 0);
                c->listener->n_unauthenticated--;
                return;
        }
        uv_poll_stop(&c->pair_poll);
        uv_close((uv_handle_t *)&c->pair_poll, on_tcp_closed);
        close(c->pair);
}

/* ---- to and fro ---------------------------------------------------------------------------- */

static void update_tcp_polls(struct tcp_connection *c);

static void on_pair_ready(uv_poll_t *poll, int status, int events);

void tcp_listener_log_no_descriptors(struct tcp_listener *t, int error)
{
        if (log_trouble_is_due(&t->no_descriptors, t->connections->it->now))
                log_warning(
                        "TCP=%s: no more clients for now: %s; a client over TCP takes three "
                        "descriptors; raise their limit (ulimit -n, LimitNOFILE=) or lower LINKS "
                        "in [limits]",
                        t->addresses->of[0].text, strerror(error));
}

/* The other end of the pair becomes a client's connection. Refused, it has got a message that says
 * so; that, and then the end, comes through. */
static void hand_over(struct tcp_connection *c, int fd)
{
        char *peer = strdup(c->peer);

        if (!peer || connections_add(c->listener->connections, fd, peer) < 0) {
                free(peer);
                close(fd);
        }
}

/* It has proved that it has the keys. */
static int adopt(struct tcp_connection *c)
{
        int fds[2], r;

        assert(!tcp_connection_is_authenticated(c) && c->listener->n_unauthenticated > 0);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
                r = -errno;
                tcp_listener_log_no_descriptors(c->listener, -r);
                return r;
        }
        r = uv_poll_init(&c->listener->connections->it->loop, &c->pair_poll, fds[0]);
        if (r < 0) {
                close(fds[0]);
                close(fds[1]);
                return r;
        }
        c->pair_poll.data = c;
        c->n_handles++;
        c->pair = fds[0];
        c->listener->n_unauthenticated--;
        hand_over(c, fds[1]);
        if (log_trouble_is_over(&c->listener->no_descriptors))
                log_info("TCP=%s: clients are taken again", c->listener->addresses->of[0].text);
        log_debug("TCP link from %s", c->peer);
        return 0;
}

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

static const char *const rejections[TCP_REJECTION_MAX] = {
        [TCP_TOO_MANY] = "TCP_STRANGERS_MAX=" NUMBER(
                TCP_STRANGERS_MAX) " is reached: it has not "
                                   "proved itself yet, and newer ones came",
        [TCP_TOO_LATE] =
                "TCP_PROOF_MS=" NUMBER(TCP_PROOF_MS) " is reached: it has not proved itself",
        [TCP_FORGED] = "it does not have the key of the bus",
        [TCP_STRANGE] = "it does not speak our protocol",
};

static void count_rejection(struct tcp_connection *c, enum tcp_rejection why)
{
        struct tcp_listener *t = c->listener;
        uint64_t n_suppressed;

        t->n_rejected[why]++;
        if (log_ratelimit_is_due(&t->rejected[why], t->connections->it->now, &n_suppressed))
                log_warning("TCP link from %s is closed: %s (%" PRIu64 " more before)", c->peer,
                            rejections[why], n_suppressed);
}

void tcp_connection_reject(struct tcp_connection *c, enum tcp_rejection why)
{
        assert(!tcp_connection_is_authenticated(c) && why < TCP_HUNG_UP);
        count_rejection(c, why);
        tcp_connection_end(c, rejections[why]);
}

/* Opens what came from the network. 0 or -errno. */
static int open_frames(struct tcp_connection *c)
{
        char head[FRAME_HEADER_SIZE];
        struct span text;
        bool observed;
        size_t n;
        int r = 0;

        while (r == 0) {
                enum stream_status status = stream_take(&c->stream, pipe_span(&c->from_net), &text,
                                                        &observed, &n, &c->to_net.bytes);

                switch (status) {
                case STREAM_PARTIAL:
                        return c->to_pair.bytes.failed || c->to_net.bytes.failed ? -ENOMEM : 0;
                case STREAM_TEXT:
                        frame_put_length(head, text.n, false);
                        buffer_add(&c->to_pair.bytes, head, sizeof(head));
                        buffer_add_span(&c->to_pair.bytes, text);
                        break;
                case STREAM_DONE:
                        if (c->stream.state == STREAM_OPEN && !tcp_connection_is_authenticated(c))
                                r = adopt(c);
                        break;
                case STREAM_STRANGE:
                case STREAM_FORGED:
                        count_rejection(c, status == STREAM_FORGED ? TCP_FORGED : TCP_STRANGE);
                        return -EPROTO;
                }
                pipe_shift(&c->from_net, n);
        }
        return r;
}

/* Seals what came from the broker. 0 or -errno. */
static int seal_frames(struct tcp_connection *c)
{
        struct span text;
        bool observed;
        size_t n;

        while (frame_next(pipe_span(&c->from_pair), &text, &observed, &n) == FRAME_OK) {
                stream_put(&c->stream, text, observed, &c->to_net.bytes);
                pipe_shift(&c->from_pair, n);
        }
        return c->to_net.bytes.failed ? -ENOMEM : 0;
}

static int move_in(struct tcp_connection *c)
{
        int r = pipe_read(&c->from_net, c->net,
                          !tcp_connection_is_authenticated(c) ? STREAM_HELLO_MAX : TCP_READ_SIZE);

        if (r > 0)
                r = open_frames(c);
        /* The last words count, even if the connection ends with them. */
        if (tcp_connection_is_authenticated(c) && pipe_write(&c->to_pair, c->pair) < 0 && r == 0)
                r = -EPIPE;
        return r;
}

static int move_out(struct tcp_connection *c)
{
        int r = pipe_read(&c->from_pair, c->pair, TCP_READ_SIZE);
        int sealed = seal_frames(c);

        if (pipe_write(&c->to_net, c->net) < 0 && r >= 0)
                r = -EPIPE;
        return r < 0 ? r : sealed;
}

/* The connection ends with @r. Whoever only tries whether somebody listens, as monitors do, is
 * counted and not logged. */
static void lose_net(struct tcp_connection *c, int r)
{
        if (!tcp_connection_is_authenticated(c) && (r == -EPIPE || r == -ECONNRESET))
                c->listener->n_rejected[TCP_HUNG_UP]++;
        tcp_connection_end(c, r == -EPIPE ? "it was closed" : strerror(-r));
}

static void on_net_ready(uv_poll_t *poll, int status, int events)
{
        struct tcp_connection *c = poll->data;
        int r = status < 0 ? -EPIPE : 0;

        iteration_wake(c->listener->connections->it);
        if (r == 0 && (events & UV_READABLE))
                r = move_in(c);
        if (r == 0)
                r = pipe_write(&c->to_net, c->net);
        if (r < 0)
                lose_net(c, r);
        else
                update_tcp_polls(c);
}

static void on_pair_ready(uv_poll_t *poll, int status, int events)
{
        struct tcp_connection *c = poll->data;
        int r = 0;

        (void)status;
        iteration_wake(c->listener->connections->it);
        if (events & UV_WRITABLE)
                r = pipe_write(&c->to_pair, c->pair);
        if (r == 0 && ((events & UV_READABLE) || status < 0))
                r = move_out(c);
        if (r < 0)
                tcp_connection_end(c, r == -EPIPE ? "the broker closed it" : strerror(-r));
        else
                update_tcp_polls(c);
}

/* Each side is read while the other one takes it. */
static void update_tcp_polls(struct tcp_connection *c)
{
        int net = (pipe_has_room(&c->to_pair) ? UV_READABLE : 0) |
                  (pipe_n(&c->to_net) > 0 ? UV_WRITABLE : 0);
        int pair = (pipe_has_room(&c->to_net) ? UV_READABLE : 0) |
                   (pipe_n(&c->to_pair) > 0 ? UV_WRITABLE : 0);

        uv_poll_start(&c->net_poll, net ? net : UV_DISCONNECT, on_net_ready);
        if (tcp_connection_is_authenticated(c))
                uv_poll_start(&c->pair_poll, pair ? pair : UV_DISCONNECT, on_pair_ready);
}

/* ---- its beginning ------------------------------------------------------------------------- */

static int init_stream(struct tcp_connection *c)
{
        uint8_t nonce[STREAM_NONCE_SIZE];
        int r = entropy_fill(nonce, sizeof(nonce));

        if (r < 0)
                return r;
        return stream_init(&c->stream, c->listener->crypto, true, nonce);
}

int tcp_connection_new(struct tcp_listener *t, int fd, const union socket_address *peer)
{
        struct iteration *it = t->connections->it;
        struct tcp_connection *c = malloc(sizeof(*c));

        if (!c)
                return -ENOMEM;
        *c = (struct tcp_connection){ .listener = t,
                                      .net = fd,
                                      .pair = -1,
                                      .n_handles = 1,
                                      .deadline = it->now + TCP_PROOF_MS * NSEC_PER_MSEC };
        tcp_address_format(peer, c->peer);
        if (init_stream(c) < 0 || uv_poll_init(&it->loop, &c->net_poll, fd) < 0) {
                stream_deinit(&c->stream);
                free(c);
                return -ENOMEM;
        }
        c->net_poll.data = c;
        list_push_first(&t->accepted, &c->node);
        t->n_unauthenticated++;
        tcp_socket_set_options(fd);
        stream_begin(&c->stream, &c->to_net.bytes);
        if (pipe_write(&c->to_net, fd) < 0)
                lose_net(c, -EPIPE);
        else
                update_tcp_polls(c);
        return 0;
}

/* ---- the broker ends ----------------------------------------------------------------------- */

int tcp_connection_flush(struct tcp_connection *c)
{
        int came, r;

        if (!tcp_connection_is_authenticated(c))
                return 0;
        do {
                came = pipe_has_room(&c->to_net) ? pipe_read(&c->from_pair, c->pair, TCP_READ_SIZE)
                                                 : 0;
                r = seal_frames(c);
                if (r == 0)
                        r = pipe_write(&c->to_net, c->net);
        } while (came > 0 && r == 0 && pipe_n(&c->to_net) == 0);
        return r;
}

bool tcp_connection_is_sent(const struct tcp_connection *c)
{
        return !tcp_connection_is_authenticated(c) || tcp_socket_is_sent(c->net);
}

void tcp_connection_finish(struct tcp_connection *c)
{
        tcp_connection_flush(c);
        /* With something unread the system would break the connection off, and forget what it has
         * not sent yet. */
        while (clock_now() < c->listener->connections->it->stop_at &&
               pipe_read(&c->from_net, c->net, TCP_READ_SIZE) > 0)
                pipe_shift(&c->from_net, pipe_n(&c->from_net));
        tcp_connection_end(c, "the broker ends");
}
