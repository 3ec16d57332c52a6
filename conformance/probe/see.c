#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void report_mounts(void) {
    char *content = read_whole("/proc/self/mountinfo", NULL);
    pair_string("mountinfo", content);
    free(content);
}

void report_descriptors(void) {
    json_key("descriptors");
    json_open('{');
    /* asked one by one: opening /proc/self/fd would add a descriptor, and /proc may be missing */
    for (int fd = 0; fd < 4096; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || (fd == out && fd > 2)) continue;
        char key[16], path[64], target[4096];
        struct stat status;
        snprintf(key, sizeof key, "%d", fd);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        json_key(key);
        json_open('{');
        if (length >= 0) target[length] = 0;
        pair_string("target", length >= 0 ? target : NULL);
        if (fstat(fd, &status) == 0) {
            pair_number("mode", status.st_mode);
            pair_number("dev", status.st_dev), pair_number("ino", status.st_ino);
            pair_number("rdev", status.st_rdev);
        }
        pair_number("flags", fcntl(fd, F_GETFL));
        json_close('}');
    }
    json_close('}');
}

static void address(const struct ifaddrs *entry) {
    char text[64];
    int family = entry->ifa_addr->sa_family;
    const void *raw = family == AF_INET ? (void *)&((struct sockaddr_in *)entry->ifa_addr)->sin_addr
                                        : (void *)&((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr;
    const unsigned char *mask = family == AF_INET
        ? (unsigned char *)&((struct sockaddr_in *)entry->ifa_netmask)->sin_addr
        : (unsigned char *)&((struct sockaddr_in6 *)entry->ifa_netmask)->sin6_addr;
    int prefix = 0;
    for (int i = 0; i < (family == AF_INET ? 4 : 16); i++) prefix += __builtin_popcount(mask[i]);
    inet_ntop(family, raw, text, sizeof text);
    snprintf(text + strlen(text), 8, "/%d", prefix);
    json_open('{');
    pair_string("name", entry->ifa_name), pair_string("address", text);
    json_close('}');
}

void report_network(void) {
    struct ifaddrs *list = NULL;
    json_key("interfaces");
    json_open('{');
    if (getifaddrs(&list) < 0) list = NULL;
    for (struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_PACKET) continue;
        struct sockaddr_ll *link = (struct sockaddr_ll *)entry->ifa_addr;
        struct ifreq request = {0};
        int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        strncpy(request.ifr_name, entry->ifa_name, sizeof request.ifr_name - 1);
        int mtu = ioctl(probe, SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : -1;
        close(probe);
        char mac[24] = "";
        for (int i = 0; i < link->sll_halen && i < 6; i++)
            sprintf(mac + strlen(mac), i ? ":%02x" : "%02x", link->sll_addr[i]);
        json_key(entry->ifa_name);
        json_open('{');
        pair_bool("up", !!(entry->ifa_flags & IFF_UP)), pair_number("index", link->sll_ifindex);
        pair_number("mtu", mtu), pair_string("mac", mac);
        json_close('}');
    }
    json_close('}');
    json_key("addresses");
    json_open('[');
    for (struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
        if (entry->ifa_addr && (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6))
            address(entry);
    json_close(']');
    freeifaddrs(list);
}
