/*
 * test-queue.c - what waits for a client, against a model that is a plain list of messages.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/base/limits.h>
#include <mbus.h>

#include "books.h"
#include "run.h"
#include "seed.h"

/* Takes all that @q holds, in pieces of at most @piece octets; the frames must be whole. *@ret_n of
 * their numbers are written to @ret_numbers. */
static void drain(struct queue *q, size_t piece, uint32_t *ret_numbers, size_t *ret_n)
{
        static char bytes[64 << 20];
        size_t n = 0;
        struct iovec iov[8];

        *ret_n = 0;
        while (!queue_is_empty(q)) {
                size_t n_iov = queue_peek(q, iov, 8), taken = 0;

                ck_assert_uint_gt(n_iov, 0);
                for (size_t i = 0; i < n_iov && taken < piece; i++) {
                        size_t part = iov[i].iov_len;

                        if (part > piece - taken)
                                part = piece - taken;
                        memcpy(bytes + n + taken, iov[i].iov_base, part);
                        taken += part;
                }
                n += taken;
                queue_pop(q, taken);
        }
        for (size_t at = 0; at < n;) {
                struct span text;
                bool observed;
                size_t size;

                ck_assert_int_eq(
                        frame_next((struct span){ bytes + at, n - at }, &text, &observed, &size),
                        FRAME_OK);
                memcpy(&ret_numbers[(*ret_n)++], text.at, sizeof(*ret_numbers));
                ck_assert(is_whole(text, ret_numbers[*ret_n - 1]));
                at += size;
        }
}

static void push(struct queue *q, struct chunk *chunk, uint32_t number, size_t n, enum kind kind)
{
        size_t at = put_frame(chunk, number, n);

        ck_assert_int_eq(queue_push(q, chunk, at, n, kind), 0);
}

START_TEST(test_frames_behind_each_other_in_a_chunk_are_one_slice)
{
        struct chunk *chunk = chunk_new(4096);
        struct iovec iov[4];
        struct books books;
        struct queue q;

        books_init(&books);
        queue_init(&q, books.user);
        for (uint32_t i = 0; i < 10; i++)
                push(&q, chunk, i, 100, KIND_UNRELIABLE);
        ck_assert_uint_eq(queue_peek(&q, iov, 4), 1);
        ck_assert_uint_eq(iov[0].iov_len, 1000);
        ck_assert_ptr_eq(iov[0].iov_base, chunk->bytes);
        ck_assert_uint_eq(chunk->refs, 2);
        push(&q, chunk, 10, 100, KIND_RELIABLE);
        push(&q, chunk, 11, 100, KIND_ANSWER);
        ck_assert_uint_eq(queue_peek(&q, iov, 4), 2);
        ck_assert_uint_eq(books.user->use[QUOTA_BYTES], 1200);
        ck_assert_uint_eq(books.quota.use[QUOTA_MESSAGES], 12);
        queue_pop(&q, 1200);
        ck_assert(queue_is_empty(&q));
        ck_assert_uint_eq(chunk->refs, 1);
        queue_deinit(&q);
        books_deinit(&books);
        chunk_unref(chunk);
}
END_TEST

START_TEST(test_a_frame_that_is_half_written_is_never_dropped)
{
        struct chunk *chunk = chunk_new(32 << 20);
        uint32_t *numbers = malloc(100000 * sizeof(*numbers));
        struct books books;
        struct queue q;
        size_t n;

        ck_assert_ptr_nonnull(chunk);
        ck_assert_ptr_nonnull(numbers);
        books_init(&books);
        queue_init(&q, books.user);
        for (uint32_t i = 0; i < 3; i++)
                push(&q, chunk, i, 100, KIND_UNRELIABLE);
        queue_pop(&q, 150);
        for (uint32_t i = 3; i < 3 + QUEUE_MESSAGES_MAX; i++)
                push(&q, chunk, i, 100, KIND_UNRELIABLE);
        ck_assert_uint_eq(q.n_messages, QUEUE_MESSAGES_MAX);
        ck_assert_uint_eq(queue_take_dropped(&q, KIND_UNRELIABLE), 2);
        /* The second half of frame 1, and then what came last. */
        queue_pop(&q, 50);
        drain(&q, 1000, numbers, &n);
        ck_assert_uint_eq(n, QUEUE_MESSAGES_MAX - 1);
        ck_assert_uint_eq(numbers[0], 4);
        ck_assert_uint_eq(numbers[n - 1], 2 + QUEUE_MESSAGES_MAX);
        queue_deinit(&q);
        books_deinit(&books);
        chunk_unref(chunk);
        free(numbers);
}
END_TEST

