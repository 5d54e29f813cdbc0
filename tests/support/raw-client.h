/*
 * raw-client.h - a client of the broker that speaks frames and knows nothing else (spec/attach.md).
 *
 * What the library would hide is what these tests are about. Whatever does not come within ten
 * seconds does not come: the test fails.
 */
#ifndef MBUS_TESTS_RAW_CLIENT_H
#define MBUS_TESTS_RAW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER "(app:mbus-broker)"

struct raw_client {
        int fd;
        uint32_t seq; /* of the next message */
        char *buffer;
        size_t n;
        char *text; /* the last message received, with a zero octet behind it */
        size_t text_n;
        bool observed; /* it was a monitor's copy */
};

void raw_open(struct raw_client *c, const char *path);
void raw_close(struct raw_client *c);

/* Sends octets as they are, and a message as a frame. */
void raw_send_octets(struct raw_client *c, const void *octets, size_t n);
void raw_send_text(struct raw_client *c, const char *text);
/* Sends a message of the client's next SeqNum, which is returned; @type is 'R' or 'U', @acks
 * "()" or more. */
uint32_t raw_send_acks(struct raw_client *c, char type, const char *src, const char *dest,
                       const char *acks, const char *payload);
uint32_t raw_send(struct raw_client *c, char type, const char *src, const char *dest,
                  const char *payload);
/* A bare acknowledgement. */
void raw_acknowledge(struct raw_client *c, const char *src, const char *dest, uint32_t seq);

/* Receives a message into c->text; false if the link was closed. */
bool raw_receive(struct raw_client *c);
/* Receives a message that must end in @payload (the header and its line end left out). */
void raw_expect(struct raw_client *c, const char *payload);
/* The same, with %u for the SeqNum that is meant. */
void raw_expect_about(struct raw_client *c, const char *format, uint32_t seq);
/* The same, behind what the broker says of unreliable messages that it denied. */
void raw_expect_past_denials(struct raw_client *c, const char *format, uint32_t seq);
/* Receives a bare acknowledgement of @seq, which must be from @src. */
void raw_expect_ack(struct raw_client *c, const char *src, uint32_t seq);
/* The broker has dealt with all that was sent so far, and had nothing to say to the client. */
void raw_expect_nothing(struct raw_client *c);
void raw_expect_closed(struct raw_client *c);

/* Attaches; *@ret_address is to be freed. */
char *raw_attach(struct raw_client *c, const char *address);
/* The same with something else to say than broker.attach(1). */
char *raw_attach_with(struct raw_client *c, const char *address, const char *payload);

#endif
