/*
 * generate.c - see generate.h. Every text here follows RFC 3259, sections 4, 5 and 12.
 */
#include "generate.h"

#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/limits.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char symbol_chars[] = "azAZ09._-";
/* %x21-27 / %x2A-7E */
static const char value_chars[] = "!\"#$%&'*+,-./0123456789:;<=>?@ABYZ[\\]^_`abyz{|}~";

bool generate_chance(struct generator *g, unsigned n)
{
        return random_below(&g->random, n) == 0;
}

char generate_char(struct generator *g, const char *at, size_t n)
{
        return at[random_below(&g->random, n)];
}

#define ONE_OF(g, chars) generate_char(g, chars, sizeof(chars) - 1)

/* Where something may be left out, and where there must be one space at least. */
static void add_maybe_space(struct generator *g, struct buffer *out)
{
        while (g->sloppy && generate_chance(g, 3))
                buffer_add_char(out, generate_chance(g, 4) ? '\t' : ' ');
}

static void add_space(struct generator *g, struct buffer *out)
{
        buffer_add_char(out, ' ');
        add_maybe_space(g, out);
}

static void add_line_end(struct generator *g, struct buffer *out)
{
        buffer_add_text(out, g->sloppy && generate_chance(g, 2) ? "\n" : "\r\n");
}

/* ---- addresses ---- */

static void add_tag(struct generator *g, unsigned i, struct buffer *out)
{
        unsigned n = (unsigned)random_below(&g->random, generate_chance(g, 10) ? 30 : 8);

        /* The first letter makes it unlike the others of the address, its length unlike "id". */
        buffer_add_char(out, letters[i]);
        buffer_add_char(out, ONE_OF(g, letters));
        buffer_add_char(out, ONE_OF(g, letters));
        while (n-- > 0)
                buffer_add_char(out, ONE_OF(g, letters));
}

static void add_element(struct generator *g, unsigned i, struct buffer *out)
{
        unsigned n = 1 + (unsigned)random_below(&g->random, generate_chance(g, 10) ? 64 : 12);

        add_tag(g, i, out);
        buffer_add_char(out, ':');
        while (n-- > 0)
                buffer_add_char(out, ONE_OF(g, value_chars));
}

static void add_id(struct generator *g, struct buffer *out)
{
        buffer_add_text(out, "id:");
        buffer_add_uint(out, random_u32(&g->random));
        buffer_add_char(out, '-');
        buffer_add_uint(out, random_below(&g->random, 100000));
        buffer_add_text(out, "@127.0.0.");
        buffer_add_uint(out, random_below(&g->random, 256));
}

void generate_address(struct generator *g, struct buffer *out)
{
        unsigned n = (unsigned)random_below(&g->random, generate_chance(g, 20) ? 31 : 6);
        unsigned first = (unsigned)random_below(&g->random, 20);

        buffer_add_char(out, '(');
        add_maybe_space(g, out);
        for (unsigned i = 0; i < n; ++i) {
                add_element(g, first + i, out);
                if (i + 1 < n)
                        add_space(g, out);
        }
        if (generate_chance(g, 2)) {
                if (n > 0)
                        add_space(g, out);
                add_id(g, out);
        }
        add_maybe_space(g, out);
        buffer_add_char(out, ')');
}

/* ---- values ---- */

static void add_digits(struct generator *g, unsigned max, struct buffer *out)
{
        for (unsigned n = 1 + (unsigned)random_below(&g->random, max); n > 0; --n)
                buffer_add_char(out, ONE_OF(g, "0123456789"));
}

static void add_number(struct generator *g, struct buffer *out)
{
        if (generate_chance(g, 3))
                buffer_add_char(out, '-');
        /* Some have more digits than any type. */
        add_digits(g, generate_chance(g, 10) ? 400 : 19, out);
        if (generate_chance(g, 2))
                return;
        buffer_add_char(out, '.');
        add_digits(g, generate_chance(g, 10) ? 400 : 10, out);
}

