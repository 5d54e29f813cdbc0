/*
 * test-ip.c - IP addresses as text (RFC 3259, sections 6.1 and 12; RFC 2373, section 2.2).
 */
#include "core/ip.h"

#include <arpa/inet.h>

#include "damage.h"
#include "run.h"

static bool parse(const char *text, unsigned *ret_version, enum ip_reach *ret_reach)
{
        char *copy = copy_exactly(text, strlen(text));
        bool good = ip_parse((struct span){ copy, strlen(text) }, ret_version, ret_reach);

        free(copy);
        return good;
}

static void check(const char *text, unsigned version, enum ip_reach reach)
{
        enum ip_reach got_reach = IP_UNICAST;
        unsigned got_version = 0;

        ck_assert_msg(parse(text, &got_version, &got_reach), "%s", text);
        ck_assert_msg(got_version == version && got_reach == reach, "%s: %u %d", text, got_version,
                      got_reach);
}

/* CFG-03 */
START_TEST(test_ipv4_addresses_are_told_by_their_first_number)
{
        check("239.255.255.247", 4, IP_MULTICAST_SCOPED);
        check("239.0.0.0", 4, IP_MULTICAST_SCOPED);
        check("224.255.222.239", 4, IP_MULTICAST_WIDE);
        check("238.255.255.255", 4, IP_MULTICAST_WIDE);
        check("223.255.255.255", 4, IP_UNICAST);
        check("240.0.0.0", 4, IP_UNICAST);
        check("0.0.0.0", 4, IP_UNICAST);
}
END_TEST

/* CFG-03 */
START_TEST(test_ipv6_addresses_are_told_by_their_first_group)
{
        check("ff01::300", 6, IP_MULTICAST_SCOPED);
        check("FF02:0:0:0:0:0:0:300", 6, IP_MULTICAST_SCOPED);
        check("ff0e::", 6, IP_MULTICAST_SCOPED);
        check("ff12::1", 6, IP_MULTICAST_WIDE);
        check("fffe::1", 6, IP_MULTICAST_WIDE);
        check("ff02::1.2.3.4", 6, IP_MULTICAST_SCOPED);
        check("ff0::1", 6, IP_UNICAST);
        check("fe80::211:22ff:fe33:4455", 6, IP_UNICAST);
        check("::", 6, IP_UNICAST);
        check("::ff02", 6, IP_UNICAST);
        check("1:2:3:4:5:6:7::", 6, IP_UNICAST);
}
END_TEST

/* Every text of up to @n characters of this alphabet, against the operating system. */
static void check_all(const char *alphabet, char *text, size_t length, size_t n)
{
        unsigned char bytes[16];
        enum ip_reach reach;
        unsigned version;

        text[length] = 0;
        ck_assert_msg(parse(text, &version, &reach) == (inet_pton(AF_INET6, text, bytes) == 1 ||
                                                        inet_pton(AF_INET, text, bytes) == 1),
                      "\"%s\"", text);
        for (const char *c = alphabet; length < n && *c; c++) {
                text[length] = *c;
                check_all(alphabet, text, length + 1, n);
        }
}

/* CFG-03 */
START_TEST(test_the_operating_system_agrees_on_every_short_text)
{
        char text[32];

        check_all(":1g", text, 0, 9);
        check_all("1.0", text, 0, 9);
        strcpy(text, "1:2:3:4:5:");
        check_all(":f", text, strlen(text), 18);
        strcpy(text, "::1.2.3");
        check_all(".:5", text, strlen(text), 13);
        strcpy(text, "1:2:3:4:5:6:");
        check_all(".:7", text, strlen(text), 20);
}
END_TEST

/* CFG-03 */
START_TEST(test_the_operating_system_agrees_on_damaged_addresses)
{
        static const char *const samples[] = { "239.255.255.247",     "ff02::1:2",
                                               "::ffff:1.2.3.4",      "1:2:3:4:5:6:7:8",
                                               "1:2:3:4:5:6:1.2.3.4", "a::b:c",
                                               "1.22.103.255" };
        uint64_t state = DAMAGE_SEED;
        unsigned good = 0;

        for (unsigned i = 0; i < 50000; i++) {
                static const char octets[] = "0123456789abcdefF:.::..";
                const char *sample = samples[i % N(samples)];
                unsigned char bytes[16];
                enum ip_reach reach;
                unsigned version;
                char text[32];
                int r4, r6;

                strcpy(text, sample);
                for (unsigned k = 0; k <= i % 3; k++)
                        text[next_random(&state) % strlen(sample)] =
                                octets[next_random(&state) % (sizeof(octets) - 1)];
                r4 = inet_pton(AF_INET, text, bytes);
                r6 = inet_pton(AF_INET6, text, bytes);
                good += r4 == 1 || r6 == 1;
                ck_assert_msg(parse(text, &version, &reach) == (r4 == 1 || r6 == 1), "%s", text);
        }
        ck_assert_uint_gt(good, 1000);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_ipv4_addresses_are_told_by_their_first_number,
                test_ipv6_addresses_are_told_by_their_first_group,
                test_the_operating_system_agrees_on_every_short_text,
                test_the_operating_system_agrees_on_damaged_addresses,
        };

        return run_tests("ip", tests, N(tests));
}
