// Part of clinux.h: seccomp(2), and taking a descriptor out of another process for its listener.
#ifndef CLINUX_SECCOMP_H
#define CLINUX_SECCOMP_H

#include <linux/filter.h>
#include <linux/seccomp.h>

// SECCOMP_SET_MODE_FILTER; `instructions` is an array of `count` struct sock_filter. Returns 0, or with
// SECCOMP_FILTER_FLAG_NEW_LISTENER a descriptor.
static inline long cl_seccomp_set_filter(unsigned flags, const void *instructions, unsigned short count) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
    return CL_SYSCALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
// As above without a program: EFAULT when the kernel knows the flags, EINVAL when it does not.
static inline long cl_seccomp_probe_flags(unsigned flags) {
    return CL_SYSCALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL);
}
// SECCOMP_IOCTL_NOTIF_ID_VALID of an id that cannot exist: ENOENT on a listener, another error elsewhere.
static inline long cl_seccomp_probe_listener(int fd) {
    uint64_t id = UINT64_MAX;
    return CL_SYSCALL(SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}
static inline long cl_pidfd_getfd(int pidfd, int fd) { return CL_SYSCALL(SYS_pidfd_getfd, pidfd, fd, 0); }
static inline long cl_pread(int fd, void *buffer, size_t count, long offset) {
    return CL_SYSCALL(SYS_pread64, fd, buffer, count, offset);
}

// linux/seccomp.h; the last three are younger than the oldest supported headers.
static const uint32_t CL_SECCOMP_FLAG_TSYNC = 1 << 0;
static const uint32_t CL_SECCOMP_FLAG_NEW_LISTENER = 1 << 3;
static const uint32_t CL_SECCOMP_FLAG_TSYNC_ESRCH = 1 << 4;
static const uint32_t CL_SECCOMP_FLAG_WAIT_KILLABLE_RECV = 1 << 5;

#endif