static void add_character(struct generator *g, struct buffer *out)
{
        static const char *const others[] = { "\xc3\xa4",     "\xe2\x82\xac", "\xf0\x9f\x8e\xb5",
                                              "\x7f",         "\x01",         "\t",
                                              "\xef\xbf\xbd", "\xc2\x80" };

        switch (random_below(&g->random, 12)) {
        case 0:
                buffer_add_text(out, "\\\"");
                break;
        case 1:
                buffer_add_text(out, "\\\\");
                break;
        case 2:
                buffer_add_text(out, g->sloppy && generate_chance(g, 2) ? "\n" : "\\n");
                break;
        case 3:
                buffer_add_text(out,
                                others[random_below(&g->random, sizeof(others) / sizeof(*others))]);
                break;
        case 4:
                if (g->sloppy)
                        buffer_add_char(out, '\\');
                buffer_add_char(out, ONE_OF(g, "xyz tr0"));
                break;
        default:
                buffer_add_char(out, ONE_OF(g, "abcxyz AZ09()<>.;:,'-_"));
        }
}

static void add_string(struct generator *g, struct buffer *out)
{
        unsigned n = (unsigned)random_below(&g->random, generate_chance(g, 10) ? 500 : 20);

        buffer_add_char(out, '"');
        while (n-- > 0)
                add_character(g, out);
        buffer_add_char(out, '"');
}

static void add_data(struct generator *g, struct buffer *out)
{
        uint8_t bytes[64];
        char text[88];
        size_t n = (size_t)random_below(&g->random, sizeof(bytes) + 1);

        for (size_t i = 0; i < n; ++i)
                bytes[i] = (uint8_t)random_u32(&g->random);
        base64_encode(bytes, n, text);
        buffer_add_char(out, '<');
        add_maybe_space(g, out);
        buffer_add(out, text, base64_encoded_size(n));
        add_maybe_space(g, out);
        buffer_add_char(out, '>');
}

static void add_symbol(struct generator *g, struct buffer *out)
{
        buffer_add_char(out, ONE_OF(g, letters));
        for (size_t n = (size_t)random_below(&g->random, 12); n > 0; --n)
                buffer_add_char(out, ONE_OF(g, symbol_chars));
}

static void add_list(struct generator *g, unsigned depth, struct buffer *out)
{
        unsigned n = (unsigned)random_below(&g->random, 6);

        buffer_add_char(out, '(');
        add_maybe_space(g, out);
        for (unsigned i = 0; i < n; ++i) {
                if (i > 0)
                        add_space(g, out);
                generate_value(g, depth, out);
        }
        add_maybe_space(g, out);
        buffer_add_char(out, ')');
}

void generate_value(struct generator *g, unsigned depth, struct buffer *out)
{
        switch (random_below(&g->random, depth > 0 ? 6 : 5)) {
        case 0:
        case 1:
                add_number(g, out);
                break;
        case 2:
                add_string(g, out);
                break;
        case 3:
                add_data(g, out);
                break;
        case 4:
                add_symbol(g, out);
                break;
        default:
                add_list(g, depth - 1, out);
        }
}

/* ---- commands and messages ---- */

void generate_commands(struct generator *g, unsigned max, struct buffer *out)
{
        unsigned n = (unsigned)random_below(&g->random, max + 1);

        for (unsigned i = 0; i < n; ++i) {
                if (i > 0)
                        add_line_end(g, out);
                while (g->sloppy && generate_chance(g, 8))
                        add_line_end(g, out);
                add_symbol(g, out);
                add_maybe_space(g, out);
                add_list(g, 3, out);
                add_maybe_space(g, out);
        }
        while (g->sloppy && generate_chance(g, 3))
                add_line_end(g, out);
}