START_TEST(test_copies_go_first_then_unreliable_messages_and_nothing_else)
{
        struct chunk *chunk = chunk_new(32 << 20);
        struct books books;
        struct queue q;
        size_t at;

        books_init(&books);
        queue_init(&q, books.user);
        for (uint32_t i = 0; i < 10; i++)
                push(&q, chunk, i, 20, KIND_UNRELIABLE);
        for (uint32_t i = 10; i < QUEUE_MESSAGES_MAX - 10; i++)
                push(&q, chunk, i, 20, KIND_RELIABLE);
        for (uint32_t i = 0; i < 10; i++)
                push(&q, chunk, i, 20, KIND_COPY);
        ck_assert_uint_eq(queue_take_dropped(&q, KIND_UNRELIABLE), 0);
        ck_assert_uint_eq(queue_take_dropped(&q, KIND_COPY), 0);
        push(&q, chunk, 0, 20, KIND_RELIABLE);
        ck_assert_uint_eq(q.n[KIND_COPY], 9);
        push(&q, chunk, 0, 20, KIND_COPY);
        ck_assert_uint_eq(q.n[KIND_COPY], 9);
        for (uint32_t i = 0; i < 20; i++)
                push(&q, chunk, i, 20, KIND_UNRELIABLE);
        ck_assert_uint_eq(q.n[KIND_COPY], 0);
        ck_assert_uint_eq(q.n[KIND_UNRELIABLE], 19);
        at = put_frame(chunk, 0, 20);
        ck_assert_int_eq(queue_push(&q, chunk, at, 20, KIND_RELIABLE), MBUS_E_FULL);
        ck_assert_int_eq(queue_push(&q, chunk, at, 20, KIND_COPY), 0);
        ck_assert_uint_eq(q.n[KIND_COPY], 0);
        ck_assert_uint_eq(queue_take_dropped(&q, KIND_COPY), 12);
        ck_assert_uint_eq(queue_take_dropped(&q, KIND_UNRELIABLE), 11);
        ck_assert_uint_eq(queue_take_dropped(&q, KIND_COPY), 0);
        for (uint32_t i = 0; i < QUEUE_MESSAGES_MAX; i++)
                push(&q, chunk, i, 20, KIND_ANSWER);
        ck_assert_int_eq(queue_push(&q, chunk, at, 20, KIND_ANSWER), MBUS_E_FULL);
        queue_deinit(&q);
        books_deinit(&books);
        ck_assert_uint_eq(chunk->refs, 1);
        chunk_unref(chunk);
}
END_TEST

