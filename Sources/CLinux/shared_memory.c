// A process that shares the memory of its maker, which waits for it: vfork(2), with a stack of its own, so that what it
// calls may do as it likes.
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "clinux.h"

struct shared_run {
    int (*body)(void *);
    void *context;
    jmp_buf origin;
};

// On the new stack. Whoever makes another process here, on a copy of the memory, goes on from where the first was made: the
// copy of the maker's stack is whole.
static int shared_run(void *argument) {
    struct shared_run *run = argument;
    int result = run->body(run->context);
    if (result == CL_RUN_IS_COPY) _longjmp(run->origin, 1);
    return result;
}

long cl_run_sharing_memory(int (*body)(void *), void *context) {
    // One at a time: whoever asks for it waits until it has ended.
    static char stack[256 << 10] __attribute__((aligned(64)));
    struct shared_run run = {.body = body, .context = context};
    if (_setjmp(run.origin)) return 0;
    // Its sibling inherits the signal by which it tells of its end, until it executes a program.
    int pid = clone(shared_run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &run);
    return pid < 0 ? -errno : pid;
}
