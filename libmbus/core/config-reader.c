/*
 * config-reader.c - the keys of a bus: a table, and beside each key the function that understands
 * its value (RFC 3259, section 12).
 */
#include "config-reader.h"

#include "config-key.h"
#include "ip.h"
#include "nearly.h"

/* Of a key that is not known, a message shows this much. */
#define KEY_EXCERPT_MAX 32
/* 31 years; keeps the milliseconds far from any overflow. */
#define MAX_AGE_S_MAX UINT64_C(1000000000)

static int read_version(struct config_reader *reader, struct span value)
{
        uint64_t version;

        if (!span_to_uint(value, UINT32_MAX, &version) || version < CONFIG_VERSION)
                return config_fail(reader, "must be 1, write CONFIG_VERSION=1");
        if (version > CONFIG_VERSION)
                return config_fail_number(reader, "is ", version,
                                          ", this program knows version 1; use a newer program, or "
                                          "make a new file with mbus-cli keygen");
        reader->config.version = CONFIG_VERSION;
        return 0;
}

static int read_scope(struct config_reader *reader, struct span value)
{
        if (span_equal_nocase(value, "HOSTLOCAL"))
                reader->config.scope = SCOPE_HOSTLOCAL;
        else if (span_equal_nocase(value, "LINKLOCAL"))
                reader->config.scope = SCOPE_LINKLOCAL;
        else
                return config_fail(reader, "is no scope, write HOSTLOCAL or LINKLOCAL");
        return 0;
}

/* IPVERSION may stand before or behind ADDRESS: whichever comes second finds the contradiction. */
static int set_ip_version(struct config_reader *reader, unsigned version)
{
        struct config *c = &reader->config;

        if (c->ip_version != 0 && c->ip_version != version)
                return config_fail(reader,
                                   "contradicts the file's other one of ADDRESS and IPVERSION, "
                                   "remove IPVERSION or mend ADDRESS");
        c->ip_version = version;
        return 0;
}

static int read_address(struct config_reader *reader, struct span value)
{
        struct config *c = &reader->config;
        enum ip_reach reach;
        unsigned version;

        if (span_equal_nocase(value, "BROADCAST")) {
                c->broadcast = true;
                return 0;
        }
        if (value.n >= sizeof(c->address) || !ip_parse(value, &version, &reach))
                return config_fail(reader, "is no IP address, write one or BROADCAST");
        if (reach == IP_UNICAST)
                return config_fail(reader, "is no multicast address, write one in 239.0.0.0/8 or "
                                           "ff02::/16, or BROADCAST");
        if (reach == IP_MULTICAST_WIDE && version == 6)
                config_warn(reader, "The address is not in ff00::/12, others may use it, too.");

        memcpy(c->address, value.at, value.n);
        c->address[value.n] = 0;
        return set_ip_version(reader, version);
}

static int read_port(struct config_reader *reader, struct span value)
{
        uint64_t port;

        if (!span_to_uint(value, UINT16_MAX, &port) || port == 0)
                return config_fail(reader, "is no UDP port, write a number from 1 to 65535");
        reader->config.port = (uint16_t)port;
        return 0;
}

static int read_dialect(struct config_reader *reader, struct span value)
{
        if (span_equal_nocase(value, "RFC3259"))
                reader->config.dialect = DIALECT_RFC3259;
        else if (span_equal_nocase(value, "UCL"))
                reader->config.dialect = DIALECT_UCL;
        else
                return config_fail(reader, "is no dialect, write RFC3259 or UCL");
        return 0;
}

static int read_send_unicast(struct config_reader *reader, struct span value)
{
        if (!span_equal_nocase(value, "yes") && !span_equal_nocase(value, "no"))
                return config_fail(reader, "is neither, write yes or no");
        reader->config.send_unicast = span_equal_nocase(value, "yes");
        return 0;
}

static int read_ip_version(struct config_reader *reader, struct span value)
{
        if (!span_equal_text(value, "4") && !span_equal_text(value, "6"))
                return config_fail(reader, "is no version of IP, write 4 or 6");
        return set_ip_version(reader, value.at[0] == '4' ? 4 : 6);
}

