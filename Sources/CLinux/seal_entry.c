// The program's entry point in release builds: makes the process one of the same program on a read-only mount, before the
// C library and Swift's runtime have started. What this protects against, and the same in Swift (which finds nothing left
// to do after this), is in LinuxSystem/SealedExecutable.swift.
//
// Nothing of the program has been written to yet, so its segments can be mapped again from the file on that mount, and the
// kernel told that this is the file that is executed (PR_SET_MM_MAP, prctl(2)): that costs a third of executing it again,
// which is what is done where the kernel does not allow this.
//
// No C library exists yet: raw system calls, no errno, no thread-local data. Whatever fails here is left to the Swift
// code, which can report it.
#include <elf.h>
#include <linux/prctl.h>
#include <stddef.h>

#if defined(SWRUN_STATIC) && (defined(__x86_64__) || defined(__aarch64__))

extern char **cl_arguments; // swift_startup.c
extern int cl_argument_count;

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
    sys_openat = 257,
    sys_close = 3,
    sys_mmap = 9,
    sys_brk = 12,
    sys_prctl = 157,
#else
    sys_statfs = 43,
    sys_execveat = 281,
    sys_openat = 56,
    sys_close = 57,
    sys_mmap = 222,
    sys_brk = 214,
    sys_prctl = 167,
#endif
};

__attribute__((no_stack_protector)) static long raw6(
    long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#endif
}