START_TEST(test_small_parts_of_chunks_are_copied_and_large_ones_are_not)
{
        struct chunk *chunks[40];
        uint32_t numbers[4096];
        struct books books;
        struct queue q;
        size_t n;

        books_init(&books);
        queue_init(&q, books.user);
        for (uint32_t i = 0; i < N(chunks); i++) {
                chunks[i] = chunk_new(CHUNK_SIZE);
                push(&q, chunks[i], i, 1000, KIND_UNRELIABLE);
                push(&q, chunks[i], i, 10000, KIND_RELIABLE);
        }
        queue_compact(&q);
        for (uint32_t i = 0; i < N(chunks); i++)
                ck_assert_uint_eq(chunks[i]->refs, 1);
        for (uint32_t i = 0; i < 14; i++)
                push(&q, chunks[0], i, 10000, KIND_UNRELIABLE);
        queue_compact(&q);
        ck_assert_uint_eq(chunks[0]->refs, 2);
        drain(&q, SIZE_MAX, numbers, &n);
        ck_assert_uint_eq(n, 2 * N(chunks) + 14);
        for (uint32_t i = 0; i < 2 * N(chunks); i++)
                ck_assert_uint_eq(numbers[i], i / 2);
        queue_deinit(&q);
        books_deinit(&books);
        for (uint32_t i = 0; i < N(chunks); i++)
                chunk_unref(chunks[i]);
}
END_TEST

START_TEST(test_beyond_a_quarter_of_the_total_a_queue_has_its_share_of_what_is_left)
{
        struct chunk *chunk = chunk_new(4 << 20);
        struct books books;
        struct queue q[2];

        books_init(&books);
        books.quota.limits.of[LIMIT_BYTES] = 1000000;
        for (unsigned i = 0; i < 2; i++)
                queue_init(&q[i], books.user);
        for (uint32_t i = 0; i < 1000; i++)
                push(&q[0], chunk, i, 1000, KIND_UNRELIABLE);
        /* Half for the user, half of that for a link, of which there is one. */
        ck_assert_uint_eq(q[0].bytes, 250000);
        for (uint32_t i = 0; i < 1000; i++)
                push(&q[1], chunk, i, 1000, KIND_UNRELIABLE);
        /* A third of what the first left. */
        ck_assert_uint_eq(q[1].bytes, 83000);
        ck_assert_uint_eq(books.user->n_backlogs, 2);
        for (unsigned i = 0; i < 2; i++)
                queue_deinit(&q[i]);
        books_deinit(&books);
        chunk_unref(chunk);
}
END_TEST

START_TEST(test_an_empty_queue_takes_a_message_whatever_others_have)
{
        struct chunk *chunk = chunk_new(CHUNK_SIZE);
        struct books books;
        struct queue q;
        size_t at;

        books_init(&books);
        queue_init(&q, books.user);
        quota_take(books.user, QUOTA_BYTES, QUEUES_BYTES_MAX);
        at = put_frame(chunk, 0, 60000);
        ck_assert_int_eq(queue_check(&q, 60000, KIND_RELIABLE), LIMIT_NONE);
        ck_assert_int_eq(queue_push(&q, chunk, at, 60000, KIND_RELIABLE), 0);
        ck_assert_int_eq(queue_push(&q, chunk, at, 60000, KIND_RELIABLE), MBUS_E_FULL);
        ck_assert_int_eq(queue_check(&q, 100, KIND_RELIABLE), LIMIT_BYTES);
        quota_give_back(books.user, QUOTA_BYTES, QUEUES_BYTES_MAX);
        queue_deinit(&q);
        books_deinit(&books);
        chunk_unref(chunk);
}
END_TEST

/* ---- anything, against a model ------------------------------------------------------------- */

/* So little that the queue is often full. */
#define MODEL_BYTES_MAX (256u << 10)

struct item {
        uint32_t number;
        enum kind kind;
        uint32_t size;
        uint32_t written;
};

struct model {
        struct item items[QUEUE_MESSAGES_MAX + 16];
        size_t n;
        size_t bytes;
};

static void model_remove(struct model *m, size_t i)
{
        m->bytes -= m->items[i].size - m->items[i].written;
        memmove(m->items + i, m->items + i + 1, (--m->n - i) * sizeof(*m->items));
}

static bool model_drop(struct model *m, enum kind kind)
{
        for (size_t i = 0; i < m->n; i++) {
                if (m->items[i].kind == kind && m->items[i].written == 0) {
                        model_remove(m, i);
                        return true;
                }
        }
        return false;
}

