/* A server and a client for containers that talk to each other.
 *
 *     web serve PORT WORD     answers every connection with a line: the word and the host's name. It ends on SIGTERM,
 *                             after the answer that it is giving.
 *     web get NAME PORT       prints the answer of the first address that gives one within two seconds.
 *
 * It is linked dynamically, for a static program cannot look names up: see image.py. */

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t ending;

static void end(int signal) {
    (void)signal;
    ending = 1;
}

static int fail(const char *what) {
    perror(what);
    return 1;
}

static struct addrinfo *look_up(const char *name, const char *port) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = name ? 0 : AI_PASSIVE}, *found;
    int error = getaddrinfo(name, port, &hints, &found);
    if (error) {
        fprintf(stderr, "%s: %s\n", name ? name : port, gai_strerror(error));
        exit(1);
    }
    return found;
}

static int serve(const char *port, const char *word) {
    struct addrinfo *address = look_up(NULL, port);
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, address->ai_addr, address->ai_addrlen) || listen(listener, 64))
        return fail("listen");
    sigset_t term, none;
    sigemptyset(&none);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    signal(SIGTERM, end);
    puts("serving");
    fflush(stdout);
    while (!ending) {
        fd_set wanted;
        FD_ZERO(&wanted);
        FD_SET(listener, &wanted);
        if (pselect(listener + 1, &wanted, NULL, NULL, NULL, &none) < 1)
            continue;
        int connection = accept(listener, NULL, NULL);
        char name[128] = "", line[256];
        gethostname(name, sizeof name - 1);
        int length = snprintf(line, sizeof line, "%s %s\n", word, name);
        if (write(connection, line, length) != length)
            perror("write");
        close(connection);
    }
    return 0;
}

static int get(const char *name, const char *port) {
    struct timeval limit = {.tv_sec = 2};
    for (struct addrinfo *address = look_up(name, port); address; address = address->ai_next) {
        int connection = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        char answer[256];
        ssize_t length;
        if (connect(connection, address->ai_addr, address->ai_addrlen))
            perror("connect");
        else if ((length = recv(connection, answer, sizeof answer, MSG_WAITALL)) <= 0)
            perror("read");
        else
            return fwrite(answer, 1, length, stdout) != (size_t)length;
        close(connection);
    }
    return 1;
}

int main(int count, char **words) {
    if (count == 4 && !strcmp(words[1], "serve"))
        return serve(words[2], words[3]);
    if (count == 4 && !strcmp(words[1], "get"))
        return get(words[2], words[3]);
    fputs("web serve PORT WORD, or web get NAME PORT\n", stderr);
    return 2;
}
