/*
 * remark.c - see remark.h.
 */
#include "remark.h"

#include <stdio.h>

#include "proof.h"

void remark_old(struct bus_parts *bus, const char *path, const struct link_proof *p)
{
        char text[BUS_ERROR_SIZE];

        snprintf(text, sizeof(text),
                 "broker at %.200s: it is too old to tell whether it is on the bus of %.200s", path,
                 link_proof_name(p));
        remarks_add(&bus->remarks, text);
}

void remark_other_bus(struct bus_parts *bus, const char *path, const struct link_proof *p)
{
        char text[BUS_ERROR_SIZE];

        snprintf(text, sizeof(text), "broker at %.160s: %.330s", path, link_proof_error(p));
        remarks_add(&bus->remarks, text);
}