static int model_push(struct model *m, uint32_t number, uint32_t size, enum kind kind)
{
        while (kind != KIND_ANSWER && m->bytes + size > MODEL_BYTES_MAX) {
                if (model_drop(m, KIND_COPY))
                        continue;
                if (kind == KIND_UNRELIABLE && model_drop(m, KIND_UNRELIABLE))
                        continue;
                return kind == KIND_RELIABLE ? MBUS_E_FULL : 0;
        }
        if (kind == KIND_ANSWER && m->bytes + size > QUEUE_ANSWERS_FACTOR * MODEL_BYTES_MAX)
                return MBUS_E_FULL;
        m->items[m->n++] = (struct item){ number, kind, size, 0 };
        m->bytes += size;
        return 0;
}

static void model_pop(struct model *m, size_t n)
{
        while (n > 0) {
                struct item *first = &m->items[0];
                uint32_t part = first->size - first->written;

                if (part > n)
                        part = (uint32_t)n;
                first->written += part;
                m->bytes -= part;
                n -= part;
                if (first->written == first->size)
                        model_remove(m, 0);
        }
}

/* The first octets that wait are those of the model's first messages. */
static void compare(const struct queue *q, const struct model *m)
{
        struct iovec iov[4];
        size_t n = queue_peek(q, iov, 4);

        ck_assert_uint_eq(q->n_messages, m->n);
        ck_assert_uint_eq(q->bytes, m->bytes);
        ck_assert_uint_eq(n > 0, m->n > 0);
        if (n > 0 && m->items[0].written >= 8)
                ck_assert_int_eq(*(char *)iov[0].iov_base,
                                 (char)(m->items[0].number + m->items[0].written));
}

START_TEST(test_whatever_happens_the_queue_does_as_the_model)
{
        static struct model m;
        struct random random = seeded("queue");
        struct chunk *chunk = NULL;
        uint64_t n_dropped = 0;
        struct books books;
        struct queue q;

        books_init(&books);
        books.quota.limits.of[LIMIT_BYTES_PER_LINK] = MODEL_BYTES_MAX;
        queue_init(&q, books.user);
        for (uint32_t i = 0; i < 200000; i++) {
                uint32_t choice = (uint32_t)random_below(&random, 1000);

                if (choice < 900) {
                        uint32_t size =
                                12 + (uint32_t)random_below(&random, choice < 20 ? 9000 : 500);
                        enum kind kind = choice < 600 ? KIND_UNRELIABLE : choice % KIND_MAX;
                        size_t at;

                        if (!chunk || chunk_room(chunk) < size) {
                                chunk_unref(chunk);
                                chunk = chunk_new(CHUNK_SIZE / 4);
                        }
                        at = put_frame(chunk, i, size);
                        ck_assert_int_eq(queue_push(&q, chunk, at, size, kind),
                                         model_push(&m, i, size, kind));
                        /* What went to others in between, so that slices do not join. */
                        if (choice % 3 == 0 && chunk_room(chunk) > 50)
                                put_frame(chunk, 0, 50);
                } else if (choice < 990) {
                        size_t n = random_below(&random, m.bytes < 3000 ? m.bytes + 1 : 3000);

                        queue_pop(&q, n);
                        model_pop(&m, n);
                } else if (choice < 999) {
                        queue_compact(&q);
                } else if (i % 8 == 0) {
                        queue_pop(&q, m.bytes);
                        model_pop(&m, m.bytes);
                }
                n_dropped +=
                        queue_take_dropped(&q, KIND_UNRELIABLE) + queue_take_dropped(&q, KIND_COPY);
                compare(&q, &m);
        }
        ck_assert_uint_gt(n_dropped, 1000);
        queue_deinit(&q);
        books_deinit(&books);
        ck_assert_uint_eq(chunk->refs, 1);
        chunk_unref(chunk);
}
END_TEST

