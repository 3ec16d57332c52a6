#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void strings(const char *key, char **values) {
    json_key(key);
    json_open('[');
    for (; values && *values; values++) json_string(*values);
    json_close(']');
}

static void numbers(const char *key, const unsigned *values, int count) {
    json_key(key);
    json_open('[');
    for (int i = 0; i < count; i++) json_unsigned(values[i]);
    json_close(']');
}

static void identity(void) {
    unsigned ids[4];
    gid_t groups[65536 / sizeof(gid_t)];
    getresuid(&ids[0], &ids[1], &ids[2]);
    ids[3] = setfsuid(-1);
    numbers("uids", ids, 4);
    getresgid(&ids[0], &ids[1], &ids[2]);
    ids[3] = setfsgid(-1);
    numbers("gids", ids, 4);
    int count = getgroups(sizeof groups / sizeof *groups, groups);
    numbers("groups", groups, count < 0 ? 0 : count);
    mode_t mask = umask(0);
    umask(mask);
    pair_number("umask", mask);
    pair_number("pid", getpid());
    pair_number("ppid", getppid());
    pair_number("pgid", getpgrp());
    pair_number("sid", getsid(0));
    char cwd[8192];
    /* the system call, not getcwd(3): it tells "(unreachable)" apart */
    pair_string("cwd", syscall(SYS_getcwd, cwd, sizeof cwd) > 0 ? cwd : errno_name(errno));
    char exe[4096];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (length >= 0) exe[length] = 0;
    pair_string("exe", length >= 0 ? exe : NULL);
}

static void capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    syscall(SYS_capget, &header, data);
    unsigned long long bounding = 0, ambient = 0;
    for (int cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) bounding |= 1ull << cap;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) ambient |= 1ull << cap;
    }
    json_key("capabilities");
    json_open('{');
    json_key("effective"), json_hex(data[0].effective | (uint64_t)data[1].effective << 32);
    json_key("permitted"), json_hex(data[0].permitted | (uint64_t)data[1].permitted << 32);
    json_key("inheritable"), json_hex(data[0].inheritable | (uint64_t)data[1].inheritable << 32);
    json_key("bounding"), json_hex(bounding);
    json_key("ambient"), json_hex(ambient);
    json_close('}');
    pair_number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    pair_number("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
    pair_number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    int signal_number = 0, subreaper = 0;
    prctl(PR_GET_PDEATHSIG, &signal_number);
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    pair_number("parent_death_signal", signal_number);
    pair_number("subreaper", subreaper);
}

static void limits(void) {
    static const char *const names[] = {
        "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE",
        "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
    json_key("rlimits");
    json_open('{');
    for (int i = 0; i < 16; i++) {
        struct rlimit limit;
        getrlimit(i, &limit);
        json_key(names[i]);
        json_open('[');
        json_unsigned(limit.rlim_cur);
        json_unsigned(limit.rlim_max);
        json_close(']');
    }
    json_close('}');
}

static void scheduling(void) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t util_min, util_max;
    } attr = {.size = sizeof attr};
    json_key("scheduler");
    json_open('{');
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) < 0) {
        pair_string("error", errno_name(errno));
    } else {
        pair_number("policy", attr.policy), pair_number("flags", attr.flags), pair_number("nice", attr.nice);
        pair_number("priority", attr.priority), pair_number("runtime", attr.runtime);
        pair_number("deadline", attr.deadline), pair_number("period", attr.period);
    }
    json_close('}');
    pair_number("ioprio", syscall(SYS_ioprio_get, 1, 0));
    cpu_set_t set;
    json_key("affinity");
    json_open('[');
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &set)) json_number(cpu);
    json_close(']');
    int mode = -1;
    unsigned long nodes[64] = {0};
    json_key("mempolicy");
    json_open('{');
    if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, 0, 0) < 0) pair_string("error", errno_name(errno));
    pair_number("mode", mode);
    json_key("nodes"), json_hex(nodes[0]);
    json_close('}');
    pair_number("personality", personality(0xffffffff));
}

static void namespaces(void) {
    static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    json_key("namespaces");
    json_open('{');
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[64];
        struct stat status;
        snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        json_key(kinds[i]);
        if (stat(path, &status) == 0) json_unsigned(status.st_ino);
        else json_null();
    }
    json_close('}');
    struct utsname uts;
    uname(&uts);
    pair_string("hostname", uts.nodename), pair_string("domainname", uts.domainname);
    pair_string("machine", uts.machine);
}

static void clock_reading(const char *key, clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    pair_number(key, now.tv_sec * 1000000000ll + now.tv_nsec);
}

static void terminal(void) {
    json_key("tty");
    json_open('[');
    for (int fd = 0; fd < 3; fd++) {
        struct winsize size;
        json_open('{');
        pair_bool("isatty", isatty(fd));
        if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0)
            pair_number("rows", size.ws_row), pair_number("columns", size.ws_col);
        json_close('}');
    }
    json_close(']');
    /* /dev/tty may be absent or denied: the session id of the terminal tells the same */
    pid_t session = 0;
    pair_bool("controlling_tty", ioctl(0, TIOCGSID, &session) == 0 && session == getsid(0));
    pid_t group = tcgetpgrp(0);
    pair_number("foreground_group", group);
}

static void signals(void) {
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int list = 0; list < 2; list++) {
        json_key(list == 0 ? "signals_blocked" : "signals_ignored");
        json_open('[');
        for (int number = 1; number < 65; number++) {
            struct sigaction action;
            int yes = list == 0 ? sigismember(&blocked, number) == 1
                                : sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
            if (yes) json_number(number);
        }
        json_close(']');
    }
}

static void files_of_proc(void) {
    static const char *const files[][2] = {
        {"cgroup", "/proc/self/cgroup"}, {"oom_score_adj", "/proc/self/oom_score_adj"},
        {"status", "/proc/self/status"}, {"uid_map", "/proc/self/uid_map"},
        {"gid_map", "/proc/self/gid_map"}, {"setgroups", "/proc/self/setgroups"},
        {"label", "/proc/self/attr/current"}, {"timens_offsets", "/proc/self/timens_offsets"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *content = read_whole(files[i][1], NULL);
        pair_string(files[i][0], content);
        free(content);
    }
    char description[512] = "";
    long length = syscall(SYS_keyctl, 6 /* KEYCTL_DESCRIBE */, -3 /* the session keyring */, description, sizeof description);
    pair_string("keyring", length > 0 ? description : errno_name(errno));
}

void report(int argc, char **argv) {
    (void)argc;
    strings("args", argv);
    strings("env", environ);
    identity();
    capabilities();
    limits();
    scheduling();
    namespaces();
    clock_reading("clock_realtime", CLOCK_REALTIME);
    clock_reading("clock_monotonic", CLOCK_MONOTONIC);
    clock_reading("clock_boottime", CLOCK_BOOTTIME);
    terminal();
    signals();
    files_of_proc();
    report_mounts();
    report_descriptors();
    report_network();
}
