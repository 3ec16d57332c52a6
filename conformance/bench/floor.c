// The floor: the kernel's work for one container of config.json beside this file, and nothing else.
//
// No runtime can be faster than the kernel. This program makes the system calls that such a container needs, in one
// straight line, from constants: it reads no configuration, checks nothing but that each call succeeds, keeps no
// state but a pid, writes no log, and defends itself against nothing. What it does:
//
//   parent  finds the mounted control group hierarchies in /proc/self/mountinfo; makes a group in each, fills in
//           cpuset.cpus and cpuset.mems (a new group has none, and nothing may run there), writes the device rules
//   clone3  with new pid, network, ipc, uts and mount namespaces, into the group of the version 2 hierarchy
//   child   enters the groups, then makes the cgroup namespace (its root is the group that one is in at that moment);
//           brings lo up, sets the host name; makes mounts private, binds the root file system; mounts proc, dev
//           (tmpfs), devpts, shm, mqueue, sysfs and the control groups; makes six devices and five symbolic links;
//           pivot_root; masked and read-only paths; read-only root; session keyring, limits, capabilities,
//           no_new_privs; closes descriptors and executes /bin/true
//   parent  waits, and removes the groups
//
// It takes the cheapest way known for each step. A runtime has to do more (parse, check, resolve paths safely, store
// its state, talk to its child), so this is a lower bound and not a goal that can be reached. On a pure version 2
// layout it attaches no device program, and is lower still.
//
// floor run ROOTFS NAME             all of it; NAME is the name of the control groups
// floor create ROOTFS NAME STATE    up to the exec: the child waits at a fifo in the new directory STATE
// floor start STATE                 lets it go on
// floor delete NAME STATE           removes the groups and STATE
// floor exec PID NAME               another /bin/true in the namespaces of PID and in the groups NAME
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void die(const char *what, const char *path) {
    fprintf(stderr, "floor: %s %s: %s\n", what, path, strerror(errno));
    _exit(1);
}

static void check(long result, const char *what, const char *path) {
    if (result < 0) die(what, path);
}

// The control groups.

struct hierarchy {
    char point[128];   // where it is mounted, and the path of the container's group below
    char group[192];
    char name[64];     // the last part of the mount point: "memory", "systemd"
    int version;
    int tasks;         // the group's file `tasks`; -1 on version 2
};
static struct hierarchy hierarchies[24];
static int hierarchy_count;

static void write_file(int directory, const char *name, const char *text, size_t length) {
    int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);
    check(fd, "open", name);
    check(write(fd, text, length), "write", name);
    close(fd);
}

