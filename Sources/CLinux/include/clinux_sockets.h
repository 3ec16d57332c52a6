// Part of clinux.h: sockets, what is passed over them, and network interfaces.
#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

static inline long cl_socketpair(int type, int fds[2]) {
    return CL_SYSCALL(SYS_socketpair, AF_UNIX, type | SOCK_CLOEXEC, 0, fds);
}
static inline long cl_socket(int family, int type, int protocol) {
    return CL_SYSCALL(SYS_socket, family, type, protocol);
}
static inline long cl_bind(int fd, const void *address, unsigned length) {
    return CL_SYSCALL(SYS_bind, fd, address, length);
}
static inline long cl_connect(int fd, const void *address, unsigned length) {
    return CL_SYSCALL(SYS_connect, fd, address, length);
}
// The address of a socket in the file system, or of an abstract one where the path begins with "@" (unix(7)).
static inline long cl_unix_address(const char *path, struct sockaddr_un *address) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    size_t size = offsetof(struct sockaddr_un, sun_path) + length;
    if (path[0] != '@') return (long)size + 1;
    address->sun_path[0] = 0;
    return (long)size;
}
static inline long cl_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long length = cl_unix_address(path, &address);
    return length < 0 ? length : cl_bind(fd, &address, (unsigned)length);
}
// Connects to a socket; the path is at most 107 bytes.
static inline long cl_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long length = cl_unix_address(path, &address);
    return length < 0 ? length : cl_connect(fd, &address, (unsigned)length);
}
// One message and, with it, `passing` descriptors, at most CL_MAX_PASSED (SCM_RIGHTS).
#define CL_MAX_PASSED 64
static inline long cl_send_all(int fd, const void *bytes, size_t count, const int *passed, unsigned passing) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CL_MAX_PASSED * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passing > CL_MAX_PASSED) return -EINVAL;
    if (passing > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(passing * sizeof(int));
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(passing * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), passed, passing * sizeof(int));
    }
    return CL_SYSCALL(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
}
// One message and, when `passed` is a descriptor, that descriptor with it.
static inline long cl_send(int fd, const void *bytes, size_t count, int passed) {
    return cl_send_all(fd, bytes, count, &passed, passed >= 0);
}
// Receives one message; at most CL_MAX_PASSED descriptors that came with it are stored in `passed`, and how many in
// `*passing`.
static inline long cl_receive_all(int fd, void *bytes, size_t count, int *passed, unsigned *passing) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CL_MAX_PASSED * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    long received = CL_SYSCALL(SYS_recvmsg, fd, &message, MSG_CMSG_CLOEXEC);
    *passing = 0;
    if (received < 0 || message.msg_controllen < CMSG_LEN(sizeof(int))) return received;
    if (control.header.cmsg_level != SOL_SOCKET || control.header.cmsg_type != SCM_RIGHTS) return received;
    *passing = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(passed, CMSG_DATA(&control.header), *passing * sizeof(int));
    return received;
}
// Receives one message; a descriptor that came with it is stored in `*passed`, else -1.
static inline long cl_receive(int fd, void *bytes, size_t count, int *passed) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    long received = CL_SYSCALL(SYS_recvmsg, fd, &message, MSG_CMSG_CLOEXEC);
    *passed = -1;
    if (received >= 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)) && control.header.cmsg_type == SCM_RIGHTS)
        memcpy(passed, CMSG_DATA(&control.header), sizeof *passed);
    return received;
}
// Not poll(2), which arm64 does not have; a negative time is one without end.
static inline long cl_poll(struct pollfd *fds, unsigned count, int milliseconds) {
    struct timespec limit = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    return CL_SYSCALL(SYS_ppoll, fds, count, milliseconds < 0 ? NULL : &limit, NULL, 0);
}

// Brings an interface up; `socket` is any socket of the network namespace (netdevice(7)).
static inline long cl_interface_up(int socket, const char *name) {
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    long result = CL_SYSCALL(SYS_ioctl, socket, SIOCGIFFLAGS, &request);
    if (result < 0) return result;
    request.ifr_flags |= IFF_UP;
    return CL_SYSCALL(SYS_ioctl, socket, SIOCSIFFLAGS, &request);
}

#endif
