/*
 * test-property-openssl.c - base64, digests and ciphers against the openssl command.
 *
 * Random texts of many lengths go through both, a run of the command for each algorithm and key. What
 * this openssl does not have is said and checked against published vectors: IDEA always is, for it
 * left openssl's distributions long ago.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/crypto.h"
#include "run.h"
#include "seed.h"

#define FILES 64
#define TEXT_MAX 2048
#define BLOCK_MAX 16

static char directory[] = "/tmp/mbus-openssl-XXXXXX";
static char texts[FILES][TEXT_MAX];
static size_t sizes[FILES];

/* Runs a command of the shell in the directory; false if it fails. */
__attribute__((format(printf, 1, 2))) static bool shell(const char *format, ...)
{
        char command[2048];
        va_list ap;
        int n = snprintf(command, sizeof(command), "cd %s || exit 1; ", directory);

        va_start(ap, format);
        vsnprintf(command + n, sizeof(command) - (size_t)n, format, ap);
        va_end(ap);
        return system(command) == 0;
}

static FILE *open_file(const char *name, const char *mode)
{
        char path[128];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, mode);
        ck_assert_msg(f != NULL, "%s", path);
        return f;
}

static size_t read_file(unsigned i, const char *suffix, char *ret_bytes, size_t size)
{
        char name[32];
        size_t n;
        FILE *f;

        snprintf(name, sizeof(name), "%02u%s", i, suffix);
        f = open_file(name, "r");
        n = fread(ret_bytes, 1, size, f);
        fclose(f);
        return n;
}

/* Writes FILES texts of random length, a multiple of @block. */
static void make_texts(struct random *r, size_t block)
{
        for (unsigned i = 0; i < FILES; ++i) {
                char name[32];
                FILE *f;

                sizes[i] = (size_t)random_below(r, i < FILES / 2 ? 200 : TEXT_MAX) / block * block;
                for (size_t k = 0; k < sizes[i]; ++k)
                        texts[i][k] = (char)random_u32(r);
                snprintf(name, sizeof(name), "%02u", i);
                f = open_file(name, "w");
                ck_assert_uint_eq(fwrite(texts[i], 1, sizes[i], f), sizes[i]);
                fclose(f);
        }
}

static void make_key(struct random *r, size_t n, struct config_key *ret_key)
{
        *ret_key = (struct config_key){ .n = n };
        for (size_t i = 0; i < n; ++i)
                ret_key->bytes[i] = (uint8_t)random_u32(r);
}

static void format_hex(const void *bytes, size_t n, char *ret_text)
{
        for (size_t i = 0; i < n; ++i)
                sprintf(ret_text + 2 * i, "%02x", ((const uint8_t *)bytes)[i]);
        ret_text[2 * n] = '\0';
}

/* ---- base64 ---- */

START_TEST(test_base64_is_that_of_openssl)
{
        struct random r = seeded("base64");
        char ours[TEXT_MAX * 2], theirs[TEXT_MAX * 2], back[TEXT_MAX * 2];
        size_t n;

        make_texts(&r, 1);
        ck_assert(shell("for f in ??; do openssl base64 -A -in $f -out $f.b64 || exit 1; done"));
        for (unsigned i = 0; i < FILES; ++i) {
                size_t size = base64_encoded_size(sizes[i]);

                base64_encode(texts[i], sizes[i], ours);
                ck_assert_uint_eq(read_file(i, ".b64", theirs, sizeof(theirs)), size);
                ck_assert_mem_eq(ours, theirs, size);
                ck_assert(base64_decode((struct span){ theirs, size }, back, &n));
                ck_assert_uint_eq(n, sizes[i]);
                ck_assert_mem_eq(back, texts[i], n);
        }
}
END_TEST

/* ---- digests ---- */

static void check_digests(struct random *r, enum hash hash, const char *name, size_t key_size)
{
        struct config c = CONFIG_INIT;
        struct crypto *crypto;
        char hex[2 * CONFIG_KEY_MAX + 1], line[256];
        FILE *f;

        c.hash = hash;
        make_key(r, key_size, &c.hash_key);
        make_texts(r, 1);
        format_hex(c.hash_key.bytes, key_size, hex);
        ck_assert(shell("openssl dgst -%s -mac HMAC -macopt hexkey:%s -r ?? >digests", name, hex));
        ck_assert_int_eq(crypto_new(&c, &crypto), 0);
        f = open_file("digests", "r");
        for (unsigned i = 0; i < FILES; ++i) {
                uint8_t mac[MAC_SIZE];

                crypto_mac(crypto, (struct span){ texts[i], sizes[i] }, mac);
                format_hex(mac, sizeof(mac), hex);
                ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
                ck_assert_msg(strncmp(line, hex, 2 * MAC_SIZE) == 0, "%s: %zu octets: %s, not %s",
                              name, sizes[i], hex, line);
        }
        fclose(f);
        crypto_free(crypto);
}

START_TEST(test_digests_are_those_of_openssl)
{
        static const size_t key_sizes[] = { 12, 16, 20, 63, 64, 65, 256 };
        struct random r = seeded("digests");

        for (size_t i = 0; i < N(key_sizes); ++i) {
                check_digests(&r, HASH_SHA1, "sha1", key_sizes[i]);
                check_digests(&r, HASH_MD5, "md5", key_sizes[i]);
        }
}
END_TEST

/* ---- ciphers ---- */

static struct crypto *open_cipher(enum cipher cipher, const struct config_key *key)
{
        struct config c = CONFIG_INIT;
        struct crypto *crypto;

        c.hash_key.n = hash_key_size(c.hash);
        c.cipher = cipher;
        c.cipher_key = *key;
        ck_assert_int_eq(crypto_new(&c, &crypto), 0);
        return crypto;
}

