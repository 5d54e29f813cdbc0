/*
 * proof.c - see proof.h.
 */
#include "proof.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <api/api.h>
#include <core/frame.h>
#include <core/message.h>
#include <core/proof.h>
#include <io/clock.h>
#include <io/interface-rule.h>

/* How long the broker may take to answer. */
#define PATIENCE_MS 2000
/* What the broker says meanwhile is shorter. */
#define FRAME_TAKEN_MAX 8192
#define SEQ_NONCE 0
#define SEQ_SAME_BUS 1
#define SEQ_NEXT 2

struct link_proof {
        struct mbus_config given; /* file and text only */
        int fd;                   /* -1: it is not going on */
        bool asked;               /* for the answer, not the nonce */
        bool old;
        uint64_t deadline;
        struct config config; /* while it is going on */
        struct crypto *crypto;
        char where[SOCKET_ADDRESS_TEXT_MAX];
        char in[FRAME_HEADER_SIZE + FRAME_TAKEN_MAX];
        size_t n_in;
        struct buffer out;
        char name[256];
        char error[BUS_ERROR_SIZE];
};

/* ---- what is named ------------------------------------------------------------------------- */

static bool proof_is_named(const struct mbus_config *given)
{
        const char *mbus = secure_getenv("MBUS");

        return given->text || given->file || (mbus && mbus[0]);
}

/* The path is remembered, since the environment may be another one later. */
static int proof_keep(struct link_proof *p, const struct mbus_config *given)
{
        p->given = MBUS_CONFIG_INIT;
        if (given->text) {
                p->given.text = strdup(given->text);
                strcpy(p->name, "the configuration that was given");
                return p->given.text ? 0 : -ENOMEM;
        }
        p->given.file = strdup(given->file ? given->file : secure_getenv("MBUS"));
        if (p->given.file)
                snprintf(p->name, sizeof(p->name), "%.200s", p->given.file);
        return p->given.file ? 0 : -ENOMEM;
}

int link_proof_new(const struct mbus_config *given, struct link_proof **ret_proof)
{
        struct link_proof *p;
        int r;

        *ret_proof = NULL;
        if (!proof_is_named(given))
                return 0;
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->fd = -1;
        p->out = BUFFER_INIT;
        r = proof_keep(p, given);
        if (r < 0) {
                link_proof_free(p);
                return r;
        }
        *ret_proof = p;
        return 0;
}

static void proof_forget(struct link_proof *p)
{
        if (p->fd >= 0)
                close(p->fd);
        p->fd = -1;
        p->asked = false;
        p->n_in = 0;
        buffer_deinit(&p->out);
        p->crypto = crypto_free(p->crypto);
        explicit_bzero(&p->config, sizeof(p->config));
}

struct link_proof *link_proof_free(struct link_proof *p)
{
        if (!p)
                return NULL;
        proof_forget(p);
        if (p->given.text)
                explicit_bzero(p->given.text, strlen(p->given.text));
        free(p->given.text);
        free(p->given.file);
        free(p);
        return NULL;
}

static int proof_give_up(struct link_proof *p, int error)
{
        proof_forget(p);
        return error;
}

/* ---- asking -------------------------------------------------------------------------------- */

static void proof_ask(struct link_proof *p, uint32_t seq, struct span payload)
{
        struct header_spec spec = { .seq = seq,
                                    .timestamp = clock_wall_ms(),
                                    .src = span_of("()"),
                                    .dest = span_of(LINK_BROKER),
                                    .reliable = true };
        size_t start = p->out.n;

        if (!buffer_reserve(&p->out, FRAME_HEADER_SIZE))
                return;
        p->out.n += FRAME_HEADER_SIZE;
        message_format(&spec, payload, DIALECT_RFC3259, &p->out);
        if (!p->out.failed)
                frame_put_length(p->out.at + start, p->out.n - start - FRAME_HEADER_SIZE, false);
}

