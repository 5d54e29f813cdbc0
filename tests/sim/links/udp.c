/*
 * udp.c - io/udp.h on virtual networks: each process is a node of the network of its bus's port.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../memory.h"
#include "core/error.h"
#include "io/udp.h"
#include "machine.h"

/* As many as a socket has room for. */
#define INBOX_MAX 2048

struct arrived {
        uint32_t from;
        size_t n;
        char bytes[];
};

struct udp {
        int fd;
        unsigned net;
        uint32_t process;
        char name[40];
        char host[40];
        struct arrived **inbox; /* a ring */
        uint64_t head;
        uint64_t tail;
        uint64_t n_lost; /* since the last that found room */
        struct udp_traffic traffic;
};

int udp_open(const struct config *config, struct udp **ret_udp, char ret_error[static 512])
{
        struct udp *u = must(calloc(1, sizeof(*u)));

        (void)ret_error;
        u->net = config->port == CONFIG_PORT_DEFAULT ? 0 : 1;
        u->process = machine->running->index;
        u->fd = descriptor_new(DESCRIPTOR_DATAGRAMS);
        u->inbox = must(calloc(INBOX_MAX, sizeof(*u->inbox)));
        snprintf(u->name, sizeof(u->name), "net-%u", u->net);
        snprintf(u->host, sizeof(u->host), "10.0.0.%u", u->process + 1);
        machine->ports[u->net][u->process] = u;
        *ret_udp = u;
        return 0;
}

struct udp *udp_close(struct udp *u)
{
        if (!u)
                return NULL;
        machine->ports[u->net][u->process] = NULL;
        while (u->head < u->tail)
                free(u->inbox[u->head++ % INBOX_MAX]);
        descriptor_close(u->fd);
        free(u->inbox);
        free(u);
        return NULL;
}

const char *udp_name(const struct udp *u)
{
        return u->name;
}

const char *udp_host_id(const struct udp *u)
{
        return u->host;
}

const char *udp_warning(const struct udp *u, size_t i)
{
        (void)u;
        (void)i;
        return NULL;
}

const char *udp_interface(const struct udp *u)
{
        return u->host;
}

void udp_tick(struct udp *u, const struct engine *engine, uint64_t now)
{
        (void)u;
        (void)engine;
        (void)now;
}

uint64_t udp_deadline(const struct udp *u)
{
        (void)u;
        return TIME_NEVER;
}

bool udp_pop_notice(struct udp *u, enum mbus_network *ret_network, const char **ret_text)
{
        (void)u;
        (void)ret_network;
        (void)ret_text;
        return false;
}

const char *udp_network(struct udp *u, const struct engine *engine, enum mbus_network network)
{
        (void)u;
        (void)engine;
        (void)network;
        return NULL;
}

const struct udp_traffic *udp_traffic(const struct udp *u)
{
        return &u->traffic;
}

size_t udp_mtu(const struct udp *u)
{
        (void)u;
        return 1500;
}

size_t udp_get_pollfds(const struct udp *u, struct pollfd ret_fds[static UDP_POLLFDS])
{
        ret_fds[0] = (struct pollfd){ .fd = u->fd, .events = POLLIN };
        return 1;
}

static struct endpoint endpoint_of(uint32_t process)
{
        struct endpoint endpoint = { .n = sizeof(process), .unique = true };

        memcpy(endpoint.bytes, &process, sizeof(process));
        return endpoint;
}

int udp_receive(struct udp *u, struct engine *engine, uint64_t now, uint64_t wall_ms,
                const struct pollfd *fds)
{
        (void)fds;
        if (u->n_lost > 0)
                engine_count_drop(engine, MBUS_DROP_SOCKET, u->n_lost);
        u->n_lost = 0;
        for (unsigned i = 0; i < UDP_BATCH && u->head < u->tail; ++i) {
                struct arrived *a = u->inbox[u->head++ % INBOX_MAX];
                struct endpoint from = endpoint_of(a->from);

                u->traffic.datagrams_in++;
                u->traffic.bytes_in += a->n;
                engine_receive(engine, now, wall_ms, &from, (struct span){ a->bytes, a->n });
                free(a);
        }
        machine->descriptors[u->fd - FD_FIRST]->n_waiting = (size_t)(u->tail - u->head);
        return u->head < u->tail;
}

int udp_send(struct udp *u, struct engine *engine)
{
        struct datagram datagram;
        size_t cursor = 0, n = 0;
        uint32_t to;

        while (engine_peek_datagram(engine, &cursor, &datagram)) {
                to = NETWORK_ALL;
                if (datagram.to->n)
                        memcpy(&to, datagram.to->bytes, sizeof(to));
                u->traffic.datagrams_out++;
                u->traffic.bytes_out += datagram.bytes.n;
                /* Who was killed says nothing more. */
                if (!machine->running->muted)
                        network_send(&machine->nets[u->net], machine->now, u->process, to,
                                     datagram.bytes);
                ++n;
        }
        engine_pop_datagrams(engine, n);
        return 0;
}

/* ---- arriving ------------------------------------------------------------------------------ */

static void arrive(struct udp *u, const struct packet *packet)
{
        struct arrived *a;

        if (!u)
                return;
        if (u->tail - u->head == INBOX_MAX) {
                u->n_lost++;
                return;
        }
        a = must(malloc(sizeof(*a) + packet->n));
        a->from = packet->from;
        a->n = packet->n;
        memcpy(a->bytes, packet->bytes, packet->n);
        u->inbox[u->tail++ % INBOX_MAX] = a;
        machine->descriptors[u->fd - FD_FIRST]->n_waiting++;
}

void nets_arrive(void)
{
        struct flight *flight;

        for (unsigned k = 0; k < NETS; ++k) {
                while ((flight = network_pop(&machine->nets[k], machine->now))) {
                        for (uint32_t i = 0; i < flight->n; ++i)
                                arrive(machine->ports[k][flight->to[i]], flight->packet);
                        machine->nets[k].n_delivered += flight->n;
                        flight_free(flight);
                }
        }
}

uint64_t nets_next(void)
{
        uint64_t next = TIME_NEVER;

        for (unsigned k = 0; k < NETS; ++k) {
                if (network_next(&machine->nets[k]) < next)
                        next = network_next(&machine->nets[k]);
        }
        return next;
}
