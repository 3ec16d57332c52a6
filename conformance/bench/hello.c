// What the shortest command of a static program costs: the measure for `--version`.
#include <stdio.h>

int main(void) {
    puts("hello");
    return 0;
}
