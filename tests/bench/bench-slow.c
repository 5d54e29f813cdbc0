/*
 * bench-slow.c - a member of a group that never reads, while a million messages go to the group: the
 * others get all of them, the broker's memory stays bounded, and at last the slow one learns how
 * many it has lost.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"
#include "flow.h"
#include "io/clock.h"
#include "raw.h"

#define MESSAGES 1000000
#define MEMBERS 2
#define INPUT_SIZE (256u << 10)
#define QUIET_MS 1000
#define SECONDS_MAX 110
/* Each client is allowed 8 MiB, which may cost twice that in memory. */
#define MB_MAX (5 + (MEMBERS + 1) * 2 * 8.4)

struct tally {
        uint64_t received;
        uint64_t lost; /* the broker says */
};

static void count(struct tally *tally, struct span text)
{
        static const char dropped[] = "broker.dropped(";
        const char *at = memmem(text.at, text.n, dropped, sizeof(dropped) - 1);

        if (at)
                tally->lost += strtoull(at + sizeof(dropped) - 1, NULL, 10);
        else if (memmem(text.at, text.n, "bench.payload(", 14))
                tally->received++;
}

/* Reads until nothing has come for a while. */
static struct tally read_all(struct raw *c)
{
        struct pollfd fd = { .fd = c->fd, .events = POLLIN };
        struct tally tally = { 0, 0 };
        struct span text;

        while (poll(&fd, 1, QUIET_MS) > 0 && raw_read(c)) {
                size_t cursor = 0;

                while (raw_take(c, &cursor, &text))
                        count(&tally, text);
                raw_drop(c, cursor);
        }
        return tally;
}

int main(int argc, char **argv)
{
        struct tally tally;
        uint64_t lost = 0;
        struct raw slow;
        struct flow *f;
        double rate;

        bench_isolate(argc, argv, SECONDS_MAX);
        f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        bench_check(f != MAP_FAILED && rig_mbus.start(), "the broker starts");
        raw_open(&slow, rig_mbus_server.socket, INPUT_SIZE);
        raw_attach(&slow, "(app:bench module:sink)");
        read_all(&slow);
        bench_check(slow.address[0], "the slow one is attached");

        printf("%d messages to %d members and one that does not read\n", MESSAGES, MEMBERS);
        rate = flow_rate(f, &rig_mbus, 1, MEMBERS, MESSAGES, &lost);
        printf("  %-32s %10.0f\n", "deliveries a second", rate);
        bench_at_most("messages the others lost", (double)lost, 0);
        bench_at_most("MB of the broker at most", (double)server_usage(&rig_mbus_server).peak / 1e6,
                      MB_MAX);
        tally = read_all(&slow);
        printf("  %-32s %10ju\n", "messages the slow one reads now", (uintmax_t)tally.received);
        bench_at_least("and those reported as lost", (double)(tally.received + tally.lost),
                       MESSAGES);
        bench_at_most("together", (double)(tally.received + tally.lost), MESSAGES);
        raw_close(&slow);
        rig_mbus.stop();
        munmap(f, sizeof(*f));
        return 0;
}
