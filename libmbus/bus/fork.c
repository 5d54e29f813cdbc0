/*
 * fork.c - a process that was forked notices that its buses are its parent's.
 *
 * Sockets, epoll sets and timers are shared with the parent after fork(): whatever the child did
 * with them would happen to the parent. So each bus remembers a number of the process that opened
 * it, and the number of this process stands in a page that the kernel empties in a child
 * (MADV_WIPEONFORK). Kernels before 4.14, and emulators that only say they do it, are helped out by
 * a handler that fork() calls; it misses no more than a bare system call. Noticing costs no system
 * call in any case.
 */
#include "fork.h"

#include <assert.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint32_t fork_without_page;
static _Atomic uint32_t fork_last;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

_Atomic uint32_t *fork_mark = &fork_without_page;

static void fork_on_child(void)
{
        atomic_store_explicit(fork_mark, 0, memory_order_relaxed);
}

static void fork_make_mark(void)
{
        size_t size = (size_t)sysconf(_SC_PAGESIZE);
        void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (page != MAP_FAILED) {
                (void)madvise(page, size, MADV_WIPEONFORK);
                fork_mark = page;
        }
        /* Without memory for it the page does the same. */
        (void)pthread_atfork(NULL, NULL, fork_on_child);
}

uint32_t fork_number(void)
{
        uint32_t none = 0, number;

        pthread_once(&fork_once, fork_make_mark);
        if (atomic_load(fork_mark) == 0)
                atomic_compare_exchange_strong(fork_mark, &none,
                                               atomic_fetch_add(&fork_last, 1) + 1);
        number = atomic_load(fork_mark);
        assert(number != 0);
        return number;
}
