/*
 * netlink-news.c - something changed on this host (netlink.h).
 *
 * The messages are read for one thing only: which links they are about, since a link that came anew
 * has forgotten who joined a group on it. Else whoever is told looks at everything anew, so that a
 * lost message (ENOBUFS) is a change like any other.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink-attribute.h"
#include "netlink.h"

int netlink_watch(bool routes, int *ret_fd)
{
        uint32_t groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

        if (routes)
                groups |= RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
        return netlink_open_groups(groups, ret_fd);
}

bool netlink_news_has_link(const struct netlink_news *news, unsigned index)
{
        for (unsigned i = 0; i < news->n_links; i++)
                if (news->links[i] == index)
                        return true;
        return news->lost;
}

/* What a scan for wireless networks found is told as news of the link, too, and means nothing
 * here. */
static bool is_wireless_event(struct netlink_attributes all)
{
        struct netlink_attribute a;

        while (netlink_next(&all, &a))
                if (a.type == IFLA_WIRELESS)
                        return true;
        return false;
}

/* Notes what the message in the first @n octets at @at is about, of which a long one may have
 * more. */
static void note_message(struct netlink_news *news, const char *at, size_t n)
{
        struct netlink_attributes all;
        struct ifinfomsg link;
        struct nlmsghdr h;

        if (n < NLMSG_LENGTH(sizeof(link)))
                return;
        memcpy(&h, at, sizeof(h));
        memcpy(&link, at + NLMSG_HDRLEN, sizeof(link));
        if (h.nlmsg_type != RTM_NEWLINK && h.nlmsg_type != RTM_DELLINK)
                return;
        all = (struct netlink_attributes){ at + NLMSG_LENGTH(sizeof(link)),
                                           n - NLMSG_LENGTH(sizeof(link)) };
        if (h.nlmsg_type == RTM_NEWLINK && is_wireless_event(all))
                return;
        if (netlink_news_has_link(news, (unsigned)link.ifi_index))
                return;
        if (news->n_links == NETLINK_NEWS_MAX)
                news->lost = true;
        else
                news->links[news->n_links++] = (unsigned)link.ifi_index;
}

static void note_all(struct netlink_news *news, const char *at, size_t n)
{
        struct nlmsghdr h;
        size_t size;

        while (n >= sizeof(h)) {
                memcpy(&h, at, sizeof(h));
                if (h.nlmsg_len < sizeof(h))
                        return;
                size = h.nlmsg_len < n ? h.nlmsg_len : n;
                note_message(news, at, size);
                size = NLMSG_ALIGN(size) < n ? NLMSG_ALIGN(size) : n;
                at += size;
                n -= size;
        }
}

struct netlink_news netlink_read_news(int fd)
{
        struct netlink_news news = { .changed = false };
        char bytes[8192];
        ssize_t n;

        for (;;) {
                n = recv(fd, bytes, sizeof(bytes), 0);
                if (n < 0 && errno != ENOBUFS && errno != EINTR)
                        return news;
                news.changed = true;
                if (n < 0)
                        news.lost |= errno == ENOBUFS;
                else
                        note_all(&news, bytes, (size_t)n);
        }
}
