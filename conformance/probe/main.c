/* probe [-o FILE] [-t TAG] VERB [ARGUMENT...] [: VERB [ARGUMENT...]]...
 *
 * Runs as the process of a container, or as a hook. Each verb prints one line of JSON to stdout, or appends it to
 * FILE; TAG tells apart several probes that share a file. `probe help` lists the verbs. */
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int out = 1;
static const char *tag, *verb_name;
static char **all_arguments;
static int argument_count;

static int run_report(int argc, char **argv) {
    (void)argc, (void)argv;
    report(argument_count, all_arguments);
    return -1;
}

static const struct verb own_verbs[] = {
    {"report", 0, 0, run_report, "everything that the process sees of itself"},
    {NULL, 0, 0, NULL, NULL},
};
static const struct verb *const tables[] = {own_verbs, file_verbs, process_verbs, system_verbs};

static void open_line(void) {
    json_open('{');
    pair_string("verb", verb_name);
    if (tag) pair_string("tag", tag);
}

void next_line(void) {
    json_close('}');
    json_flush(out);
    open_line();
}

static int help(void) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct verb *verb = tables[t]; verb->name; verb++) dprintf(1, "%-10s %s\n", verb->name, verb->help);
    return 0;
}

static int perform(const char *name, int argc, char **argv) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct verb *verb = tables[t]; verb->name; verb++)
            if (strcmp(verb->name, name) == 0 && argc >= verb->least && argc <= verb->most) {
                verb_name = name;
                open_line();
                if (argc) {
                    json_key("arguments");
                    json_open('[');
                    for (int i = 0; i < argc; i++) json_string(argv[i]);
                    json_close(']');
                }
                int status = verb->run(argc, argv);
                json_close('}');
                json_flush(out);
                return status;
            }
    dprintf(2, "probe: no verb %s with %d arguments\n", name, argc);
    return 98;
}

int main(int argc, char **argv) {
    char **at = argv + 1;
    all_arguments = argv, argument_count = argc;
    for (; *at && at[0][0] == '-' && at[1]; at += 2) {
        if (strcmp(*at, "-t") == 0) tag = at[1];
        if (strcmp(*at, "-o") != 0) continue;
        /* a high number keeps the low ones, which tests are curious about, as the runtime left them */
        int file = open(at[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        out = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, 500);
        if (out < 0) {
            dprintf(2, "probe: %s: %s\n", at[1], errno_name(errno));
            return 97;
        }
        close(file);
    }
    if (!*at || strcmp(*at, "help") == 0) return help();
    while (*at) {
        char **end = at;
        while (*end && strcmp(*end, ":") != 0) end++;
        int status = perform(at[0], (int)(end - at) - 1, at + 1);
        if (status >= 0) return status;
        at = *end ? end + 1 : end;
    }
    return 0;
}
