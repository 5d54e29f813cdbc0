/*
 * output.c - see output.h.
 *
 * Output is gathered and written when much has come together or the application's main loop turns.
 */
#include "output.h"

#include <assert.h>
#include <string.h>

/* What is written goes; what is not comes to the front when that moves no more than it frees. */
static void output_compact(struct link *l)
{
        size_t left = l->out.octets.n - l->out.at;

        assert(l->out.at <= l->out.octets.n);
        if (l->out.at < left)
                return;
        memcpy(l->out.octets.at, l->out.octets.at + l->out.at, left);
        l->out.octets.n = left;
        l->out.at = 0;
}

static ssize_t output_send(struct link *l)
{
        return transport_send(&l->transport, span_from(buffer_span(&l->out.octets), l->out.at));
}

int link_write(struct link *l)
{
        assert(l->transport.fd >= 0);
        while (link_n_waiting(l) > 0) {
                ssize_t n = output_send(l);

                if (n < 0 && errno == EINTR)
                        continue;
                l->out.blocked = n < 0;
                if (n < 0)
                        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
                l->alive = true;
                l->out.at += (size_t)n;
        }
        buffer_clear(&l->out.octets);
        l->out.at = 0;
        return 0;
}

static int output_format(struct link *l, const struct header_spec *spec, struct span payload)
{
        size_t start = l->out.octets.n, n;
        int r = MBUS_E_TOO_LARGE;

        if (buffer_reserve(&l->out.octets, FRAME_HEADER_SIZE)) {
                l->out.octets.n += FRAME_HEADER_SIZE;
                message_format(spec, payload, DIALECT_RFC3259, &l->out.octets);
        }
        n = l->out.octets.n - start - FRAME_HEADER_SIZE;
        if (l->out.octets.failed)
                r = -ENOMEM;
        else if (n <= MESSAGE_MAX)
                r = 0;
        if (r == 0) {
                l->sent.octets += FRAME_HEADER_SIZE + n;
                frame_put_length(l->out.octets.at + start, n, false);
        } else {
                l->out.octets.n = start;
                l->out.octets.failed = false;
        }
        return r;
}

int link_push(struct link *l, struct header_spec *spec, struct span payload, size_t max)
{
        int r;

        if (l->transport.fd < 0)
                return MBUS_E_NOT_READY;
        /* A link that breaks here is found broken by whoever reads it. */
        if (link_n_waiting(l) >= (l->out.blocked ? max : LINK_WRITE_SIZE))
                (void)link_write(l);
        if (link_n_waiting(l) >= max)
                return MBUS_E_FULL;
        if (l->out.at > 0)
                output_compact(l);
        spec->seq = l->seq;
        spec->timestamp = time_of_day_ms(&l->time);
        assert(l->out.at <= l->out.octets.n);
        r = output_format(l, spec, payload);
        if (r == 0)
                l->seq++;
        return r;
}

void link_drop_output(struct link *l)
{
        buffer_clear(&l->out.octets);
        l->out.at = 0;
        l->out.blocked = false;
}
