#include "cbuildinfo.h"

const char *cl_build_commit(void) { return SWRUN_COMMIT; }