__attribute__((no_stack_protector)) static long raw(long number, long a, long b, long c, long d, long e) {
    return raw6(number, a, b, c, d, e, 0);
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

// One past the end of the last string of a list, or `otherwise` for an empty list.
__attribute__((no_stack_protector)) static unsigned long end_of(char *const *strings, unsigned long otherwise) {
    if (!*strings) return otherwise;
    while (strings[1]) strings++;
    const volatile char *end = *strings; // or the compiler would call strlen(3), which needs the C library
    while (*end) end++;
    return (unsigned long)end + 1;
}

// AT_PAGESZ of the vector that follows the environment, getauxval(3). 0 when it is not there.
__attribute__((no_stack_protector)) static unsigned long page_size(char *const *environment) {
    while (*environment) environment++;
    const Elf64_auxv_t *entry = (const Elf64_auxv_t *)(environment + 1);
    while (entry->a_type != AT_NULL && entry->a_type != AT_PAGESZ) entry++;
    return entry->a_type == AT_PAGESZ ? entry->a_un.a_val : 0;
}

// A word at a time: there may be a page of it. `volatile`, or the compiler would call memset(3).
__attribute__((no_stack_protector)) static void clear_to(unsigned long start, unsigned long end) {
    while (start % sizeof(long) && start < end) *(volatile char *)start++ = 0;
    for (; start < end; start += sizeof(long)) *(volatile long *)start = 0;
}

// Where the linker put the program's header. Release builds have a fixed address.
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

// Takes the program's memory from `file`, which is the same program, and makes that the file which is executed.
// Nothing has changed when this returns.
__attribute__((no_stack_protector)) static void become(
    int file, long *stack, char *const *arguments, char *const *environment) {
    enum { prot_r = 1, prot_w = 2, prot_x = 4, map_private_fixed = 2 | 16 };
    struct prctl_mm_map map = {0};
    unsigned long page = page_size(environment);
    if (!page || __ehdr_start.e_type != ET_EXEC) return;
    const Elf64_Phdr *headers = (const Elf64_Phdr *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    int count = __ehdr_start.e_phnum;
    for (int i = 0; i < count; i++) {
        Elf64_Phdr segment = headers[i];
        if (segment.p_type != PT_LOAD) continue;
        unsigned long before = segment.p_vaddr % page, end = segment.p_vaddr + segment.p_filesz;
        long protection = (segment.p_flags & PF_R ? prot_r : 0) | (segment.p_flags & PF_W ? prot_w : 0) |
                          (segment.p_flags & PF_X ? prot_x : 0);
        if (raw6(sys_mmap, segment.p_vaddr - before, segment.p_filesz + before, protection, map_private_fixed, file,
                 segment.p_offset - before) < 0)
            return;
        // What follows in the file is not what follows in memory.
        if (segment.p_flags & PF_W) clear_to(end, (end + page - 1) / page * page);
        if (segment.p_flags & PF_X) map.start_code = segment.p_vaddr, map.end_code = end;
        if (segment.p_flags & PF_W) map.start_data = segment.p_vaddr, map.end_data = end;
    }
    map.start_brk = map.brk = raw(sys_brk, 0, 0, 0, 0, 0);
    map.start_stack = (unsigned long)stack;
    map.arg_start = (unsigned long)arguments[0];
    map.arg_end = map.env_start = end_of(arguments, 0);
    map.env_end = end_of(environment, map.env_start);
    map.exe_fd = file;
    raw(sys_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)&map, sizeof map, 0);
}

// A descriptor that can be read from, for one that only stands for a file.
__attribute__((no_stack_protector)) static long open_again(long descriptor) {
    char path[] = "/proc/self/fd/\0\0\0\0";
    char *number = path + sizeof "/proc/self/fd/" - 1;
    if (descriptor > 9999) return -1;
    for (long rest = descriptor; rest > 9; rest /= 10) number++;
    for (; *number != '/'; number--, descriptor /= 10) *number = (char)('0' + descriptor % 10);
    return raw(sys_openat, at_fdcwd, (long)path, 02000000, 0, 0);
}

__attribute__((no_stack_protector)) static int is_sealed(void) {
    long status[32];
    if (raw(sys_statfs, (long)"/proc/self/exe", (long)status, 0, 0, 0) < 0) return 1;
    enum { statfs_flags = 80 / sizeof(long) }; // struct statfs, f_flags
    return (status[statfs_flags] & st_rdonly) != 0;
}

__attribute__((no_stack_protector)) static void seal(long *stack) {
    char **arguments = (char **)(stack + 1);
    char **environment = arguments + stack[0] + 1;
    if (stack[0] < 1 || !makes_processes(arguments + 1)) return;
    if (is_sealed()) return;
    long tree = raw(sys_open_tree, at_fdcwd, (long)"/proc/self/exe", open_tree_clone_cloexec, 0, 0);
    if (tree < 0) return;
    unsigned long attributes[4] = {mount_attr_rdonly, 0, 0, 0};
    if (raw(sys_mount_setattr, tree, (long)"", at_empty_path, (long)attributes, sizeof attributes) < 0) return;
    long file = open_again(tree);
    if (file >= 0) become(file, stack, arguments, environment);
    if (!is_sealed()) raw(sys_execveat, tree, (long)"", (long)arguments, (long)environment, at_empty_path);
    if (file >= 0) raw(sys_close, file, 0, 0, 0, 0);
    raw(sys_close, tree, 0, 0, 0, 0);
}

__attribute__((no_stack_protector, used)) void cl_start(long *stack) {
    seal(stack);
    // Only now is the program's memory its own.
    cl_argument_count = (int)stack[0];
    cl_arguments = (char **)(stack + 1);
}

#if defined(__x86_64__)
__asm__(".text\n.globl cl_sealed_start\n.type cl_sealed_start,@function\ncl_sealed_start:\n"
        "    mov %rsp, %rdi\n"
        "    mov %rdx, %rbx\n" // what the kernel passes to _start for atexit
        "    and $-16, %rsp\n"
        "    mov %rdi, %rbp\n"
        "    call cl_start\n"
        "    mov %rbp, %rsp\n"
        "    mov %rbx, %rdx\n"
        "    xor %ebp, %ebp\n"
        "    jmp _start\n");
#else
__asm__(".text\n.globl cl_sealed_start\n.type cl_sealed_start,%function\ncl_sealed_start:\n"
        "    mov x19, x0\n"
        "    mov x0, sp\n"
        "    bl cl_start\n"
        "    mov x0, x19\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    b _start\n");
#endif
#endif
