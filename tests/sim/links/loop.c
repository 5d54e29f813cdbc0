/*
 * loop.c - the functions of libuv that the broker uses, on the virtual clock and descriptors.
 *
 * As in libuv, a turn runs timers, then prepare handles, then looks at descriptors, then tells of closed
 * handles; but where libuv sleeps, a turn ends. Errors of a descriptor stop its handle, and one that
 * nobody waits for any more is reported as whatever is waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "../memory.h"
#include "machine.h"

#define TURNS_MAX 16

struct handle {
        uv_handle_t *uv;
        bool active;
        bool closing;
        int fd;
        int events;
        uint64_t due_ms;
        uint64_t repeat_ms;
        int number;
        uv_poll_cb on_poll;
        uv_timer_cb on_timer;
        uv_prepare_cb on_prepare;
        uv_signal_cb on_signal;
        uv_close_cb on_close;
};

struct loop {
        uv_loop_t *uv;
        struct handle **handles;
        size_t n;
        size_t size;
        uint64_t time_ms;
        bool stopped;
};

static struct loop *loop_of(const uv_loop_t *uv)
{
        return uv->data;
}

static struct handle *find(const uv_loop_t *uv, const void *handle)
{
        const struct loop *loop = loop_of(uv);

        for (size_t i = 0; i < loop->n; ++i) {
                if (loop->handles[i]->uv == handle)
                        return loop->handles[i];
        }
        machine_fail("descriptors", "a handle is used that the loop does not know");
        return NULL;
}

static struct handle *add(uv_loop_t *uv, void *handle)
{
        struct loop *loop = loop_of(uv);
        struct handle *h = must(calloc(1, sizeof(*h)));

        if (loop->n == loop->size) {
                loop->size = loop->size ? 2 * loop->size : 16;
                loop->handles = must(realloc(loop->handles, loop->size * sizeof(*loop->handles)));
        }
        h->uv = handle;
        h->uv->loop = uv;
        loop->handles[loop->n++] = h;
        return h;
}

/* ---- what the broker calls ----------------------------------------------------------------- */

int uv_loop_init(uv_loop_t *uv)
{
        struct loop *loop = must(calloc(1, sizeof(*loop)));

        /* libuv itself looks into it, where a name is looked up at once. */
        memset(uv, 0, sizeof(*uv));
        loop->uv = uv;
        loop->time_ms = machine->now / NSEC_PER_MSEC;
        uv->data = loop;
        return 0;
}

int uv_loop_close(uv_loop_t *uv)
{
        struct loop *loop = loop_of(uv);

        if (loop->n > 0)
                machine_fail("descriptors", "a loop ends with %zu open handles", loop->n);
        for (size_t i = 0; i < loop->n; ++i)
                free(loop->handles[i]);
        free(loop->handles);
        free(loop);
        return 0;
}

void uv_update_time(uv_loop_t *uv)
{
        loop_of(uv)->time_ms = machine->now / NSEC_PER_MSEC;
}

int uv_prepare_init(uv_loop_t *uv, uv_prepare_t *prepare)
{
        add(uv, prepare);
        return 0;
}

int uv_prepare_start(uv_prepare_t *prepare, uv_prepare_cb cb)
{
        struct handle *h = find(prepare->loop, prepare);

        h->on_prepare = cb;
        h->active = true;
        return 0;
}

int uv_timer_init(uv_loop_t *uv, uv_timer_t *timer)
{
        add(uv, timer);
        return 0;
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
        struct handle *h = find(timer->loop, timer);

        if (!h || h->closing)
                return UV_EINVAL;
        h->on_timer = cb;
        h->due_ms = loop_of(timer->loop)->time_ms + timeout;
        h->repeat_ms = repeat;
        h->active = true;
        return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
        struct handle *h = find(timer->loop, timer);

        if (h)
                h->active = false;
        return 0;
}

int uv_signal_init(uv_loop_t *uv, uv_signal_t *signal)
{
        add(uv, signal);
        return 0;
}

int uv_signal_start(uv_signal_t *signal, uv_signal_cb cb, int number)
{
        struct handle *h = find(signal->loop, signal);

        h->on_signal = cb;
        h->number = number;
        h->active = true;
        return 0;
}

int uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd)
{
        if (!descriptor_of(fd))
                return UV_EBADF;
        add(uv, poll)->fd = fd;
        return 0;
}

int uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb)
{
        struct handle *h = find(poll->loop, poll);

        if (!h || h->closing)
                return UV_EINVAL;
        h->on_poll = cb;
        h->events = events;
        h->active = events != 0;
        return 0;
}

int uv_poll_stop(uv_poll_t *poll)
{
        struct handle *h = find(poll->loop, poll);

        if (h)
                h->active = false;
        return 0;
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
        struct handle *h = find(handle->loop, handle);

        if (!h || h->closing) {
                machine_fail("descriptors", "a handle is closed twice");
                return;
        }
        h->active = false;
        h->closing = true;
        h->on_close = cb;
}

