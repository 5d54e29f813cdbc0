/*
 * proof.c - see proof.h.
 */
#include "proof.h"

#include <assert.h>

#include "base64.h"

#define LABEL "P mbus-bus/1 "
#define WHERE_MAX 64
/* Label, nonce, scope, where, cipher, key, spaces between, and what makes it no multiple of 8. */
#define COVERED_MAX (sizeof(LABEL) + PROOF_NONCE_SIZE + 16 + WHERE_MAX + 16 + CONFIG_KEY_MAX + 16)

static void add(char *room, size_t *n, const void *bytes, size_t size)
{
        assert(size <= COVERED_MAX - *n);
        memcpy(room + *n, bytes, size);
        *n += size;
}

/* Each part ends with a space, which none of them has in it but the key, the last. */
static void add_word(char *room, size_t *n, const char *word)
{
        add(room, n, word, strlen(word));
        add(room, n, " ", 1);
}

static void make(struct crypto *crypto, const struct config *config, struct span where,
                 const uint8_t *nonce, uint8_t ret_mac[static MAC_SIZE])
{
        char room[COVERED_MAX];
        size_t n = 0;

        assert(where.n <= WHERE_MAX);
        add(room, &n, LABEL, sizeof(LABEL) - 1);
        add(room, &n, nonce, PROOF_NONCE_SIZE);
        add_word(room, &n, config->scope == SCOPE_HOSTLOCAL ? "HOSTLOCAL" : "LINKLOCAL");
        add(room, &n, where.at, where.n);
        add(room, &n, " ", 1);
        add_word(room, &n, cipher_name(config->cipher));
        if (config->cipher != CIPHER_NONE)
                add(room, &n, config->cipher_key.bytes, config->cipher_key.n);
        while (n % 8 != 1)
                add(room, &n, " ", 1);
        crypto_mac(crypto, (struct span){ room, n }, ret_mac);
        explicit_bzero(room, sizeof(room));
}

void proof_make(struct crypto *crypto, const struct config *config, struct span where,
                const uint8_t nonce[static PROOF_NONCE_SIZE], char ret_proof[static PROOF_SIZE])
{
        uint8_t mac[MAC_SIZE];

        make(crypto, config, where, nonce, mac);
        base64_encode(mac, MAC_SIZE, ret_proof);
}

bool proof_check(struct crypto *crypto, const struct config *config, struct span where,
                 const uint8_t nonce[static PROOF_NONCE_SIZE], struct span text)
{
        uint8_t mac[MAC_SIZE], given[MAC_SIZE];
        size_t n;

        if (text.n != PROOF_SIZE || !base64_decode(text, given, &n) || n != MAC_SIZE)
                return false;
        make(crypto, config, where, nonce, mac);
        return mac_equal(mac, given);
}

void proof_format_nonce(const uint8_t nonce[static PROOF_NONCE_SIZE],
                        char ret_text[static PROOF_NONCE_TEXT_SIZE])
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < PROOF_NONCE_SIZE; i++) {
                ret_text[2 * i] = digits[nonce[i] >> 4];
                ret_text[2 * i + 1] = digits[nonce[i] & 15];
        }
}

static int digit_of(char c)
{
        if (is_digit(c))
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool proof_parse_nonce(struct span text, uint8_t ret_nonce[static PROOF_NONCE_SIZE])
{
        uint8_t nonce[PROOF_NONCE_SIZE];

        if (text.n != PROOF_NONCE_TEXT_SIZE)
                return false;
        for (size_t i = 0; i < PROOF_NONCE_SIZE; i++) {
                int high = digit_of(text.at[2 * i]), low = digit_of(text.at[2 * i + 1]);

                if (high < 0 || low < 0)
                        return false;
                nonce[i] = (uint8_t)(high << 4 | low);
        }
        memcpy(ret_nonce, nonce, sizeof(nonce));
        return true;
}
