/*
 * datagram.c - datagrams with the keys of a configuration, for who has no bus (RFC 3259, section
 * 11.4).
 *
 * The keys stay with the configuration until another one is named, so that opening many datagrams
 * reads one file.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/message.h>
#include <core/seal.h>

static const enum mbus_drop drop_of_fault[] = {
        [SEAL_SHORT] = MBUS_DROP_SHORT,       [SEAL_FORMAT] = MBUS_DROP_FORMAT,
        [SEAL_DIGEST] = MBUS_DROP_DIGEST,     [SEAL_CIPHERTEXT] = MBUS_DROP_CIPHERTEXT,
        [SEAL_PROTOCOL] = MBUS_DROP_PROTOCOL,
};

/* What @octets are not. */
struct reason {
        enum mbus_drop drop;
        const char *what;
};

/* Reads the configuration, unless its keys are here. */
static int have_keys(struct mbus_config *c)
{
        struct config config;
        int r;

        if (c->crypto)
                return 0;
        config_clear_result(c);
        if (c->failed & (SETTING_FILE | SETTING_TEXT))
                return -ENOMEM;
        r = config_read(c, &config, c->error);
        if (r == 0) {
                crypto_global_init();
                r = crypto_new(&config, &c->crypto);
                if (r > 0)
                        snprintf(c->error, sizeof(c->error),
                                 "libgcrypt does not have the algorithms of the configuration, or "
                                 "calls a key weak");
                c->dialect = config.dialect;
                explicit_bzero(&config, sizeof(config));
        }
        return r;
}

/* The message in @text, whose digest was right. */
static int read_message(struct span text, struct message **ret_message, struct reason *reason)
{
        struct parse_error error = { 0, "" };
        struct header header;
        int r;

        if (header_parse(text, &header, NULL) == HEADER_VERSION) {
                *reason = (struct reason){ MBUS_DROP_VERSION, mbus_drop_text(MBUS_DROP_VERSION) };
                return MBUS_E_MALFORMED;
        }
        r = message_new(text, ret_message, &error);
        if (r > 0)
                *reason = (struct reason){ MBUS_DROP_MALFORMED, error.what };
        return r;
}

static int open_datagram(struct mbus_config *c, struct span octets, struct message **ret_message,
                         struct reason *reason)
{
        char *scratch = malloc(octets.n + 1);
        enum seal_fault fault;
        struct span text;
        int r;

        if (!scratch)
                return -ENOMEM;
        fault = seal_open(c->crypto, octets, scratch, &text);
        if (fault == SEAL_OK) {
                r = read_message(text, ret_message, reason);
        } else {
                *reason = (struct reason){ drop_of_fault[fault],
                                           mbus_drop_text(drop_of_fault[fault]) };
                r = MBUS_E_MALFORMED;
        }
        free(scratch);
        return r;
}

int mbus_datagram_open(struct mbus_config *c, const void *octets, size_t n,
                       struct mbus_message **ret_message, enum mbus_drop *ret_drop,
                       const char **ret_what)
{
        struct reason reason = { MBUS_DROP_SHORT, "there is no datagram" };
        struct message *message = NULL;
        int r = MBUS_E_MALFORMED;

        if (c && octets && ret_message) {
                r = have_keys(c);
                if (r != 0)
                        return r;
                /* UDP carries no more, and what is larger is not worth its memory. */
                r = open_datagram(c, (struct span){ octets, n <= DATAGRAM_BUFFER_SIZE ? n : 0 },
                                  &message, &reason);
        }
        if (r == 0)
                *ret_message = (struct mbus_message *)message;
        if (r > 0 && ret_drop)
                *ret_drop = reason.drop;
        if (r > 0 && ret_what)
                *ret_what = reason.what;
        return r;
}

int mbus_datagram_seal(struct mbus_config *c, const char *text, size_t n, void *datagram,
                       size_t size, size_t *ret_n)
{
        struct buffer out = BUFFER_INIT;
        int r;

        if (!c || !text || !datagram || !ret_n)
                return MBUS_E_MALFORMED;
        r = have_keys(c);
        if (r != 0)
                return r;
        if (n > seal_text_max(c->crypto, c->dialect, DATAGRAM_MAX))
                return MBUS_E_TOO_LARGE;
        seal_message(c->crypto, c->dialect, (struct span){ text, n }, &out);
        assert(out.failed || out.n <= n + MBUS_DATAGRAM_OVERHEAD);
        r = out.failed ? -ENOMEM : out.n > size ? MBUS_E_TOO_LARGE : 0;
        if (r == 0) {
                memcpy(datagram, out.at, out.n);
                *ret_n = out.n;
        }
        buffer_deinit(&out);
        return r;
}
