/*
 * environment.c - what a process finds around it: clocks, its configuration, a service manager that hands
 * the listening socket over. The linker takes these functions before it looks into the archives of io
 * and the broker.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/broker.h>
#include <broker/base/exit.h>
#include <broker/config/settings.h>
#include <io/clock.h>

#include "machine.h"

/* 2020-01-01, in ns. */
#define WALL_START (UINT64_C(1577836800) * NSEC_PER_SEC)

uint64_t clock_now(void)
{
        return machine->now;
}

uint64_t clock_wall_ns(void)
{
        return WALL_START + machine->now;
}

uint64_t clock_wall_ms(void)
{
        return clock_wall_ns() / NSEC_PER_MSEC;
}

uint64_t clock_wall_tick_ns(void)
{
        return clock_wall_ns() / (4 * NSEC_PER_MSEC) * (4 * NSEC_PER_MSEC);
}

/* ---- the broker's configuration ------------------------------------------------------------ */

static int parse(struct options *o, struct config *ret_config)
{
        struct span text = span_of(machine->running->config);
        char error[512] = "";

        o->policy = policy_new(geteuid());
        o->buses = bus_configs_new();
        if (config_parse(text, "config", ret_config, error) == 0 && o->policy && o->buses &&
            options_read_sections(o, text, "config", error) &&
            bus_configs_check(o->buses, "config", error))
                return 0;
        machine_fail("can-start", "%.200s", error);
        return EXIT_CONFIG;
}

int settings_load(struct options *o, struct config *ret_config, char **ret_path)
{
        *ret_path = strdup("config");
        return parse(o, ret_config);
}

int settings_reload(struct options *o, const char *path, struct config *ret_config)
{
        (void)path;
        return parse(o, ret_config);
}

void settings_deinit(struct settings *s)
{
        policy_free(s->options.policy);
        bus_configs_free(s->options.buses);
        free(s->path);
}

/* ---- the service manager ------------------------------------------------------------------- */

int service_manager_take_listener(int *ret_fd, char **ret_path)
{
        char path[NAME_MAX_SIZE];
        int fd = descriptor_new(DESCRIPTOR_LISTENER);

        snprintf(path, sizeof(path), "/broker-%u", machine->running->index);
        memcpy(machine->descriptors[fd - FD_FIRST]->name, path, sizeof(path));
        *ret_fd = fd;
        *ret_path = strdup(path);
        return 0;
}

void service_manager_say(const char *state)
{
        (void)state;
}

bool service_manager_listens(void)
{
        return false;
}

uint64_t service_manager_watchdog_ms(void)
{
        return 0;
}
