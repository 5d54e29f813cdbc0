/*
 * udp-network.c - a bus says when it is mute, deaf, or somewhere else (udp.h, spec/interfaces.md).
 *
 * Nothing here changes what is sent or received, but that a bus which hears nothing joins once more
 * before it says so.
 */
#include "udp.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "socket.h"
#include "udp-follow.h"
#include "udp-notice.h"

bool udp_pop_notice(struct udp *u, enum mbus_network *ret_network, const char **ret_text)
{
        /* That one trouble is over is told before the next. */
        for (unsigned i = 0; i < MBUS_NETWORK_MAX; i++) {
                struct notice *notice = &u->network.notices[i];

                if (!notice->pending)
                        continue;
                notice->pending = false;
                *ret_network = (enum mbus_network)i;
                *ret_text = notice->text;
                return true;
        }
        return false;
}

/* ---- mute ------------------------------------------------------------------------------------ */

static bool is_mute(const struct udp *u)
{
        return u->network.notices[MBUS_NETWORK_MUTE].lasts;
}

static void tick_mute(struct udp *u)
{
        struct udp_network *n = &u->network;

        if (!is_mute(u) || n->stuck || u->now < n->refused_at + MUTE_AFTERMATH)
                return;
        n->refusal = 0;
        udp_end_notice(u, MBUS_NETWORK_MUTE, "nothing is refused any more");
}

/* ---- deaf ------------------------------------------------------------------------------------ */

/* Whether anything has come in since the last time. Where the kernel keeps our own datagrams from
 * us it counts them (skip_own() in udp-open.c). */
static bool hears(struct udp *u)
{
        struct udp_network *n = &u->network;
        struct pollfd waiting = { .fd = u->group_fd, .events = POLLIN };
        uint32_t skipped = n->skipped_seen;
        bool any;

        /* Where nothing can be looped back, nothing comes back. */
        if (strstr(u->lacks, "MULTICAST_LOOP"))
                return true;
        if (u->skips_own && socket_get_dropped(u->group_fd, &skipped) < 0)
                return true; /* nobody knows */
        any = n->n_heard != n->heard_seen || skipped != n->skipped_seen ||
              poll(&waiting, 1, 0) != 0;
        n->heard_seen = n->n_heard;
        n->skipped_seen = skipped;
        return any;
}

static void begin_listening(struct udp *u, uint64_t deaf_at)
{
        u->network.sent_seen = u->network.n_sent;
        u->network.deaf_at = deaf_at;
}

static void tick_deaf(struct udp *u)
{
        struct udp_network *n = &u->network;
        uint64_t unheard = n->n_sent - n->sent_seen;

        assert(n->sent_seen <= n->n_sent && n->heard_seen <= n->n_heard);
        /* The cheap question first: mostly what was sent has come back by now. */
        if (n->n_heard != n->heard_seen) {
                n->heard_seen = n->n_heard;
                n->repaired = false;
                begin_listening(u, TIME_NEVER);
                udp_end_notice(u, MBUS_NETWORK_DEAF, "messages come in again");
        } else if (unheard > 0 && n->deaf_at == TIME_NEVER) {
                n->deaf_at = u->now + DEAF_AFTER;
        } else if (n->deaf_at <= u->now && unheard < DEAF_MESSAGES) {
                n->deaf_at = u->now + DEAF_AFTER;
        } else if (n->deaf_at <= u->now && hears(u)) {
                n->repaired = false;
                begin_listening(u, TIME_NEVER);
                udp_end_notice(u, MBUS_NETWORK_DEAF, "messages come in again");
        } else if (n->deaf_at <= u->now && !n->repaired) {
                udp_join_anew(u);
                n->repaired = true;
                begin_listening(u, TIME_NEVER);
        } else if (n->deaf_at <= u->now) {
                if (!n->notices[MBUS_NETWORK_DEAF].lasts)
                        udp_tell(u, MBUS_NETWORK_DEAF,
                                 "%s: nothing comes in, not even what is sent from here to %s: "
                                 "does a "
                                 "firewall of this host drop it (`nft list ruleset`)?",
                                 u->where, u->name);
                begin_listening(u, TIME_NEVER);
        }
}

