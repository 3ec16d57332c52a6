// Part of clinux.h: processes, their namespaces, credentials and attributes, and signals.
#ifndef CLINUX_PROCESSES_H
#define CLINUX_PROCESSES_H

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

// Calls `body` in a new process that shares this one's memory and nothing else, while this one waits; what it returns is
// the new process's exit status. Returns the new process's number, -errno, or 0 in a process that `body` has made with
// clone3 and in which it returned CL_RUN_IS_COPY: to that one it looks as if this process had been copied.
static const int CL_RUN_IS_COPY = -1;
long cl_run_sharing_memory(int (*body)(void *), void *context);

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
// ioctl_ns(2)
static inline long cl_namespace_kind(int fd) { return CL_SYSCALL(SYS_ioctl, fd, CL_NS_GET_NSTYPE, 0); }

// Credentials and attributes: raw calls, so that nothing is broadcast to threads that do not exist.
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

// A number that several processes add to.
static inline void cl_add_shared(uint64_t *number, uint64_t more) { __atomic_fetch_add(number, more, __ATOMIC_RELAXED); }
static inline uint64_t cl_load_shared(const uint64_t *number) { return __atomic_load_n(number, __ATOMIC_RELAXED); }

#endif
