// What is needed to read images and to write the trees that are in them. Included by clinux.h.
#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include <linux/loop.h>
#include <sys/random.h>

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
