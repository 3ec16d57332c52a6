// The program's entry point in release builds: goes on as the same program from a read-only mount, before the C library
// and Swift's runtime have started, so that they start once and not twice. What this protects against, and the same
// steps in Swift (which find nothing left to do after these), are in LinuxSystem/SealedExecutable.swift.
//
// No C library exists yet: raw system calls, no errno, no thread-local data. Whatever fails here is left to the Swift
// code, which can report it.
#include <stddef.h>

#if defined(__x86_64__) || defined(__aarch64__)

enum {
    at_fdcwd = -100,
    at_empty_path = 0x1000,
    open_tree_clone_cloexec = 1 | 02000000,
    mount_attr_rdonly = 1,
    st_rdonly = 1,
    sys_open_tree = 428,
    sys_mount_setattr = 442,
#if defined(__x86_64__)
    sys_statfs = 137,
    sys_execveat = 322,
#else
    sys_statfs = 43,
    sys_execveat = 281,
#endif
};

__attribute__((no_stack_protector)) static long raw(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#endif
}

__attribute__((no_stack_protector)) static int same(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

// Whether some argument is a command that makes processes of a container. An option's value may be such a word too;
// then the program is sealed without need, and nothing else is different.
__attribute__((no_stack_protector)) static int makes_processes(char *const *arguments) {
    for (; *arguments; arguments++)
        if (same(*arguments, "create") || same(*arguments, "run") || same(*arguments, "exec") ||
            same(*arguments, "restore") || same(*arguments, "launch"))
            return 1;
    return 0;
}

__attribute__((no_stack_protector, used)) void cl_seal(long *stack) {
    char **arguments = (char **)(stack + 1);
    char **environment = arguments + stack[0] + 1;
    if (stack[0] < 1 || !makes_processes(arguments + 1)) return;
    const char *self = "/proc/self/exe";
    long status[32];
    if (raw(sys_statfs, (long)self, (long)status, 0, 0, 0) < 0) return;
    enum { statfs_flags = 80 / sizeof(long) }; // struct statfs, f_flags
    if (status[statfs_flags] & st_rdonly) return;
    long tree = raw(sys_open_tree, at_fdcwd, (long)self, open_tree_clone_cloexec, 0, 0);
    if (tree < 0) return;
    unsigned long attributes[4] = {mount_attr_rdonly, 0, 0, 0};
    if (raw(sys_mount_setattr, tree, (long)"", at_empty_path, (long)attributes, sizeof attributes) < 0) return;
    raw(sys_execveat, tree, (long)"", (long)arguments, (long)environment, at_empty_path);
}

#if defined(__x86_64__)
__asm__(".text\n.globl cl_sealed_start\n.type cl_sealed_start,@function\ncl_sealed_start:\n"
        "    mov %rsp, %rdi\n"
        "    mov %rdx, %rbx\n" // what the kernel passes to _start for atexit
        "    and $-16, %rsp\n"
        "    mov %rdi, %rbp\n"
        "    call cl_seal\n"
        "    mov %rbp, %rsp\n"
        "    mov %rbx, %rdx\n"
        "    xor %ebp, %ebp\n"
        "    jmp _start\n");
#else
__asm__(".text\n.globl cl_sealed_start\n.type cl_sealed_start,%function\ncl_sealed_start:\n"
        "    mov x19, x0\n"
        "    mov x0, sp\n"
        "    bl cl_seal\n"
        "    mov x0, x19\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    b _start\n");
#endif
#endif
