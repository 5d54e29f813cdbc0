/*
 * test-oom-bus.c - the public library over mem: while memory is short.
 *
 * What a program may rely on: -ENOMEM from the call, or from mbus_bus_process() when no call could
 * tell, or a counted drop; tickets that end once; and a bus that goes on when memory is back.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fail-malloc.h"
#include "programs.h"
#include "run.h"

#define KEYS                                                                                       \
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,AQIDBAUGBwgJCgsMDQ4PEBESExQ=)\n"          \
        "ENCRYPTIONKEY=(AES,AQIDBAUGBwgJCgsMDQ4PEA==)\n"

static bool is_memory(int r)
{
        return r == -ENOMEM;
}

static const char *memory_text(void)
{
        return strerror(ENOMEM);
}

static const struct setting setting = {
        .url = "mem:oom",
        .get_cause = memory_text,
        .is_trouble = is_memory,
        .stop = fail_malloc_stop,
};

static bool ok(struct trial *t, int r)
{
        trial_must(t, r == 0 || is_memory(r));
        return trial_ok(t, r);
}

/* ---- scenarios ---- */

static void configure(struct trial *t)
{
        struct mbus_config *config;
        struct mbus_bus *bus = NULL;
        int r;

        if (!ok(t, mbus_config_new(&config)))
                return;
        mbus_config_set_url(config, "nonsense:");
        mbus_config_set_file(config, "/nowhere");
        mbus_config_set_text(config, "no configuration");
        r = mbus_bus_open(&bus, config);
        trial_must(t, r == MBUS_E_CONFIG || r == -ENOMEM);
        trial_must(t, mbus_config_get_error(config)[0] != '\0' && !bus);
        if (r < 0)
                trial_notice(t);
        fail_malloc_stop();
        mbus_config_set_url(config, "mem:oom");
        mbus_config_set_file(config, NULL);
        mbus_config_set_text(config, NULL);
        trial_must(t, mbus_bus_open(&bus, config) == 0);
        trial_must(t, mbus_config_get_error(config)[0] == '\0');
        mbus_config_free(config);
        mbus_bus_close(bus);
}

static void build(struct trial *t)
{
        static const char bytes[512];
        struct mbus_commands *c;
        size_t at;

        if (!ok(t, mbus_commands_new(&c)))
                return;
        mbus_commands_begin(c, "audio.input.gain");
        mbus_commands_add_integer(c, -70);
        mbus_commands_add_float(c, 0.5);
        mbus_commands_begin_list(c);
        mbus_commands_add_string(c, "a long text, so that memory is taken more than once .......");
        mbus_commands_add_symbol(c, "symbol");
        mbus_commands_end_list(c);
        mbus_commands_add_data(c, bytes, sizeof(bytes));
        mbus_commands_end(c);
        ok(t, mbus_commands_add_text(c, "a()\nb(1 (2) \"\\\"\")", &at, NULL));
        if (ok(t, mbus_commands_check(c)))
                trial_note(t, "%.40s", mbus_commands_get_text(c));
        fail_malloc_stop();
        mbus_commands_clear(c);
        trial_must(t, mbus_commands_add_text(c, "a( 1 )", NULL, NULL) == 0);
        trial_must(t, strcmp(mbus_commands_get_text(c), "a(1)") == 0);
        mbus_commands_free(c);
}

