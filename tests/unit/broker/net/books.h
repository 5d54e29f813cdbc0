/*
 * books.h - what tests of the broker's queue share: books that it is charged to, and frames that can be
 * told from each other.
 */
#ifndef MBUS_TESTS_BROKER_BOOKS_H
#define MBUS_TESTS_BROKER_BOOKS_H

#include <check.h>
#include <stdint.h>
#include <string.h>

#include <broker/net/queue.h>
#include <broker/accounts/quota.h>
#include <core/frame.h>

/* A broker with one user, and nothing waiting. */
struct books {
        struct quota quota;
        struct quota_user *user;
};

static inline void books_init(struct books *b)
{
        struct limits limits;
        enum limit limit;

        limits_init(&limits);
        quota_init(&b->quota, &limits, "file");
        b->user = quota_add_link(&b->quota, 1, 0, &limit);
        ck_assert_ptr_nonnull(b->user);
}

/* Everything was given back, which quota_remove_link() asserts, too. */
static inline void books_deinit(struct books *b)
{
        for (unsigned kind = 0; kind < QUOTA_LINKS; kind++) {
                ck_assert_uint_eq(b->quota.use[kind], 0);
                ck_assert_uint_eq(b->user->use[kind], 0);
        }
        ck_assert_uint_eq(b->user->n_backlogs, 0);
        quota_remove_link(b->user);
        quota_deinit(&b->quota);
}

/* A frame whose octets tell its number; 12 octets at least. */
static inline size_t put_frame(struct chunk *chunk, uint32_t number, size_t n)
{
        char *at = chunk->bytes + chunk->n;

        ck_assert_uint_le(n, chunk_room(chunk));
        frame_put_length(at, n - FRAME_HEADER_SIZE, false);
        for (size_t i = FRAME_HEADER_SIZE; i < n; i++)
                at[i] = (char)(number + i);
        memcpy(at + FRAME_HEADER_SIZE, &number, sizeof(number));
        chunk->n += n;
        return chunk->n - n;
}

/* Whether the frame put as @number still has all its octets. */
static inline bool is_whole(struct span text, uint32_t number)
{
        for (size_t i = sizeof(number); i < text.n; i++)
                if (text.at[i] != (char)(number + i + FRAME_HEADER_SIZE))
                        return false;
        return true;
}

#endif
