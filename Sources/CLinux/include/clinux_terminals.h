// Part of clinux.h: terminals, ioctl_tty(2).
#ifndef CLINUX_TERMINALS_H
#define CLINUX_TERMINALS_H

static inline long cl_ioctl(int fd, unsigned long request, unsigned long argument) {
    return CL_SYSCALL(SYS_ioctl, fd, request, argument);
}
static inline long cl_terminal_unlock(int fd) {
    int unlocked = 0;
    return CL_SYSCALL(SYS_ioctl, fd, TIOCSPTLCK, &unlocked);
}
static inline long cl_terminal_open_peer(int fd, int flags) { return CL_SYSCALL(SYS_ioctl, fd, TIOCGPTPEER, flags); }
static inline long cl_terminal_number(int fd) {
    int number = -1;
    long result = CL_SYSCALL(SYS_ioctl, fd, TIOCGPTN, &number);
    return result < 0 ? result : number;
}
static inline long cl_terminal_set_size(int fd, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return CL_SYSCALL(SYS_ioctl, fd, TIOCSWINSZ, &size);
}
static inline long cl_terminal_copy_size(int from, int to) {
    struct winsize size;
    long result = CL_SYSCALL(SYS_ioctl, from, TIOCGWINSZ, &size);
    return result < 0 ? result : CL_SYSCALL(SYS_ioctl, to, TIOCSWINSZ, &size);
}
static inline long cl_terminal_columns(int fd) {
    struct winsize size;
    long result = CL_SYSCALL(SYS_ioctl, fd, TIOCGWINSZ, &size);
    return result < 0 ? result : size.ws_col;
}
static inline long cl_terminal_make_controlling(int fd) { return CL_SYSCALL(SYS_ioctl, fd, TIOCSCTTY, 0); }
static inline long cl_terminal_get(int fd, struct termios *attributes) {
    return cl_result(tcgetattr(fd, attributes));
}
static inline long cl_terminal_set(int fd, const struct termios *attributes) {
    return cl_result(tcsetattr(fd, TCSANOW, attributes));
}
static inline void cl_terminal_make_raw(struct termios *attributes) { cfmakeraw(attributes); }

#endif
