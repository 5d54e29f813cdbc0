/*
 * test-property-config.c - what holds of every configuration (RFC 3259, section 12).
 */
#include <stdio.h>

#include "damage.h"
#include "generate.h"
#include "run.h"
#include "seed.h"

#define CASES 10000

static bool key_equal(const struct config_key *a, const struct config_key *b)
{
        return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static bool config_equal(const struct config *a, const struct config *b)
{
        if (a->n_interfaces != b->n_interfaces)
                return false;
        for (unsigned i = 0; i < a->n_interfaces; ++i)
                if (strcmp(a->interfaces[i], b->interfaces[i]) != 0)
                        return false;
        return a->version == b->version && a->hash == b->hash &&
               key_equal(&a->hash_key, &b->hash_key) && a->cipher == b->cipher &&
               key_equal(&a->cipher_key, &b->cipher_key) && a->scope == b->scope &&
               a->broadcast == b->broadcast && strcmp(a->address, b->address) == 0 &&
               a->ip_version == b->ip_version && a->port == b->port && a->dialect == b->dialect &&
               a->send_unicast == b->send_unicast && a->max_age_ms == b->max_age_ms;
}

/* Writes @c and reads it back. */
static void check_config(const struct config *c, struct buffer *out)
{
        struct buffer again = BUFFER_INIT;
        struct config back;
        char error[256] = "";
        int r;

        buffer_clear(out);
        config_format(c, out);
        r = config_parse(buffer_span(out), "mbus", &back, error);
        if (r != 0)
                printf("%.*s", (int)out->n, out->at);
        ck_assert_msg(r == 0, "%s", error);
        if (!config_equal(c, &back))
                printf("%.*s", (int)out->n, out->at);
        ck_assert(config_equal(c, &back));
        config_format(&back, &again);
        ck_assert(span_equal(buffer_span(&again), buffer_span(out)));
        buffer_deinit(&again);
}

START_TEST(test_configurations_survive_writing_and_reading)
{
        struct generator g = { .random = seeded("configurations") };
        struct buffer text = BUFFER_INIT;
        struct config c;

        for (unsigned i = 0; i < CASES; ++i) {
                generate_config(&g, &c);
                check_config(&c, &text);
        }
        buffer_deinit(&text);
}
END_TEST

START_TEST(test_damaged_configurations_are_refused_or_mean_what_can_be_written)
{
        struct generator g = { .random = seeded("damaged configurations") };
        uint64_t state = random_u64(&g.random) | 1;
        struct buffer text = BUFFER_INIT;
        unsigned n = 0;

        for (unsigned i = 0; i < CASES; ++i) {
                struct config c;
                char error[256] = "";
                char *copy;
                size_t size;
                int r;

                generate_config(&g, &c);
                buffer_clear(&text);
                config_format(&c, &text);
                damage(text.at, text.n, &state);
                size = generate_chance(&g, 4) ? (size_t)random_below(&g.random, text.n) : text.n;
                copy = copy_exactly(text.at, size);
                r = config_parse((struct span){ copy, size }, "mbus", &c, error);
                free(copy);
                ck_assert(r == 0 || (r == MBUS_E_CONFIG && strncmp(error, "mbus:", 5) == 0));
                if (r != 0)
                        continue;
                ++n;
                check_config(&c, &text);
        }
        printf("damaged configurations: %u of %u could still be used\n", n, CASES);
        ck_assert(n > CASES / 20 && n < CASES / 20 * 19);
        buffer_deinit(&text);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_configurations_survive_writing_and_reading,
                test_damaged_configurations_are_refused_or_mean_what_can_be_written,
        };

        return run_tests("property-config", tests, N(tests));
}