static int read_max_age(struct config_reader *reader, struct span value)
{
        uint64_t seconds;

        if (!span_to_uint(value, MAX_AGE_S_MAX, &seconds))
                return config_fail(reader, "is no time, write a number of seconds, 0 for any age");
        reader->config.max_age_ms = seconds * 1000;
        return 0;
}

static int read_interface(struct config_reader *reader, struct span value)
{
        struct config *c = &reader->config;
        char *at;

        if (c->n_interfaces == CONFIG_INTERFACES_MAX)
                return config_fail_number(reader, "stands here more than ", CONFIG_INTERFACES_MAX,
                                          " times, remove some");
        at = c->interfaces[c->n_interfaces];
        if (value.n == 0 || value.n >= sizeof(c->interfaces[0]))
                return config_fail(reader, "is no interface, write its name or its IP address");
        for (size_t i = 0; i < value.n; i++) {
                if (value.at[i] <= ' ' || value.at[i] > '~')
                        return config_fail(reader,
                                           "is no interface, write its name or its IP address");
        }
        memcpy(at, value.at, value.n);
        at[value.n] = 0;
        c->interface_lines[c->n_interfaces++] = reader->line;
        return 0;
}

/* What other programs are known to write, and we have no use for. */
static int ignore(struct config_reader *reader, struct span value)
{
        (void)reader;
        (void)value;
        return 0;
}

enum key_id {
        KEY_CONFIG_VERSION,
        KEY_HASHKEY,
        KEY_ENCRYPTIONKEY,
        KEY_ADDRESS,
};

static const struct {
        const char *name;
        int (*read)(struct config_reader *reader, struct span value);
        bool repeatable;
} keys[] = {
        [KEY_CONFIG_VERSION] = { "CONFIG_VERSION", read_version, false },
        [KEY_HASHKEY] = { "HASHKEY", config_read_hash_key, false },
        [KEY_ENCRYPTIONKEY] = { "ENCRYPTIONKEY", config_read_cipher_key, false },
        [KEY_ADDRESS] = { "ADDRESS", read_address, false },
        { "SCOPE", read_scope, false },
        { "PORT", read_port, false },
        { "DIALECT", read_dialect, false },
        { "SEND_UNICAST", read_send_unicast, false },
        { "IPVERSION", read_ip_version, false },
        { "MAX_AGE", read_max_age, false },
        { "INTERFACE", read_interface, true },
        { "TIMER_C", ignore, true },
        { "TIMER_R", ignore, true },
        { "RETRIES", ignore, true },
        { "RETENTION", ignore, true },
        { "WITH_ACK_PIGGY_BACKING", ignore, true },
        { "DELIVER_LATE_MSGS", ignore, true },
        { "CHECK_DIGEST", ignore, true },
        { "PRESENCE", ignore, true },
        { "cryptoProvider", ignore, true },
};

#define KEY_MAX (sizeof(keys) / sizeof(keys[0]))

_Static_assert(KEY_MAX <= CONFIG_KEYS_MAX, "the reader has room for each key");

