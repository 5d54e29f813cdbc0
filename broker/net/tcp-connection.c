/*
 * tcp-connection.c - one connection over TCP: a stranger, who becomes a client when he has proved
 * himself.
 */
#include "tcp-connection.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <io/clock.h>
#include <io/entropy.h>

/* ---- links end ----------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
        struct tcp_link *l = handle->data;

        if (--l->n_handles > 0)
                return;
        stream_deinit(&l->stream);
        buffer_deinit(&l->from_net.bytes);
        buffer_deinit(&l->to_pair.bytes);
        buffer_deinit(&l->from_pair.bytes);
        buffer_deinit(&l->to_net.bytes);
        free(l);
}

void tcp_link_end(struct tcp_link *l, const char *why)
{
        if (l->ended)
                return;
        l->ended = true;
        log_debug("TCP link from %s ends: %s", l->peer, why);
        *(l->previous ? &l->previous->next : &l->all->links) = l->next;
        if (l->next)
                l->next->previous = l->previous;
        uv_poll_stop(&l->net_poll);
        uv_close((uv_handle_t *)&l->net_poll, on_closed);
        close(l->net);
        if (l->pair < 0) {
                l->all->n_strangers--;
                return;
        }
        uv_poll_stop(&l->pair_poll);
        uv_close((uv_handle_t *)&l->pair_poll, on_closed);
        close(l->pair);
}

/* ---- to and fro ---------------------------------------------------------------------------- */

static void update_polls(struct tcp_link *l);

static void on_pair(uv_poll_t *poll, int status, int events);

void tcp_log_no_descriptors(struct tcp *all, int error)
{
        if (log_trouble_is_due(&all->no_descriptors, all->connections->it->now))
                log_warning(
                        "TCP=%s: no more clients for now: %s; a client over TCP takes three "
                        "descriptors; raise their limit (ulimit -n, LimitNOFILE=) or lower LINKS "
                        "in [limits]",
                        all->addresses->of[0].text, strerror(error));
}

/* The other end of the pair becomes a client's connection. Refused, it has got a message that says
 * so; that, and then the end, comes through. */
static void hand_over(struct tcp_link *l, int fd)
{
        char *peer = strdup(l->peer);

        if (!peer || connections_add(l->all->connections, fd, peer) < 0) {
                free(peer);
                close(fd);
        }
}

