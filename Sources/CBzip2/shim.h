// bzlib.h uses FILE and does not say where it is from.
#include <stdio.h>
#include <bzlib.h>
