// Runs a static program step by step, its children included, and tells what of it was used.
//
//     stepper REPORT PROGRAM [ARGUMENT...]
//
// REPORT gets a line "x ADDRESS" for each instruction, in the order in which they were executed first, and a line
// "w ADDRESS" for each word of its writable memory that it had changed when its first process ended. Children are
// watched until they execute another program; those that outlive their first process are let go. Ends with the status
// of PROGRAM.
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { limit = 64 << 20 };
static unsigned char seen[limit];
static FILE *report;
static struct stat program;
static const Elf64_Ehdr *image;

static void fail(const char *what) {
    perror(what);
    exit(125);
}

static void step(pid_t pid) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0) return;
    if (registers.rip >= limit || seen[registers.rip]) return;
    seen[registers.rip] = 1;
    fprintf(report, "x %llx\n", registers.rip);
}

static int is_other_program(pid_t pid) {
    char path[32];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    return stat(path, &status) < 0 || status.st_dev != program.st_dev || status.st_ino != program.st_ino;
}

// Compares the writable segments with what the file has for them.
static void changes(pid_t pid) {
    const Elf64_Phdr *segment = (const void *)((const char *)image + image->e_phoff);
    for (int i = 0; i < image->e_phnum; i++, segment++) {
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W)) continue;
        unsigned char *now = malloc(segment->p_memsz), *before = calloc(1, segment->p_memsz);
        if (!now || !before) fail("malloc");
        memcpy(before, (const char *)image + segment->p_offset, segment->p_filesz);
        struct iovec here = {now, segment->p_memsz}, there = {(void *)segment->p_vaddr, segment->p_memsz};
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)segment->p_memsz)
            for (size_t at = 0; at + 8 <= segment->p_memsz; at += 8)
                if (memcmp(now + at, before + at, 8)) fprintf(report, "w %zx\n", (size_t)segment->p_vaddr + at);
        free(now);
        free(before);
    }
}

// The processes that are watched.
static pid_t watched[64];
static int watching;

static void watch(pid_t pid) {
    for (int i = 0; i < watching; i++)
        if (watched[i] == pid) return;
    if (watching < 64) watched[watching++] = pid;
}

static void forget(pid_t pid) {
    for (int i = 0; i < watching; i++)
        if (watched[i] == pid) watched[i] = watched[--watching];
}

static void let_go(void) {
    for (int i = 0, status; i < watching; i++) {
        kill(watched[i], SIGSTOP);
        if (waitpid(watched[i], &status, __WALL) == watched[i]) ptrace(PTRACE_DETACH, watched[i], 0, 0);
        kill(watched[i], SIGCONT); // where it was found in another stop, the one asked for came after that
    }
}

int main(int count, char **words) {
    if (count < 3) return fputs("usage: stepper REPORT PROGRAM [ARGUMENT...]\n", stderr), 125;
    int file = open(words[2], O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &program) < 0) fail(words[2]);
    image = mmap(NULL, program.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (image == MAP_FAILED || !(report = fopen(words[1], "we"))) fail(words[1]);
    pid_t first = fork();
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(words[2], words + 2);
        _exit(127);
    }
    int status, result = 125;
    if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status)) fail("waitpid");
    ptrace(PTRACE_SETOPTIONS, first, 0,
           PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
    ptrace(PTRACE_SINGLESTEP, first, 0, 0);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status)) {
            forget(pid);
            if (pid != first) continue;
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            break;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_EXEC && is_other_program(pid)) {
            ptrace(PTRACE_DETACH, pid, 0, 0);
            forget(pid);
            continue;
        }
        watch(pid);
        if (event == PTRACE_EVENT_EXIT && pid == first) changes(pid);
        if (signal == SIGTRAP && !event) step(pid);
        if (event || signal == SIGTRAP || signal == SIGSTOP) signal = 0;
        ptrace(PTRACE_SINGLESTEP, pid, 0, signal);
    }
    let_go();
    return fclose(report) ? 125 : result;
}
