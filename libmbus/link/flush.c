/*
 * flush.c - which messages the broker has not taken yet.
 *
 * What is written into a socket may lie there for long: a broker reads a link that passes SEND_RATE
 * as slowly as that says. So the library asks a question behind its messages (broker.sync), and
 * when that is answered the broker has taken all before it. Until then the octets that wait here
 * and, as far as the system tells, in the socket say how many are left.
 */
#include "flush.h"

#include <assert.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "ask.h"
#include "output.h"

/* Octets that the broker cannot have read: all since @since if the system does not tell. */
static uint64_t octets_left(const struct link *l, uint64_t since)
{
        int unread = 0;

        /* Over TCP the broker's system has taken what is not in our socket any more, not the
         * broker. */
        if (l->transport.tcp || ioctl(l->transport.fd, SIOCOUTQ, &unread) < 0)
                return since;
        return link_n_waiting(l) + (uint64_t)unread;
}

static void flush_ask(struct link *l)
{
        struct progress asked = { .messages = l->sent.messages, .octets = l->sent.octets };
        uint32_t seq = l->seq;

        /* If there is no room for it now there is soon. */
        if (link_ask(l, span_of("broker.sync()")) != 0)
                return;
        l->flush_seq = seq;
        l->flush_asked = true;
        l->asked = asked;
}

bool link_on_flushed(struct link *l, uint32_t seq)
{
        if (!l->flush_asked || seq != l->flush_seq)
                return false;
        l->flush_asked = false;
        assert(l->taken.messages <= l->asked.messages && l->asked.messages <= l->sent.messages);
        l->taken = l->asked;
        return true;
}

void link_forget_flush(struct link *l)
{
        assert(l->taken.messages <= l->sent.messages && l->taken.octets <= l->sent.octets);
        l->n_lost += l->sent.messages - l->taken.messages;
        l->taken = l->sent;
        l->flush_asked = false;
}

static size_t flush_n_sent(struct link *l)
{
        uint64_t messages = l->sent.messages - l->taken.messages;
        uint64_t octets = l->sent.octets - l->taken.octets, left;
        size_t reliable = l->tickets.n - l->tickets.n_attaches;

        if (messages == 0 || l->transport.fd < 0)
                return messages + reliable;
        if (!l->flush_asked)
                flush_ask(l);
        left = octets_left(l, octets);
        if (left < octets)
                messages = (messages * left + octets - 1) / octets;
        /* The answer is still to come, and what was denied comes with it. */
        return (messages > 0 ? messages : 1) + reliable;
}

size_t link_n_left(struct link *l)
{
        return flush_n_sent(l) + l->n_early;
}
