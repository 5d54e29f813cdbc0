/*
 * index.h - who matches an address (RFC 3259, sections 4 and 6.2), at a cost of the matches.
 *
 * A set of addresses with two ways in: a hash table over whole addresses, and for each element the
 * list of the entries that have it. A destination is looked up through its rarest element, so the
 * cost does not depend on how many entities there are. Entries are embedded in what they stand for.
 */
#ifndef MBUS_CORE_INDEX_H
#define MBUS_CORE_INDEX_H

#include "address.h"

struct posting;

struct index_position {
        struct posting *posting;
        size_t slot; /* where the entry stands in it */
};

struct index_entry {
        struct address *address; /* owned by the index while the entry is in it */
        uint64_t hash;
        struct index_entry *next; /* in the bucket */
        size_t slot;              /* in index.all */
        struct index_position
                *positions; /* one an element, in the same allocation as nothing else */
};

#define INDEX_ENTRY_INIT ((struct index_entry){ NULL, 0, NULL, 0, NULL })

/*
 * Each entry is in `all`, at its slot, in one bucket, and in the posting of each of its elements,
 * at its positions. A posting is never empty. There are at least as many buckets as entries, and as
 * postings: both numbers are powers of two, or zero while there was nothing.
 */
struct index {
        uint64_t seed;
        struct index_entry **buckets;
        size_t n_buckets;
        struct posting **postings;
        size_t n_postings;
        size_t n_posting_buckets;
        struct index_entry **all;
        size_t n;
        size_t size;
};

void index_init(struct index *ix, uint64_t seed);
/* The index must be empty. */
void index_deinit(struct index *ix);
/* Copies @address into @entry and adds it. The caller knows that no equal address is in @ix. 0 or
 * -ENOMEM, with @ix and @entry as before. */
int index_add(struct index *ix, struct index_entry *entry, const struct address *address);
/* Takes @entry out and returns its address, which the caller then owns; NULL if it is not in. */
struct address *index_take(struct index *ix, struct index_entry *entry);
/* Takes @entry out and frees its address. Nothing happens if it is not in. */
void index_remove(struct index *ix, struct index_entry *entry);
/* Puts @to in the place of @from, which leaves; @to is not in the index before. */
void index_move(struct index *ix, struct index_entry *to, struct index_entry *from);
/* The entry with exactly these elements, or NULL. */
struct index_entry *index_find(const struct index *ix, const struct address *address);

/* All entries that a destination matches; the index must not change meanwhile. */
struct index_cursor {
        const struct address *dest;
        struct index_entry *const *candidates;
        size_t n;
        size_t i;
};

struct index_cursor index_match(const struct index *ix, const struct address *dest);
struct index_entry *index_next(struct index_cursor *cursor);
/* An upper bound of how many entries index_next() will give. */
size_t index_bound(const struct index_cursor *cursor);
/*
 * The same in several goes, between which entries come and go. It leads from the last entry to the
 * first: whoever leaves has its place filled by the last, which so was given before or came later.
 * Thus an entry that is there from the first step to the end is given, though perhaps twice.
 */
struct index_walk {
        bool begun;
        unsigned element; /* of the destination, in whose posting it walks */
        size_t left;      /* entries before it */
};

#define INDEX_WALK_INIT ((struct index_walk){ false, 0, 0 })

/* The next entry that @dest, always the same, matches; NULL behind the last. */
struct index_entry *index_walk(const struct index *ix, const struct address *dest,
                               struct index_walk *walk);
/* Octets of memory that the index and its addresses take. */
size_t index_bytes(const struct index *ix);

#endif
