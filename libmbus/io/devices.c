/*
 * devices.c - see devices.h.
 */
#include "devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more behind the @n of @size octets at *@items, which grow by doubling. */
static int grow(void *items, size_t n, size_t size)
{
        void **at = items;
        void *bigger;

        if (n & (n - 1) || (n == 0 && *at))
                return 0;
        bigger = realloc(*at, (n ? 2 * n : 1) * size);
        if (!bigger)
                return -ENOMEM;
        *at = bigger;
        return 0;
}

int devices_add(struct devices *d, const struct device *device)
{
        if (devices_find(d, device->index))
                return 0;
        if (grow(&d->devices, d->n, sizeof(*d->devices)) < 0)
                return -ENOMEM;
        d->devices[d->n++] = *device;
        return 0;
}

int devices_add_name(struct devices *d, unsigned index, bool label, const char *text)
{
        struct device_name name = { .index = index, .label = label };
        size_t n = strnlen(text, sizeof(name.text));

        if (n == 0 || n == sizeof(name.text))
                return 0;
        if (grow(&d->names, d->n_names, sizeof(*d->names)) < 0)
                return -ENOMEM;
        memcpy(name.text, text, n);
        d->names[d->n_names++] = name;
        return 0;
}

int devices_add_address(struct devices *d, unsigned index, const union socket_address *address)
{
        if (grow(&d->addresses, d->n_addresses, sizeof(*d->addresses)) < 0)
                return -ENOMEM;
        d->addresses[d->n_addresses++] = (struct device_address){ index, *address };
        return 0;
}

static bool leads_to(const void *destination, unsigned prefix, const union socket_address *group)
{
        bool v6 = group->any.sa_family == AF_INET6;
        const uint8_t *at = destination;
        const uint8_t *to = v6 ? group->v6.sin6_addr.s6_addr : (const uint8_t *)&group->v4.sin_addr;

        for (unsigned i = 0; i < prefix && i < (v6 ? 128 : 32); i++)
                if ((at[i / 8] ^ to[i / 8]) & (0x80 >> i % 8))
                        return false;
        return true;
}

int devices_add_route(struct devices *d, const union socket_address *group, const void *destination,
                      const struct device_route *route)
{
        if (!leads_to(destination, route->prefix, group) || d->n_routes == DEVICE_ROUTES_MAX)
                return 0;
        if (grow(&d->routes, d->n_routes, sizeof(*d->routes)) < 0)
                return -ENOMEM;
        d->routes[d->n_routes++] = *route;
        return 0;
}

void devices_deinit(struct devices *d)
{
        free(d->devices);
        free(d->names);
        free(d->addresses);
        free(d->routes);
        *d = (struct devices){ .n = 0 };
}

const struct device *devices_find(const struct devices *d, unsigned index)
{
        for (size_t i = 0; i < d->n; i++)
                if (d->devices[i].index == index)
                        return &d->devices[i];
        return NULL;
}

static const struct device *find_other_name(const struct devices *d, const char *name, bool label)
{
        for (size_t i = 0; i < d->n_names; i++)
                if (d->names[i].label == label && strcmp(d->names[i].text, name) == 0)
                        return devices_find(d, d->names[i].index);
        return NULL;
}

static const struct device *find_by_address(const struct devices *d, const char *text)
{
        union socket_address wanted;

        if (!socket_address_parse(text, 0, &wanted))
                return NULL;
        for (size_t i = 0; i < d->n_addresses; i++)
                if (socket_address_same_host(&d->addresses[i].address, &wanted))
                        return devices_find(d, d->addresses[i].index);
        return NULL;
}

const struct device *devices_find_name(const struct devices *d, const char *name)
{
        const struct device *found;

        for (size_t i = 0; i < d->n; i++)
                if (strcmp(d->devices[i].name, name) == 0)
                        return &d->devices[i];
        found = find_other_name(d, name, false);
        if (!found)
                found = find_by_address(d, name);
        return found ? found : find_other_name(d, name, true);
}

const union socket_address *devices_find_address(const struct devices *d, unsigned index,
                                                 int family)
{
        for (size_t i = 0; i < d->n_addresses; i++) {
                const union socket_address *a = &d->addresses[i].address;

                if (d->addresses[i].index != index || a->any.sa_family != family)
                        continue;
                if (family == AF_INET || IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr))
                        return a;
        }
        return NULL;
}
