/*
 * ip.c - IPv4 addresses as four decimal numbers, IPv6 addresses as RFC 2373, section 2.2, writes
 * them. A zone ("%eth0") is none of it: interfaces have a configuration key of their own.
 */
#include "ip.h"

#define IPV6_GROUPS 8

/* Leading zeros are refused, because some programs take them for octal. */
static bool parse_octet(struct span text, uint64_t *ret_number)
{
        return span_to_uint(text, 255, ret_number) && (text.n == 1 || text.at[0] != '0');
}

static bool parse_ipv4(struct span text, uint8_t *ret_first)
{
        uint64_t number;

        for (unsigned i = 0; i < 4; i++) {
                const char *dot = text.n > 0 ? memchr(text.at, '.', text.n) : NULL;
                size_t n = dot ? (size_t)(dot - text.at) : text.n;

                if (!dot != (i == 3) || !parse_octet((struct span){ text.at, n }, &number))
                        return false;
                if (i == 0)
                        *ret_first = (uint8_t)number;
                if (dot)
                        text = (struct span){ dot + 1, text.n - n - 1 };
        }
        return true;
}

static int hex_digit(char c)
{
        static const char digits[] = "0123456789abcdef";
        const char *at;

        if (c >= 'A' && c <= 'F')
                c = (char)(c - 'A' + 'a');
        at = memchr(digits, c, sizeof(digits) - 1);
        return at ? (int)(at - digits) : -1;
}

/* The digits of one group; their number, 0 if it is none. */
static size_t parse_group(struct span text, uint16_t *ret_group)
{
        unsigned group = 0;
        size_t n;

        for (n = 0; n < text.n && hex_digit(text.at[n]) >= 0; n++) {
                if (n == 4)
                        return 0;
                group = group << 4 | (unsigned)hex_digit(text.at[n]);
        }
        *ret_group = (uint16_t)group;
        return n;
}

static void advance(struct span *s, size_t n)
{
        s->at += n;
        s->n -= n;
}

static bool parse_ipv6(struct span text, uint16_t *ret_first)
{
        unsigned groups = 0;
        bool gap = span_begins(text, "::");
        uint8_t unused;

        *ret_first = 0;
        if (gap)
                advance(&text, 2);
        while (text.n > 0) {
                uint16_t group;
                size_t n = parse_group(text, &group);

                if (n == 0 || groups == IPV6_GROUPS)
                        return false;
                if (n < text.n && text.at[n] == '.') {
                        groups += 2;
                        if (!parse_ipv4(text, &unused))
                                return false;
                        break;
                }
                if (groups++ == 0 && !gap)
                        *ret_first = group;

                advance(&text, n);
                if (text.n == 0)
                        break;
                if (span_begins(text, "::") && !gap) {
                        gap = true;
                        advance(&text, 2);
                } else if (text.at[0] == ':' && text.n > 1) {
                        advance(&text, 1);
                } else {
                        return false;
                }
        }
        return gap ? groups < IPV6_GROUPS : groups == IPV6_GROUPS;
}

bool ip_parse(struct span text, unsigned *ret_version, enum ip_reach *ret_reach)
{
        uint8_t octet;
        uint16_t group;

        if (parse_ipv4(text, &octet)) {
                *ret_version = 4;
                *ret_reach = octet == 239                  ? IP_MULTICAST_SCOPED
                             : octet >= 224 && octet < 240 ? IP_MULTICAST_WIDE
                                                           : IP_UNICAST;
                return true;
        }
        if (parse_ipv6(text, &group)) {
                *ret_version = 6;
                *ret_reach = (group & 0xfff0) == 0xff00   ? IP_MULTICAST_SCOPED
                             : (group & 0xff00) == 0xff00 ? IP_MULTICAST_WIDE
                                                          : IP_UNICAST;
                return true;
        }
        return false;
}