static void build_by_format(struct trial *t)
{
        static const char text[] = "a long text, so that memory is taken more than once .......";
        struct mbus_commands *c;
        size_t at = 0;
        int r;

        if (!ok(t, mbus_commands_new(&c)))
                return;
        ok(t, mbus_commands_addf(c, "a(%s %d %f)\nb(%s)", text, 1, 0.1, text));
        mbus_commands_begin(c, "c");
        ok(t, mbus_commands_addf(c, "%s (%s) d", text, text));
        mbus_commands_end(c);
        if (ok(t, mbus_commands_check(c)))
                trial_note(t, "%.40s", mbus_commands_get_text(c));
        mbus_commands_clear(c);
        r = mbus_commands_addf(c, "a(%s", text);
        trial_must(t, r == MBUS_E_MALFORMED || r == -ENOMEM);
        trial_must(t, *mbus_commands_get_error(c, &at) != '\0' && at <= strlen("a(%s"));
        if (r < 0 || at == 0)
                trial_notice(t);
        fail_malloc_stop();
        mbus_commands_clear(c);
        trial_must(t, mbus_commands_addf(c, "a(%d)", 1) == 0);
        trial_must(t, strcmp(mbus_commands_get_text(c), "a(1)") == 0);
        mbus_commands_free(c);
}

static void seal_and_open(struct trial *t)
{
        static const char text[] = "mbus/1.0 7 1 U (id:1-1@127.0.0.1) () ()\r\na.b(1)";
        struct mbus_message *message = NULL;
        struct mbus_config *config;
        char datagram[sizeof(text) + MBUS_DATAGRAM_OVERHEAD];
        size_t n = 0;

        if (!ok(t, mbus_config_new(&config)))
                return;
        mbus_config_set_text(config, KEYS);
        if (ok(t, mbus_datagram_seal(config, text, sizeof(text) - 1, datagram, sizeof(datagram),
                                     &n)) &&
            ok(t, mbus_datagram_open(config, datagram, n, &message, NULL, NULL)))
                trial_note(t, "%s", mbus_message_get_command(message, 0));
        mbus_message_unref(message);
        fail_malloc_stop();
        mbus_config_set_text(config, KEYS);
        trial_must(t, mbus_datagram_seal(config, text, sizeof(text) - 1, datagram, sizeof(datagram),
                                         &n) == 0);
        trial_must(t, mbus_datagram_open(config, datagram, n, &message, NULL, NULL) == 0);
        mbus_message_unref(message);
        mbus_config_free(config);
}

static void open_and_close(struct trial *t)
{
        programs_begin(t, &setting);
        programs_end(t);
}

static void observe(struct trial *t, struct mbus_bus *bus)
{
        struct mbus_observation *o = NULL;

        ok(t, mbus_observation_new(&o));
        if (!o)
                return;
        mbus_observation_set_hello(o, true);
        mbus_observation_add_filter(o, "()", "", "main");
        mbus_observation_add_filter(o, "(app:a)", "x", NULL);
        ok(t, mbus_bus_observe(bus, o));
        mbus_observation_free(o);
}

static void talk(struct trial *t)
{
        struct mbus_commands *c = NULL;
        int fd;

        programs_begin(t, &setting);
        if (programs[2].bus)
                observe(t, programs[2].bus);
        if (programs[1].bus)
                ok(t, mbus_bus_get_fd(programs[1].bus, &fd));
        ok(t, mbus_commands_new(&c));
        if (c)
                ok(t, mbus_commands_add_text(c, "x(1)\r\ny(\"z\")", NULL, NULL));
        for (size_t i = 0; c && i < PROGRAMS && mbus_commands_check(c) == 0; ++i) {
                if (!programs[i].me)
                        continue;
                ok(t, mbus_entity_send(programs[i].me, "()", c));
                ok(t, mbus_entity_send_text(programs[i].me, "(app:a)", "u(1 2)"));
                ok(t, mbus_entity_sendf(programs[i].me, "(app:a)", "v(%s)", "text"));
                program_send_reliable(t, &programs[i], program_names[(i + 1) % PROGRAMS], c);
                program_send_each(t, &programs[i], c);
                ok(t, mbus_entity_ping(programs[i].me, "()"));
                ok(t, mbus_entity_quit(programs[i].me, "()", NULL));
                programs_settle(t);
        }
        mbus_commands_free(c);
        programs_run(t, 3000);
        programs_end(t);
}

/* What memory was short for is as if it had never been called. Texts that just fill the memory
 * there is leave none for the octet behind them. */
