/*
 * test-index.c - who matches an address, against a search through a plain list (RFC 3259, sections 4
 * and 6.2).
 */
#include "core/index.h"

#include "run.h"
#include "seed.h"

#define MANY 400
#define OPERATIONS 10000
/* Three values of six tags: many addresses share elements, and many match. */
#define TAGS 6
#define VALUES 3

struct thing {
        struct index_entry entry;
        bool present;
};

static struct address parse(const char *text)
{
        struct address a;

        ck_assert_int_eq(address_parse(span_of(text), LENIENT, &a, NULL, NULL), 0);
        return a;
}

static size_t count(const struct index *ix, const char *text)
{
        struct address dest = parse(text);
        struct index_cursor cursor = index_match(ix, &dest);
        size_t bound = index_bound(&cursor), n = 0;

        while (index_next(&cursor))
                ++n;
        ck_assert_uint_le(n, bound);
        return n;
}

static bool has(const struct index *ix, const char *text)
{
        struct address a = parse(text);

        return index_find(ix, &a) != NULL;
}

START_TEST(test_empty_index_matches_nothing)
{
        struct index ix;

        index_init(&ix, 1);
        ck_assert_uint_eq(count(&ix, "()"), 0);
        ck_assert_uint_eq(count(&ix, "(app:a)"), 0);
        ck_assert(!has(&ix, "(app:a)"));
        index_deinit(&ix);
}
END_TEST

/* ADR-06: the examples of section 4, and their kin. */
START_TEST(test_destination_matches_who_has_all_its_elements)
{
        static const char *const texts[] = {
                "(conf:test media:audio module:engine app:rat id:4711-1@192.168.1.1)",
                "(conf:test media:video module:engine app:vic id:4712-1@192.168.1.1)",
                "(conf:test media:audio module:ui app:rat id:4713-1@192.168.1.1)",
        };
        struct index_entry entries[N(texts)];
        struct index ix;

        index_init(&ix, 2);
        for (size_t i = 0; i < N(texts); ++i) {
                struct address a = parse(texts[i]);

                ck_assert_int_eq(index_add(&ix, entries + i, &a), 0);
        }
        ck_assert_uint_eq(count(&ix, "()"), 3);
        ck_assert_uint_eq(count(&ix, "(conf:test)"), 3);
        ck_assert_uint_eq(count(&ix, "(media:audio)"), 2);
        ck_assert_uint_eq(count(&ix, "(module:engine media:audio)"), 1);
        ck_assert_uint_eq(count(&ix, "(app:rat module:engine media:audio conf:test)"), 1);
        ck_assert_uint_eq(count(&ix, "(media:Audio)"), 0);
        ck_assert_uint_eq(count(&ix, "(Media:audio)"), 0);
        ck_assert_uint_eq(count(&ix, "(media:audi)"), 0);
        ck_assert_uint_eq(count(&ix, "(media:audio foo:bar)"), 0);
        ck_assert_uint_eq(count(&ix, "(audio:media)"), 0);
        ck_assert(has(&ix, "(id:4711-1@192.168.1.1 app:rat module:engine media:audio conf:test)"));
        ck_assert(!has(&ix, "(app:rat module:engine media:audio conf:test)"));
        for (size_t i = 0; i < N(texts); ++i)
                index_remove(&ix, entries + i);
        index_deinit(&ix);
}
END_TEST

/* ADR-10 */
START_TEST(test_uniqueness_is_one_match)
{
        struct address a = parse("(app:a id:1)"), b = parse("(app:a id:2)"), none = parse("()");
        struct index_entry first, second, third;
        struct index ix;

        index_init(&ix, 3);
        ck_assert_int_eq(index_add(&ix, &first, &a), 0);
        ck_assert_uint_eq(count(&ix, "()"), 1);
        ck_assert_uint_eq(count(&ix, "(app:a)"), 1);
        ck_assert_int_eq(index_add(&ix, &second, &b), 0);
        ck_assert_uint_eq(count(&ix, "(app:a)"), 2);
        ck_assert_uint_eq(count(&ix, "(id:2)"), 1);
        /* An entity without elements has the address of all, and is one of them. */
        ck_assert_int_eq(index_add(&ix, &third, &none), 0);
        ck_assert_uint_eq(count(&ix, "()"), 3);
        ck_assert(has(&ix, "()"));
        index_remove(&ix, &first);
        ck_assert_uint_eq(count(&ix, "(app:a)"), 1);
        index_remove(&ix, &second);
        index_remove(&ix, &third);
        index_deinit(&ix);
}
END_TEST

