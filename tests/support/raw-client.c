/*
 * raw-client.c - a client of the broker that speaks frames and knows nothing else (spec/attach.md).
 */
#include "raw-client.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/message.h"

#define BUFFER_SIZE (4 + 65536)
#define PATIENCE_MS 10000

void raw_open(struct raw_client *c, const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *c = (struct raw_client){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                  .buffer = malloc(BUFFER_SIZE),
                                  .text = malloc(BUFFER_SIZE) };
        ck_assert_int_ge(c->fd, 0);
        ck_assert_ptr_nonnull(c->buffer);
        ck_assert_ptr_nonnull(c->text);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        ck_assert_msg(connect(c->fd, (struct sockaddr *)&address, sizeof(address)) == 0, "%s: %s",
                      path, strerror(errno));
}

void raw_close(struct raw_client *c)
{
        close(c->fd);
        free(c->buffer);
        free(c->text);
}

/* ---- sending ------------------------------------------------------------------------------- */

void raw_send_octets(struct raw_client *c, const void *octets, size_t n)
{
        const char *at = octets;

        while (n > 0) {
                ssize_t sent = send(c->fd, at, n, MSG_NOSIGNAL);

                ck_assert_msg(sent > 0, "%s", strerror(errno));
                at += sent;
                n -= (size_t)sent;
        }
}

void raw_send_text(struct raw_client *c, const char *text)
{
        size_t n = strlen(text);
        char *frame = malloc(4 + n);

        ck_assert_ptr_nonnull(frame);
        for (unsigned i = 0; i < 4; i++)
                frame[i] = (char)(n >> (24 - 8 * i));
        memcpy(frame + 4, text, n);
        raw_send_octets(c, frame, 4 + n);
        free(frame);
}

uint32_t raw_send_acks(struct raw_client *c, char type, const char *src, const char *dest,
                       const char *acks, const char *payload)
{
        char *text;

        ck_assert_int_ge(asprintf(&text, "mbus/1.0 %u 1700000000000 %c %s %s %s%s%s", c->seq, type,
                                  src, dest, acks, payload[0] ? "\r\n" : "", payload),
                         0);
        raw_send_text(c, text);
        free(text);
        return c->seq++;
}

uint32_t raw_send(struct raw_client *c, char type, const char *src, const char *dest,
                  const char *payload)
{
        return raw_send_acks(c, type, src, dest, "()", payload);
}

void raw_acknowledge(struct raw_client *c, const char *src, const char *dest, uint32_t seq)
{
        char acks[16];

        snprintf(acks, sizeof(acks), "(%u)", seq);
        raw_send_acks(c, 'U', src, dest, acks, "");
}

/* ---- receiving ----------------------------------------------------------------------------- */

/* Reads until @n octets are there; false if the link was closed before. */
static bool gather(struct raw_client *c, size_t n)
{
        while (c->n < n) {
                struct pollfd fd = { .fd = c->fd, .events = POLLIN };
                ssize_t got;

                ck_assert_msg(poll(&fd, 1, PATIENCE_MS) == 1, "nothing came");
                got = read(c->fd, c->buffer + c->n, n - c->n);
                if (got <= 0)
                        return false;
                c->n += (size_t)got;
        }
        return true;
}

/* What clients say may pass unread; what the broker says is always a message. */
static void expect_sense(const struct raw_client *c)
{
        struct parse_error error = { 0, "" };
        struct message *m = NULL;

        if (!strstr(c->text, " U (app:mbus-broker "))
                return;
        ck_assert_msg(message_new((struct span){ c->text, c->text_n }, &m, &error) == 0,
                      "the broker says: %s\nwhere at %zu %s", c->text, error.at, error.what);
        message_unref(m);
}

bool raw_receive(struct raw_client *c)
{
        const unsigned char *u = (const unsigned char *)c->buffer;
        size_t n;

        if (!gather(c, 4))
                return false;
        c->observed = u[0] & 0x80;
        n = (size_t)(u[0] & 0x7f) << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
        ck_assert_uint_ge(n, 1);
        ck_assert_uint_le(n, 65536);
        if (!gather(c, 4 + n))
                return false;
        memcpy(c->text, c->buffer + 4, n);
        c->text[n] = '\0';
        c->text_n = n;
        c->n = 0;
        if (!c->observed)
                expect_sense(c);
        return true;
}

/* What came last is a message that ends in @payload. */
static void check_payload(const struct raw_client *c, const char *payload)
{
        const char *line;

        line = strstr(c->text, "\r\n");
        ck_assert_msg(line && strcmp(line + 2, payload) == 0, "instead of: %s\ncame: %s", payload,
                      c->text);
}

void raw_expect(struct raw_client *c, const char *payload)
{
        ck_assert_msg(raw_receive(c), "the link was closed instead of: %s", payload);
        check_payload(c, payload);
}

void raw_expect_past_denials(struct raw_client *c, const char *format, uint32_t seq)
{
        char payload[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(payload, sizeof(payload), format, seq);
#pragma GCC diagnostic pop
        do
                ck_assert_msg(raw_receive(c), "the link was closed instead of: %s", payload);
        while (strstr(c->text, "\r\nbroker.dropped(") && strstr(c->text, " denied "));
        check_payload(c, payload);
}

void raw_expect_about(struct raw_client *c, const char *format, uint32_t seq)
{
        char payload[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(payload, sizeof(payload), format, seq);
#pragma GCC diagnostic pop
        raw_expect(c, payload);
}

void raw_expect_ack(struct raw_client *c, const char *src, uint32_t seq)
{
        char acks[16];
        char *at;

        snprintf(acks, sizeof(acks), "(%u)", seq);
        ck_assert(raw_receive(c));
        at = strstr(c->text, " U ");
        ck_assert_msg(at && strncmp(at + 3, src, strlen(src)) == 0, "not from %s: %s", src,
                      c->text);
        ck_assert_msg(c->text_n > strlen(acks) &&
                              strcmp(c->text + c->text_n - strlen(acks), acks) == 0,
                      "no acknowledgement of %u: %s", seq, c->text);
}

void raw_expect_nothing(struct raw_client *c)
{
        uint32_t seq = raw_send(c, 'R', "()", BROKER, "mbus.waiting(nothing)");

        raw_expect_ack(c, "(app:mbus-broker", seq);
}

void raw_expect_closed(struct raw_client *c)
{
        while (raw_receive(c))
                ;
}

char *raw_attach(struct raw_client *c, const char *address)
{
        return raw_attach_with(c, address, "broker.attach(1)");
}

char *raw_attach_with(struct raw_client *c, const char *address, const char *payload)
{
        uint32_t seq = raw_send(c, 'R', address, BROKER, payload);
        char begin[64];
        char *at, *end;

        snprintf(begin, sizeof(begin), "(%u)\r\nbroker.attached(%u 1 \"", seq, seq);
        ck_assert(raw_receive(c));
        at = strstr(c->text, begin);
        ck_assert_msg(at != NULL, "not attached: %s", c->text);
        at += strlen(begin);
        end = strchr(at, '"');
        ck_assert_ptr_nonnull(end);
        return strndup(at, (size_t)(end - at));
}