/* ---- among strangers ------------------------------------------------------------------------- */

/* Whether all that was heard is strange in this way, and how much it is. */
static uint64_t n_strange(const struct udp *u, const struct engine *engine,
                          enum mbus_network network)
{
        struct engine_heard heard = engine_heard(engine);

        if (network == MBUS_NETWORK_KEY)
                return heard.n == 0 ? heard.n_strangers : 0;
        if (u->network.dialect_is_ucl || u->network.n_sent == 0)
                return 0;
        return heard.n == heard.n_line_feed ? heard.n : 0;
}

static void describe(const struct udp *u, enum mbus_network network, uint64_t n,
                     char ret_text[static UDP_NOTICE_MAX])
{
        if (network == MBUS_NETWORK_KEY)
                snprintf(ret_text, UDP_NOTICE_MAX,
                         "%s: %llu message%s with another key %s heard on %s, and none with ours: "
                         "is "
                         "it the right configuration?",
                         u->where, (unsigned long long)n, n == 1 ? "" : "s",
                         n == 1 ? "was" : "were", u->name);
        else
                snprintf(ret_text, UDP_NOTICE_MAX,
                         "%s: only messages of old programs, with line feeds, are heard on %s, "
                         "which "
                         "may not understand ours: is DIALECT=UCL missing in the configuration?",
                         u->where, u->name);
}

static void tick_strange(struct udp *u, const struct engine *engine, enum mbus_network network)
{
        uint64_t *since = &u->network.strange_since[network];
        uint64_t n = n_strange(u, engine, network);
        char text[UDP_NOTICE_MAX];

        if (n == 0) {
                *since = 0;
                udp_end_notice(u, network, "others that are understood are heard now");
        } else if (*since == 0) {
                *since = u->now ? u->now : 1;
        } else if (u->now >= *since + STRANGE_AFTER && !u->network.notices[network].lasts) {
                describe(u, network, n, text);
                udp_tell(u, network, "%s", text);
        }
}

/* ---- time ------------------------------------------------------------------------------------ */

static void look(struct udp *u)
{
        struct netlink_news news = { .changed = true };

        if (u->look_at > u->now)
                return;
        if (u->look_at > 0)
                udp_follow(u, &news);
        u->look_at = u->now + LOOK_EVERY;
}

void udp_tick(struct udp *u, const struct engine *engine, uint64_t now)
{
        u->now = now;
        look(u);
        tick_mute(u);
        tick_deaf(u);
        tick_strange(u, engine, MBUS_NETWORK_KEY);
        tick_strange(u, engine, MBUS_NETWORK_DIALECT);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

uint64_t udp_deadline(const struct udp *u)
{
        const struct udp_network *n = &u->network;
        uint64_t at = earlier(u->look_at, n->deaf_at);

        for (unsigned i = 0; i < MBUS_NETWORK_MAX; i++) {
                if (n->notices[i].pending)
                        return 0;
                if (n->strange_since[i] > 0 && !n->notices[i].lasts)
                        at = earlier(at, n->strange_since[i] + STRANGE_AFTER);
        }
        if (is_mute(u) && !n->stuck)
                at = earlier(at, n->refused_at + MUTE_AFTERMATH);
        return at;
}

const char *udp_network(struct udp *u, const struct engine *engine, enum mbus_network network)
{
        bool strange = network == MBUS_NETWORK_KEY || network == MBUS_NETWORK_DIALECT;
        uint64_t n;

        if (!strange)
                return u->network.notices[network].lasts ? u->network.notices[network].text : NULL;
        n = n_strange(u, engine, network);
        if (n == 0)
                return NULL;
        describe(u, network, n, u->network.current);
        return u->network.current;
}
