// Part of clinux.h: bpf(2), for the device programs of cgroup v2.
#ifndef CLINUX_BPF_H
#define CLINUX_BPF_H

#define CL_BPF(command, attr) CL_SYSCALL(SYS_bpf, command, attr, sizeof *(attr))

static inline long cl_bpf_load_device_program(const uint64_t *instructions, uint32_t count, const char *name) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = (uint64_t)(uintptr_t)instructions;
    attr.insn_cnt = count;
    attr.license = (uint64_t)(uintptr_t) "GPL";
    strncpy(attr.prog_name, name, sizeof attr.prog_name - 1);
    return CL_BPF(BPF_PROG_LOAD, &attr);
}
// `replaced` is an attached program that makes way for this one, or -1.
static inline long cl_bpf_attach_device_program(int cgroup, int program, int replaced) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced >= 0) {
        attr.attach_flags |= BPF_F_REPLACE;
        attr.replace_bpf_fd = (uint32_t)replaced;
    }
    return CL_BPF(BPF_PROG_ATTACH, &attr);
}
static inline long cl_bpf_detach_device_program(int cgroup, int program) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = BPF_CGROUP_DEVICE;
    return CL_BPF(BPF_PROG_DETACH, &attr);
}
// The ids of the programs attached to the cgroup itself; returns how many.
static inline long cl_bpf_device_programs(int cgroup, uint32_t *ids, uint32_t capacity) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t)cgroup;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
    attr.query.prog_cnt = capacity;
    long result = CL_BPF(BPF_PROG_QUERY, &attr);
    return result < 0 ? result : (long)attr.query.prog_cnt;
}
static inline long cl_bpf_open_program(uint32_t id) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_id = id;
    return CL_BPF(BPF_PROG_GET_FD_BY_ID, &attr);
}
static inline long cl_bpf_program_name(int program, char name[BPF_OBJ_NAME_LEN]) {
    struct bpf_prog_info info;
    union bpf_attr attr;
    memset(&info, 0, sizeof info);
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = (uint32_t)program;
    attr.info.info_len = sizeof info;
    attr.info.info = (uint64_t)(uintptr_t)&info;
    long result = CL_BPF(BPF_OBJ_GET_INFO_BY_FD, &attr);
    memcpy(name, info.name, BPF_OBJ_NAME_LEN);
    return result;
}

#endif