static void check_ciphertexts(struct crypto *crypto, const char *name)
{
        char ours[TEXT_MAX], theirs[TEXT_MAX + BLOCK_MAX], back[TEXT_MAX];

        for (unsigned i = 0; i < FILES; ++i) {
                size_t n = sizes[i];

                memcpy(ours, texts[i], n);
                crypto_encrypt(crypto, ours, n);
                ck_assert_uint_eq(read_file(i, ".enc", theirs, sizeof(theirs)), n);
                ck_assert_msg(memcmp(ours, theirs, n) == 0, "%s: %zu octets", name, n);
                crypto_decrypt(crypto, theirs, n, back);
                ck_assert_mem_eq(back, texts[i], n);
        }
}

/* False if this openssl has no such cipher. */
static bool check_cipher(struct random *r, enum cipher cipher, const char *name)
{
        struct config_key key;
        struct crypto *crypto;
        char hex[2 * CONFIG_KEY_MAX + 1];
        size_t block;

        make_key(r, cipher_key_size(cipher), &key);
        crypto = open_cipher(cipher, &key);
        block = crypto_block_size(crypto);
        make_texts(r, block);
        format_hex(key.bytes, key.n, hex);
        if (!shell("run() { openssl enc -%s $1 -nopad -K %s -iv %0*d -in $f -out $f.enc 2>errors; "
                   "}\n"
                   "for f in ??; do run || run '-provider legacy -provider default' || exit 1; "
                   "done",
                   name, hex, (int)(2 * block), 0)) {
                crypto_free(crypto);
                return false;
        }
        check_ciphertexts(crypto, name);
        crypto_free(crypto);
        return true;
}

/* CBC of any cipher out of its single blocks: with a zero IV, one block is encrypted as such. */
static void check_chain(struct random *r, enum cipher cipher)
{
        struct config_key key;
        struct crypto *crypto;
        char chained[TEXT_MAX], block[BLOCK_MAX] = { 0 };
        size_t size;

        make_key(r, cipher_key_size(cipher), &key);
        crypto = open_cipher(cipher, &key);
        size = crypto_block_size(crypto);
        make_texts(r, size);
        for (unsigned i = 0; i < FILES; ++i) {
                memcpy(chained, texts[i], sizes[i]);
                crypto_encrypt(crypto, chained, sizes[i]);
                memset(block, 0, sizeof(block));
                for (size_t at = 0; at < sizes[i]; at += size) {
                        for (size_t k = 0; k < size; ++k)
                                block[k] ^= texts[i][at + k];
                        crypto_encrypt(crypto, block, size);
                        ck_assert_mem_eq(block, chained + at, size);
                }
        }
        crypto_free(crypto);
}

START_TEST(test_ciphers_are_those_of_openssl)
{
        static const struct {
                enum cipher cipher;
                const char *name;
        } ciphers[] = {
                { CIPHER_AES, "aes-128-cbc" },
                { CIPHER_3DES, "des-ede3-cbc" },
                { CIPHER_DES, "des-cbc" },
        };
        struct random r = seeded("ciphers");

        for (size_t i = 0; i < N(ciphers); ++i) {
                bool checked = check_cipher(&r, ciphers[i].cipher, ciphers[i].name);

                /* DES is in openssl's legacy provider, which not every system has. */
                if (!checked)
                        printf("%s: this openssl has not got it\n", ciphers[i].name);
                ck_assert(checked || ciphers[i].cipher == CIPHER_DES);
                check_chain(&r, ciphers[i].cipher);
        }
}
END_TEST

/* X. Lai, On the Design and Security of Block Ciphers, 1992, and the NESSIE vectors, sets 1 and 2. */
START_TEST(test_idea_is_that_of_its_authors)
{
        static const struct {
                const char key[17], text[9], cipher[9];
        } vectors[] = {
                { "\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00\x06\x00\x07\x00\x08",
                  "\x00\x00\x00\x01\x00\x02\x00\x03", "\x11\xfb\xed\x2b\x01\x98\x6d\xe5" },
                { "\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0",
                  "\xb1\xf5\xf7\xf8\x79\x01\x37\x0f" },
                { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "\x80\0\0\0\0\0\0\0",
                  "\x80\x01\x00\x01\x80\x00\x80\x00" },
        };
        struct random r = seeded("idea");

        printf("idea-cbc: openssl has not got it; published vectors and single blocks instead\n");
        for (size_t i = 0; i < N(vectors); ++i) {
                struct config_key key = { .n = 16 };
                struct crypto *crypto;
                char block[8];

                memcpy(key.bytes, vectors[i].key, 16);
                crypto = open_cipher(CIPHER_IDEA, &key);
                memcpy(block, vectors[i].text, 8);
                crypto_encrypt(crypto, block, 8);
                ck_assert_mem_eq(block, vectors[i].cipher, 8);
                crypto_decrypt(crypto, vectors[i].cipher, 8, block);
                ck_assert_mem_eq(block, vectors[i].text, 8);
                crypto_free(crypto);
        }
        check_chain(&r, CIPHER_IDEA);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_base64_is_that_of_openssl,
                test_digests_are_those_of_openssl,
                test_ciphers_are_those_of_openssl,
                test_idea_is_that_of_its_authors,
        };
        int r;

        if (system("openssl version >/dev/null 2>&1") != 0) {
                printf("skipped: there is no openssl command\n");
                return 77;
        }
        crypto_global_init();
        if (!mkdtemp(directory))
                return EXIT_FAILURE;
        r = run_tests("property-openssl", tests, N(tests));
        shell("rm -f ./* && rmdir %s", directory);
        return r;
}
