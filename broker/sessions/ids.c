/*
 * ids.c - ids that the broker gives entities of its clients (RFC 3259, 4.1).
 */
#include "ids.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include <io/entropy.h>

#include <broker/base/base.h>

/* In a container many processes are number 1, and ids must differ on the whole bus. */
#define PID_MIN 100
#define IDS_MAX 99999

static uint32_t random_first(void)
{
        return (uint32_t)entropy_number() >> 1 | PID_MIN;
}

uint32_t ids_first(struct session *s)
{
        if (s->link.pid < PID_MIN)
                s->link.pid = (pid_t)random_first();
        return (uint32_t)s->link.pid;
}

bool ids_in_use(struct sessions *all, const struct address *address)
{
        struct span id = address_get(address, "id");
        char text[ADDRESS_VALUE_MAX + 8];
        struct address alone;
        struct entity *entity;
        const struct address *found;
        int n = snprintf(text, sizeof(text), "(id:%.*s)", (int)id.n, id.at);

        return address_parse((struct span){ text, (size_t)n }, STRICT, &alone, NULL, NULL) ||
               engine_resolve(all->engine, &alone, &entity, &found) > 0;
}

int ids_complete(struct sessions *all, uint32_t first, struct span text,
                 char room[static IDS_TEXT_SIZE], struct address *ret_address)
{
        int n;

        while (text.n > 0 && (is_wsp(text.at[text.n - 1]) || text.at[text.n - 1] == ')'))
                text.n--;
        for (unsigned tries = 0; tries < IDS_MAX; tries++) {
                all->last_id = all->last_id % IDS_MAX + 1;
                n = snprintf(room, IDS_TEXT_SIZE, "%.*s%sid:%u-%u@%s)", (int)text.n, text.at,
                             text.n > 1 ? " " : "", first, all->last_id,
                             udp_host_id(all->buses->main.udp));
                if (n < 0 || n >= IDS_TEXT_SIZE ||
                    address_parse((struct span){ room, (size_t)n }, STRICT, ret_address, NULL,
                                  NULL))
                        return MBUS_E_MALFORMED;
                if (!ids_in_use(all, ret_address))
                        return 0;
        }
        return MBUS_E_FULL;
}

/* ---- another id ---------------------------------------------------------------------------- */

/* Appends @address without its id. */
static void format_rest(const struct address *address, struct buffer *out)
{
        buffer_add_char(out, '(');
        for (unsigned i = 0; i < address->n; i++) {
                if (span_equal_text(address_tag(address, i), "id"))
                        continue;
                if (out->at && out->at[out->n - 1] != '(')
                        buffer_add_char(out, ' ');
                buffer_add_span(out, address_tag(address, i));
                buffer_add_char(out, ':');
                buffer_add_span(out, address_value(address, i));
        }
        buffer_add_char(out, ')');
}

static int give_another(struct local_entity *e)
{
        struct buffer rest = BUFFER_INIT;
        char room[IDS_TEXT_SIZE];
        struct address address;
        int r;

        format_rest(entity_address(e->entity), &rest);
        r = rest.failed ? -ENOMEM
                        : ids_complete(e->all, random_first(), buffer_span(&rest), room, &address);
        buffer_deinit(&rest);
        return r ? r : local_entity_rename(e, &address);
}

void ids_renew(struct local_entity *e)
{
        struct span old = local_entity_text(e);
        char shown[EXCERPT_MAX + 1];
        uint64_t n_suppressed;
        int r;

        /* Whoever relies on its address keeps it or loses it. */
        assert(e->session && !e->is_given);
        snprintf(shown, sizeof(shown), "%.*s", excerpt_size(old), old.at);
        r = give_another(e);
        if (!log_ratelimit_is_due(&e->all->conflict_log, e->all->it->now, &n_suppressed))
                return;
        if (r == 0)
                log_warning("somebody else on the bus uses the address %s; ours is given another "
                            "id (%" PRIu64 " more before)",
                            shown, n_suppressed);
        else
                log_error("somebody else on the bus uses the address %s, and ours cannot be given "
                          "another id: %s (%" PRIu64 " more before)",
                          shown, r < 0 ? "memory is short" : "there is none", n_suppressed);
}

void ids_yield(struct local_entity *e)
{
        static const char why[] = "somebody else on the bus has this address";
        struct span text = local_entity_text(e);
        uint64_t n_suppressed;

        assert(e->session && e->is_given);
        if (log_ratelimit_is_due(&e->all->conflict_log, e->all->it->now, &n_suppressed))
                log_warning(
                        "%s, %.*s, which its client relies on: the client is told, and loses it "
                        "(%" PRIu64 " more before)",
                        why, excerpt_size(text), text.at, n_suppressed);
        local_entity_detach(e, MBUS_REASON_TAKEN, why);
}
