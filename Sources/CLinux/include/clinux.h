// What Swift cannot import from the kernel and from glibc: one function per system call, ioctl or prctl, returning
// a value >= 0 or -errno, and the constants that macros hide. No logic lives here: Swift never reads `errno`.
#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "clinux_constants.h"
#include "clinux_digest.h"

static inline long cl_result(long value) { return value < 0 ? -(long)errno : value; }
#define CL_SYSCALL(...) cl_result(syscall(__VA_ARGS__))

// --- processes and namespaces ---------------------------------------------------------------------------------------

// clone3(2) without CLONE_VM: the child returns 0 here, on its own copy of the stack. `into_cgroup` is a cgroup v2
// directory or -1; `pidfd` receives a descriptor when not null.
static inline long cl_clone3(uint64_t flags, int *pidfd, int into_cgroup) {
    struct clone_args args = {.flags = flags, .exit_signal = (flags & CLONE_PARENT) ? 0 : SIGCHLD};
    if (pidfd) {
        args.flags |= CLONE_PIDFD;
        args.pidfd = (uint64_t)(uintptr_t)pidfd;
    }
    if (into_cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)into_cgroup;
    }
    return CL_SYSCALL(SYS_clone3, &args, sizeof args);
}

static inline long cl_setns(int fd, int kind) { return CL_SYSCALL(SYS_setns, fd, kind); }
static inline long cl_unshare(int flags) { return CL_SYSCALL(SYS_unshare, flags); }
static inline long cl_pidfd_open(int pid, unsigned flags) { return CL_SYSCALL(SYS_pidfd_open, pid, flags); }
static inline long cl_pidfd_send_signal(int pidfd, int signal) {
    return CL_SYSCALL(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}
static inline long cl_kill(int pid, int signal) { return CL_SYSCALL(SYS_kill, pid, signal); }
static inline long cl_wait4(int pid, int *status, int options) {
    return CL_SYSCALL(SYS_wait4, pid, status, options, NULL);
}
static inline int cl_wifexited(int status) { return WIFEXITED(status); }
static inline int cl_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int cl_wifsignaled(int status) { return WIFSIGNALED(status); }
static inline int cl_wtermsig(int status) { return WTERMSIG(status); }
static inline long cl_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return CL_SYSCALL(SYS_prctl, option, a, b, c, d);
}
static inline long cl_close_range(unsigned first, unsigned last, unsigned flags) {
    return CL_SYSCALL(SYS_close_range, first, last, flags);
}
static inline long cl_execve(const char *path, char *const argv[], char *const envp[]) {
    return CL_SYSCALL(SYS_execve, path, argv, envp);
}
static inline long cl_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags) {
    return CL_SYSCALL(SYS_execveat, fd, path, argv, envp, flags);
}

// --- credentials and process attributes: raw calls, so that nothing is broadcast to threads that do not exist -----

