#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    long number;
} calls[] = {
    {"getpid", SYS_getpid}, {"getppid", SYS_getppid}, {"getuid", SYS_getuid}, {"getcwd", SYS_getcwd},
    {"setgroups", SYS_setgroups}, {"setuid", SYS_setuid}, {"setgid", SYS_setgid}, {"unshare", SYS_unshare},
    {"setns", SYS_setns}, {"sethostname", SYS_sethostname}, {"setdomainname", SYS_setdomainname},
    {"personality", SYS_personality}, {"ptrace", SYS_ptrace}, {"kexec_load", SYS_kexec_load}, {"bpf", SYS_bpf},
    {"keyctl", SYS_keyctl}, {"add_key", SYS_add_key}, {"mkdirat", SYS_mkdirat}, {"fchmodat", SYS_fchmodat},
    {"socket", SYS_socket}, {"sync", SYS_sync}, {"umask", SYS_umask}, {"sched_yield", SYS_sched_yield},
    {"setpriority", SYS_setpriority}, {"getpriority", SYS_getpriority}, {"nice", SYS_setpriority},
    {"clock_settime", SYS_clock_settime}, {"reboot", SYS_reboot}, {"swapon", SYS_swapon}, {"chroot", SYS_chroot},
    {"open_by_handle_at", SYS_open_by_handle_at}, {"mount", SYS_mount}, {"umount2", SYS_umount2},
    {"pivot_root", SYS_pivot_root}, {"init_module", SYS_init_module}, {"acct", SYS_acct}, {"syslog", SYS_syslog},
    {"sysinfo", SYS_sysinfo}, {"getsid", SYS_getsid}, {"getpgid", SYS_getpgid}, {"madvise", SYS_madvise},
    {"dup", SYS_dup}, {"lseek", SYS_lseek}, {"fcntl", SYS_fcntl}, {"prctl", SYS_prctl},
};

/* Raw numbers; "@TEXT" passes the address of TEXT. A name that the table lacks is a number, for calls that no
 * kernel has. */
static long call(int argc, char **argv) {
    long number = strtol(argv[0], NULL, 0), values[6] = {0};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, argv[0]) == 0) number = calls[i].number;
    for (int i = 1; i < argc; i++)
        values[i - 1] = argv[i][0] == '@' ? (long)(argv[i] + 1) : (long)strtoull(argv[i], NULL, 0);
    return syscall(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

static int do_syscall(int argc, char **argv) { return pair_result(call(argc, argv)), -1; }

static int do_risk(int argc, char **argv) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) _exit(call(argc, argv) < 0 ? 1 : 0);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) pair_number("signal", WTERMSIG(status));
    else pair_number("exit", WEXITSTATUS(status));
    return -1;
}

#ifdef __x86_64__
/* The way of 32 bit programs into the kernel, where calls have the numbers of 32 bit x86. */
static int do_int80(int argc, char **argv) {
    long result = strtol(argv[0], NULL, 0), values[3] = {0};
    for (int i = 1; i < argc; i++) values[i - 1] = strtol(argv[i], NULL, 0);
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(values[0]), "c"(values[1]), "d"(values[2])
                     : "memory", "r8", "r9", "r10", "r11");
    if (result < 0 && result > -4096) errno = -result, result = -1;
    return pair_result(result), -1;
}
#endif

struct thread_call {
    int count, argc;
    char **argv;
};

static void *repeat_call(void *data) {
    struct thread_call *work = data;
    long failed = 0;
    for (int i = 0; i < work->count; i++) failed += call(work->argc, work->argv) < 0;
    return (void *)failed;
}

static int do_threads(int argc, char **argv) {
    pthread_t threads[64];
    struct thread_call work = {atoi(argv[1]), argc - 2, argv + 2};
    int count = atoi(argv[0]) < 64 ? atoi(argv[0]) : 64;
    long failed = 0;
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, repeat_call, &work)) return pair_result(-1), -1;
    for (int i = 0; i < count; i++) {
        void *result;
        pthread_join(threads[i], &result);
        failed += (long)result;
    }
    pair_number("failed", failed);
    return -1;
}

static int do_resolve(int argc, char **argv) {
    (void)argc;
    char path[64], target[4096];
    int fd = open(argv[0], O_PATH | O_CLOEXEC);
    if (fd < 0) return pair_result(-1), -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(path, target, sizeof target - 1);
    close(fd);
    if (count < 0) return pair_result(-1), -1;
    target[count] = 0;
    pair_string("path", target);
    return -1;
}

/* Touches memory, page by page, so that the kernel must provide it. */
static int do_memory(int argc, char **argv) {
    (void)argc;
    size_t size = strtoull(argv[0], NULL, 0);
    char *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return pair_result(-1), -1;
    for (size_t at = 0; at < size; at += 4096) block[at] = 1;
    pair_number("result", 0);
    return -1;
}

/* Huge pages of 2 MiB: their reservation, which may fail, and in a child their use, which may be deadly. */
static int do_huge(int argc, char **argv) {
    (void)argc;
    enum { size_2_mib = 21 << 26 };
    size_t size = strtoull(argv[0], NULL, 0);
    int status = 0, flags = MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | size_2_mib;
    char *block = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (block == MAP_FAILED) return pair_result(-1), -1;
    pid_t child = fork();
    if (child == 0) {
        for (size_t at = 0; at < size; at += 2 << 20) block[at] = 1;
        _exit(0);
    }
    waitpid(child, &status, 0);
    munmap(block, size);
    pair_number("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return -1;
}

const struct verb system_verbs[] = {
    {"syscall", 1, 7, do_syscall, "NAME [ARGUMENT...]: result or errno; @TEXT passes an address"},
    {"risk", 1, 7, do_risk, "NAME [ARGUMENT...]: in a child, tells the signal that killed it"},
#ifdef __x86_64__
    {"int80", 1, 4, do_int80, "NUMBER [ARGUMENT...]: a system call as 32 bit programs make it; result or errno"},
#endif
    {"threads", 3, 8, do_threads, "COUNT TIMES NAME [ARGUMENT...]: a system call, by threads, each some times"},
    {"resolve", 1, 1, do_resolve, "PATH: where it leads to"},
    {"memory", 1, 1, do_memory, "BYTES: touches them all"},
    {"huge", 1, 1, do_huge, "BYTES: of huge pages, touches them all"},
    {NULL, 0, 0, NULL, NULL},
};
