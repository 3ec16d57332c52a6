#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *kind(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "symlink";
    case S_IFCHR: return "character";
    case S_IFBLK: return "block";
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "socket";
    }
    return "unknown";
}

static int describe(const char *path, int flags) {
    struct stat status;
    struct statfs fs;
    char target[4096];
    if (fstatat(AT_FDCWD, path, &status, flags) < 0) {
        pair_result(-1);
        return -1;
    }
    pair_string("type", kind(status.st_mode)), pair_number("mode", status.st_mode & 07777);
    pair_number("uid", status.st_uid), pair_number("gid", status.st_gid);
    pair_number("dev", status.st_dev), pair_number("ino", status.st_ino);
    pair_number("major", major(status.st_rdev)), pair_number("minor", minor(status.st_rdev));
    pair_number("size", status.st_size), pair_number("links", status.st_nlink);
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = 0;
        pair_string("target", target);
    } else if (statfs(path, &fs) == 0) {
        pair_number("filesystem", fs.f_type);
    }
    return -1;
}

static int do_lstat(int argc, char **argv) { return (void)argc, describe(argv[0], AT_SYMLINK_NOFOLLOW); }
static int do_stat(int argc, char **argv) { return (void)argc, describe(argv[0], 0); }

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int do_list(int argc, char **argv) {
    (void)argc;
    DIR *directory = opendir(argv[0]);
    if (!directory) {
        pair_result(-1);
        return -1;
    }
    char *names[4096];
    size_t count = 0;
    for (struct dirent *entry; count < 4096 && (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    json_key("entries");
    json_open('[');
    for (size_t i = 0; i < count; i++) json_string(names[i]);
    json_close(']');
    return -1;
}

static int do_read(int argc, char **argv) {
    size_t length = 0, most = argc > 1 ? strtoul(argv[1], NULL, 0) : (size_t)-1;
    char *content = NULL;
    if (argc > 1) { /* bounded: devices never end */
        int fd = open(argv[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        content = malloc(most + 1);
        ssize_t count = fd < 0 ? -1 : read(fd, content, most);
        if (count < 0) free(content), content = NULL;
        else length = count;
    } else {
        content = read_whole(argv[0], &length);
    }
    if (!content) {
        pair_result(-1);
        return -1;
    }
    json_key("content");
    json_bytes(content, length);
    free(content);
    return -1;
}

static int put(const char *path, const char *data, int flags) {
    int fd = open(path, flags | O_WRONLY | O_CLOEXEC | O_NOCTTY, 0666);
    pair_result(fd < 0 ? -1 : write(fd, data, strlen(data)));
    if (fd >= 0) close(fd);
    return -1;
}

static int do_write(int argc, char **argv) { return (void)argc, put(argv[0], argv[1], 0); }
static int do_create(int argc, char **argv) { return put(argv[0], argc > 1 ? argv[1] : "", O_CREAT | O_EXCL); }

static int do_append(int argc, char **argv) { return (void)argc, put(argv[0], argv[1], O_CREAT | O_APPEND); }

static int do_open(int argc, char **argv) {
    int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    flags |= strcmp(argc > 1 ? argv[1] : "r", "w") == 0 ? O_WRONLY : argc > 1 && argv[1][0] == 'b' ? O_RDWR : O_RDONLY;
    int fd = open(argv[0], flags);
    pair_result(fd < 0 ? -1 : 0);
    if (fd >= 0) close(fd);
    return -1;
}

/* The descriptor stays open, here and in what is executed. */
static int do_lock(int argc, char **argv) {
    (void)argc;
    int fd = open(argv[0], O_RDWR | O_CREAT | O_NOCTTY, 0666);
    return pair_result(fd < 0 ? -1 : flock(fd, LOCK_EX | LOCK_NB)), -1;
}

static int do_mkdir(int argc, char **argv) { return (void)argc, pair_result(mkdir(argv[0], 0755)), -1; }
static int do_rmdir(int argc, char **argv) { return (void)argc, pair_result(rmdir(argv[0])), -1; }
static int do_unlink(int argc, char **argv) { return (void)argc, pair_result(unlink(argv[0])), -1; }
static int do_rename(int argc, char **argv) { return (void)argc, pair_result(rename(argv[0], argv[1])), -1; }
static int do_symlink(int argc, char **argv) { return (void)argc, pair_result(symlink(argv[0], argv[1])), -1; }

static int do_chown(int argc, char **argv) {
    (void)argc;
    return pair_result(lchown(argv[0], strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0))), -1;
}

static int do_chmod(int argc, char **argv) { return (void)argc, pair_result(chmod(argv[0], strtoul(argv[1], NULL, 8))), -1; }

static int do_mknod(int argc, char **argv) {
    (void)argc;
    mode_t type = argv[1][0] == 'b' ? S_IFBLK : argv[1][0] == 'p' ? S_IFIFO : S_IFCHR;
    return pair_result(mknod(argv[0], type | 0666, makedev(atoi(argv[2]), atoi(argv[3])))), -1;
}

static int do_mount(int argc, char **argv) {
    (void)argc;
    return pair_result(mount(argv[0], argv[1], argv[2], strtoul(argv[3], NULL, 0), argv[4])), -1;
}

static int do_umount(int argc, char **argv) { return (void)argc, pair_result(umount2(argv[0], MNT_DETACH)), -1; }

static int do_chroot(int argc, char **argv) { return (void)argc, pair_result(chroot(argv[0])), -1; }
static int do_chdir(int argc, char **argv) { return (void)argc, pair_result(chdir(argv[0])), -1; }

static int do_statfs(int argc, char **argv) {
    (void)argc;
    struct statvfs fs;
    if (statvfs(argv[0], &fs) < 0) return pair_result(-1), -1;
    pair_number("blocks", fs.f_blocks), pair_number("block_size", fs.f_frsize), pair_number("flags", fs.f_flag);
    return -1;
}

const struct verb file_verbs[] = {
    {"stat", 1, 1, do_stat, "PATH: type, mode, owner, device, inode"},
    {"lstat", 1, 1, do_lstat, "PATH: as stat, of the link itself"},
    {"statfs", 1, 1, do_statfs, "PATH: size and flags of the file system"},
    {"list", 1, 1, do_list, "PATH: entries of a directory"},
    {"read", 1, 2, do_read, "PATH [MOST]: content"},
    {"write", 2, 2, do_write, "PATH TEXT: into an existing file"},
    {"create", 1, 2, do_create, "PATH [TEXT]: a new file"},
    {"append", 2, 2, do_append, "PATH TEXT"},
    {"open", 1, 2, do_open, "PATH [r|w|b]: can it be opened?"},
    {"lock", 1, 1, do_lock, "PATH: flock(2) of it, to the end"},
    {"mkdir", 1, 1, do_mkdir, "PATH"},
    {"rmdir", 1, 1, do_rmdir, "PATH"},
    {"unlink", 1, 1, do_unlink, "PATH"},
    {"rename", 2, 2, do_rename, "FROM TO"},
    {"symlink", 2, 2, do_symlink, "TARGET PATH"},
    {"chown", 3, 3, do_chown, "PATH UID GID"},
    {"chmod", 2, 2, do_chmod, "PATH OCTAL"},
    {"mknod", 4, 4, do_mknod, "PATH c|b|p MAJOR MINOR"},
    {"mount", 5, 5, do_mount, "SOURCE TARGET TYPE FLAGS DATA"},
    {"umount", 1, 1, do_umount, "PATH"},
    {"chroot", 1, 1, do_chroot, "PATH"},
    {"chdir", 1, 1, do_chdir, "PATH"},
    {NULL, 0, 0, NULL, NULL},
};
