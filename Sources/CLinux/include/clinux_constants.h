// Constants that Swift does not see because they are macros with casts, or because the headers of the oldest
// supported distribution do not have them yet. Values are the kernel's ABI (include/uapi/linux).
#ifndef CLINUX_CONSTANTS_H
#define CLINUX_CONSTANTS_H

#include <fcntl.h>
#include <stdint.h>

// linux/sched.h
static const uint64_t CL_CLONE_NEWTIME = 0x00000080;
static const uint64_t CL_CLONE_NEWNS = 0x00020000;
static const uint64_t CL_CLONE_NEWCGROUP = 0x02000000;
static const uint64_t CL_CLONE_NEWUTS = 0x04000000;
static const uint64_t CL_CLONE_NEWIPC = 0x08000000;
static const uint64_t CL_CLONE_NEWUSER = 0x10000000;
static const uint64_t CL_CLONE_NEWPID = 0x20000000;
static const uint64_t CL_CLONE_NEWNET = 0x40000000;
static const uint64_t CL_CLONE_PARENT = 0x00008000;
static const uint64_t CL_CLONE_CLEAR_SIGHAND = 0x100000000;

// fcntl.h; what looks alike is another number on another machine
static const int32_t CL_O_PATH = 010000000;
static const int32_t CL_O_TMPFILE = 020000000 | O_DIRECTORY;
static const int32_t CL_O_CLOEXEC = O_CLOEXEC;
static const int32_t CL_O_NOFOLLOW = O_NOFOLLOW;
static const int32_t CL_O_DIRECTORY = O_DIRECTORY;
static const int32_t CL_AT_FDCWD = -100;
static const int32_t CL_AT_SYMLINK_NOFOLLOW = 0x100;
static const int32_t CL_AT_EACCESS = 0x200;
static const int32_t CL_AT_REMOVEDIR = 0x200;
static const int32_t CL_AT_EMPTY_PATH = 0x1000;
static const uint32_t CL_AT_RECURSIVE = 0x8000;

// sys/statvfs.h
static const long CL_ST_RDONLY = 1;

// sys/stat.h
static const uint32_t CL_S_IFIFO = 0010000;
static const uint32_t CL_S_IFCHR = 0020000;
static const uint32_t CL_S_IFBLK = 0060000;
static const uint32_t CL_S_IFREG = 0100000;

// linux/openat2.h
static const uint64_t CL_RESOLVE_NO_XDEV = 0x01;
static const uint64_t CL_RESOLVE_NO_MAGICLINKS = 0x02;
static const uint64_t CL_RESOLVE_NO_SYMLINKS = 0x04;
static const uint64_t CL_RESOLVE_BENEATH = 0x08;
static const uint64_t CL_RESOLVE_IN_ROOT = 0x10;

// linux/mount.h
static const uint32_t CL_OPEN_TREE_CLONE = 1;
static const uint32_t CL_OPEN_TREE_CLOEXEC = 02000000;
static const uint32_t CL_MOVE_MOUNT_F_EMPTY_PATH = 0x04;
static const uint32_t CL_MOVE_MOUNT_T_EMPTY_PATH = 0x40;
static const uint32_t CL_FSOPEN_CLOEXEC = 1;
static const uint32_t CL_FSMOUNT_CLOEXEC = 1;
static const uint32_t CL_FSPICK_CLOEXEC = 1;
static const uint32_t CL_FSPICK_EMPTY_PATH = 8;
static const uint32_t CL_FSCONFIG_SET_FLAG = 0;
static const uint32_t CL_FSCONFIG_SET_STRING = 1;
static const uint32_t CL_FSCONFIG_CMD_CREATE = 6;
static const uint32_t CL_FSCONFIG_CMD_RECONFIGURE = 7;
static const uint64_t CL_MOUNT_ATTR_RDONLY = 0x1;
static const uint64_t CL_MOUNT_ATTR_NOSUID = 0x2;
static const uint64_t CL_MOUNT_ATTR_NODEV = 0x4;
static const uint64_t CL_MOUNT_ATTR_NOEXEC = 0x8;
static const uint64_t CL_MOUNT_ATTR_ATIME = 0x70; // a field, not a bit: relatime is 0
static const uint64_t CL_MOUNT_ATTR_NOATIME = 0x10;
static const uint64_t CL_MOUNT_ATTR_STRICTATIME = 0x20;
static const uint64_t CL_MOUNT_ATTR_NODIRATIME = 0x80;
static const uint64_t CL_MOUNT_ATTR_IDMAP = 0x100000;
static const uint64_t CL_MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
static const int32_t CL_UMOUNT_NOFOLLOW = 8; // sys/mount.h
static const uint64_t CL_MS_UNBINDABLE = 1 << 17;
static const uint64_t CL_MS_PRIVATE = 1 << 18;
static const uint64_t CL_MS_SLAVE = 1 << 19;
static const uint64_t CL_MS_SHARED = 1 << 20;

// linux/magic.h
static const int64_t CL_PROC_SUPER_MAGIC = 0x9fa0;
static const int64_t CL_DEVPTS_SUPER_MAGIC = 0x1cd1;
static const int64_t CL_CGROUP2_SUPER_MAGIC = 0x63677270;

// linux/prctl.h
static const int32_t CL_PR_SET_PDEATHSIG = 1;
static const int32_t CL_PR_SET_DUMPABLE = 4;
static const int32_t CL_PR_SET_KEEPCAPS = 8;
static const int32_t CL_PR_CAPBSET_READ = 23;
static const int32_t CL_PR_CAPBSET_DROP = 24;
static const int32_t CL_PR_SET_SECUREBITS = 28;
static const int32_t CL_PR_SET_NO_NEW_PRIVS = 38;
static const int32_t CL_PR_GET_NO_NEW_PRIVS = 39;
static const int32_t CL_PR_SET_CHILD_SUBREAPER = 36;
static const int32_t CL_PR_CAP_AMBIENT = 47;
static const int32_t CL_PR_CAP_AMBIENT_RAISE = 2;
static const int32_t CL_PR_CAP_AMBIENT_CLEAR_ALL = 4;

// linux/close_range.h, linux/nsfs.h: _IO(0xb7, 3)
static const uint32_t CL_CLOSE_RANGE_CLOEXEC = 4;
static const unsigned long CL_NS_GET_NSTYPE = 0xb703;

// signal.h: rt_sigprocmask(2)
static const int32_t CL_SIG_BLOCK = 0;
static const int32_t CL_SIG_UNBLOCK = 1;
static const int32_t CL_SIG_SETMASK = 2;

#endif
