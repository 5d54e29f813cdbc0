/*
 * test-oom-link.c - the public library through a broker, while memory is short or calls fail.
 *
 * The broker is played by the test and has all it needs. What holds over the network holds here, too;
 * moreover a link that breaks is told, and mended by itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail-call.h"
#include "fail-malloc.h"
#include "played-broker.h"
#include "programs.h"
#include "run.h"

#define PATH "broker.sock"

static bool is_memory(int r)
{
        return r == -ENOMEM || r == MBUS_E_NOT_READY;
}

static bool is_call(int r)
{
        return r < 0 || r == MBUS_E_NO_BUS || r == MBUS_E_NOT_READY;
}

static const char *memory_text(void)
{
        return strerror(ENOMEM);
}

static void stop(void)
{
        fail_malloc_stop();
        fail_call_stop();
}

static bool turn(struct trial *t)
{
        bool moved;

        (void)t;
        fail_malloc_pause(true);
        fail_call_pause(true);
        moved = broker_turn();
        fail_call_pause(false);
        fail_malloc_pause(false);
        return moved;
}

static void hang_up(void)
{
        fail_malloc_pause(true);
        fail_call_pause(true);
        broker_hang_up();
        fail_call_pause(false);
        fail_malloc_pause(false);
}

#define SETTING(cause, trouble, broken)                                                            \
        {                                                                                          \
                .url = "unix:" PATH, .get_cause = cause, .is_trouble = trouble, .turn = turn,      \
                .stop = stop, .n_breaks = broken,                                                  \
        }

static const struct setting short_of_memory = SETTING(memory_text, is_memory, 0);
static const struct setting short_and_broken = SETTING(memory_text, is_memory, 1);
static const struct setting refused = SETTING(fail_call_cause, is_call, 0);
static const struct setting refused_and_broken = SETTING(fail_call_cause, is_call, 1);

/* ---- scenarios ---- */

static void send_all(struct trial *t, const struct mbus_commands *c)
{
        for (size_t i = 0; i < PROGRAMS; ++i) {
                if (!programs[i].me)
                        continue;
                programs_ok(t, mbus_entity_send(programs[i].me, "()", c));
                program_send_reliable(t, &programs[i], program_names[(i + 1) % PROGRAMS], c);
                program_send_each(t, &programs[i], c);
                programs_run(t, 100);
        }
}

static void talk(struct trial *t, const struct setting *setting)
{
        struct mbus_commands *c = NULL;
        int fd;

        programs_begin(t, setting);
        if (programs[1].bus)
                programs_ok(t, mbus_bus_get_fd(programs[1].bus, &fd));
        if (programs_ok(t, mbus_commands_new(&c)))
                programs_ok(t, mbus_commands_add_text(c, "x(1)\r\ny(\"z\")", NULL, NULL));
        if (c && mbus_commands_check(c) == 0)
                send_all(t, c);
        if (setting->n_breaks) {
                /* Who is back first sees the others come. */
                t->any_outcome = true;
                hang_up();
                programs_run(t, 5000);
                if (c && mbus_commands_check(c) == 0)
                        send_all(t, c);
        }
        mbus_commands_free(c);
        programs_end(t);
        hang_up();
}

static void talk_short_of_memory(struct trial *t)
{
        talk(t, &short_of_memory);
}

static void break_short_of_memory(struct trial *t)
{
        talk(t, &short_and_broken);
}

static void talk_refused(struct trial *t)
{
        talk(t, &refused);
}

static void break_refused(struct trial *t)
{
        talk(t, &refused_and_broken);
}

START_TEST(test_linked_programs_bear_a_lack_of_memory)
{
        broker_start(PATH);
        fail_each_malloc("talking through a broker", talk_short_of_memory);
        fail_each_malloc("losing it", break_short_of_memory);
        broker_stop();
}
END_TEST

START_TEST(test_linked_programs_bear_calls_that_fail)
{
        broker_start(PATH);
        fail_each_call("talking through a broker", talk_refused);
        fail_each_call("losing it", break_refused);
        broker_stop();
}
END_TEST

int main(void)
{
        const TTest *const tests[] = {
                test_linked_programs_bear_a_lack_of_memory,
                test_linked_programs_bear_calls_that_fail,
        };

        char directory[] = "/tmp/mbus-oom-XXXXXX";
        int r;

        if (!mkdtemp(directory) || chdir(directory) < 0)
                return EXIT_FAILURE;
        r = run_tests("oom-link", tests, N(tests));
        rmdir(directory);
        return r;
}