static void add_acks(struct generator *g, struct buffer *out)
{
        unsigned n = generate_chance(g, 2) ? 0 : (unsigned)random_below(&g->random, 70);

        buffer_add_char(out, '(');
        add_maybe_space(g, out);
        for (unsigned i = 0; i < n; ++i) {
                if (i > 0)
                        add_space(g, out);
                buffer_add_uint(out, random_u32(&g->random) >> random_below(&g->random, 32));
        }
        add_maybe_space(g, out);
        buffer_add_char(out, ')');
}

void generate_message(struct generator *g, struct buffer *out)
{
        size_t start;

        buffer_add_text(out, "mbus/1.0");
        add_space(g, out);
        buffer_add_uint(out, random_u32(&g->random));
        add_space(g, out);
        buffer_add_uint(out, random_below(&g->random, UINT64_C(10000000000000)));
        add_space(g, out);
        buffer_add_char(out, g->sloppy ? ONE_OF(g, "uUrR") : ONE_OF(g, "UR"));
        for (unsigned i = 0; i < 2; ++i) {
                add_space(g, out);
                generate_address(g, out);
        }
        add_space(g, out);
        add_acks(g, out);
        add_maybe_space(g, out);
        start = out->n;
        add_line_end(g, out);
        generate_commands(g, 5, out);
        /* Without a payload we write no line end. */
        if (!g->sloppy && out->n == start + 2)
                out->n = start;
}

/* ---- configurations ---- */

static void fill_key(struct generator *g, size_t n, struct config_key *ret_key)
{
        *ret_key = (struct config_key){ .n = n };
        for (size_t i = 0; i < n; ++i)
                ret_key->bytes[i] = (uint8_t)random_u32(&g->random);
}

/* The version that an address has is the configuration's, too. */
static void choose_address(struct generator *g, struct config *c)
{
        unsigned n;

        c->ip_version = 4;
        switch (random_below(&g->random, 4)) {
        case 0:
                c->broadcast = true;
                break;
        case 1:
                n = (unsigned)random_below(&g->random, 65536);
                snprintf(c->address, sizeof(c->address), "239.255.%u.%u", n >> 8, n & 255);
                break;
        case 2:
                c->ip_version = 6;
                snprintf(c->address, sizeof(c->address), "ff0%c::%x",
                         c->scope == SCOPE_LINKLOCAL ? '2' : '1',
                         (unsigned)random_below(&g->random, 65536));
                break;
        default:
                c->ip_version = generate_chance(g, 2) ? 0 : generate_chance(g, 2) ? 4 : 6;
        }
}

void generate_config(struct generator *g, struct config *ret_config)
{
        static const char *const interfaces[] = { "lo", "eth0", "192.0.2.1", "fe80::1", "wlan-0" };
        struct config c = CONFIG_INIT;
        size_t n;

        c.hash = (enum hash)random_below(&g->random, HASH_MAX);
        n = hash_key_size(c.hash);
        if (generate_chance(g, 2))
                n += (size_t)random_below(&g->random, CONFIG_KEY_MAX + 1 - n);
        fill_key(g, n, &c.hash_key);
        c.cipher = (enum cipher)random_below(&g->random, CIPHER_MAX);
        fill_key(g, cipher_key_size(c.cipher), &c.cipher_key);
        c.scope = generate_chance(g, 2) ? SCOPE_LINKLOCAL : SCOPE_HOSTLOCAL;
        choose_address(g, &c);
        if (generate_chance(g, 2))
                c.port = (uint16_t)(1024 + random_below(&g->random, 60000));
        c.dialect = generate_chance(g, 2) ? DIALECT_UCL : DIALECT_RFC3259;
        c.send_unicast = generate_chance(g, 2);
        c.max_age_ms = generate_chance(g, 2) ? 0 : 1000 * random_below(&g->random, 100000);
        while (c.n_interfaces < CONFIG_INTERFACES_MAX && generate_chance(g, 3))
                snprintf(c.interfaces[c.n_interfaces++], sizeof(c.interfaces[0]), "%s",
                         interfaces[random_below(&g->random, 5)]);
        *ret_config = c;
}
