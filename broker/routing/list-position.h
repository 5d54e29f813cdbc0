/*
 * list-position.h - how far a list of entities or sessions was told, in a way that lasts while what
 * it lists comes and goes.
 */
#ifndef BROKER_ROUTING_LIST_POSITION_H
#define BROKER_ROUTING_LIST_POSITION_H

#include <core/index.h>

struct list_position {
        uint64_t begun; /* sessions.last_entity when it was asked for */
        unsigned stage;
        uint64_t number; /* of the last session, or of the bus that is being told of */
        struct index_walk walk;
};

#endif