/* It has proved itself. */
static int adopt(struct tcp_link *l)
{
        int fds[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
                r = -errno;
                tcp_log_no_descriptors(l->all, -r);
                return r;
        }
        r = uv_poll_init(&l->all->connections->it->loop, &l->pair_poll, fds[0]);
        if (r < 0) {
                close(fds[0]);
                close(fds[1]);
                return r;
        }
        l->pair_poll.data = l;
        l->n_handles++;
        l->pair = fds[0];
        l->all->n_strangers--;
        hand_over(l, fds[1]);
        if (log_trouble_is_over(&l->all->no_descriptors))
                log_info("TCP=%s: clients are taken again", l->all->addresses->of[0].text);
        log_debug("TCP link from %s", l->peer);
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

static void count_rejection(struct tcp_link *l, enum tcp_rejection why)
{
        struct tcp *all = l->all;
        uint64_t n_silent;

        all->n_rejected[why]++;
        if (log_cause_is_due(&all->rejected[why], all->connections->it->now, &n_silent))
                log_warning("TCP link from %s is closed: %s (%" PRIu64 " more before)", l->peer,
                            rejections[why], n_silent);
}

void tcp_link_reject(struct tcp_link *l, enum tcp_rejection why)
{
        count_rejection(l, why);
        tcp_link_end(l, rejections[why]);
}

/* Opens what came from the network. 0 or -errno. */
static int open_frames(struct tcp_link *l)
{
        char head[FRAME_HEADER_SIZE];
        struct span text;
        bool observed;
        size_t n;
        int r = 0;

        while (r == 0) {
                enum stream_status status = stream_take(&l->stream, pipe_span(&l->from_net), &text,
                                                        &observed, &n, &l->to_net.bytes);

                switch (status) {
                case STREAM_PARTIAL:
                        return l->to_pair.bytes.failed || l->to_net.bytes.failed ? -ENOMEM : 0;
                case STREAM_TEXT:
                        frame_put_length(head, text.n, false);
                        buffer_add(&l->to_pair.bytes, head, sizeof(head));
                        buffer_add_span(&l->to_pair.bytes, text);
                        break;
                case STREAM_DONE:
                        if (l->stream.state == STREAM_OPEN && l->pair < 0)
                                r = adopt(l);
                        break;
                case STREAM_STRANGE:
                case STREAM_FORGED:
                        count_rejection(l, status == STREAM_FORGED ? TCP_FORGED : TCP_STRANGE);
                        return -EPROTO;
                }
                pipe_shift(&l->from_net, n);
        }
        return r;
}

/* Seals what came from the link. 0 or -errno. */
static int seal_frames(struct tcp_link *l)
{
        struct span text;
        bool observed;
        size_t n;

        while (frame_next(pipe_span(&l->from_pair), &text, &observed, &n) == FRAME_OK) {
                stream_put(&l->stream, text, observed, &l->to_net.bytes);
                pipe_shift(&l->from_pair, n);
        }
        return l->to_net.bytes.failed ? -ENOMEM : 0;
}

static int move_in(struct tcp_link *l)
{
        int r = pipe_read(&l->from_net, l->net, l->pair < 0 ? STREAM_HELLO_MAX : TCP_READ_SIZE);

        if (r > 0)
                r = open_frames(l);
        /* The last words count, even if the link ends with them. */
        if (l->pair >= 0 && pipe_write(&l->to_pair, l->pair) < 0 && r == 0)
                r = -EPIPE;
        return r;
}

static int move_out(struct tcp_link *l)
{
        int r = pipe_read(&l->from_pair, l->pair, TCP_READ_SIZE);
        int sealed = seal_frames(l);

        if (pipe_write(&l->to_net, l->net) < 0 && r >= 0)
                r = -EPIPE;
        return r < 0 ? r : sealed;
}

/* The connection ends with @r. Whoever only tries whether somebody listens, as monitors do, is
 * counted and not logged. */
static void lose_net(struct tcp_link *l, int r)
{
        if (l->pair < 0 && (r == -EPIPE || r == -ECONNRESET))
                l->all->n_rejected[TCP_HUNG_UP]++;
        tcp_link_end(l, r == -EPIPE ? "it was closed" : strerror(-r));
}

static void on_net(uv_poll_t *poll, int status, int events)
{
        struct tcp_link *l = poll->data;
        int r = status < 0 ? -EPIPE : 0;

        iteration_wake(l->all->connections->it);
        if (r == 0 && (events & UV_READABLE))
                r = move_in(l);
        if (r == 0)
                r = pipe_write(&l->to_net, l->net);
        if (r < 0)
                lose_net(l, r);
        else
                update_polls(l);
}

static void on_pair(uv_poll_t *poll, int status, int events)
{
        struct tcp_link *l = poll->data;
        int r = 0;

        (void)status;
        iteration_wake(l->all->connections->it);
        if (events & UV_WRITABLE)
                r = pipe_write(&l->to_pair, l->pair);
        if (r == 0 && ((events & UV_READABLE) || status < 0))
                r = move_out(l);
        if (r < 0)
                tcp_link_end(l, r == -EPIPE ? "the broker closed it" : strerror(-r));
        else
                update_polls(l);
}

/* Each side is read while the other one takes it. */
static void update_polls(struct tcp_link *l)
{
        int net = (pipe_has_room(&l->to_pair) ? UV_READABLE : 0) |
                  (pipe_n(&l->to_net) > 0 ? UV_WRITABLE : 0);
        int pair = (pipe_has_room(&l->to_net) ? UV_READABLE : 0) |
                   (pipe_n(&l->to_pair) > 0 ? UV_WRITABLE : 0);

        uv_poll_start(&l->net_poll, net ? net : UV_DISCONNECT, on_net);
        if (l->pair >= 0)
                uv_poll_start(&l->pair_poll, pair ? pair : UV_DISCONNECT, on_pair);
}

/* ---- links begin --------------------------------------------------------------------------- */

static void set_options(int fd)
{
        int one = 1, idle = TCP_IDLE_S, interval = TCP_INTERVAL_S, count = TCP_PROBES;
        unsigned timeout = (TCP_IDLE_S + TCP_INTERVAL_S * TCP_PROBES) * 1000;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static int init_stream(struct tcp_link *l)
{
        uint8_t nonce[STREAM_NONCE_SIZE];
        int r = entropy_fill(nonce, sizeof(nonce));

        if (r < 0)
                return r;
        return stream_init(&l->stream, l->all->crypto, true, nonce);
}

int tcp_link_new(struct tcp *all, int fd, const union socket_address *peer)
{
        struct iteration *it = all->connections->it;
        struct tcp_link *l = malloc(sizeof(*l));

        if (!l)
                return -ENOMEM;
        *l = (struct tcp_link){ .all = all,
                                .next = all->links,
                                .net = fd,
                                .pair = -1,
                                .n_handles = 1,
                                .deadline = it->now + TCP_PROOF_MS * NSEC_PER_MSEC };
        tcp_address_format(peer, l->peer);
        if (init_stream(l) < 0 || uv_poll_init(&it->loop, &l->net_poll, fd) < 0) {
                stream_deinit(&l->stream);
                free(l);
                return -ENOMEM;
        }
        l->net_poll.data = l;
        if (all->links)
                all->links->previous = l;
        all->links = l;
        all->n_strangers++;
        set_options(fd);
        stream_begin(&l->stream, &l->to_net.bytes);
        if (pipe_write(&l->to_net, fd) < 0)
                lose_net(l, -EPIPE);
        else
                update_polls(l);
        return 0;
}

/* ---- the broker ends ----------------------------------------------------------------------- */

int tcp_link_flush(struct tcp_link *l)
{
        int came, r;

        if (l->pair < 0)
                return 0;
        do {
                came = pipe_has_room(&l->to_net) ? pipe_read(&l->from_pair, l->pair, TCP_READ_SIZE)
                                                 : 0;
                r = seal_frames(l);
                if (r == 0)
                        r = pipe_write(&l->to_net, l->net);
        } while (came > 0 && r == 0 && pipe_n(&l->to_net) == 0);
        return r;
}

bool tcp_link_is_sent(const struct tcp_link *l)
{
        int n;

        return l->pair < 0 || ioctl(l->net, SIOCOUTQ, &n) < 0 || n == 0;
}

void tcp_link_finish(struct tcp_link *l)
{
        tcp_link_flush(l);
        /* With something unread the system would break the connection off, and forget what it has
         * not sent yet. */
        while (clock_now() < l->all->connections->it->stop_at &&
               pipe_read(&l->from_net, l->net, TCP_READ_SIZE) > 0)
                pipe_shift(&l->from_net, pipe_n(&l->from_net));
        tcp_link_end(l, "the broker ends");
}
