/*
 * machine.c - processes and descriptors of the virtual machine.
 */
#include "machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../memory.h"

/* Turns of a process at one moment. */
#define SEEN_MAX 20000

struct machine *machine;

void machine_init(uint64_t seed, const struct scenario *s, uint32_t n_processes)
{
        machine = must(calloc(1, sizeof(*machine)));
        machine->now = NSEC_PER_SEC;
        machine->rules = s->links;
        machine->n_processes = n_processes;
        machine->last_pid = 1000;
        random_init(&machine->random, seed);
        for (unsigned k = 0; k < NETS; ++k) {
                network_init(&machine->nets[k], random_u64(&machine->random), n_processes);
                machine->nets[k].rules = s->options.network;
                machine->ports[k] = must(calloc(n_processes, sizeof(*machine->ports[k])));
        }
}

static void descriptor_free(struct descriptor *d)
{
        free(d->in.bytes);
        free(d->in.pieces);
        free(d);
}

void machine_deinit(void)
{
        for (size_t i = 0; i < machine->n_descriptors; ++i)
                descriptor_free(machine->descriptors[i]);
        for (unsigned k = 0; k < NETS; ++k) {
                network_deinit(&machine->nets[k]);
                free(machine->ports[k]);
        }
        free(machine->descriptors);
        free(machine->stale);
        free(machine);
        machine = NULL;
}

void machine_fail(const char *claim, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        failure_note(&machine->failure, machine->now, claim, format, args);
        va_end(args);
}

/* ---- processes ----------------------------------------------------------------------------- */

void process_begin(struct process *p)
{
        p->pid = ++machine->last_pid;
        p->muted = false;
        p->stalled_until = 0;
}

void process_enter(struct process *p)
{
        machine->running = p;
}

void process_leave(void)
{
        machine->running = NULL;
}

void process_kill(struct process *p)
{
        p->muted = true;
        for (size_t i = 0; i < machine->n_descriptors; ++i) {
                if (machine->descriptors[i]->owner == p->index)
                        descriptor_close(FD_FIRST + (int)i);
        }
}

bool process_goes_on(struct process *p)
{
        if (p->seen_at != machine->now)
                p->n_seen = 0;
        p->seen_at = machine->now;
        if (++p->n_seen <= SEEN_MAX)
                return true;
        machine_fail("time-goes-on", "process %u is due at this moment for the %u. time", p->index,
                     p->n_seen);
        return false;
}

/* ---- descriptors --------------------------------------------------------------------------- */

int descriptor_new(enum descriptor_type type)
{
        struct descriptor *d = must(calloc(1, sizeof(*d)));

        if (machine->n_descriptors == machine->descriptors_size) {
                machine->descriptors_size =
                        machine->descriptors_size ? machine->descriptors_size * 2 : 64;
                machine->descriptors =
                        must(realloc(machine->descriptors,
                                     machine->descriptors_size * sizeof(*machine->descriptors)));
        }
        d->type = type;
        d->owner = machine->running->index;
        d->peer = -1;
        d->in.ended_at = TIME_NEVER;
        machine->descriptors[machine->n_descriptors] = d;
        return FD_FIRST + (int)machine->n_descriptors++;
}

struct descriptor *descriptor_of(int fd)
{
        size_t i = (size_t)(fd - FD_FIRST);

        if (fd >= FD_FIRST && i < machine->n_descriptors &&
            machine->descriptors[i]->type != DESCRIPTOR_CLOSED)
                return machine->descriptors[i];
        machine_fail("descriptors", "descriptor %d is used and not open", fd);
        errno = EBADF;
        return NULL;
}

size_t descriptors_of(const struct process *p)
{
        size_t n = 0;

        for (size_t i = 0; i < machine->n_descriptors; ++i)
                n += machine->descriptors[i]->type != DESCRIPTOR_CLOSED &&
                     machine->descriptors[i]->owner == p->index;
        return n;
}

struct descriptor *find_listener(const char *name)
{
        for (size_t i = 0; i < machine->n_descriptors; ++i) {
                if (machine->descriptors[i]->type == DESCRIPTOR_LISTENER &&
                    strcmp(machine->descriptors[i]->name, name) == 0)
                        return machine->descriptors[i];
        }
        return NULL;
}

bool is_stale(const char *name)
{
        for (size_t i = 0; i < machine->n_stale; ++i) {
                if (strcmp(machine->stale[i], name) == 0)
                        return true;
        }
        return false;
}

