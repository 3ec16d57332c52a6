// Part of clinux.h: the records of rtnetlink(7), of which Swift sees the structures and the enumerated constants.
#ifndef CLINUX_NETLINK_H
#define CLINUX_NETLINK_H

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

static inline long cl_route_socket(void) {
    return CL_SYSCALL(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}
static const uint32_t CL_IFF_UP = IFF_UP;

#endif
