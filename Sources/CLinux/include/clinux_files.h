// Part of clinux.h: files and directories, extended attributes, device numbers, loop devices.
#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include <linux/loop.h>
#include <sys/random.h>

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

static inline uint64_t cl_makedev(unsigned major_number, unsigned minor_number) {
    return makedev(major_number, minor_number);
}
static inline unsigned cl_major(uint64_t device) { return major(device); }
static inline unsigned cl_minor(uint64_t device) { return minor(device); }

// What is needed to read images and to write the trees that are in them.
static inline long cl_getrandom(void *buffer, size_t size) { return CL_SYSCALL(SYS_getrandom, buffer, size, 0); }
static inline long cl_pwrite(int fd, const void *buffer, size_t count, int64_t offset) {
    return CL_SYSCALL(SYS_pwrite64, fd, buffer, count, offset);
}
static inline long cl_lseek(int fd, int64_t offset, int whence) { return CL_SYSCALL(SYS_lseek, fd, offset, whence); }
static inline long cl_ftruncate(int fd, int64_t size) { return CL_SYSCALL(SYS_ftruncate, fd, size); }
static inline long cl_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    return CL_SYSCALL(SYS_linkat, from_dir, from, to_dir, to, flags);
}
static inline long cl_utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
    return CL_SYSCALL(SYS_utimensat, directory, path, times, flags);
}
static inline long cl_fallocate(int fd, int mode, int64_t offset, int64_t length) {
    return CL_SYSCALL(SYS_fallocate, fd, mode, offset, length);
}
static inline long cl_fadvise(int fd, int64_t offset, int64_t length, int advice) {
    return CL_SYSCALL(SYS_fadvise64, fd, offset, length, advice);
}
static inline long cl_syncfs(int fd) { return CL_SYSCALL(SYS_syncfs, fd); }

// Extended attributes of an open file; of what a path names, links followed.
static inline long cl_flistxattr(int fd, char *names, size_t size) {
    return CL_SYSCALL(SYS_flistxattr, fd, names, size);
}
static inline long cl_fgetxattr(int fd, const char *name, void *value, size_t size) {
    return CL_SYSCALL(SYS_fgetxattr, fd, name, value, size);
}
static inline long cl_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return CL_SYSCALL(SYS_fsetxattr, fd, name, value, size, 0);
}
static inline long cl_fremovexattr(int fd, const char *name) { return CL_SYSCALL(SYS_fremovexattr, fd, name); }
// Of what is there, links not followed.
static inline long cl_lsetxattr(const char *path, const char *name, const void *value, size_t size) {
    return CL_SYSCALL(SYS_lsetxattr, path, name, value, size, 0);
}
static inline long cl_listxattr(const char *path, char *names, size_t size) {
    return CL_SYSCALL(SYS_listxattr, path, names, size);
}
static const int32_t CL_SEEK_DATA = 3;
static const int32_t CL_SEEK_HOLE = 4;

// Loop devices, loop(4): the number of a free one, and its set-up in one step.
static inline long cl_loop_free(int control) { return CL_SYSCALL(SYS_ioctl, control, LOOP_CTL_GET_FREE, 0); }
static inline long cl_loop_configure(int device, int file, uint64_t offset, uint64_t size, uint32_t flags,
                                     const char *name) {
    struct loop_config config = {.fd = (uint32_t)file};
    config.info.lo_offset = offset;
    config.info.lo_sizelimit = size;
    config.info.lo_flags = flags;
    strncpy((char *)config.info.lo_file_name, name, LO_NAME_SIZE - 1);
    return CL_SYSCALL(SYS_ioctl, device, LOOP_CONFIGURE, &config);
}
static inline long cl_loop_clear(int device) { return CL_SYSCALL(SYS_ioctl, device, LOOP_CLR_FD, 0); }

#endif
