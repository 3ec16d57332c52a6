#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *buffer;
static size_t used, room;
static int comma;

static void add(const char *bytes, size_t length) {
    if (used + length > room) {
        room = (used + length) * 2 + 4096;
        buffer = realloc(buffer, room);
        if (!buffer) _exit(99);
    }
    memcpy(buffer + used, bytes, length);
    used += length;
}

static void separate(void) {
    if (comma) add(",", 1);
    comma = 1;
}

void json_open(char bracket) {
    separate();
    add(&bracket, 1);
    comma = 0;
}

void json_close(char bracket) {
    add(&bracket, 1);
    comma = 1;
}

void json_bytes(const char *value, size_t length) {
    separate();
    add("\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = value[i];
        char escape[8];
        if (c == '"' || c == '\\') {
            escape[0] = '\\', escape[1] = c;
            add(escape, 2);
        } else if (c < 0x20 || c >= 0x7f) {
            add(escape, snprintf(escape, sizeof escape, "\\u%04x", c));
        } else {
            add((char *)&c, 1);
        }
    }
    add("\"", 1);
}

void json_string(const char *value) {
    if (value) json_bytes(value, strlen(value));
    else json_null();
}

void json_key(const char *key) {
    json_string(key);
    add(":", 1);
    comma = 0;
}

static void text(const char *value) {
    separate();
    add(value, strlen(value));
}

void json_number(long long value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", value);
    text(digits);
}

void json_unsigned(unsigned long long value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%llu", value);
    text(digits);
}

void json_hex(unsigned long long value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%016llx", value);
    json_string(digits);
}

void json_bool(int value) { text(value ? "true" : "false"); }
void json_null(void) { text("null"); }

void pair_string(const char *key, const char *value) {
    json_key(key);
    json_string(value);
}

void pair_number(const char *key, long long value) {
    json_key(key);
    json_number(value);
}

void pair_bool(const char *key, int value) {
    json_key(key);
    json_bool(value);
}

void pair_result(long long value) {
    if (value < 0) pair_string("error", errno_name(errno));
    else pair_number("result", value);
}

void json_flush(int fd) {
    add("\n", 1);
    for (size_t done = 0; done < used;) {
        ssize_t count = write(fd, buffer + done, used - done);
        if (count < 0 && errno != EINTR) break;
        if (count > 0) done += count;
    }
    used = 0;
    comma = 0;
}

const char *errno_name(int number) {
    const char *name = strerrorname_np(number);
    static char digits[16];
    if (name) return name;
    snprintf(digits, sizeof digits, "E%d", number);
    return digits;
}

char *read_whole(const char *path, size_t *length) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    size_t size = 0, capacity = 65536;
    char *content = malloc(capacity + 1);
    for (;;) {
        ssize_t count = read(fd, content + size, capacity - size);
        if (count < 0) {
            int saved = errno;
            close(fd);
            free(content);
            errno = saved;
            return NULL;
        }
        if (count == 0) break;
        size += count;
        if (size == capacity) content = realloc(content, (capacity *= 2) + 1);
    }
    close(fd);
    content[size] = 0;
    if (length) *length = size;
    return content;
}
