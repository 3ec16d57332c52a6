#include "clinux.h" // that it compiles on its own
