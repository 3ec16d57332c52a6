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
// The sizes of the structures below as the kernel at hand has them: seccomp_notif, seccomp_notif_resp, seccomp_data.
static inline long cl_seccomp_notification_sizes(uint16_t sizes[3]) {
    return CL_SYSCALL(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes);
}
// SECCOMP_IOCTL_NOTIF_RECV; `notification` is zeroed and as large as the kernel says.
static inline long cl_seccomp_receive(int fd, void *notification) {
    return CL_SYSCALL(SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_RECV, notification);
}
// SECCOMP_IOCTL_NOTIF_SEND: fails the call with `error` (an errno), or lets the kernel go on with it when that is 0.
static inline long cl_seccomp_answer(int fd, uint64_t id, int error) {
    struct seccomp_notif_resp response[4] = {0};  // room for what later kernels add
    response[0].id = id;
    response[0].error = -error;
    response[0].flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    return CL_SYSCALL(SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_SEND, response);
}
// SECCOMP_IOCTL_NOTIF_ID_VALID: 0 while the caller still waits, else ENOENT.
static inline long cl_seccomp_id_valid(int fd, uint64_t id) {
    return CL_SYSCALL(SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}
// SECCOMP_IOCTL_NOTIF_SET_FLAGS with SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (Linux 6.6): the two sides of a notification
// take turns on one processor.
static inline long cl_seccomp_wake_synchronously(int fd) {
    return CL_SYSCALL(SYS_ioctl, fd, _IOW(SECCOMP_IOC_MAGIC, 4, uint64_t), 1UL);
}
static inline long cl_tkill(int thread, int signal) { return CL_SYSCALL(SYS_tkill, thread, signal); }
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
