/*
 * udp-follow.c - see udp-follow.h.
 */
#include "udp-follow.h"

#include <assert.h>
#include <stdio.h>

#include "socket.h"
#include "udp-notice.h"
#include "udp-sockets.h"

void udp_name_interfaces(struct udp *u)
{
        size_t n = 0;

        u->where[0] = '\0';
        for (unsigned i = 0; i < u->choice.n; i++)
                n += (size_t)snprintf(u->where + n, sizeof(u->where) - n, "%s%s", i ? " " : "",
                                      u->choice.interfaces[i].name);
}

/* What @choice has at @index and can use, or NULL. */
static struct interface *find_present(struct interface_choice *choice, unsigned index)
{
        for (unsigned i = 0; i < choice->n; i++) {
                if (choice->interfaces[i].index == index && !choice->interfaces[i].absent)
                        return &choice->interfaces[i];
        }
        return NULL;
}

/* Leaves where the bus is no more. An interface that went and came, or may have, is another one,
 * even with the same index, and knows nothing of who joined: there it is left and joined. */
static void leave_some(struct udp *u, struct interface_choice *choice,
                       const struct netlink_news *news)
{
        if (!socket_address_is_multicast(&u->rule.group))
                return;
        for (unsigned i = 0; i < u->choice.n; i++) {
                const struct interface *old = &u->choice.interfaces[i];
                struct interface *stays = find_present(choice, old->index);

                if (old->joined && stays && !netlink_news_has_link(news, old->index))
                        stays->joined = true;
                else if (old->joined)
                        (void)socket_leave(u->group_fd, &u->rule.group, old->index);
        }
        for (unsigned i = 0; i < choice->n; i++)
                choice->interfaces[i].joined &= !choice->interfaces[i].absent;
}

/*
 * Something changed: chooses anew and moves there. If nothing can be chosen now, all stays as it is
 * until the next change, but nothing is sent there.
 */
void udp_follow(struct udp *u, const struct netlink_news *news)
{
        struct interface_choice before = u->choice, choice;
        char error[512];

        if (interface_choose(u->netlink_fd, &u->rule, &before, &choice, error) != 0) {
                choice = before;
                for (unsigned i = 0; i < choice.n; i++)
                        choice.interfaces[i].absent = true;
        }
        assert(choice.n > 0);
        leave_some(u, &choice, news);
        u->choice = choice;
        (void)udp_join(u);
        if (!udp_sender(u)->absent) {
                socket_set_interface(u->own_fd, udp_family(u), udp_sender(u)->index,
                                     u->rule.broadcast);
                u->mtu = udp_payload_size(u);
                u->gathers = true;
                udp_learn_source(u);
        }
        udp_name_interfaces(u);
        udp_note_choice(u, &before, error);
}

void udp_join_anew(struct udp *u)
{
        struct netlink_news news = { .lost = true };
        struct interface_choice choice = u->choice;

        for (unsigned i = 0; i < choice.n; i++)
                choice.interfaces[i].joined = false;
        leave_some(u, &choice, &news);
        u->choice = choice;
        (void)udp_join(u);
}