START_TEST(test_address_is_a_copy_that_can_be_taken_out)
{
        char text[] = "(app:a id:1)";
        struct address a = parse(text), *taken;
        struct index_entry entry;
        struct index ix;

        index_init(&ix, 4);
        ck_assert_int_eq(index_add(&ix, &entry, &a), 0);
        text[5] = 'z';
        ck_assert(has(&ix, "(id:1 app:a)"));
        taken = index_take(&ix, &entry);
        ck_assert(span_equal_text(taken->text, "(app:a id:1)"));
        ck_assert_ptr_null(index_take(&ix, &entry));
        index_remove(&ix, &entry);
        ck_assert_uint_eq(count(&ix, "()"), 0);
        free(taken);
        index_deinit(&ix);
}
END_TEST

/* An address that has each tag with even odds, its elements in any order. */
static struct address random_address(struct random *r, char text[static 128])
{
        size_t first = (size_t)random_below(r, TAGS), n = 0;

        text[n++] = '(';
        for (size_t i = 0; i < TAGS; ++i) {
                if (random_u32(r) & 1)
                        continue;
                text[n++] = (char)('a' + (first + i) % TAGS);
                text[n++] = ':';
                text[n++] = (char)('0' + random_below(r, VALUES));
                text[n++] = ' ';
        }
        text[n++] = ')';
        text[n] = 0;
        return parse(text);
}

static struct thing *find_by_search(struct thing *things, const struct address *a)
{
        for (size_t i = 0; i < MANY; ++i) {
                if (things[i].present && address_equal(things[i].entry.address, a))
                        return things + i;
        }
        return NULL;
}

static void check_match(const struct index *ix, const struct thing *things,
                        const struct address *dest)
{
        struct index_cursor cursor = index_match(ix, dest);
        size_t bound = index_bound(&cursor), found = 0, expected = 0;
        bool seen[MANY] = { false };
        struct index_entry *entry;

        while ((entry = index_next(&cursor))) {
                size_t i = (size_t)((const struct thing *)(const void *)entry - things);

                ck_assert(i < MANY && !seen[i] && things[i].present);
                ck_assert(address_is_subset(dest, entry->address));
                seen[i] = true;
                ++found;
        }
        for (size_t i = 0; i < MANY; ++i)
                expected += things[i].present && address_is_subset(dest, things[i].entry.address);
        ck_assert_uint_eq(found, expected);
        ck_assert_uint_le(found, bound);
}

/* Adds, removes or moves at random. */
static void change(struct index *ix, struct thing *things, struct random *r)
{
        struct thing *thing = things + random_below(r, MANY), *other;
        char text[128];
        struct address a = random_address(r, text);

        if (!thing->present) {
                if (find_by_search(things, &a))
                        return;
                ck_assert_int_eq(index_add(ix, &thing->entry, &a), 0);
                thing->present = true;
                return;
        }
        other = things + random_below(r, MANY);
        if (!other->present) {
                index_move(ix, &other->entry, &thing->entry);
                other->present = true;
        } else {
                index_remove(ix, &thing->entry);
        }
        thing->present = false;
}

/* ADR-05 ADR-06 */
START_TEST(test_index_agrees_with_a_search_through_all)
{
        struct random r = seeded("index");
        static struct thing things[MANY];
        struct index ix;
        size_t n;

        index_init(&ix, random_u64(&r));
        for (unsigned i = 0; i < OPERATIONS; ++i) {
                char text[128];
                struct address a;
                struct thing *thing;

                change(&ix, things, &r);
                a = random_address(&r, text);
                thing = find_by_search(things, &a);
                ck_assert_ptr_eq(index_find(&ix, &a), thing ? &thing->entry : NULL);
                check_match(&ix, things, &a);
        }
        n = ix.n;
        ck_assert_uint_gt(n, MANY / 4);
        for (size_t i = 0; i < MANY; ++i) {
                n -= things[i].present;
                if (things[i].present)
                        index_remove(&ix, &things[i].entry);
        }
        ck_assert_uint_eq(n, 0);
        ck_assert_uint_eq(ix.n, 0);
        ck_assert_uint_eq(ix.n_postings, 0);
        index_deinit(&ix);
}
END_TEST

