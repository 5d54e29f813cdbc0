/*
 * open.c - see open.h.
 */
#include "open.h"

#include "mode.h"

int link_open(struct bus_parts *bus, const char *path, const struct mbus_config *given, bool probe,
              struct mode **ret_mode, char ret_error[static BUS_ERROR_SIZE])
{
        struct transport t;
        int r = transport_open_unix(&t, bus, path, given, probe, ret_error);

        return r ? r : link_new(bus, &t, "unix:", path, given->patience, ret_mode);
}

int link_open_tcp(struct bus_parts *bus, const char *name, const struct mbus_config *given,
                  struct mode **ret_mode, char ret_error[static BUS_ERROR_SIZE])
{
        struct transport t;
        int r = transport_open_tcp(&t, name, given, ret_error);

        return r ? r : link_new(bus, &t, "tcp:", name, given->patience, ret_mode);
}
