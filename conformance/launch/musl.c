/* What a small program of a musl system does: a thread, a child, a user it looks up, its directory. */
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *add(void *number) { return (char *)number + 1; }

int main(int argc, char **argv) {
    pthread_t thread;
    void *sum = 0;
    char place[256], word[64] = "";
    if (pthread_create(&thread, NULL, add, (void *)41) || pthread_join(thread, &sum)) return 3;
    FILE *child = popen("echo child", "r");
    if (!child || !fgets(word, sizeof word, child) || pclose(child)) return 4;
    struct passwd *user = getpwuid(getuid());
    printf("%ld %s%s %s %d\n", (long)sum, word, user ? user->pw_name : "nobody here",
           getcwd(place, sizeof place) ? place : "?", argc > 1 ? atoi(argv[1]) : 0);
    return 0;
}