/* A socket of a broker that was killed stays in its folder. */
static void leave_stale(const struct descriptor *d)
{
        if (is_stale(d->name) || !machine->running || !machine->running->muted)
                return;
        machine->stale =
                must(realloc(machine->stale, (machine->n_stale + 1) * sizeof(*machine->stale)));
        memcpy(machine->stale[machine->n_stale++], d->name, sizeof(d->name));
}

static uint64_t some_delay(const struct descriptor *d)
{
        if (d->inner || machine->rules.delay_max == 0)
                return 0;
        return random_below(&machine->random, machine->rules.delay_max + 1);
}

static uint64_t last_arrival(const struct stream_in *in)
{
        return in->n_pieces ? in->pieces[in->n_pieces - 1].at : 0;
}

/* The other end finds out, after all that was written before. */
static void end_stream(struct descriptor *d)
{
        struct descriptor *peer;
        uint64_t at;

        if (d->peer < 0)
                return;
        peer = machine->descriptors[d->peer - FD_FIRST];
        at = machine->now + some_delay(d);
        peer->in.ended_at = at > last_arrival(&peer->in) ? at : last_arrival(&peer->in);
        peer->reset = d->in.n > 0;
        peer->peer = -1;
        d->peer = -1;
}

void descriptor_close(int fd)
{
        struct descriptor *d = machine->descriptors[fd - FD_FIRST];

        if (d->type == DESCRIPTOR_CLOSED)
                return;
        if (d->type == DESCRIPTOR_LISTENER) {
                leave_stale(d);
                for (size_t i = 0; i < d->n_waiting; ++i)
                        descriptor_close(d->backlog[i]);
        }
        if (d->type == DESCRIPTOR_STREAM)
                end_stream(d);
        d->type = DESCRIPTOR_CLOSED;
        d->in.n = d->in.n_pieces = 0;
}

/* ---- streams ------------------------------------------------------------------------------- */

void stream_pair(uint32_t owner, bool inner, int ret_fds[2])
{
        for (unsigned i = 0; i < 2; ++i) {
                ret_fds[i] = descriptor_new(DESCRIPTOR_STREAM);
                machine->descriptors[ret_fds[i] - FD_FIRST]->inner = inner;
        }
        machine->descriptors[ret_fds[0] - FD_FIRST]->peer = ret_fds[1];
        machine->descriptors[ret_fds[1] - FD_FIRST]->peer = ret_fds[0];
        machine->descriptors[ret_fds[1] - FD_FIRST]->owner = owner;
}

/* How much can be read now. */
static size_t readable(const struct stream_in *in)
{
        size_t n = 0;

        for (size_t i = 0; i < in->n_pieces && in->pieces[i].at <= machine->now; ++i)
                n += in->pieces[i].n;
        return n;
}

static size_t room(const struct descriptor *d)
{
        const struct descriptor *peer = machine->descriptors[d->peer - FD_FIRST];
        size_t capacity = d->inner ? 100000 : machine->rules.capacity;

        return peer->in.n < capacity ? capacity - peer->in.n : 0;
}

/* Now and then less than there is, down to an octet. */
static size_t cut(const struct descriptor *d, size_t n)
{
        if (n < 2 || !machine->rules.cuts || d->inner)
                return n;
        switch (random_u32(&machine->random) % 4) {
        case 0:
                return 1 + random_below(&machine->random, n);
        case 1:
                return 1 + random_below(&machine->random, n < 8 ? n : 8);
        default:
                return n;
        }
}

static void shift(struct stream_in *in, size_t n)
{
        size_t left = n, i = 0;

        in->n -= n;
        memmove(in->bytes, in->bytes + n, in->n);
        while (i < in->n_pieces && left >= in->pieces[i].n)
                left -= in->pieces[i++].n;
        in->n_pieces -= i;
        memmove(in->pieces, in->pieces + i, in->n_pieces * sizeof(*in->pieces));
        if (left)
                in->pieces[0].n -= left;
}

static ssize_t call_failed(int error)
{
        errno = error;
        return -1;
}

