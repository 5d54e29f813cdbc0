/*
 * engine-options.h - what the owner of an engine decides when he makes it (engine.h).
 */
#ifndef MBUS_CORE_ENGINE_OPTIONS_H
#define MBUS_CORE_ENGINE_OPTIONS_H

#include "crypto.h"

struct engine_options {
        struct crypto *crypto; /* borrowed for the engine's life */
        enum dialect dialect;
        uint64_t seed;
        uint64_t max_age_ms; /* 0: any age */
        bool send_unicast;   /* directed unicast where section 6.2 allows it */
        /* The owner carries messages between local entities itself (the broker): engine_send()
         * only goes to the bus. Else they are delivered here. */
        bool owner_routes;
        /* The owner acknowledges reliable messages with engine_acknowledge() when they have really
         * arrived (the broker); else they are acknowledged when they are in the event queue. */
        bool owner_acknowledges;
        /* The owner carries messages to other buses: it gets the unreliable ones that are for
         * nobody here, too, as EVENT_MESSAGE without recipients. */
        bool owner_relays;
        /* Who is on the bus is known by other means than waiting, and the owner says when all are:
         * engine_surveyed(). Nobody is pinged then. */
        bool owner_surveys;
        size_t events_max;         /* 0: EVENTS_MAX */
        size_t events_bytes_max;   /* 0: EVENTS_BYTES_MAX */
        size_t peers_max;          /* 0: PEERS_MAX */
        size_t reliable_bytes_max; /* 0: RELIABLE_BYTES_MAX */
};

#endif
