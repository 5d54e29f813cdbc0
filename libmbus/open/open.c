/*
 * open.c - a bus is opened: which mode a URL means.
 *
 * The one place of the library that knows all modes, and that looks at the environment: for the
 * brokers' usual sockets, with secure_getenv(). The configuration file's place is io/config-file's,
 * $MBUS also transport/proof's.
 */
#include <api/api.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bus/mode.h>
#include <core/crypto.h>
#include <io/runtime-dir.h>
#include <link/open.h>
#include <modes/modes.h>

#define SYSTEM_SOCKET "/run/mbus/broker.sock"
#define USER_SOCKET "/mbus/broker.sock"

/* Where a broker of this user listens. NULL: only the system's may be there, or memory is short. If
 * $XDG_RUNTIME_DIR does not count, @ret_why says so. */
static char *own_socket(bool *ret_failed, char ret_why[static RUNTIME_DIR_ERROR_SIZE])
{
        const char *runtime = runtime_dir_get(ret_why);
        char *path;

        *ret_failed = false;
        if (!runtime)
                return NULL;
        path = malloc(strlen(runtime) + sizeof(USER_SOCKET));
        *ret_failed = !path;
        if (path) {
                strcpy(path, runtime);
                strcat(path, USER_SOCKET);
        }
        return path;
}

/*
 * The broker at a usual place: the user's own, else the system's. MBUS_E_UNKNOWN: there is none;
 * MBUS_E_DENIED: there is one of the system, but not for this user. Either is said in @ret_error.
 */
static int open_usual(struct bus_parts *bus, const struct mbus_config *config,
                      struct mode **ret_mode, char *ret_error)
{
        char why[RUNTIME_DIR_ERROR_SIZE], remark[RUNTIME_DIR_ERROR_SIZE + 64];
        bool failed;
        char *own = own_socket(&failed, why);
        int r = MBUS_E_UNKNOWN;

        if (failed)
                return -ENOMEM;
        if (why[0]) {
                snprintf(remark, sizeof(remark), "%s: no broker is looked for there", why);
                remarks_add(&bus->remarks, remark);
        }
        if (own)
                r = link_open(bus, own, config, true, ret_mode, ret_error);
        if (r == MBUS_E_UNKNOWN)
                r = link_open(bus, SYSTEM_SOCKET, config, true, ret_mode, ret_error);
        else if (r == MBUS_E_DENIED)
                r = MBUS_E_NO_BUS;
        if (r == MBUS_E_UNKNOWN)
                snprintf(ret_error, BUS_ERROR_SIZE, "no broker at %.160s%s" SYSTEM_SOCKET "%s%s%s",
                         own ? own : "", own ? " or " : "", why[0] ? " (" : "", why,
                         why[0] ? ")" : "");
        free(own);
        return r;
}

/* A broker that is not for this user is as good as none, which is remarked: who sees nobody else
 * may wonder why. */
static int open_auto(struct bus_parts *bus, const struct mbus_config *config,
                     struct mode **ret_mode, char *ret_error)
{
        char error[BUS_ERROR_SIZE] = "", none[BUS_ERROR_SIZE] = "";
        int r = open_usual(bus, config, ret_mode, none);

        if (r == MBUS_E_DENIED)
                remarks_add(&bus->remarks, none);
        if (r == MBUS_E_UNKNOWN || r == MBUS_E_DENIED) {
                r = direct_open(bus, config, ret_mode, error);
                if (error[0])
                        snprintf(ret_error, BUS_ERROR_SIZE, "%.220s%s; %.280s", none,
                                 strlen(none) > 220 ? "..." : "", error);
        } else if (r) {
                strcpy(ret_error, none);
        }
        return r;
}

static int open_unix(struct bus_parts *bus, const char *path, const struct mbus_config *config,
                     struct mode **ret_mode, char *ret_error)
{
        size_t n;
        int r;

        if (path[0])
                return link_open(bus, path, config, false, ret_mode, ret_error);
        r = open_usual(bus, config, ret_mode, ret_error);
        n = strlen(ret_error);
        if (r == MBUS_E_UNKNOWN)
                snprintf(ret_error + n, BUS_ERROR_SIZE - n, ": start mbus-broker, or use udp:");
        return r == MBUS_E_UNKNOWN || r == MBUS_E_DENIED ? MBUS_E_NO_BUS : r;
}

static int open_url(struct bus_parts *bus, const struct mbus_config *config, struct mode **ret_mode,
                    char *ret_error)
{
        const char *url = config->url ? config->url : "auto:";

        if (config->file && !config->file[0]) {
                strcpy(ret_error, "the name of the configuration file is empty: name one, or none");
                return MBUS_E_CONFIG;
        }
        if (strcmp(url, "auto:") == 0)
                return open_auto(bus, config, ret_mode, ret_error);
        if (strcmp(url, "udp:") == 0)
                return direct_open(bus, config, ret_mode, ret_error);
        if (strncmp(url, "unix:", 5) == 0)
                return open_unix(bus, url + 5, config, ret_mode, ret_error);
        if (strncmp(url, "tcp:", 4) == 0)
                return link_open_tcp(bus, url + 4, config, ret_mode, ret_error);
        if (strncmp(url, "mem:", 4) == 0 && url[4])
                return mem_open(bus, config, url + 4, ret_mode);
        snprintf(ret_error, BUS_ERROR_SIZE,
                 "URL %.200s: use auto:, udp:, unix:PATH, tcp:HOST:PORT or mem:NAME", url);
        return MBUS_E_CONFIG;
}

/* A bus with its mode, or why there is none. */
static int open_with_mode(struct mbus_config *config, struct mbus_bus **ret_bus)
{
        struct mbus_bus *bus = config->failed ? NULL : bus_new();
        struct bus_parts *parts;
        struct mode *mode;
        int r;

        if (!bus)
                return -ENOMEM;
        parts = bus_get_parts(bus);
        crypto_global_init();
        r = open_url(parts, config, &mode, config->error);
        if (r != 0) {
                mbus_bus_close(bus);
                return r;
        }
        assert(parts->url);
        bus_set_mode(bus, mode);
        for (size_t i = 0; i < parts->remarks.n; i++)
                config_add_warning(config, parts->remarks.texts[i]);
        *ret_bus = bus;
        return 0;
}

int mbus_bus_open(struct mbus_bus **ret_bus, struct mbus_config *config)
{
        struct mbus_config defaults = MBUS_CONFIG_INIT;
        int r;

        if (!ret_bus)
                return MBUS_E_MALFORMED;
        if (!config)
                config = &defaults;
        config_clear_result(config);
        r = open_with_mode(config, ret_bus);
        if (r < 0 && !config->error[0])
                snprintf(config->error, sizeof(config->error), "%s", strerror(-r));
        if (config == &defaults)
                config_clear_result(config);
        return r;
}
