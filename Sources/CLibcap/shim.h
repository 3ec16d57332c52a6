#ifndef SWRUN_CLIBCAP_H
#define SWRUN_CLIBCAP_H

#include <errno.h>
#include <stdint.h>
#include <sys/capability.h>

// libcap reports failures through errno; these return 0 or -errno, and take sets as masks (bit N is capability N).

static inline int libcap_set_process(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    cap_t state = cap_init();
    if (!state) return -ENOMEM;
    for (cap_value_t value = 0; value < cap_max_bits(); value++) {
        if (effective >> value & 1) cap_set_flag(state, CAP_EFFECTIVE, 1, &value, CAP_SET);
        if (permitted >> value & 1) cap_set_flag(state, CAP_PERMITTED, 1, &value, CAP_SET);
        if (inheritable >> value & 1) cap_set_flag(state, CAP_INHERITABLE, 1, &value, CAP_SET);
    }
    int result = cap_set_proc(state) < 0 ? -errno : 0;
    cap_free(state);
    return result;
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
