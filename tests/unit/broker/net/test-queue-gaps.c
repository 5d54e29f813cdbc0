/*
 * test-queue-gaps.c - what a client's queue loses is told to it where it is missing.
 */
#include <stdint.h>

#include <broker/base/limits.h>

#include "books.h"
#include "run.h"
#include "seed.h"

/* So little that the queue is often full. */
#define BYTES_MAX (32u << 10)
/* The first octets of the frame that tells of a gap; others begin with their kind and number. */
#define TOLD UINT32_MAX

/* A client that reads all, and counts what it is told is missing. */
struct reader {
        char bytes[64 << 10];
        size_t n;
        uint32_t next[KIND_MAX]; /* the number of the next message of each kind */
        uint64_t n_told;
};

static void tell(struct queue *q, enum kind kind)
{
        uint32_t text[3] = { TOLD, kind, (uint32_t)queue_take_dropped(q, kind) };
        char frame[FRAME_HEADER_SIZE + sizeof(text)];

        ck_assert_uint_gt(text[2], 0);
        frame_put_length(frame, sizeof(text), false);
        memcpy(frame + FRAME_HEADER_SIZE, text, sizeof(text));
        ck_assert_int_eq(queue_insert(q, (struct span){ frame, sizeof(frame) }), 0);
        ck_assert_int_eq(queue_gap(q), KIND_MAX);
}

/* Each message is the one behind the last of its kind, but for those that were told to be lost. */
static void read_frames(struct reader *r)
{
        struct span text;
        bool observed;
        size_t n;

        while (frame_next((struct span){ r->bytes, r->n }, &text, &observed, &n) == FRAME_OK) {
                uint32_t head[3] = { 0 };

                memcpy(head, text.at, text.n < sizeof(head) ? text.n : sizeof(head));
                if (head[0] == TOLD) {
                        r->next[head[1]] += head[2];
                        r->n_told++;
                } else {
                        ck_assert_uint_eq(head[0] & 0xffffff, r->next[head[0] >> 24]);
                        r->next[head[0] >> 24]++;
                        ck_assert(is_whole(text, head[0]));
                }
                memmove(r->bytes, r->bytes + n, r->n - n);
                r->n -= n;
        }
}

/* Takes up to @n octets, as a link does. */
static void read_some(struct queue *q, struct reader *r, size_t n)
{
        struct iovec iov[1];

        while (n > 0) {
                enum kind gap = queue_gap(q);
                size_t part;

                if (gap != KIND_MAX)
                        tell(q, gap);
                if (queue_is_empty(q))
                        return;
                ck_assert_uint_eq(queue_peek(q, iov, 1), 1);
                part = iov[0].iov_len < n ? iov[0].iov_len : n;
                if (part > sizeof(r->bytes) - r->n)
                        part = sizeof(r->bytes) - r->n;
                memcpy(r->bytes + r->n, iov[0].iov_base, part);
                r->n += part;
                n -= part;
                queue_pop(q, part);
                read_frames(r);
        }
}

START_TEST(test_what_is_lost_is_told_right_where_it_is_missing)
{
        static struct reader r;
        struct random random = seeded("gaps");
        struct chunk *chunk = NULL;
        uint32_t pushed[KIND_MAX] = { 0 };
        struct books books;
        struct queue q;

        books_init(&books);
        books.quota.limits.of[LIMIT_BYTES_PER_LINK] = BYTES_MAX;
        queue_init(&q, books.user);
        for (uint32_t i = 0; i < 200000; i++) {
                uint32_t choice = (uint32_t)random_below(&random, 1000);
                uint32_t size = 12 + (uint32_t)random_below(&random, 500);
                enum kind kind = choice < 500 ? KIND_COPY : choice % KIND_MAX;
                size_t at;

                if (choice >= 970) {
                        read_some(&q, &r, random_below(&random, i % 64 ? 20000 : 100000));
                        continue;
                }
                if (choice >= 960)
                        queue_compact(&q);
                if (!chunk || chunk_room(chunk) < size) {
                        chunk_unref(chunk);
                        chunk = chunk_new(CHUNK_SIZE / 4);
                }
                at = put_frame(chunk, (uint32_t)kind << 24 | pushed[kind], size);
                if (queue_push(&q, chunk, at, size, kind) == 0)
                        pushed[kind]++;
        }
        read_some(&q, &r, SIZE_MAX);
        ck_assert_uint_eq(r.n, 0);
        for (unsigned kind = 0; kind < KIND_MAX; kind++)
                ck_assert_uint_eq(r.next[kind], pushed[kind]);
        ck_assert_uint_gt(r.n_told, 100);
        queue_deinit(&q);
        books_deinit(&books);
        chunk_unref(chunk);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_what_is_lost_is_told_right_where_it_is_missing,
        };

        return run_tests("broker-gaps", tests, N(tests));
}