/* Counted in candidates: a clock would tell with luck only. */
START_TEST(test_cost_follows_the_rarest_element)
{
        static struct index_entry entries[2000];
        struct index ix;

        index_init(&ix, 5);
        for (unsigned i = 0; i < N(entries); ++i) {
                char text[64];
                struct address a;

                snprintf(text, sizeof(text), "(app:a module:m%u id:%u-0@::1)", i % 100, i);
                a = parse(text);
                ck_assert_int_eq(index_add(&ix, entries + i, &a), 0);
        }
        for (unsigned i = 0; i < 2; ++i) {
                struct address dest =
                        parse(i ? "(app:a module:m7 id:7-0@::1)" : "(module:m7 app:a)");
                struct index_cursor cursor = index_match(&ix, &dest);

                ck_assert_uint_eq(index_bound(&cursor), i ? 1 : 20);
        }
        for (size_t i = 0; i < N(entries); ++i)
                index_remove(&ix, entries + i);
        index_deinit(&ix);
}
END_TEST

static void add_numbered(struct index *ix, struct index_entry *entry, unsigned number)
{
        char text[64];
        struct address a;

        snprintf(text, sizeof(text), "(app:a module:m id:%u-0@::1)", number);
        a = parse(text);
        ck_assert_int_eq(index_add(ix, entry, &a), 0);
}

/* Between two steps others leave, most of them from places that the walk has not come to yet, and others
 * come. */
START_TEST(test_a_walk_in_several_goes_gives_all_who_stay)
{
        static struct index_entry entries[600];
        static unsigned n_given[N(entries)];
        struct address dest = parse("(module:m app:a)");
        struct index_walk walk = INDEX_WALK_INIT;
        const struct index_entry *entry;
        unsigned n_added = 400, n_gone = 0;
        struct index ix;

        index_init(&ix, 6);
        memset(n_given, 0, sizeof(n_given));
        for (unsigned i = 0; i < n_added; ++i)
                add_numbered(&ix, &entries[i], i);
        while ((entry = index_walk(&ix, &dest, &walk))) {
                ++n_given[entry - entries];
                /* Every third of the first 400 leaves, in the order in which they came. */
                if (n_gone < 400)
                        index_remove(&ix, &entries[n_gone]);
                n_gone += 3;
                if (n_added < N(entries))
                        add_numbered(&ix, &entries[n_added], n_added);
                n_added += n_added < N(entries);
        }
        for (unsigned i = 0; i < 400; ++i)
                ck_assert_msg(n_given[i] >= (i % 3 != 0), "%u was not given", i);
        for (unsigned i = 0; i < N(entries); ++i) {
                ck_assert_uint_le(n_given[i], 2);
                index_remove(&ix, &entries[i]);
        }
        ck_assert_ptr_null(index_walk(&ix, &dest, &walk));
        index_deinit(&ix);
}
END_TEST

START_TEST(test_a_walk_takes_the_rarest_element_and_ends_when_nobody_has_it)
{
        static struct index_entry entries[100];
        struct address dest = parse("(app:a id:7-0@::1)"), none = parse("(app:b)");
        struct index_walk walk = INDEX_WALK_INIT;
        struct index ix;

        index_init(&ix, 7);
        for (unsigned i = 0; i < N(entries); ++i)
                add_numbered(&ix, &entries[i], i);
        ck_assert_ptr_eq(index_walk(&ix, &dest, &walk), &entries[7]);
        ck_assert_uint_eq(walk.left, 0);
        ck_assert_ptr_null(index_walk(&ix, &dest, &walk));
        walk = INDEX_WALK_INIT;
        ck_assert_ptr_null(index_walk(&ix, &none, &walk));
        for (unsigned i = 0; i < N(entries); ++i)
                index_remove(&ix, &entries[i]);
        index_deinit(&ix);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_empty_index_matches_nothing,
                test_destination_matches_who_has_all_its_elements,
                test_uniqueness_is_one_match,
                test_address_is_a_copy_that_can_be_taken_out,
                test_index_agrees_with_a_search_through_all,
                test_cost_follows_the_rarest_element,
                test_a_walk_in_several_goes_gives_all_who_stay,
                test_a_walk_takes_the_rarest_element_and_ends_when_nobody_has_it,
        };

        return run_tests("index", tests, N(tests));
}
