#ifndef CBUILDINFO_H
#define CBUILDINFO_H

// The commit that this program was built from, with "-dirty" when files were changed since; "unknown" outside of git.
const char *cl_build_commit(void);

#endif