static bool is_key_char(char c)
{
        return is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

static bool is_known_key(struct span key)
{
        for (size_t i = 0; i < KEY_MAX; i++) {
                if (span_equal_nocase(key, keys[i].name))
                        return true;
        }
        return false;
}

/* The key that @key may be a slip of the pen for, or NULL. */
static const char *find_near(struct span key)
{
        for (size_t i = 0; i < KEY_MAX; i++)
                if (keys[i].read != ignore && is_nearly(key, keys[i].name))
                        return keys[i].name;
        return NULL;
}

/* What a message shows of the key of a line: nothing that may be a secret out of its place. */
static struct span key_excerpt(struct span key, struct span value)
{
        size_t n = 0;

        while (n < key.n && is_key_char(key.at[n]))
                n++;
        key.n = n;
        if (is_known_key(key))
                return key;
        if (n == 0 || n > KEY_EXCERPT_MAX || value.n == 0 || value.at[0] == '=')
                return span_of("?");
        return key;
}

int config_read_entry(struct config_reader *reader, unsigned number, struct span line)
{
        struct span key, value;
        bool whole = config_split(line, '=', &key, &value);

        reader->line = number;
        reader->key = key_excerpt(key, value);
        if (!whole)
                return config_fail(reader,
                                   "is no entry, write KEY=VALUE, or # in front of a comment");

        for (size_t i = 0; i < KEY_MAX; i++) {
                if (!span_equal_nocase(key, keys[i].name))
                        continue;
                if (reader->seen[i] > 0 && !keys[i].repeatable)
                        return config_fail_number(reader, "stands on line ", reader->seen[i],
                                                  " already, remove one of the two");
                reader->seen[i] = reader->line;
                return keys[i].read(reader, value);
        }
        config_warn_unknown(reader, find_near(key));
        return 0;
}

static void warn_of(struct config_reader *reader, unsigned key, const char *what)
{
        reader->key = span_of(keys[key].name);
        reader->line = reader->seen[key];
        config_warn(reader, what);
}

/* The group of the old programs is not theirs by right, but theirs it is. */
static void warn_of_address(struct config_reader *reader)
{
        const struct config *c = &reader->config;
        enum ip_reach reach;
        unsigned version;

        if (c->address[0] == '\0' || !ip_parse(span_of(c->address), &version, &reach) ||
            reach != IP_MULTICAST_WIDE || version != 4)
                return;
        if (c->dialect != DIALECT_UCL || !span_equal_text(span_of(c->address), CONFIG_ADDRESS_UCL))
                warn_of(reader, KEY_ADDRESS,
                        "The address is not in 239.0.0.0/8, others may use it, too.");
}

static bool has_odd_parity(const struct config_key *key)
{
        for (size_t i = 0; i < key->n; i++) {
                unsigned ones = 0;

                for (unsigned bit = 0; bit < 8; bit++)
                        ones += key->bytes[i] >> bit & 1;
                if (ones % 2 == 0)
                        return false;
        }
        return true;
}

/* What the programs that DIALECT=UCL is for cannot read, or die of, is said once. */
static void warn_of_algorithms(struct config_reader *reader)
{
        const struct config *c = &reader->config;

        if (c->dialect != DIALECT_UCL)
                return;
        if (c->hash != HASH_MD5)
                warn_of(reader, KEY_HASHKEY,
                        "Old programs know HMAC-MD5-96 and DES only: mbus-cli keygen --dialect "
                        "ucl.");
        else if (c->cipher != CIPHER_NONE && c->cipher != CIPHER_DES)
                warn_of(reader, KEY_ENCRYPTIONKEY,
                        "Old programs know DES and NOENCR only: mbus-cli keygen --dialect ucl.");
        else if (c->cipher == CIPHER_DES && !has_odd_parity(&c->cipher_key))
                warn_of(reader, KEY_ENCRYPTIONKEY,
                        "Old programs end at a DES key whose octets have no odd parity.");
}

int config_check_keys(struct config_reader *reader)
{
        if (reader->seen[KEY_HASHKEY] == 0) {
                reader->key = span_of("HASHKEY");
                return config_fail_section(reader, "is missing in ",
                                           ", add it or make a file with mbus-cli keygen");
        }
        if (reader->seen[KEY_ENCRYPTIONKEY] == 0) {
                reader->key = span_of("ENCRYPTIONKEY");
                return config_fail_section(reader, "is missing in ",
                                           ", add it, with (NOENCR,) for no encryption");
        }
        warn_of_address(reader);
        warn_of_algorithms(reader);
        return 0;
}

void config_warn_of_version(struct config_reader *reader)
{
        if (reader->seen[KEY_CONFIG_VERSION] > 0)
                return;
        reader->key = span_of("CONFIG_VERSION");
        config_warn(reader, "It is missing, add a line CONFIG_VERSION=1.");
}