static inline long cl_setresuid(uint32_t id) { return CL_SYSCALL(SYS_setresuid, id, id, id); }
static inline long cl_setresgid(uint32_t id) { return CL_SYSCALL(SYS_setresgid, id, id, id); }
static inline long cl_setgroups(size_t count, const uint32_t *groups) {
    return CL_SYSCALL(SYS_setgroups, count, groups);
}
static inline long cl_setsid(void) { return CL_SYSCALL(SYS_setsid); }
static inline long cl_prlimit(int pid, int resource, uint64_t soft, uint64_t hard) {
    struct {
        uint64_t soft, hard;
    } limit = {soft, hard};
    return CL_SYSCALL(SYS_prlimit64, pid, resource, &limit, NULL);
}
static inline long cl_get_hard_limit(int pid, int resource, uint64_t *hard) {
    struct {
        uint64_t soft, hard;
    } limit = {0, 0};
    long result = CL_SYSCALL(SYS_prlimit64, pid, resource, NULL, &limit);
    *hard = limit.hard;
    return result;
}
static inline long cl_sethostname(const char *name, size_t length) {
    return CL_SYSCALL(SYS_sethostname, name, length);
}
static inline long cl_setdomainname(const char *name, size_t length) {
    return CL_SYSCALL(SYS_setdomainname, name, length);
}
static inline long cl_personality(unsigned long persona) { return CL_SYSCALL(SYS_personality, persona); }
static inline long cl_ioprio_set(int which, int who, int value) {
    return CL_SYSCALL(SYS_ioprio_set, which, who, value);
}
static inline long cl_set_mempolicy(int mode, const unsigned long *nodes, unsigned long max_node) {
    return CL_SYSCALL(SYS_set_mempolicy, mode, nodes, max_node);
}
// KEYCTL_JOIN_SESSION_KEYRING
static inline long cl_join_session_keyring(const char *name) { return CL_SYSCALL(SYS_keyctl, 1, name); }
// KEYCTL_DESCRIBE and KEYCTL_SETPERM, keyctl(2)
static inline long cl_key_set_permission(long key, uint32_t permission) {
    return CL_SYSCALL(SYS_keyctl, 5, key, permission);
}
static inline long cl_key_describe(long key, char *buffer, size_t length) {
    return CL_SYSCALL(SYS_keyctl, 6, key, buffer, length);
}
// struct sched_attr of sched_setattr(2), version 1 (util clamps included)
static inline long cl_sched_setattr(uint32_t policy, uint64_t flags, int32_t nice, uint32_t priority, uint64_t runtime,
                                    uint64_t deadline, uint64_t period) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {sizeof attr, policy, flags, nice, priority, runtime, deadline, period};
    return CL_SYSCALL(SYS_sched_setattr, 0, &attr, 0);
}
// PRIO_PROCESS of this process
static inline long cl_setpriority(int nice) { return CL_SYSCALL(SYS_setpriority, 0, 0, nice); }
static inline long cl_sched_setaffinity(int pid, size_t length, const unsigned long *mask) {
    return CL_SYSCALL(SYS_sched_setaffinity, pid, length, mask);
}

// --- files ----------------------------------------------------------------------------------------------------------

