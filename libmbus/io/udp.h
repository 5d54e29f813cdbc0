/*
 * udp.h - the sockets of one bus: group in, own endpoint in and out, in batches (section 6).
 *
 * Two descriptors: one bound to the group and its port, shared with every other program on the
 * host, and one of our own from which everything is sent (6.2, "unique endpoint"). A third watches
 * the interfaces (netlink), so that the group is joined again when one comes up.
 *
 * Where a bus lives on the host (spec/interfaces.md): HOSTLOCAL on IPv4 joins and sends on lo; with
 * DIALECT=UCL where the kernel puts INADDR_ANY, as the old programs do; LINKLOCAL on the default
 * multicast interface; INTERFACE= overrides.
 */
#ifndef MBUS_IO_UDP_H
#define MBUS_IO_UDP_H

#include <poll.h>

#include <core/config.h>
#include <core/engine.h>
#include "udp-limits.h"

struct udp;

/*
 * Opens the sockets that @config asks for. 0, MBUS_E_NO_BUS or MBUS_E_CONFIG with one line in
 * @ret_error that names the interface, the call and what to do, -ENOMEM.
 */
int udp_open(const struct config *config, struct udp **ret_udp, char ret_error[static 512]);
struct udp *udp_close(struct udp *udp);

/* "239.255.255.247:47000", "[ff02::300]:47000". */
const char *udp_name(const struct udp *udp);
/* The host-id of section 4.1 for the interface that is sent from. */
const char *udp_host_id(const struct udp *udp);
/* "eth0", or "eth0 eth1": the first is sent from, all are listened on. */
const char *udp_interface(const struct udp *udp);
/* What was odd but usable, a line each; NULL behind the last. */
const char *udp_warning(const struct udp *udp, size_t i);
const struct udp_traffic *udp_traffic(const struct udp *udp);
/* The largest datagram that fits the interface's MTU without fragments. */
size_t udp_mtu(const struct udp *udp);

/* The descriptors and their events; POLLOUT only while datagrams wait that the socket refused. */
size_t udp_get_pollfds(const struct udp *udp, struct pollfd ret_fds[static UDP_POLLFDS]);

/*
 * Hands up to UDP_BATCH datagrams of each socket to @engine (own ones left out and counted, drops
 * of the kernel counted) and joins anew if an interface changed. 1: there may be more; 0: not now;
 * -errno: the sockets are unusable. @fds is what poll() has just said of udp_get_pollfds(); NULL:
 * it was not asked.
 */
int udp_receive(struct udp *udp, struct engine *engine, uint64_t now, uint64_t wall_ms,
                const struct pollfd *fds);
/* Sends what @engine has queued, in batches. 0: all is out; 1: the socket takes no more, wait for
 * POLLOUT. What the network refuses (no route, interface down) is counted and dropped. */
int udp_send(struct udp *udp, struct engine *engine);
/*
 * Finds out what is the matter with the network, or is not any more; to be called after
 * udp_receive(), and when udp_deadline() has come.
 */
void udp_tick(struct udp *udp, const struct engine *engine, uint64_t now);
uint64_t udp_deadline(const struct udp *udp);
/* What there is to tell: *@ret_text is a sentence, valid until the next call. False: nothing. */
bool udp_pop_notice(struct udp *udp, enum mbus_network *ret_network, const char **ret_text);
/* What is the matter at this moment, at once: the sentence about @network, valid until the next
 * call, or NULL. */
const char *udp_network(struct udp *udp, const struct engine *engine, enum mbus_network network);

#endif