/* 0 or -errno. */
static int proof_flush(struct link_proof *p)
{
        if (p->out.failed)
                return -ENOMEM;
        while (p->out.n > 0) {
                ssize_t n = send(p->fd, p->out.at, p->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
                memmove(p->out.at, p->out.at + n, p->out.n - (size_t)n);
                p->out.n -= (size_t)n;
        }
        return 0;
}

static int proof_read_config(struct link_proof *p)
{
        struct interface_rule rule;
        int r = config_read(&p->given, &p->config, p->error);

        if (r == 0)
                r = interface_rule_make(&p->config, &rule, p->error);
        if (r)
                return r;
        socket_address_format(&rule.group, p->where);
        r = crypto_new(&p->config, &p->crypto);
        if (r > 0)
                snprintf(p->error, sizeof(p->error),
                         "%s: libgcrypt cannot do what the configuration asks for", p->name);
        return r;
}

int link_proof_begin(struct link_proof *p, int fd)
{
        int r;

        proof_forget(p);
        assert(fd >= 0);
        p->error[0] = '\0';
        p->old = false;
        p->fd = fd;
        r = proof_read_config(p);
        if (r)
                return proof_give_up(p, r);
        p->deadline = clock_now() + PATIENCE_MS * NSEC_PER_MSEC;
        proof_ask(p, SEQ_NONCE, span_of("broker.nonce()"));
        return 0;
}

/* ---- answers ------------------------------------------------------------------------------- */

/* The parameter @i of the list @args if it is of @type, else NULL. */
static const struct value *proof_arg(const struct value *args, uint32_t i,
                                     enum mbus_value_type type)
{
        const struct value *v = args + 1;

        if (i >= args->items)
                return NULL;
        while (i-- > 0)
                v += v->nodes;
        return v->type == type ? v : NULL;
}

/* Whether the first parameter is the SeqNum of the question that is open. */
static bool proof_is_about(const struct link_proof *p, const struct value *args)
{
        const struct value *v = proof_arg(args, 0, MBUS_VALUE_INTEGER);

        return v && !v->overflow && v->integer == (p->asked ? SEQ_SAME_BUS : SEQ_NONCE);
}

static int proof_on_nonce(struct link_proof *p, const struct value *args)
{
        static const char command[] = "broker.same-bus(\"";
        const struct value *text = proof_arg(args, 1, MBUS_VALUE_STRING);
        char payload[sizeof(command) + PROOF_SIZE + 2];
        uint8_t nonce[PROOF_NONCE_SIZE];

        if (!text || !proof_parse_nonce(text->text, nonce))
                return -EPROTO;
        strcpy(payload, command);
        proof_make(p->crypto, &p->config, span_of(p->where), nonce, payload + sizeof(command) - 1);
        strcpy(payload + sizeof(command) - 1 + PROOF_SIZE, "\")");
        p->asked = true;
        proof_ask(p, SEQ_SAME_BUS, span_of(payload));
        return MBUS_E_NOT_READY;
}

static int proof_on_answer(struct link_proof *p, const struct value *args)
{
        const struct value *yes = proof_arg(args, 1, MBUS_VALUE_SYMBOL);
        const struct value *where = proof_arg(args, 2, MBUS_VALUE_STRING);
        struct span there = where ? where->text : span_of("?");

        if (yes && span_equal_text(yes->text, "yes"))
                return 0;
        if (span_equal_text(there, p->where))
                snprintf(p->error, sizeof(p->error),
                         "it is on another bus than %s says: udp:%s has other keys there, or "
                         "another scope; name the broker's configuration, none, or use udp:",
                         p->name, p->where);
        else
                snprintf(p->error, sizeof(p->error),
                         "it is on another bus, udp:%.*s, than %s says, udp:%s; name the broker's "
                         "configuration, none, or use udp:",
                         (int)(there.n < 64 ? there.n : 64), there.at, p->name, p->where);
        return MBUS_E_CONFIG;
}

/* broker.undelivered: a broker that has not this command, or does not answer any more. */
static int proof_on_undelivered(struct link_proof *p, const struct value *args)
{
        const struct value *reason = proof_arg(args, 1, MBUS_VALUE_SYMBOL);
        const struct value *why = proof_arg(args, 2, MBUS_VALUE_STRING);

        if (!p->asked && reason && span_equal_text(reason->text, "malformed")) {
                p->old = true;
                return 0;
        }
        snprintf(p->error, sizeof(p->error), "whether it is on the bus of %s is not told: %.*s",
                 p->name, why ? (int)(why->text.n < 128 ? why->text.n : 128) : 1,
                 why ? why->text.at : "?");
        return MBUS_E_CONFIG;
}

static int proof_on_refused(struct link_proof *p, const struct value *args)
{
        const struct value *why = proof_arg(args, 2, MBUS_VALUE_STRING);

        snprintf(p->error, sizeof(p->error), "it does not take this link: %.*s",
                 why ? (int)(why->text.n < 256 ? why->text.n : 256) : 1, why ? why->text.at : "?");
        return MBUS_E_NO_BUS;
}

static int proof_on_command(struct link_proof *p, struct span name, const struct value *args)
{
        if (span_equal_text(name, "broker.refused"))
                return proof_on_refused(p, args);
        if (!proof_is_about(p, args))
                return MBUS_E_NOT_READY;
        if (!p->asked && span_equal_text(name, "broker.nonce"))
                return proof_on_nonce(p, args);
        if (p->asked && span_equal_text(name, "broker.same-bus"))
                return proof_on_answer(p, args);
        return span_equal_text(name, "broker.undelivered") ? proof_on_undelivered(p, args)
                                                           : MBUS_E_NOT_READY;
}

static int proof_on_message(struct link_proof *p, struct span text)
{
        struct message *m = NULL;
        int r = message_new(text, &m, NULL);

        if (r)
                return r < 0 ? r : -EPROTO;
        r = MBUS_E_NOT_READY;
        for (size_t i = 0; i < m->payload.n && r == MBUS_E_NOT_READY; i++)
                r = proof_on_command(p, m->payload.commands[i].name,
                                     payload_args(&m->payload, &m->payload.commands[i]));
        message_unref(m);
        return r;
}

/* Reads no further than the end of a frame: what comes behind the answer is the link's. */
static ssize_t proof_fill(struct link_proof *p)
{
        size_t want = FRAME_HEADER_SIZE;
        ssize_t n;

        if (p->n_in >= FRAME_HEADER_SIZE)
                want += frame_get_length(p->in);
        if (want > sizeof(p->in))
                return -EPROTO;
        n = recv(p->fd, p->in + p->n_in, want - p->n_in, MSG_DONTWAIT);
        if (n < 0)
                return errno == EWOULDBLOCK ? -EAGAIN : -errno;
        p->n_in += (size_t)n;
        return n > 0 ? n : -EPIPE;
}

static int proof_take(struct link_proof *p)
{
        for (;;) {
                ssize_t got = proof_fill(p);
                struct span text;
                bool observed;
                size_t n;
                int r;

                if (got == -EINTR)
                        continue;
                if (got < 0)
                        return got == -EAGAIN ? MBUS_E_NOT_READY : (int)got;
                switch (frame_next((struct span){ p->in, p->n_in }, &text, &observed, &n)) {
                case FRAME_OK:
                        r = proof_on_message(p, text);
                        p->n_in = 0;
                        if (r != MBUS_E_NOT_READY)
                                return r;
                        break;
                case FRAME_BAD:
                        return -EPROTO;
                default:
                        break;
                }
        }
}

int link_proof_go_on(struct link_proof *p, int *ret_fd)
{
        int r = proof_flush(p), written;

        assert(p->fd >= 0 && p->crypto);
        if (r == 0)
                r = proof_take(p);
        written = r == MBUS_E_NOT_READY ? proof_flush(p) : 0;
        if (written < 0)
                r = written;
        if (r == MBUS_E_NOT_READY && clock_now() >= p->deadline)
                r = -ETIMEDOUT;
        if (r == MBUS_E_NOT_READY)
                return r;
        if (r == 0) {
                *ret_fd = p->fd;
                p->fd = -1;
        }
        return proof_give_up(p, r);
}

bool link_proof_is_going_on(const struct link_proof *p)
{
        return p->fd >= 0;
}

uint64_t link_proof_deadline(const struct link_proof *p)
{
        return p->deadline;
}

size_t link_proof_get_pollfds(const struct link_proof *p, struct pollfd *ret_fd)
{
        if (p->fd < 0)
                return 0;
        *ret_fd = (struct pollfd){ .fd = p->fd, .events = POLLIN };
        if (p->out.n > 0)
                ret_fd->events |= POLLOUT;
        return 1;
}

const char *link_proof_error(const struct link_proof *p)
{
        return p->error;
}

bool link_proof_is_old(const struct link_proof *p)
{
        return p->old;
}

const char *link_proof_name(const struct link_proof *p)
{
        return p->name;
}

uint32_t link_proof_next_seq(const struct link_proof *p)
{
        (void)p;
        return SEQ_NEXT;
}