static void send_again(struct trial *t)
{
        char to[1025] = "(app:b";

        programs_begin(t, &setting);
        for (size_t n = 64; n < sizeof(to) && programs[0].me; n *= 2) {
                memset(to + 6, ' ', n - 7);
                memcpy(to + n - 1, ")", 2);
                if (!ok(t, mbus_entity_send_text(programs[0].me, to, "x()")))
                        ok(t, mbus_entity_send_text(programs[0].me, to, "x()"));
        }
        programs_end(t);
}

/* What could not be said once is said again, and the name of who said go may be missing: nothing of that
 * shows. But a wait ends. */
static void wait_for(struct trial *t)
{
        struct mbus_entity *me, *other;
        uint64_t ticket;
        bool waits;

        programs_begin(t, &setting);
        t->any_outcome = true;
        me = programs[0].me;
        other = programs[1].me;
        waits = me && ok(t, mbus_entity_wait(me, "()", "token", 1000000000));
        if (me && ok(t, mbus_entity_wait(me, "()", "key", -1)))
                ok(t, mbus_entity_cancel_wait(me, "key"));
        programs_run(t, 500);
        if (other && ok(t, mbus_entity_wait(other, "(app:a)", "token", -1)) && me) {
                int r = mbus_entity_go(me, "(app:b)", "token", &ticket);

                if (r == MBUS_E_UNKNOWN)
                        trial_notice(t);
                else if (ok(t, r))
                        programs[0].tickets[programs[0].n_tickets++] =
                                (struct ticket){ me, ticket };
        }
        programs_run(t, 2500);
        if (waits)
                trial_must(t, mbus_entity_cancel_wait(me, "token") == MBUS_E_UNKNOWN);
        programs_end(t);
}

static void list_peers(struct trial *t)
{
        struct mbus_peers *peers;

        programs_begin(t, &setting);
        if (programs[0].bus && ok(t, mbus_peers_new(programs[0].bus, "()", &peers))) {
                for (size_t i = 0; i < mbus_peers_get_n(peers); ++i)
                        trial_note(t, "%s", mbus_peers_get_address(peers, i));
                mbus_peers_free(peers);
        }
        programs_end(t);
}

static void leave(struct trial *t)
{
        struct mbus_commands *c;

        programs_begin(t, &setting);
        if (ok(t, mbus_commands_new(&c))) {
                if (ok(t, mbus_commands_add_text(c, "mbus(1)", NULL, NULL)) && programs[0].me)
                        program_send_reliable(t, &programs[0], "(app:b)", c);
                mbus_commands_free(c);
        }
        programs[1].me = mbus_entity_remove(programs[1].me);
        programs_run(t, 1000);
        program_add_entity(t, &programs[1]);
        programs_run(t, 1000);
        program_notice_drops(t, &programs[2]);
        programs[2].bus = mbus_bus_close(programs[2].bus);
        programs[2].me = NULL;
        programs_run(t, 1000);
        programs_end(t);
}

START_TEST(test_configurations_and_commands_recover)
{
        fail_each_malloc("configuration", configure);
        fail_each_malloc("commands", build);
        fail_each_malloc("formats", build_by_format);
        fail_each_malloc("datagrams", seal_and_open);
}
END_TEST

START_TEST(test_buses_open_or_say_why_not)
{
        fail_each_malloc("open and close", open_and_close);
        fail_each_malloc("peers", list_peers);
}
END_TEST

START_TEST(test_programs_talk_or_are_told)
{
        fail_each_malloc("talk", talk);
        fail_each_malloc("send again", send_again);
        fail_each_malloc("wait", wait_for);
        fail_each_malloc("leave", leave);
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_configurations_and_commands_recover,
                test_buses_open_or_say_why_not,
                test_programs_talk_or_are_told,
        };

        fail_malloc_init();
        return run_tests("oom-bus", tests, N(tests));
}
