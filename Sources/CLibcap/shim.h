#ifndef SWRUN_CLIBCAP_H
#define SWRUN_CLIBCAP_H

#include <errno.h>
#include <stdint.h>
#include <sys/capability.h>

// libcap reports failures through errno; these return 0 or -errno, and take sets as masks (bit N is capability N).

// Writes the three sets of this process, capset(2). `state` comes from cap_init(3), which asks the kernel for its version;
// here the kernel is called once.
static inline int libcap_set_process(cap_t state, uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    cap_clear(state);
    for (cap_value_t value = 0; value < cap_max_bits(); value++) {
        if (effective >> value & 1) cap_set_flag(state, CAP_EFFECTIVE, 1, &value, CAP_SET);
        if (permitted >> value & 1) cap_set_flag(state, CAP_PERMITTED, 1, &value, CAP_SET);
        if (inheritable >> value & 1) cap_set_flag(state, CAP_INHERITABLE, 1, &value, CAP_SET);
    }
    return cap_set_proc(state) < 0 ? -errno : 0;
}

static inline int libcap_get_permitted(uint64_t *permitted) {
    cap_t state = cap_get_proc();
    if (!state) return -errno;
    *permitted = 0;
    for (cap_value_t value = 0; value < cap_max_bits(); value++) {
        cap_flag_value_t flag = CAP_CLEAR;
        cap_get_flag(state, value, CAP_PERMITTED, &flag);
        if (flag == CAP_SET) *permitted |= (uint64_t)1 << value;
    }
    cap_free(state);
    return 0;
}

static inline int libcap_drop_bound(cap_value_t value) { return cap_drop_bound(value) < 0 ? -errno : 0; }
static inline int libcap_raise_ambient(cap_value_t value) { return cap_set_ambient(value, CAP_SET) < 0 ? -errno : 0; }

#endif