static inline long cl_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return CL_SYSCALL(SYS_openat2, directory, path, &how, sizeof how);
}
static inline long cl_openat(int directory, const char *path, int flags, unsigned mode) {
    return CL_SYSCALL(SYS_openat, directory, path, flags, mode);
}
static inline long cl_close(int fd) { return CL_SYSCALL(SYS_close, fd); }
static inline long cl_read(int fd, void *buffer, size_t count) { return CL_SYSCALL(SYS_read, fd, buffer, count); }
static inline long cl_write(int fd, const void *buffer, size_t count) {
    return CL_SYSCALL(SYS_write, fd, buffer, count);
}
static inline long cl_fcntl(int fd, int command, long argument) { return CL_SYSCALL(SYS_fcntl, fd, command, argument); }
static inline long cl_dup3(int from, int to, int flags) { return CL_SYSCALL(SYS_dup3, from, to, flags); }
static inline long cl_pipe2(int fds[2], int flags) { return CL_SYSCALL(SYS_pipe2, fds, flags); }
static inline long cl_mkdirat(int directory, const char *path, unsigned mode) {
    return CL_SYSCALL(SYS_mkdirat, directory, path, mode);
}
static inline long cl_mknodat(int directory, const char *path, unsigned mode, uint64_t device) {
    return CL_SYSCALL(SYS_mknodat, directory, path, mode, (unsigned)device);
}
static inline long cl_symlinkat(const char *target, int directory, const char *path) {
    return CL_SYSCALL(SYS_symlinkat, target, directory, path);
}
static inline long cl_readlinkat(int directory, const char *path, char *buffer, size_t size) {
    return CL_SYSCALL(SYS_readlinkat, directory, path, buffer, size);
}
static inline long cl_unlinkat(int directory, const char *path, int flags) {
    return CL_SYSCALL(SYS_unlinkat, directory, path, flags);
}
static inline long cl_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    return CL_SYSCALL(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
static inline long cl_fchownat(int directory, const char *path, uint32_t uid, uint32_t gid, int flags) {
    return CL_SYSCALL(SYS_fchownat, directory, path, uid, gid, flags);
}
static inline long cl_fchmodat(int directory, const char *path, unsigned mode) {
    return CL_SYSCALL(SYS_fchmodat, directory, path, mode);
}
static inline long cl_fchmod(int fd, unsigned mode) { return CL_SYSCALL(SYS_fchmod, fd, mode); }
static inline long cl_fstatat(int directory, const char *path, struct stat *status, int flags) {
    return CL_SYSCALL(SYS_newfstatat, directory, path, status, flags);
}
static inline long cl_faccessat2(int directory, const char *path, int mode, int flags) {
    return CL_SYSCALL(SYS_faccessat2, directory, path, mode, flags);
}
static inline long cl_fstatfs(int fd, struct statfs *status) { return CL_SYSCALL(SYS_fstatfs, fd, status); }
static inline long cl_statfs(const char *path, struct statfs *status) { return CL_SYSCALL(SYS_statfs, path, status); }
// The id, as /proc/self/mountinfo counts, of the mount that is seen at `path`: statx(2) with STATX_MNT_ID.
static inline long cl_mount_id_at(int directory, const char *path, int flags) {
    enum { mount_id_offset = 0x90, mask_mount_id = 0x1000 };
    union {
        uint32_t mask;
        uint64_t words[32];
    } status = {0};
    long result = CL_SYSCALL(SYS_statx, directory, path, flags, mask_mount_id, &status);
    if (result < 0) return result;
    return status.mask & mask_mount_id ? (long)status.words[mount_id_offset / 8] : -ENOSYS;
}
static inline long cl_mount_id(const char *path) { return cl_mount_id_at(AT_FDCWD, path, 0); }
static inline long cl_descriptor_mount_id(int fd) { return cl_mount_id_at(fd, "", 0x1000); } // AT_EMPTY_PATH
static inline long cl_getdents64(int fd, void *buffer, size_t size) {
    return CL_SYSCALL(SYS_getdents64, fd, buffer, size);
}
static inline long cl_eventfd(unsigned count, int flags) { return CL_SYSCALL(SYS_eventfd2, count, flags); }
static inline long cl_inotify_init(int flags) { return CL_SYSCALL(SYS_inotify_init1, flags); }
static inline long cl_inotify_add_watch(int fd, const char *path, uint32_t events) {
    return CL_SYSCALL(SYS_inotify_add_watch, fd, path, events);
}
static inline long cl_setxattr(const char *path, const char *name, const void *value, size_t size) {
    return CL_SYSCALL(SYS_setxattr, path, name, value, size, 0);
}
static inline long cl_getxattr(const char *path, const char *name, void *value, size_t size) {
    return CL_SYSCALL(SYS_getxattr, path, name, value, size);
}
static inline long cl_flock(int fd, int operation) { return CL_SYSCALL(SYS_flock, fd, operation); }
static inline long cl_chdir(const char *path) { return CL_SYSCALL(SYS_chdir, path); }
static inline long cl_fchdir(int fd) { return CL_SYSCALL(SYS_fchdir, fd); }
static inline long cl_chroot(const char *path) { return CL_SYSCALL(SYS_chroot, path); }
static inline long cl_getcwd(char *buffer, size_t size) { return CL_SYSCALL(SYS_getcwd, buffer, size); }
static inline long cl_memfd_create(const char *name, unsigned flags) {
    return CL_SYSCALL(SYS_memfd_create, name, flags);
}

// --- mounts: Documentation/filesystems/mount_api.rst, mount_setattr(2) ----------------------------------------------

static inline long cl_mount(const char *source, const char *target, const char *type, unsigned long flags,
                            const char *data) {
    return CL_SYSCALL(SYS_mount, source, target, type, flags, data);
}
static inline long cl_umount2(const char *target, int flags) { return CL_SYSCALL(SYS_umount2, target, flags); }
static inline long cl_pivot_root(const char *root, const char *old) { return CL_SYSCALL(SYS_pivot_root, root, old); }
static inline long cl_open_tree(int directory, const char *path, unsigned flags) {
    return CL_SYSCALL(SYS_open_tree, directory, path, flags);
}
static inline long cl_move_mount(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    return CL_SYSCALL(SYS_move_mount, from_dir, from, to_dir, to, flags);
}
static inline long cl_fsopen(const char *type, unsigned flags) { return CL_SYSCALL(SYS_fsopen, type, flags); }
static inline long cl_fspick(int directory, const char *path, unsigned flags) {
    return CL_SYSCALL(SYS_fspick, directory, path, flags);
}
static inline long cl_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux) {
    return CL_SYSCALL(SYS_fsconfig, fd, command, key, value, aux);
}
static inline long cl_fsmount(int fd, unsigned flags, unsigned attributes) {
    return CL_SYSCALL(SYS_fsmount, fd, flags, attributes);
}
static inline long cl_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                                    uint64_t propagation, int userns) {
    struct {
        uint64_t attr_set, attr_clr, propagation, userns_fd;
    } attr = {set, clear, propagation, userns < 0 ? 0 : (uint64_t)userns};
    return CL_SYSCALL(SYS_mount_setattr, directory, path, flags, &attr, sizeof attr);
}

