/*
 * loss.h - what a bus brought and nobody saw: clients are told, as they would be without a broker.
 */
#ifndef BROKER_ROUTING_LOSS_H
#define BROKER_ROUTING_LOSS_H

#include <stdint.h>

#include <mbus.h>

struct broker;
struct bus;

struct loss {
        uint64_t n_datagrams; /* that the kernel had no room for */
        uint64_t n_messages;  /* that the engine had none for */
        uint64_t told_at;     /* when clients were told last; 0: never */
};

/* @n datagrams or messages of @bus were lost, for @reason. */
void loss_note(struct bus *bus, enum mbus_drop reason, uint64_t n);
/* Tells the clients what is not told yet, if it is time. */
void loss_tell(struct broker *b);
/* When that is; TIME_NEVER: there is nothing to tell. */
uint64_t loss_deadline(struct broker *b);

#endif
