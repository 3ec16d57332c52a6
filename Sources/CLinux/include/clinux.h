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
#include <time.h>
#include <unistd.h>

#include "clinux_constants.h"
#include "clinux_digest.h"

static inline long cl_result(long value) { return value < 0 ? -(long)errno : value; }
#define CL_SYSCALL(...) cl_result(syscall(__VA_ARGS__))

// GNU extensions of glibc, declared here because the headers are read without _GNU_SOURCE, as Swift's own module is.
extern char **environ;
extern const char *strerrordesc_np(int error);
extern const char *strerrorname_np(int error);
static inline char **cl_environment(void) { return environ; }
static inline const char *cl_error_text(int error) { return strerrordesc_np(error); }
static inline const char *cl_error_name(int error) { return strerrorname_np(error); }

#include "clinux_bpf.h"
#include "clinux_files.h"
#include "clinux_mounts.h"
#include "clinux_netlink.h"
#include "clinux_processes.h"
#include "clinux_seccomp.h"
#include "clinux_sockets.h"
#include "clinux_terminals.h"

#endif