// --- sockets, signals, terminals ------------------------------------------------------------------------------------

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
// One message and, when `passed` is a descriptor, that descriptor with it (SCM_RIGHTS).
static inline long cl_send(int fd, const void *bytes, size_t count, int passed) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        control.header =
            (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
    }
    return CL_SYSCALL(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
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
static inline long cl_poll(struct pollfd *fds, unsigned count, int milliseconds) {
    return CL_SYSCALL(SYS_poll, fds, count, milliseconds);
}
// The kernel's signal sets are 64 bits: bit N-1 is signal N.
static inline long cl_sigprocmask(int how, const uint64_t *set, uint64_t *old) {
    return CL_SYSCALL(SYS_rt_sigprocmask, how, set, old, sizeof(uint64_t));
}
static inline long cl_signalfd(uint64_t set, int flags) {
    return CL_SYSCALL(SYS_signalfd4, -1, &set, sizeof set, flags);
}
// Signal dispositions that survive execve(2) as "ignored" are set back to the default.
static inline long cl_signal_default(int signal) {
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action = {0}; // SIG_DFL is 0
    return CL_SYSCALL(SYS_rt_sigaction, signal, &action, NULL, sizeof(uint64_t));
}
static inline long cl_signal_ignore(int signal) {
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action = {(void *)1, 0, NULL, 0}; // SIG_IGN is 1
    return CL_SYSCALL(SYS_rt_sigaction, signal, &action, NULL, sizeof(uint64_t));
}

static inline long cl_ioctl(int fd, unsigned long request, unsigned long argument) {
    return CL_SYSCALL(SYS_ioctl, fd, request, argument);
}
static inline long cl_terminal_unlock(int fd) {
    int unlocked = 0;
    return CL_SYSCALL(SYS_ioctl, fd, TIOCSPTLCK, &unlocked);
}
static inline long cl_terminal_open_peer(int fd, int flags) { return CL_SYSCALL(SYS_ioctl, fd, TIOCGPTPEER, flags); }
static inline long cl_terminal_number(int fd) {
    int number = -1;
    long result = CL_SYSCALL(SYS_ioctl, fd, TIOCGPTN, &number);
    return result < 0 ? result : number;
}
static inline long cl_terminal_set_size(int fd, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return CL_SYSCALL(SYS_ioctl, fd, TIOCSWINSZ, &size);
}
static inline long cl_terminal_copy_size(int from, int to) {
    struct winsize size;
    long result = CL_SYSCALL(SYS_ioctl, from, TIOCGWINSZ, &size);
    return result < 0 ? result : CL_SYSCALL(SYS_ioctl, to, TIOCSWINSZ, &size);
}
static inline long cl_terminal_columns(int fd) {
    struct winsize size;
    long result = CL_SYSCALL(SYS_ioctl, fd, TIOCGWINSZ, &size);
    return result < 0 ? result : size.ws_col;
}
static inline long cl_terminal_make_controlling(int fd) { return CL_SYSCALL(SYS_ioctl, fd, TIOCSCTTY, 0); }
static inline long cl_terminal_get(int fd, struct termios *attributes) {
    return cl_result(tcgetattr(fd, attributes));
}
static inline long cl_terminal_set(int fd, const struct termios *attributes) {
    return cl_result(tcsetattr(fd, TCSANOW, attributes));
}
static inline void cl_terminal_make_raw(struct termios *attributes) { cfmakeraw(attributes); }

// Brings an interface up; `socket` is any socket of the network namespace (netdevice(7)).
static inline long cl_interface_up(int socket, const char *name) {
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    long result = CL_SYSCALL(SYS_ioctl, socket, SIOCGIFFLAGS, &request);
    if (result < 0) return result;
    request.ifr_flags |= IFF_UP;
    return CL_SYSCALL(SYS_ioctl, socket, SIOCSIFFLAGS, &request);
}

// --- bpf(2), for the device programs of cgroup v2 ------------------------------------------------------------------

#define CL_BPF(command, attr) CL_SYSCALL(SYS_bpf, command, attr, sizeof *(attr))

static inline long cl_bpf_load_device_program(const uint64_t *instructions, uint32_t count, const char *name) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = (uint64_t)(uintptr_t)instructions;
    attr.insn_cnt = count;
    attr.license = (uint64_t)(uintptr_t) "GPL";
    strncpy(attr.prog_name, name, sizeof attr.prog_name - 1);
    return CL_BPF(BPF_PROG_LOAD, &attr);
}
// `replaced` is an attached program that makes way for this one, or -1.
static inline long cl_bpf_attach_device_program(int cgroup, int program, int replaced) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced >= 0) {
        attr.attach_flags |= BPF_F_REPLACE;
        attr.replace_bpf_fd = (uint32_t)replaced;
    }
    return CL_BPF(BPF_PROG_ATTACH, &attr);
}
static inline long cl_bpf_detach_device_program(int cgroup, int program) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = BPF_CGROUP_DEVICE;
    return CL_BPF(BPF_PROG_DETACH, &attr);
}
// The ids of the programs attached to the cgroup itself; returns how many.
static inline long cl_bpf_device_programs(int cgroup, uint32_t *ids, uint32_t capacity) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t)cgroup;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
    attr.query.prog_cnt = capacity;
    long result = CL_BPF(BPF_PROG_QUERY, &attr);
    return result < 0 ? result : (long)attr.query.prog_cnt;
}
static inline long cl_bpf_open_program(uint32_t id) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_id = id;
    return CL_BPF(BPF_PROG_GET_FD_BY_ID, &attr);
}
static inline long cl_bpf_program_name(int program, char name[BPF_OBJ_NAME_LEN]) {
    struct bpf_prog_info info;
    union bpf_attr attr;
    memset(&info, 0, sizeof info);
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = (uint32_t)program;
    attr.info.info_len = sizeof info;
    attr.info.info = (uint64_t)(uintptr_t)&info;
    long result = CL_BPF(BPF_OBJ_GET_INFO_BY_FD, &attr);
    memcpy(name, info.name, BPF_OBJ_NAME_LEN);
    return result;
}

// ioctl_ns(2)
static inline long cl_namespace_kind(int fd) { return CL_SYSCALL(SYS_ioctl, fd, CL_NS_GET_NSTYPE, 0); }

static inline uint64_t cl_makedev(unsigned major_number, unsigned minor_number) {
    return makedev(major_number, minor_number);
}
static inline unsigned cl_major(uint64_t device) { return major(device); }
static inline unsigned cl_minor(uint64_t device) { return minor(device); }

// GNU extensions of glibc, declared here because the headers are read without _GNU_SOURCE, as Swift's own module is.
extern char **environ;
extern const char *strerrordesc_np(int error);
extern const char *strerrorname_np(int error);
static inline char **cl_environment(void) { return environ; }
static inline const char *cl_error_text(int error) { return strerrordesc_np(error); }
static inline const char *cl_error_name(int error) { return strerrorname_np(error); }

#include "clinux_files.h"
#include "clinux_netlink.h"
#include "clinux_seccomp.h"

#endif
