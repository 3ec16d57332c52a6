// Part of clinux.h: mounts, by descriptors: Documentation/filesystems/mount_api.rst, mount_setattr(2).
#ifndef CLINUX_MOUNTS_H
#define CLINUX_MOUNTS_H

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

#endif
