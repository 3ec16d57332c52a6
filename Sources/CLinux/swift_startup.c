// In release builds, two parts of the Swift runtime that would take longer to start than swrun takes for its work; the
// linker takes what is here instead of what the library has.
//
// - Where the arguments of the program are. The library finds them by reading /proc/self/maps; the entry point
//   (seal_entry.c) has them in its hands.
// - Printing a backtrace when the program crashes. The library looks for the program that does it in eight places, some of
//   them relative to a root that for a sealed executable is not the host's, and lets the environment choose another: that
//   is more than a program run by root should do for those who call it. Settings that are all zero say "off".
#ifdef SWRUN_STATIC
#include <stddef.h>

char **cl_arguments;
int cl_argument_count;

char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    *count = cl_argument_count;
    return cl_arguments;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count) {
    cl_arguments = arguments;
    cl_argument_count = count;
}

// swift::runtime::backtrace::BacktraceSettings, with room to spare.
long _swift_backtraceSettings[64];

// Every program refers to it, so that the part is always there.
_Bool _swift_backtrace_isThunkFunction(const char *name) {
    (void)name;
    return 0;
}
#endif