static void find_hierarchies(const char *name) {
    static char text[1 << 16];
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    check(fd, "open", "/proc/self/mountinfo");
    size_t length = 0;
    for (ssize_t n; length < sizeof text - 1 && (n = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += n;
    close(fd);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *kind = strstr(line, " - cgroup");
        struct hierarchy *h = &hierarchies[hierarchy_count];
        char point[128];
        if (!kind || sscanf(line, "%*s %*s %*s %*s %127s", point) != 1) continue;
        if (strncmp(point, "/sys/fs/cgroup", 14) || hierarchy_count == COUNT(hierarchies) - 1) continue;
        h->version = kind[9] == '2' ? 2 : 1;
        snprintf(h->name, sizeof h->name, "%.63s", strrchr(point, '/') + 1);
        snprintf(h->group, sizeof h->group, "%s/%.60s", point, name);
        strcpy(h->point, point);
        hierarchy_count++;
    }
}

// A new cpuset group is empty and nothing may enter it: it gets what the group above has.
static void copy_cpuset(const char *file, const char *point, int group) {
    char path[192], text[256];
    snprintf(path, sizeof path, "%s/%s", point, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd, "open", path);
    ssize_t length = read(fd, text, sizeof text);
    check(length, "read", path);
    close(fd);
    write_file(group, file, text, length);
}

// What config.json allows: making any device node, and using those that every container has.
static void write_device_rules(int group) {
    static const char *const allow[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm",   "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm",
                                        "c 1:9 rwm", "c 5:0 rwm", "c 136:* rwm", "c 5:2 rwm"};
    write_file(group, "devices.deny", "a", 1);
    int fd = openat(group, "devices.allow", O_WRONLY | O_CLOEXEC);
    check(fd, "open", "devices.allow");
    for (size_t i = 0; i < COUNT(allow); i++) check(write(fd, allow[i], strlen(allow[i])), "write", allow[i]);
    close(fd);
}

// FLOOR_MEMORY=BYTES: the most memory, with no swap beyond it.
static void limit_memory(const struct hierarchy *h, int group) {
    const char *limit = getenv("FLOOR_MEMORY");
    if (!limit) return;
    if (h->version == 1) {
        if (strcmp(h->name, "memory")) return;
        write_file(group, "memory.limit_in_bytes", limit, strlen(limit));
        write_file(group, "memory.memsw.limit_in_bytes", limit, strlen(limit));
    } else if (hierarchy_count == 1) {
        write_file(group, "memory.swap.max", "0", 1);
        write_file(group, "memory.max", limit, strlen(limit));
    }
}

static int make_groups(void) {
    int unified = -1;
    for (int i = 0; i < hierarchy_count; i++) {
        struct hierarchy *h = &hierarchies[i];
        check(mkdir(h->group, 0755), "mkdir", h->group);
        int group = open(h->group, O_PATH | O_DIRECTORY | O_CLOEXEC);
        check(group, "open", h->group);
        if (!strcmp(h->name, "cpuset") && h->version == 1) {
            copy_cpuset("cpuset.cpus", h->point, group);
            copy_cpuset("cpuset.mems", h->point, group);
        }
        if (!strcmp(h->name, "devices") && h->version == 1) write_device_rules(group);
        limit_memory(h, group);
        h->tasks = -1;
        if (h->version == 2) {
            unified = open(h->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            check(unified, "open", h->group);
        } else {
            h->tasks = openat(group, "tasks", O_WRONLY | O_CLOEXEC);
            check(h->tasks, "open", "tasks");
        }
        close(group);
    }
    return unified;
}

// A thread that writes 0 moves itself, and only itself: the kernel then need not stop forks in the whole system, as
// it does for a process that is moved through cgroup.procs.
static void enter_groups(void) {
    for (int i = 0; i < hierarchy_count; i++)
        if (hierarchies[i].tasks >= 0) check(write(hierarchies[i].tasks, "0", 1), "write", hierarchies[i].group);
}

static void remove_groups(void) {
    for (int i = 0; i < hierarchy_count; i++)
        while (rmdir(hierarchies[i].group) < 0)
            if (errno != EBUSY) die("rmdir", hierarchies[i].group);
}

// The root file system. Paths are relative to the working directory, which is the new root.

static void mount_one(const char *source, const char *target, const char *kind, unsigned long flags, const char *data) {
    check(mount(source, target, kind, flags, data), "mount", target);
}

static void mount_control_groups(void) {
    enum { COMMON = MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RELATIME };
    if (hierarchy_count == 1 && hierarchies[0].version == 2) {
        mount_one("cgroup", "sys/fs/cgroup", "cgroup2", COMMON | MS_RDONLY, NULL);
        return;
    }
    mount_one("tmpfs", "sys/fs/cgroup", "tmpfs", COMMON, "mode=755");
    for (int i = 0; i < hierarchy_count; i++) {
        struct hierarchy *h = &hierarchies[i];
        char target[96];
        snprintf(target, sizeof target, "sys/fs/cgroup/%s", h->name);
        check(mkdir(target, 0755), "mkdir", target);
        mount_one(h->group, target, NULL, MS_BIND, NULL);
        mount_one(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | COMMON, NULL);
    }
    mount_one(NULL, "sys/fs/cgroup", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | COMMON, NULL);
}

static void make_devices(void) {
    static const struct { const char *path; int major, minor; } devices[] = {
        {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
    static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"},
        {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
    umask(0);
    for (size_t i = 0; i < COUNT(devices); i++)
        check(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)), "mknod", devices[i].path);
    umask(022);
    for (size_t i = 0; i < COUNT(links); i++) check(symlink(links[i][0], links[i][1]), "symlink", links[i][1]);
}

static void mount_all(const char *rootfs) {
    mount_one(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mount_one(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
    check(chdir(rootfs), "chdir", rootfs);
    mount_one("proc", "proc", "proc", 0, NULL);
    mount_one("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    check(mkdir("dev/pts", 0755) | mkdir("dev/shm", 0755) | mkdir("dev/mqueue", 0755), "mkdir", "dev");
    mount_one("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount_one("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k");
    mount_one("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
    mount_one("sysfs", "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL);
    mount_control_groups();
    make_devices();
}

// The old root ends up below the new one at the same place, and is detached from there.
static void pivot(void) {
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root", ".");
    check(umount2(".", MNT_DETACH), "umount", "the old root");
    check(chdir("/"), "chdir", "/");
}

static void hide_paths(void) {
    static const char *const masked[] = {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"};
    static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    for (size_t i = 0; i < COUNT(masked); i++) {
        if (!mount("/dev/null", masked[i], NULL, MS_BIND, NULL) || errno == ENOENT) continue;
        if (errno != ENOTDIR) die("mount", masked[i]);
        mount_one("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL);
    }
    for (size_t i = 0; i < COUNT(read_only); i++) {
        if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) < 0) {
            if (errno != ENOENT) die("mount", read_only[i]);
            continue;
        }
        mount_one(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
    }
    mount_one(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

// The process.

static void set_network_and_names(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(fd, "socket", "");
    check(ioctl(fd, SIOCSIFFLAGS, &request), "ioctl", "lo");
    close(fd);
    check(sethostname("bench", 5), "sethostname", "");
}

static void drop_privileges(void) {
    const uint32_t keep = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{keep, keep, 0}, {0, 0, 0}};
    struct rlimit files = {1024, 1024};
    check(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "floor"), "keyctl", "");
    check(setrlimit(RLIMIT_NOFILE, &files), "setrlimit", "");
    for (int cap = 0; cap < 32; cap++)
        if (!(keep >> cap & 1)) check(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "prctl", "");
    for (int cap = 32; cap <= CAP_LAST_CAP && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++) {}
    check(syscall(SYS_setgroups, 0, NULL), "setgroups", "");
    check(syscall(SYS_setresgid, 0, 0, 0), "setresgid", "");
    check(syscall(SYS_setresuid, 0, 0, 0), "setresuid", "");
    check(syscall(SYS_capset, &header, data), "capset", "");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "");
}

static void run_container(const char *rootfs, int ready, int fifo) {
    static char *const arguments[] = {"/bin/true", NULL};
    static char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};
    enter_groups();
    check(unshare(CLONE_NEWCGROUP), "unshare", "");
    set_network_and_names();
    mount_all(rootfs);
    pivot();
    hide_paths();
    drop_privileges();
    if (fifo >= 0) {
        char path[32];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fifo);
        check(write(ready, "1", 1), "write", "ready");
        close(ready);
        fifo = open(path, O_WRONLY | O_CLOEXEC);   // returns when `start` opens the other end
        check(fifo, "open", "fifo");
        check(write(fifo, "1", 1), "write", "fifo");
    }
    check(syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */), "close_range", "");
    execve("/bin/true", arguments, environment);
    die("execve", "/bin/true");
}

static pid_t make_container(const char *rootfs, const char *name, int ready, int fifo) {
    find_hierarchies(name);
    int unified = make_groups();
    struct clone_args arguments = {
        .flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS,
        .exit_signal = SIGCHLD,
    };
    if (unified >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = unified;
    }
    pid_t pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    check(pid, "clone3", "");
    if (pid == 0) run_container(rootfs, ready, fifo);
    return pid;
}

static int run(const char *rootfs, const char *name) {
    pid_t pid = make_container(rootfs, name, -1, -1);
    int status;
    check(waitpid(pid, &status, 0), "waitpid", "");
    remove_groups();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int create(const char *rootfs, const char *name, const char *state) {
    char fifo[256], byte;
    int ends[2];
    check(mkdir(state, 0700), "mkdir", state);
    int directory = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
    check(directory, "open", state);
    snprintf(fifo, sizeof fifo, "%.240s/exec.fifo", state);
    check(mkfifo(fifo, 0622), "mkfifo", fifo);
    check(pipe2(ends, O_CLOEXEC), "pipe", "");
    pid_t pid = make_container(rootfs, name, ends[1], open(fifo, O_PATH | O_CLOEXEC));
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) return 1;
    int file = openat(directory, "pid", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    check(file, "open", "pid");
    check(dprintf(file, "%d", pid), "write", "pid");
    return 0;
}

static int start(const char *state) {
    char fifo[256], byte;
    snprintf(fifo, sizeof fifo, "%.240s/exec.fifo", state);
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);
    check(fd, "open", fifo);
    check(read(fd, &byte, 1) == 1 ? 0 : -1, "read", fifo);
    check(unlink(fifo), "unlink", fifo);
    return 0;
}

static int delete(const char *name, const char *state) {
    char path[256];
    find_hierarchies(name);
    remove_groups();
    snprintf(path, sizeof path, "%.240s/pid", state);
    check(unlink(path), "unlink", path);
    check(rmdir(state), "rmdir", state);
    return 0;
}

// The namespaces in one step, but that of control groups, which is entered from the inside; the groups; the settings of
// the container's process.
static int exec(const char *pid_text, const char *name) {
    static char *const arguments[] = {"/bin/true", NULL};
    static char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};
    struct clone_args clone = {.exit_signal = SIGCHLD};
    int status, container = syscall(SYS_pidfd_open, atoi(pid_text), 0);
    check(container, "pidfd_open", pid_text);
    find_hierarchies(name);
    for (int i = 0; i < hierarchy_count; i++) {
        struct hierarchy *h = &hierarchies[i];
        char path[256];
        snprintf(path, sizeof path, "%s/tasks", h->group);
        h->tasks = h->version == 2 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
        if (h->version == 1) check(h->tasks, "open", path);
        if (h->version == 1) continue;
        clone.flags |= CLONE_INTO_CGROUP;
        clone.cgroup = open(h->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    check(setns(container, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS), "setns", pid_text);
    pid_t pid = syscall(SYS_clone3, &clone, sizeof clone);
    check(pid, "clone3", "");
    if (pid == 0) {
        enter_groups();
        check(setns(container, CLONE_NEWCGROUP), "setns", pid_text);
        check(setsid(), "setsid", "");
        drop_privileges();
        check(chdir("/"), "chdir", "/");
        check(syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */), "close_range", "");
        execve("/bin/true", arguments, environment);
        die("execve", "/bin/true");
    }
    check(waitpid(pid, &status, 0), "waitpid", "");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "run")) return run(argv[2], argv[3]);
    if (argc == 5 && !strcmp(argv[1], "create")) return create(argv[2], argv[3], argv[4]);
    if (argc == 3 && !strcmp(argv[1], "start")) return start(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "delete")) return delete(argv[2], argv[3]);
    if (argc == 4 && !strcmp(argv[1], "exec")) return exec(argv[2], argv[3]);
    fputs("usage: floor run ROOTFS NAME | create ROOTFS NAME STATE | start STATE | delete NAME STATE | exec PID NAME\n", stderr);
    return 2;
}
