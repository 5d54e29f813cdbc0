/*
 * index.c - a hash table of whole addresses beside an inverted index over their elements.
 *
 * Both tables chain and grow by doubling, so a lookup stays flat from ten entries to a hundred
 * thousand. A posting is the list of the entries that have one element; an entry remembers where it
 * stands in each of its postings, so that leaving costs no search.
 */
#include "index.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS_MIN 16

struct posting {
        uint64_t hash; /* of the element that all entries here have */
        struct posting *next;
        struct index_entry **entries;
        size_t n;
        size_t size;
};

void index_init(struct index *ix, uint64_t seed)
{
        *ix = (struct index){ .seed = seed };
}

void index_deinit(struct index *ix)
{
        assert(ix->n == 0);
        free(ix->buckets);
        free(ix->postings);
        free(ix->all);
        *ix = (struct index){ .seed = ix->seed };
}

static int grow_buckets(struct index *ix)
{
        size_t n = ix->n_buckets ? ix->n_buckets * 2 : BUCKETS_MIN;
        struct index_entry **buckets;

        if (ix->n < ix->n_buckets)
                return 0;
        buckets = calloc(n, sizeof(*buckets));
        if (!buckets)
                return -ENOMEM;
        for (size_t i = 0; i < ix->n; ++i) {
                struct index_entry **bucket = &buckets[ix->all[i]->hash & (n - 1)];

                ix->all[i]->next = *bucket;
                *bucket = ix->all[i];
        }
        free(ix->buckets);
        ix->buckets = buckets;
        ix->n_buckets = n;
        return 0;
}

static int grow_postings(struct index *ix)
{
        size_t n = ix->n_posting_buckets ? ix->n_posting_buckets * 2 : BUCKETS_MIN;
        struct posting **buckets;

        if (ix->n_postings < ix->n_posting_buckets)
                return 0;
        buckets = calloc(n, sizeof(*buckets));
        if (!buckets)
                return -ENOMEM;
        for (size_t i = 0; i < ix->n_posting_buckets; ++i) {
                for (struct posting *p = ix->postings[i], *next; p; p = next) {
                        next = p->next;
                        p->next = buckets[p->hash & (n - 1)];
                        buckets[p->hash & (n - 1)] = p;
                }
        }
        free(ix->postings);
        ix->postings = buckets;
        ix->n_posting_buckets = n;
        return 0;
}

static int grow_array(struct index_entry ***array, size_t n, size_t *size)
{
        size_t new_size = *size ? *size * 2 : 1;
        struct index_entry **grown;

        if (n < *size)
                return 0;
        grown = realloc(*array, new_size * sizeof(**array));
        if (!grown)
                return -ENOMEM;
        *array = grown;
        *size = new_size;
        return 0;
}

/* Two elements of one hash share a posting; index_next() compares for real. */
static struct posting *find_posting(const struct index *ix, uint64_t hash)
{
        struct posting *p;

        if (ix->n_posting_buckets == 0)
                return NULL;
        p = ix->postings[hash & (ix->n_posting_buckets - 1)];
        while (p && p->hash != hash)
                p = p->next;
        return p;
}

static struct posting *make_posting(struct index *ix, uint64_t hash)
{
        struct posting *p = find_posting(ix, hash);
        struct posting **bucket;

        if (p || grow_postings(ix) < 0)
                return p;
        p = calloc(1, sizeof(*p));
        if (!p)
                return NULL;
        bucket = &ix->postings[hash & (ix->n_posting_buckets - 1)];
        *p = (struct posting){ .hash = hash, .next = *bucket };
        *bucket = p;
        ++ix->n_postings;
        return p;
}

static void drop_posting(struct index *ix, struct posting *posting)
{
        struct posting **p = &ix->postings[posting->hash & (ix->n_posting_buckets - 1)];

        while (*p != posting)
                p = &(*p)->next;
        *p = posting->next;
        --ix->n_postings;
        free(posting->entries);
        free(posting);
}

/* Which of its positions @entry has in @posting. */
static struct index_position *position_in(struct index_entry *entry, const struct posting *posting,
                                          size_t slot)
{
        struct index_position *position = entry->positions;

        while (position->posting != posting || position->slot != slot)
                ++position;
        return position;
}

static void leave_postings(struct index *ix, struct index_entry *entry, unsigned n)
{
        for (unsigned i = 0; i < n; ++i) {
                struct index_position *position = &entry->positions[i];
                struct posting *p = position->posting;
                struct index_entry *last = p->entries[p->n - 1];

                assert(position->slot < p->n && p->entries[position->slot] == entry);
                position_in(last, p, p->n - 1)->slot = position->slot;
                p->entries[position->slot] = last;
                if (--p->n == 0)
                        drop_posting(ix, p);
        }
}

static int enter_postings(struct index *ix, struct index_entry *entry)
{
        const struct address *a = entry->address;
        unsigned i;

        for (i = 0; i < a->n; ++i) {
                struct posting *p = make_posting(ix, element_hash(a, i, ix->seed));

                if (!p || grow_array(&p->entries, p->n, &p->size) < 0) {
                        if (p && p->n == 0)
                                drop_posting(ix, p);
                        leave_postings(ix, entry, i);
                        return -ENOMEM;
                }
                entry->positions[i] = (struct index_position){ p, p->n };
                p->entries[p->n++] = entry;
        }
        return 0;
}

static void entry_deinit(struct index_entry *entry)
{
        free(entry->positions);
        free(entry->address);
        *entry = INDEX_ENTRY_INIT;
}

