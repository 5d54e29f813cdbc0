/*
 * output.h - frames go out: numbered, gathered, written.
 */
#ifndef MBUS_LINK_OUTPUT_H
#define MBUS_LINK_OUTPUT_H

#include "link.h"

/* So much waits before somebody who sends without pause has it written. */
#define LINK_WRITE_SIZE (64u << 10)
/* Acknowledgements and questions still find room when the application has filled its share. */
#define CONTROL_OUTPUT_MAX (2 * LINK_OUTPUT_MAX)

/* Octets that wait for the socket. */
static inline size_t link_n_waiting(const struct link *l)
{
        return l->out.octets.n - l->out.at + transport_n_waiting(&l->transport);
}

/* Numbers and frames what @spec and @payload make, unless @max octets wait already. 0,
 * MBUS_E_NOT_READY, MBUS_E_TOO_LARGE, MBUS_E_FULL or -ENOMEM. */
int link_push(struct link *l, struct header_spec *spec, struct span payload, size_t max);
/* Writes what waits as far as the socket takes it. 0, or -errno if the link is of no use. */
int link_write(struct link *l);
/* The link is gone, with what waits. */
void link_drop_output(struct link *l);

#endif
