/*
 * test-base64.c - base64 with its padding checked (RFC 3259, sections 5.3, 11.3 and 12).
 */
#include "core/base64.h"
#include "run.h"
#include "seed.h"

static const struct {
        const char *bytes;
        const char *text;
} pairs[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "\xfb\xff\xfe", "+//+" },
        { "hello", "aGVsbG8=" },
};

START_TEST(test_octets_become_padded_text)
{
        char text[16];
        size_t i;

        for (i = 0; i < N(pairs); i++) {
                size_t n = strlen(pairs[i].bytes);

                ck_assert_uint_eq(base64_encoded_size(n), strlen(pairs[i].text));
                base64_encode(pairs[i].bytes, n, text);
                ck_assert(memcmp(text, pairs[i].text, strlen(pairs[i].text)) == 0);
        }
}
END_TEST

START_TEST(test_text_becomes_octets)
{
        char bytes[16];
        size_t i, n;

        for (i = 0; i < N(pairs); i++) {
                ck_assert(base64_decode(span_of(pairs[i].text), bytes, &n));
                ck_assert_uint_eq(n, strlen(pairs[i].bytes));
                ck_assert(memcmp(bytes, pairs[i].bytes, n) == 0);
        }
}
END_TEST

/* CMD-04 */
START_TEST(test_anything_but_canonical_text_is_refused)
{
        static const char *const bad[] = {
                "Z",        "Zg",       "Zg=",  "Zm9vZ",   "====",     "=g==",  "Z===",
                "Zg==Zg==", "Zm8=Zm9v", "Zh==", "Zm9=",    "Zm9 ",     "Zm9\n", "Zm-_",
                "Zm9v\n",   " Zm9",     "Zg=A", "Zm\x80v", "Zm9v====", "Zm9v=",
        };
        char bytes[16];
        size_t i, n = 99;

        for (i = 0; i < N(bad); i++)
                ck_assert_msg(!base64_decode(span_of(bad[i]), bytes, &n), "\"%s\"", bad[i]);
        ck_assert(!base64_decode((struct span){ "Zm9\0", 4 }, bytes, &n));
        ck_assert_uint_eq(n, 99);
}
END_TEST

START_TEST(test_encoded_octets_decode_to_themselves)
{
        struct random r = seeded("base64");
        unsigned i, k;

        for (i = 0; i < 3000; i++) {
                size_t n = (size_t)random_below(&r, 100), size = base64_encoded_size(n), back_n;
                unsigned char bytes[100], *back = malloc(base64_decoded_max(size) + 1);
                char *text = malloc(size + 1);

                for (k = 0; k < n; k++)
                        bytes[k] = (unsigned char)random_u32(&r);
                base64_encode(bytes, n, text);
                ck_assert(base64_decode((struct span){ text, size }, back, &back_n));
                ck_assert(back_n == n && memcmp(back, bytes, n) == 0);
                free(back);
                free(text);
        }
}
END_TEST

/* Whatever is accepted is what would have been written. */
START_TEST(test_no_two_texts_decode_to_the_same_octets)
{
        static const char octets[] = "ABQgwxyz0189+/==";
        struct random r = seeded("canonical");
        unsigned i, k, accepted = 0;

        for (i = 0; i < 20000; i++) {
                char text[8], bytes[6], again[8];
                size_t n;

                for (k = 0; k < sizeof(text); k++)
                        text[k] = octets[random_below(&r, sizeof(octets) - 1)];
                if (!base64_decode((struct span){ text, sizeof(text) }, bytes, &n))
                        continue;
                base64_encode(bytes, n, again);
                ck_assert(memcmp(text, again, sizeof(text)) == 0);
                accepted++;
        }
        ck_assert_uint_gt(accepted, 1000);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_octets_become_padded_text,
                test_text_becomes_octets,
                test_anything_but_canonical_text_is_refused,
                test_encoded_octets_decode_to_themselves,
                test_no_two_texts_decode_to_the_same_octets,
        };

        return run_tests("base64", tests, N(tests));
}