int uv_is_closing(const uv_handle_t *handle)
{
        return find(handle->loop, handle)->closing;
}

void uv_walk(uv_loop_t *uv, uv_walk_cb cb, void *data)
{
        const struct loop *loop = loop_of(uv);
        size_t n = loop->n;

        for (size_t i = 0; i < n && i < loop->n; ++i)
                cb(loop->handles[i]->uv, data);
}

void uv_stop(uv_loop_t *uv)
{
        loop_of(uv)->stopped = true;
}

const char *uv_strerror(int error)
{
        return strerror(-error);
}

/* ---- turns --------------------------------------------------------------------------------- */

static bool tell_closed(struct loop *loop)
{
        bool any = false;

        for (size_t i = 0; i < loop->n;) {
                struct handle *h = loop->handles[i];

                if (!h->closing) {
                        ++i;
                        continue;
                }
                memmove(&loop->handles[i], &loop->handles[i + 1],
                        (--loop->n - i) * sizeof(*loop->handles));
                any = true;
                if (h->on_close)
                        h->on_close(h->uv);
                free(h);
        }
        return any;
}

static int wanted_of(short events)
{
        return (events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0) |
               (events & POLLRDHUP ? UV_DISCONNECT : 0);
}

/* What a handle would be called with; 0: nothing, -1: an error. */
static int ready(const struct handle *h)
{
        short events;
        int got;

        if (!h->active || h->closing || !h->on_poll)
                return 0;
        events = descriptor_events(h->fd);
        got = wanted_of(events) & h->events;
        if (events & POLLERR)
                return -1;
        if (got == 0 && events & POLLHUP)
                return h->events;
        return got;
}

static bool poll_all(struct loop *loop)
{
        size_t n = loop->n;
        bool any = false;

        for (size_t i = 0; i < n && i < loop->n; ++i) {
                struct handle *h = loop->handles[i];
                int events = ready(h);

                if (events == 0)
                        continue;
                any = true;
                if (events < 0)
                        h->active = false;
                h->on_poll((uv_poll_t *)h->uv, events < 0 ? UV_EBADF : 0, events < 0 ? 0 : events);
        }
        return any;
}

static bool is_due(const struct handle *h)
{
        return h->active && h->on_timer && h->due_ms <= machine->now / NSEC_PER_MSEC;
}

static bool run_timers(struct loop *loop)
{
        size_t n = loop->n;
        bool any = false;

        for (size_t i = 0; i < n && i < loop->n; ++i) {
                struct handle *h = loop->handles[i];

                if (!is_due(h))
                        continue;
                any = true;
                h->active = h->repeat_ms > 0;
                h->due_ms = loop->time_ms + h->repeat_ms;
                h->on_timer((uv_timer_t *)h->uv);
        }
        return any;
}

static void prepare_all(struct loop *loop)
{
        for (size_t i = 0; i < loop->n; ++i) {
                struct handle *h = loop->handles[i];

                if (h->active && h->on_prepare)
                        h->on_prepare((uv_prepare_t *)h->uv);
        }
}

bool loop_turn(uv_loop_t *uv)
{
        struct loop *loop = loop_of(uv);
        bool any = true;

        for (unsigned i = 0; i < TURNS_MAX && any && !loop->stopped; ++i) {
                uv_update_time(uv);
                any = run_timers(loop);
                prepare_all(loop);
                any |= poll_all(loop);
                any |= tell_closed(loop);
        }
        return !loop->stopped;
}

/* Only the end of a broker comes here, whose handles are all being closed. */
int uv_run(uv_loop_t *uv, uv_run_mode mode)
{
        (void)mode;
        while (tell_closed(loop_of(uv)))
                ;
        return 0;
}

bool loop_is_due(const uv_loop_t *uv)
{
        const struct loop *loop = loop_of(uv);

        for (size_t i = 0; i < loop->n; ++i) {
                if (is_due(loop->handles[i]) || ready(loop->handles[i]) != 0)
                        return true;
        }
        return false;
}

uint64_t loop_next(const uv_loop_t *uv)
{
        const struct loop *loop = loop_of(uv);
        uint64_t next = TIME_NEVER, at;

        for (size_t i = 0; i < loop->n; ++i) {
                const struct handle *h = loop->handles[i];

                if (!h->active || h->closing)
                        continue;
                at = h->on_timer  ? h->due_ms * NSEC_PER_MSEC
                     : h->on_poll ? descriptor_next(h->fd)
                                  : TIME_NEVER;
                if (at < next)
                        next = at;
        }
        return next;
}

void loop_signal(uv_loop_t *uv, int number)
{
        struct loop *loop = loop_of(uv);

        for (size_t i = 0; i < loop->n; ++i) {
                struct handle *h = loop->handles[i];

                if (h->active && h->on_signal && h->number == number)
                        h->on_signal((uv_signal_t *)h->uv, number);
        }
}