int index_add(struct index *ix, struct index_entry *entry, const struct address *address)
{
        struct index_entry **bucket;

        *entry = INDEX_ENTRY_INIT;
        if (grow_array(&ix->all, ix->n, &ix->size) < 0 || grow_buckets(ix) < 0)
                return -ENOMEM;
        entry->address = address_dup(address);
        entry->positions = calloc(address->n + 1, sizeof(*entry->positions));
        if (!entry->address || !entry->positions || enter_postings(ix, entry) < 0) {
                entry_deinit(entry);
                return -ENOMEM;
        }
        entry->hash = address_hash(address, ix->seed);
        entry->slot = ix->n;
        ix->all[ix->n++] = entry;
        bucket = &ix->buckets[entry->hash & (ix->n_buckets - 1)];
        entry->next = *bucket;
        *bucket = entry;
        assert(ix->n <= ix->n_buckets && ix->n_postings <= ix->n_posting_buckets);
        return 0;
}

struct address *index_take(struct index *ix, struct index_entry *entry)
{
        struct address *address = entry->address;
        struct index_entry **p;

        if (!address)
                return NULL;
        assert(entry->slot < ix->n && ix->all[entry->slot] == entry);
        p = &ix->buckets[entry->hash & (ix->n_buckets - 1)];
        while (*p != entry)
                p = &(*p)->next;
        *p = entry->next;
        ix->all[entry->slot] = ix->all[--ix->n];
        ix->all[entry->slot]->slot = entry->slot;
        leave_postings(ix, entry, address->n);
        entry->address = NULL;
        entry_deinit(entry);
        return address;
}

void index_remove(struct index *ix, struct index_entry *entry)
{
        free(index_take(ix, entry));
}

void index_move(struct index *ix, struct index_entry *to, struct index_entry *from)
{
        struct index_entry **p = &ix->buckets[from->hash & (ix->n_buckets - 1)];

        assert(ix->all[from->slot] == from);
        while (*p != from)
                p = &(*p)->next;
        *p = to;
        ix->all[from->slot] = to;
        for (unsigned i = 0; i < from->address->n; ++i)
                from->positions[i].posting->entries[from->positions[i].slot] = to;
        *to = *from;
        *from = INDEX_ENTRY_INIT;
}

struct index_entry *index_find(const struct index *ix, const struct address *address)
{
        uint64_t hash = address_hash(address, ix->seed);
        struct index_entry *entry;

        if (ix->n_buckets == 0)
                return NULL;
        entry = ix->buckets[hash & (ix->n_buckets - 1)];
        while (entry && (entry->hash != hash || !address_equal(entry->address, address)))
                entry = entry->next;
        return entry;
}

struct index_cursor index_match(const struct index *ix, const struct address *dest)
{
        struct index_cursor cursor = { .dest = dest, .candidates = ix->all, .n = ix->n };

        for (unsigned i = 0; i < dest->n; ++i) {
                const struct posting *p = find_posting(ix, element_hash(dest, i, ix->seed));

                if (!p)
                        return (struct index_cursor){ .dest = dest };
                if (i == 0 || p->n < cursor.n) {
                        cursor.candidates = p->entries;
                        cursor.n = p->n;
                }
        }
        return cursor;
}

struct index_entry *index_next(struct index_cursor *cursor)
{
        while (cursor->i < cursor->n) {
                struct index_entry *entry = cursor->candidates[cursor->i++];

                if (address_is_subset(cursor->dest, entry->address))
                        return entry;
        }
        return NULL;
}

size_t index_bound(const struct index_cursor *cursor)
{
        return cursor->n - cursor->i;
}

/* The entries with element @i of @dest, all if it has none; how many. */
static size_t candidates(const struct index *ix, const struct address *dest, unsigned i,
                         struct index_entry *const **ret_entries)
{
        const struct posting *p;

        *ret_entries = ix->all;
        if (dest->n == 0)
                return ix->n;
        p = find_posting(ix, element_hash(dest, i, ix->seed));
        if (p)
                *ret_entries = p->entries;
        return p ? p->n : 0;
}

struct index_entry *index_walk(const struct index *ix, const struct address *dest,
                               struct index_walk *walk)
{
        struct index_entry *const *entries;
        size_t n;

        for (unsigned i = 0; !walk->begun && (i == 0 || i < dest->n); ++i) {
                n = candidates(ix, dest, i, &entries);
                if (i == 0 || n < walk->left)
                        *walk = (struct index_walk){ .element = i, .left = n };
        }
        walk->begun = true;
        n = candidates(ix, dest, walk->element, &entries);
        if (walk->left > n)
                walk->left = n;
        while (walk->left > 0)
                if (address_is_subset(dest, entries[--walk->left]->address))
                        return entries[walk->left];
        return NULL;
}

size_t index_bytes(const struct index *ix)
{
        size_t bytes = ix->n_buckets * sizeof(*ix->buckets) + ix->size * sizeof(*ix->all) +
                       ix->n_posting_buckets * sizeof(*ix->postings);

        for (size_t i = 0; i < ix->n; ++i) {
                const struct index_entry *entry = ix->all[i];

                bytes += address_dup_size(entry->address) +
                         (entry->address->n + 1) * sizeof(*entry->positions);
        }
        for (size_t i = 0; i < ix->n_posting_buckets; ++i) {
                for (const struct posting *p = ix->postings[i]; p; p = p->next)
                        bytes += sizeof(*p) + p->size * sizeof(*p->entries);
        }
        return bytes;
}
