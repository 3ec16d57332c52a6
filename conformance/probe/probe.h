/* The process inside the container: what it sees and what it may do, as lines of JSON. */
#pragma once
#include <stddef.h>

/* One JSON document under construction. A document is written with one write(2), so that lines of several
 * processes that append to the same file never mix. */
void json_open(char bracket);
void json_close(char bracket);
void json_key(const char *key);
void json_string(const char *value);
void json_bytes(const char *value, size_t length);
void json_number(long long value);
void json_unsigned(unsigned long long value);
void json_bool(int value);
void json_hex(unsigned long long value);
void json_null(void);
/* "key": value pairs */
void pair_string(const char *key, const char *value);
void pair_number(const char *key, long long value);
void pair_bool(const char *key, int value);
/* "result": value of a call that returned `value`, or "error": "ENAME" of errno when it is negative */
void pair_result(long long value);
void json_flush(int fd);

/* errno as its C name ("EPERM") */
const char *errno_name(int number);
/* The whole content of a file, or NULL; the length goes to *length when that is not NULL. */
char *read_whole(const char *path, size_t *length);

/* Everything that one process can learn about itself: the keys are documented in conformance/README.md. */
void report(int argc, char **argv);
void report_mounts(void);
void report_descriptors(void);
void report_network(void);

/* A verb consumes its arguments and adds its keys to the open JSON object. It returns the exit status to leave
 * with, or -1 to go on with the next verb. */
struct verb {
    const char *name;
    int least, most;
    int (*run)(int argc, char **argv);
    const char *help;
};
extern const struct verb file_verbs[], process_verbs[], system_verbs[];
/* Where the lines go. */
extern int out;
/* Finishes the current line and opens the next one for the same verb. */
void next_line(void);
