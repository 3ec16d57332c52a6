"""--no-pivot keeps the host's mounts under the container's root; they must be of no use there."""

MASKS = ["/proc/keys", "/proc/kcore"]


def test_a_new_procfs_cannot_be_had_although_the_hosts_is_still_mounted(runtime, bundle):
    """the kernel mounts a procfs for a user namespace if its mount namespace has one without masks, seen or unseen"""
    bundle.linux["maskedPaths"] = MASKS
    bundle.process["noNewPrivileges"] = False
    bundle.probe(
        ["syscall", "unshare", hex(0x10020000)], ["write", "/proc/self/uid_map", "0 0 1"],
        ["syscall", "unshare", hex(0x60000000)],
        ["exec", "/bin/probe", "mount", "proc", "/mnt", "proc", 0, "", ":", "mount", "sysfs", "/mnt", "sysfs", 0, ""])
    result = runtime.run(bundle, "--no-pivot")
    seen = result.ok().seen
    assert seen.error("syscall") is None, "no user namespaces here"
    assert all("error" in entry for entry in seen.all("mount")), seen.all("mount")


def test_the_root_cannot_be_left(runtime, bundle, canary):
    """chroot(2) and `..`, which is the way out of a chroot"""
    up = "/".join([".."] * 30)
    seen = runtime.run(
        bundle.probe(
            ["mkdir", "/cell"], ["chroot", "/cell"], ["chdir", up], ["chroot", "."], ["read", f"{canary.path}/content"]),
        "--no-pivot").ok().seen
    assert seen.error("chroot", "/cell") is None
    assert "error" in seen("read")
    canary.check()


def test_root_with_cap_sys_admin_cannot_lift_the_root(runtime, bundle, canary):
    """umount2(2) of / would uncover what is below"""
    bundle.add_capabilities("CAP_SYS_ADMIN")
    seen = runtime.run(
        bundle.probe(
            ["umount", "/"], ["chdir", "/"], ["read", f"{canary.path}/content"], ["chroot", "/"],
            ["read", f"/..{canary.path}/content"]), "--no-pivot").ok().seen
    assert all("error" in entry for entry in seen.all("read"))
    canary.check()
