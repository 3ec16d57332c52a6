// In release builds, what the C library does between the entry point and main, without what only programs need that load
// shared libraries while they run; the linker takes what is here instead of what the library has.
//
// The library asks the processor some fifty questions (CPUID) to choose among its fastest ways of copying megabytes, then
// looks for the directory of the program and for functions in the vDSO. In a virtual machine each of those questions is
// answered by the hypervisor: 0.2 ms altogether, a third of what the shortest command takes. Without the answers the
// library uses the instructions that every x86-64 processor has. GLIBC_TUNABLES is not read either: a program that root
// runs for others has no use for it.
//
// The order of the steps and their names are those of glibc 2.36 (csu/libc-start.c); any other version starts itself. Where
// privileges were raised by the file's mode, the library does its part for shared libraries too: it clears the environment.
#define _GNU_SOURCE
#include <features.h>

#if defined(SWRUN_STATIC) && defined(__x86_64__) && defined(__GLIBC__) && __GLIBC__ == 2 && __GLIBC_MINOR__ == 36
#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);

extern void *__libc_stack_end;
extern int __libc_enable_secure;
extern int _dl_stack_flags;
extern const Elf64_Phdr *_dl_phdr;
extern size_t _dl_phnum;
extern size_t _dl_pagesize;
extern void *_dl_random;

extern void _dl_aux_init(Elf64_auxv_t *);
extern void __libc_setup_tls(void);
extern void __libc_early_init(_Bool);
extern void __libc_init_first(int, char **, char **);
extern void __init_misc(int, char **, char **);
extern void __libc_check_standard_fds(void);
extern int __cxa_atexit(void (*)(void *), void *, void *);
extern void _init(void);

extern const Elf64_Rela __rela_iplt_start[] __attribute__((weak));
extern const Elf64_Rela __rela_iplt_end[] __attribute__((weak));
typedef void initializer(int, char **, char **);
extern initializer *const __preinit_array_start[], *const __preinit_array_end[];
extern initializer *const __init_array_start[], *const __init_array_end[];
typedef void finalizer(void);
extern finalizer *const __fini_array_start[], *const __fini_array_end[];
extern void _fini(void);

// Bytes. What copying and filling memory go by; the library's own defaults for the smallest processor.
long __x86_data_cache_size_half = 32 * 1024 / 2;
long __x86_data_cache_size = 32 * 1024;
long __x86_shared_cache_size_half = 1024 * 1024 / 2;
long __x86_shared_cache_size = 1024 * 1024;
long __x86_shared_non_temporal_threshold = 1024 * 1024 * 3 / 4;
long __x86_rep_movsb_threshold = 2048;
long __x86_rep_stosb_threshold = 2048;
long __x86_rep_movsb_stop_threshold = 1024 * 1024 * 3 / 4;
int __x86_string_control;

__attribute__((no_stack_protector)) static void choose_functions(void) {
    for (const Elf64_Rela *one = __rela_iplt_start; one < __rela_iplt_end; one++)
        *(Elf64_Addr *)one->r_offset = ((Elf64_Addr(*)(void))one->r_addend)();
}

static void call_finalizers(void *nothing) {
    (void)nothing;
    for (size_t i = (size_t)(__fini_array_end - __fini_array_start); i > 0; i--) __fini_array_start[i - 1]();
    _fini();
}

// What the linker has put where nothing is written once the program runs (PT_GNU_RELRO).
static void protect_constants(void) {
    unsigned long page = _dl_pagesize;
    for (size_t i = 0; i < _dl_phnum; i++) {
        if (_dl_phdr[i].p_type == PT_GNU_STACK) _dl_stack_flags = (int)_dl_phdr[i].p_flags;
        if (_dl_phdr[i].p_type != PT_GNU_RELRO) continue;
        unsigned long start = _dl_phdr[i].p_vaddr & -page, end = (_dl_phdr[i].p_vaddr + _dl_phdr[i].p_memsz) & -page;
        if (start < end) mprotect((void *)start, end - start, PROT_READ);
    }
}

__attribute__((no_stack_protector, noreturn)) int __libc_start_main(
    main_function *main, int count, char **arguments, void (*init)(void), void (*fini)(void), void (*last)(void),
    void *stack_end) {
    (void)init, (void)fini;
    environ = &arguments[count + 1];
    __libc_stack_end = stack_end;
    char **end = environ;
    while (*end) end++;
    _dl_aux_init((Elf64_auxv_t *)(end + 1));
    choose_functions();
    __libc_setup_tls();
    // The canaries of stack frames and of saved addresses, at their places in the thread's block.
    const unsigned long *random = _dl_random;
    __asm__ volatile("movq %0, %%fs:0x28" : : "r"(random[0] & ~0xfful));
    __asm__ volatile("movq %0, %%fs:0x30" : : "r"(random[1]));
    if (last) __cxa_atexit((void (*)(void *))last, NULL, NULL);
    __libc_early_init(1);
    if (__libc_enable_secure) {
        __libc_init_first(count, arguments, environ);
        __libc_check_standard_fds();
    } else {
        protect_constants();
        __init_misc(count, arguments, environ);
    }
    __cxa_atexit(call_finalizers, NULL, NULL);
    for (initializer *const *one = __preinit_array_start; one < __preinit_array_end; one++)
        (*one)(count, arguments, environ);
    _init();
    for (initializer *const *one = __init_array_start; one < __init_array_end; one++) (*one)(count, arguments, environ);
    exit(main(count, arguments, environ));
}
#endif