ssize_t stream_read(int fd, void *bytes, size_t n)
{
        struct descriptor *d = descriptor_of(fd);
        size_t there;

        if (!d)
                return -1;
        there = readable(&d->in);
        if (there == 0 && d->in.ended_at > machine->now)
                return call_failed(EAGAIN);
        if (there == 0 && d->reset) {
                d->reset = false;
                return call_failed(ECONNRESET);
        }
        if (there == 0)
                return 0;
        n = cut(d, n < there ? n : there);
        memcpy(bytes, d->in.bytes, n);
        shift(&d->in, n);
        ++machine->n_pieces;
        return (ssize_t)n;
}

static void append(struct stream_in *in, const void *bytes, size_t n, uint64_t at)
{
        if (in->n + n > in->size) {
                in->size = 2 * (in->n + n);
                in->bytes = must(realloc(in->bytes, in->size));
        }
        memcpy(in->bytes + in->n, bytes, n);
        in->n += n;
        if (in->n_pieces == in->pieces_size) {
                in->pieces_size = in->pieces_size ? 2 * in->pieces_size : 16;
                in->pieces = must(realloc(in->pieces, in->pieces_size * sizeof(*in->pieces)));
        }
        in->pieces[in->n_pieces++] = (struct piece){ at, n };
}

ssize_t stream_write(int fd, const void *bytes, size_t n)
{
        struct descriptor *d = descriptor_of(fd), *peer;
        uint64_t at;

        if (!d)
                return -1;
        if (d->peer < 0 && d->reset) {
                d->reset = false;
                return call_failed(ECONNRESET);
        }
        if (d->peer < 0)
                return call_failed(EPIPE);
        if (room(d) == 0)
                return call_failed(EAGAIN);
        n = cut(d, n < room(d) ? n : room(d));
        peer = machine->descriptors[d->peer - FD_FIRST];
        at = machine->now + some_delay(d);
        if (at < last_arrival(&peer->in))
                at = last_arrival(&peer->in);
        append(&peer->in, bytes, n, at);
        return (ssize_t)n;
}

/* Keeps some of what has not been read. */
static void lose_rest(struct stream_in *in)
{
        size_t keep = random_below(&machine->random, in->n + 1), n = 0, i;

        for (i = 0; i < in->n_pieces && n < keep; ++i) {
                if (in->pieces[i].n > keep - n)
                        in->pieces[i].n = keep - n;
                n += in->pieces[i].n;
        }
        in->n_pieces = i;
        in->n = keep;
        in->ended_at = last_arrival(in) > machine->now ? last_arrival(in) : machine->now;
}

void stream_break(int fd)
{
        struct descriptor *d = machine->descriptors[fd - FD_FIRST], *peer;

        if (d->type != DESCRIPTOR_STREAM || d->peer < 0)
                return;
        peer = machine->descriptors[d->peer - FD_FIRST];
        lose_rest(&d->in);
        lose_rest(&peer->in);
        d->reset = random_u32(&machine->random) % 2;
        peer->reset = random_u32(&machine->random) % 2;
        d->peer = peer->peer = -1;
}

/* ---- what poll() says ---------------------------------------------------------------------- */

static short stream_events(const struct descriptor *d)
{
        bool ended = d->in.ended_at <= machine->now;
        short events = 0;

        if (readable(&d->in) > 0 || ended)
                events |= POLLIN;
        if (ended)
                events |= POLLRDHUP | POLLHUP | POLLOUT;
        if (ended && d->reset)
                events |= POLLERR;
        if (d->peer < 0 || room(d) > 0)
                events |= POLLOUT;
        return events;
}

short descriptor_events(int fd)
{
        const struct descriptor *d = descriptor_of(fd);

        if (!d)
                return POLLNVAL;
        switch (d->type) {
        case DESCRIPTOR_LISTENER:
        case DESCRIPTOR_DATAGRAMS:
                return d->n_waiting > 0 ? POLLIN : 0;
        case DESCRIPTOR_STREAM:
                return stream_events(d);
        case DESCRIPTOR_SOCKET:
                return d->error ? POLLOUT | POLLERR : 0;
        default:
                return 0;
        }
}

uint64_t descriptor_next(int fd)
{
        const struct descriptor *d = descriptor_of(fd);
        uint64_t next = TIME_NEVER;

        if (!d || d->type != DESCRIPTOR_STREAM)
                return TIME_NEVER;
        for (size_t i = 0; i < d->in.n_pieces && next == TIME_NEVER; ++i) {
                if (d->in.pieces[i].at > machine->now)
                        next = d->in.pieces[i].at;
        }
        if (d->in.ended_at > machine->now && d->in.ended_at < next)
                next = d->in.ended_at;
        return next;
}
