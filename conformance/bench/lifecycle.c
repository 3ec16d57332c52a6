// Runs create, start and delete of one container, one after the other:
//
//     lifecycle CREATE... -- START... -- DELETE...
//
// As an engine does, it adopts the container's process when `create` has ended and waits for its end before it asks
// to delete, so that every runtime finds the container in the same states.
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

extern char **environ;

static int run(char **command) {
    pid_t pid;
    int status;
    int error = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
    if (error) {
        fprintf(stderr, "lifecycle: %s: %s\n", command[0], strerror(error));
        return 1;
    }
    if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "lifecycle: %s failed\n", command[0]);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    char **commands[3];
    int count = 0, at_start = 1;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--")) {
            argv[i] = NULL;
            at_start = 1;
        } else if (at_start && count < 3) {
            commands[count++] = &argv[i];
            at_start = 0;
        }
    }
    if (count != 3) {
        fputs("usage: lifecycle CREATE... -- START... -- DELETE...\n", stderr);
        return 2;
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        perror("lifecycle: prctl");
        return 1;
    }
    if (run(commands[0]) || run(commands[1])) return 1;
    while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR) {}
    return run(commands[2]);
}
