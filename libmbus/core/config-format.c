/*
 * config-format.c - writes the text of a configuration file (RFC 3259, section 12).
 *
 * What has its default is left out, so that a file says what is particular about its bus.
 */
#include "config.h"
#include "config-key.h"

static void add_line(struct buffer *out, const char *key, const char *value)
{
        buffer_add_text(out, key);
        buffer_add_char(out, '=');
        buffer_add_text(out, value);
        buffer_add_char(out, '\n');
}

static void add_number(struct buffer *out, const char *key, uint64_t number)
{
        buffer_add_text(out, key);
        buffer_add_char(out, '=');
        buffer_add_uint(out, number);
        buffer_add_char(out, '\n');
}

void config_format(const struct config *c, struct buffer *out)
{
        buffer_add_text(out, "[MBUS]\n");
        add_number(out, "CONFIG_VERSION", c->version);
        buffer_add_text(out, "HASHKEY=");
        config_format_hash_key(c, out);
        buffer_add_text(out, "\nENCRYPTIONKEY=");
        config_format_cipher_key(c, out);
        buffer_add_char(out, '\n');
        add_line(out, "SCOPE", c->scope == SCOPE_LINKLOCAL ? "LINKLOCAL" : "HOSTLOCAL");
        if (c->broadcast)
                add_line(out, "ADDRESS", "BROADCAST");
        else if (c->address[0])
                add_line(out, "ADDRESS", c->address);
        if (c->ip_version != 0)
                add_number(out, "IPVERSION", c->ip_version);
        if (c->port != CONFIG_PORT_DEFAULT)
                add_number(out, "PORT", c->port);
        if (c->dialect == DIALECT_UCL)
                add_line(out, "DIALECT", "UCL");
        if (c->send_unicast)
                add_line(out, "SEND_UNICAST", "yes");
        if (c->max_age_ms > 0)
                add_number(out, "MAX_AGE", (c->max_age_ms + 999) / 1000);
        for (unsigned i = 0; i < c->n_interfaces; i++)
                add_line(out, "INTERFACE", c->interfaces[i]);
}
