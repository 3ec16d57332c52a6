#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int do_exit(int argc, char **argv) { return (void)argc, atoi(argv[0]); }

static int do_say(int argc, char **argv) { return (void)argc, (void)argv, -1; }

static void leave(int number) {
    (void)number;
    _exit(0);
}

/* As the first process of a pid namespace only handled signals arrive. */
static int do_hold(int argc, char **argv) {
    (void)argc, (void)argv;
    signal(SIGTERM, leave), signal(SIGINT, leave), signal(SIGHUP, leave);
    pair_bool("ready", 1);
    next_line();
    for (;;) pause();
    return 0;
}

static int do_sleep(int argc, char **argv) {
    (void)argc;
    double seconds = atof(argv[0]);
    struct timespec left = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {}
    return -1;
}

/* Prints every signal that arrives, one line each, until LAST arrives. */
static int do_signals(int argc, char **argv) {
    int last = argc ? atoi(argv[0]) : SIGTERM;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    pair_bool("ready", 1);
    for (;;) {
        next_line();
        int number = sigwaitinfo(&all, NULL);
        if (number < 0) continue;
        pair_number("signal", number);
        if (number == last) return -1;
    }
}

/* What a hook can find out about the process that the state on its stdin names. */
static void describe_process(const char *state) {
    const char *key = strstr(state, "\"pid\"");
    if (!key || !(key = strchr(key, ':'))) return;
    int pid = atoi(key + 1);
    char path[64];
    struct stat status;
    json_key("process");
    json_open('{');
    pair_number("pid", pid);
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    char *command = read_whole(path, NULL); /* its first word */
    pair_string("command", command);
    free(command);
    /* before pivot_root this is the host's root, which has no probe there */
    snprintf(path, sizeof path, "/proc/%d/root/bin/probe", pid);
    pair_bool("pivoted", lstat(path, &status) == 0);
    json_key("namespaces");
    json_open('{');
    static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kinds[i]);
        if (stat(path, &status) == 0) pair_number(kinds[i], status.st_ino);
    }
    json_close('}');
    json_close('}');
}

static int do_stdin(int argc, char **argv) {
    (void)argc, (void)argv;
    size_t used = 0, room = 1 << 20;
    char *content = calloc(1, room + 1);
    for (ssize_t count; used < room && (count = read(0, content + used, room - used)) > 0;) used += count;
    json_key("content");
    json_bytes(content, used);
    describe_process(content);
    free(content);
    return -1;
}

static int do_line(int argc, char **argv) {
    (void)argc, (void)argv;
    char content[4096];
    ssize_t count = read(0, content, sizeof content);
    if (count < 0) return pair_result(-1), -1;
    json_key("content");
    json_bytes(content, count);
    return -1;
}

static int do_echo(int argc, char **argv) {
    (void)argc;
    pair_result(dprintf(atoi(argv[0]), "%s\n", argv[1]));
    return -1;
}

static int do_await(int argc, char **argv) {
    (void)argc;
    struct timespec pause = {0, 2000000};
    struct stat status;
    while (lstat(argv[0], &status) < 0) nanosleep(&pause, NULL);
    return -1;
}

/* A runtime may set the first size only after the start: only the one that is waited for counts. */
static int do_winch(int argc, char **argv) {
    (void)argc;
    sigset_t set;
    struct winsize size = {0};
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pair_bool("ready", 1);
    next_line();
    struct timespec most = {10, 0};
    int signalled;
    do {
        signalled = sigtimedwait(&set, NULL, &most) == SIGWINCH;
        ioctl(0, TIOCGWINSZ, &size);
    } while (signalled && size.ws_row != atoi(argv[0]));
    pair_bool("signalled", signalled);
    pair_number("rows", size.ws_row), pair_number("columns", size.ws_col);
    return -1;
}

/* Children that wait for ever; the parent tells their pids (as it sees them). */
static int do_fork(int argc, char **argv) {
    (void)argc;
    json_key("children");
    json_open('[');
    for (int i = 0; i < atoi(argv[0]); i++) {
        pid_t child = fork();
        if (child == 0)
            for (;;) pause();
        json_number(child);
    }
    json_close(']');
    return -1;
}

/* Runs a command, and tells the errno of execve or how it ended. */
static int do_exec(int argc, char **argv) {
    (void)argc;
    int channel[2], failure = 0, status = 0;
    if (pipe2(channel, O_CLOEXEC) < 0) return pair_result(-1), -1;
    pid_t child = fork();
    if (child == 0) {
        execv(argv[0], argv);
        failure = errno;
        if (write(channel[1], &failure, sizeof failure) < 0) _exit(96);
        _exit(97);
    }
    close(channel[1]);
    ssize_t count = child < 0 ? 0 : read(channel[0], &failure, sizeof failure);
    close(channel[0]);
    if (child > 0) waitpid(child, &status, 0);
    if (count > 0) pair_string("error", errno_name(failure));
    else if (WIFEXITED(status)) pair_number("result", WEXITSTATUS(status));
    else pair_number("signal", WTERMSIG(status));
    return -1;
}

static int do_connect(int argc, char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = argv[0][0] == '$' ? getenv(argv[0] + 1) : argv[0];
    strncpy(address.sun_path, path ? path : "", sizeof address.sun_path - 1);
    int type = argc > 2 ? SOCK_DGRAM : SOCK_STREAM;
    int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    int done = connect(sock, (struct sockaddr *)&address, sizeof address);
    pair_result(done < 0 ? -1 : write(sock, argc > 1 ? argv[1] : "", argc > 1 ? strlen(argv[1]) : 0));
    close(sock);
    return -1;
}

static int do_setuid(int argc, char **argv) {
    (void)argc;
    unsigned id = strtoul(argv[0], NULL, 0);
    return pair_result(setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0 ? -1 : 0), -1;
}

static int do_raise(int argc, char **argv) {
    (void)argc;
    signal(atoi(argv[0]), SIG_DFL);
    return pair_result(kill(getpid(), atoi(argv[0]))), -1;
}

const struct verb process_verbs[] = {
    {"say", 0, 64, do_say, "WORD...: nothing but the line itself"},
    {"exit", 1, 1, do_exit, "STATUS"},
    {"hold", 0, 0, do_hold, "waits for ever; TERM, INT and HUP end it with status 0"},
    {"sleep", 1, 1, do_sleep, "SECONDS"},
    {"signals", 0, 1, do_signals, "[LAST]: prints every signal until LAST (TERM)"},
    {"stdin", 0, 0, do_stdin, "reads stdin to its end; of a state, what the process of its pid is"},
    {"line", 0, 0, do_line, "one read(2) of stdin"},
    {"echo", 2, 2, do_echo, "FD TEXT: writes a line to a descriptor"},
    {"await", 1, 1, do_await, "PATH: waits until it exists"},
    {"winch", 1, 1, do_winch, "ROWS: waits for a SIGWINCH after which the terminal has so many rows"},
    {"fork", 1, 1, do_fork, "COUNT: children that wait for ever"},
    {"exec", 1, 64, do_exec, "PATH [ARGUMENT...]: runs a command"},
    {"connect", 1, 3, do_connect, "SOCKET [TEXT [datagram]]: $NAME takes the path from the environment"},
    {"setuid", 1, 1, do_setuid, "ID: user and group"},
    {"raise", 1, 1, do_raise, "SIGNAL: to itself, undisturbed"},
    {NULL, 0, 0, NULL, NULL},
};
