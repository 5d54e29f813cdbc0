/*
 * batch.c - see batch.h. RFC 3259, section 6: datagrams of up to 64 KByte.
 */
#include "batch.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/mman.h>

/* The buffers are a little more than 64 KByte apart: at exactly 64 KByte the first octets of all of
 * them, where the small datagrams lie, would compete for the same few lines of the cache. */
#define BUFFER_STRIDE (DATAGRAM_BUFFER_SIZE + 320)
/* What the kernel takes as one piece: an IP packet without its headers, and 64 datagrams. */
#define PIECE_MAX 65000

_Static_assert(BATCH_MAX <= 64, "a piece has never more datagrams than older kernels take");

int receive_batch_init(struct receive_batch *b)
{
        void *memory = mmap(NULL, (size_t)BATCH_MAX * BUFFER_STRIDE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (memory == MAP_FAILED)
                return -ENOMEM;
        b->buffers = memory;
        for (unsigned i = 0; i < BATCH_MAX; i++) {
                b->spans[i] = (struct iovec){ .iov_base = b->buffers + (size_t)i * BUFFER_STRIDE,
                                              .iov_len = DATAGRAM_BUFFER_SIZE };
                b->headers[i] = (struct mmsghdr){
                        .msg_hdr = { .msg_name = &b->sources[i],
                                     .msg_namelen = sizeof(b->sources[i]),
                                     .msg_iov = &b->spans[i],
                                     .msg_iovlen = 1,
                                     .msg_control = &b->controls[i],
                                     .msg_controllen = sizeof(b->controls[i]) },
                };
        }
        return 0;
}

void receive_batch_deinit(struct receive_batch *b)
{
        if (b->buffers)
                munmap(b->buffers, (size_t)BATCH_MAX * BUFFER_STRIDE);
        b->buffers = NULL;
}

/* Emulators and sandboxes may not have the calls for several: a batch is one datagram then. */
static int receive_one(struct mmsghdr *header, int fd)
{
        ssize_t n = recvmsg(fd, &header->msg_hdr, MSG_DONTWAIT);

        header->msg_len = n < 0 ? 0 : (unsigned)n;
        return n < 0 ? -1 : 1;
}

int receive_batch_fill(struct receive_batch *b, int fd)
{
        int n;

        /* The kernel overwrote the two lengths of those that it filled. */
        for (unsigned i = 0; i < b->n; i++) {
                b->headers[i].msg_hdr.msg_namelen = sizeof(b->sources[i]);
                b->headers[i].msg_hdr.msg_controllen = sizeof(b->controls[i]);
        }
        n = recvmmsg(fd, b->headers, BATCH_MAX, MSG_DONTWAIT, NULL);
        if (n < 0 && errno == ENOSYS)
                n = receive_one(&b->headers[0], fd);
        b->n = n < 0 ? 0 : (unsigned)n;
        return n < 0 ? -errno : n;
}

struct span receive_batch_get(const struct receive_batch *b, unsigned i,
                              const union socket_address **ret_source)
{
        assert(i < b->n);
        *ret_source = &b->sources[i];
        return (struct span){ b->spans[i].iov_base, b->headers[i].msg_len };
}

bool receive_batch_lost(const struct receive_batch *b, uint32_t *ret_lost)
{
        struct msghdr last;

        if (b->n == 0)
                return false;
        last = b->headers[b->n - 1].msg_hdr;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&last); c; c = CMSG_NXTHDR(&last, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
                        continue;
                memcpy(ret_lost, CMSG_DATA(c), sizeof(*ret_lost));
                return true;
        }
        return false;
}

/* Tells the kernel where to cut the last piece. */
static void set_segment_size(struct send_batch *b)
{
        struct msghdr *m = &b->headers[b->n_pieces - 1].msg_hdr;
        uint16_t size = (uint16_t)m->msg_iov[0].iov_len;
        struct cmsghdr *c;

        m->msg_control = &b->controls[b->n_pieces - 1];
        m->msg_controllen = sizeof(b->controls[0]);
        c = CMSG_FIRSTHDR(m);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(size));
        memcpy(CMSG_DATA(c), &size, sizeof(size));
}

/* Adds the datagram in the last span to the last piece, if it fits. All have the size of the first;
 * a smaller one can only be the last. */
static bool join_piece(struct send_batch *b, const void *to)
{
        const struct iovec *span = &b->spans[b->n - 1];
        struct msghdr *m;
        size_t size;

        if (b->n_pieces == 0 || b->closed)
                return false;
        m = &b->headers[b->n_pieces - 1].msg_hdr;
        size = m->msg_iov[0].iov_len;
        if (m->msg_name != to || span->iov_len > size || (m->msg_iovlen + 1) * size > PIECE_MAX)
                return false;
        b->closed = span->iov_len < size;
        if (m->msg_iovlen++ == 1)
                set_segment_size(b);
        return true;
}

void send_batch_add(struct send_batch *b, struct span datagram, const void *to, socklen_t n_to,
                    bool gather)
{
        assert(b->n < BATCH_MAX);
        b->spans[b->n++] =
                (struct iovec){ .iov_base = (void *)(uintptr_t)datagram.at, .iov_len = datagram.n };
        if (gather && join_piece(b, to))
                return;
        b->headers[b->n_pieces++] = (struct mmsghdr){
                .msg_hdr = { .msg_name = (void *)(uintptr_t)to,
                             .msg_namelen = n_to,
                             .msg_iov = &b->spans[b->n - 1],
                             .msg_iovlen = 1 },
        };
        b->closed = !gather;
}

int send_batch_flush(struct send_batch *b, int fd)
{
        int n = sendmmsg(fd, b->headers, b->n_pieces, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == ENOSYS && b->n_pieces > 0)
                n = sendmsg(fd, &b->headers[0].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 1;
        b->n = b->n_pieces = 0;
        return n < 0 ? -errno : n;
}

unsigned send_batch_size(const struct send_batch *b, unsigned i, const void **ret_to)
{
        *ret_to = b->headers[i].msg_hdr.msg_name;
        return (unsigned)b->headers[i].msg_hdr.msg_iovlen;
}