/* Octets of the chunks that the queue keeps alive. */
static size_t held(const struct queue *q)
{
        const struct chunk *last = NULL;
        size_t n = 0;

        for (uint64_t i = q->head; i < q->tail; i++) {
                const struct slice *s = &q->slices[i & (q->size - 1)];

                if (s->chunk && s->chunk != last)
                        n += s->chunk->size;
                last = s->chunk ? s->chunk : last;
        }
        return n;
}

START_TEST(test_what_was_dropped_does_not_stay_with_the_little_that_was_not)
{
        struct books books;
        struct queue q;
        uint64_t n_dropped = 0;

        books_init(&books);
        books.quota.limits.of[LIMIT_BYTES_PER_LINK] = 1 << 20;
        queue_init(&q, books.user);
        /* 200 MB, of which a message in each chunk may not be dropped: 100 KB. */
        for (uint32_t i = 0; i < 1000; i++) {
                struct chunk *chunk = chunk_new(CHUNK_SIZE);

                push(&q, chunk, i, 100, KIND_ANSWER);
                while (chunk_room(chunk) >= 1000)
                        push(&q, chunk, i, 1000, KIND_UNRELIABLE);
                chunk_unref(chunk);
                queue_compact(&q);
                ck_assert_uint_le(held(&q), 4 * q.bytes + 4 * CHUNK_SIZE);
                n_dropped += queue_take_dropped(&q, KIND_UNRELIABLE);
        }
        ck_assert_uint_eq(q.n[KIND_ANSWER], 1000);
        ck_assert_uint_gt(n_dropped, 250000);
        queue_deinit(&q);
        books_deinit(&books);
}
END_TEST

START_TEST(test_a_pool_keeps_a_few_chunks_and_gives_the_last_one_out_first)
{
        struct chunk_pool pool = { .size = 100 };
        struct chunk *chunks[CHUNKS_SPARE_MAX + 2];

        for (size_t i = 0; i < N(chunks); i++) {
                chunks[i] = chunk_take(&pool);
                ck_assert_uint_eq(chunk_room(chunks[i]), 100);
                put_frame(chunks[i], 0, 50);
        }
        ck_assert_uint_eq(pool.n_out, N(chunks));
        chunk_ref(chunks[0]);
        for (size_t i = 0; i < N(chunks); i++)
                chunk_unref(chunks[i]);
        ck_assert_uint_eq(pool.n_out, 1);
        ck_assert_uint_eq(pool.n_spare, CHUNKS_SPARE_MAX);
        ck_assert_ptr_eq(chunk_take(&pool), chunks[CHUNKS_SPARE_MAX]);
        ck_assert_uint_eq(chunk_room(chunks[CHUNKS_SPARE_MAX]), 100);
        chunk_unref(chunks[CHUNKS_SPARE_MAX]);
        chunk_unref(chunks[0]);
        ck_assert_uint_eq(pool.n_out, 0);
        ck_assert_uint_eq(pool.n_spare, CHUNKS_SPARE_MAX);
        chunk_pool_deinit(&pool);
        ck_assert(pool.n_spare == 0 && !pool.spare);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_frames_behind_each_other_in_a_chunk_are_one_slice,
                test_a_frame_that_is_half_written_is_never_dropped,
                test_copies_go_first_then_unreliable_messages_and_nothing_else,
                test_small_parts_of_chunks_are_copied_and_large_ones_are_not,
                test_beyond_a_quarter_of_the_total_a_queue_has_its_share_of_what_is_left,
                test_an_empty_queue_takes_a_message_whatever_others_have,
                test_whatever_happens_the_queue_does_as_the_model,
                test_what_was_dropped_does_not_stay_with_the_little_that_was_not,
                test_a_pool_keeps_a_few_chunks_and_gives_the_last_one_out_first,
        };

        return run_tests("broker-queue", tests, N(tests));
}
