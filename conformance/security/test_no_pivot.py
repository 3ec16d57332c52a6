"""--no-pivot keeps the host's mounts under the container's root; they must be of no use there."""

import pytest

MASKS = ["/proc/keys", "/proc/kcore"]


@pytest.mark.parametrize("user_namespace", [False, True])
def test_a_new_procfs_cannot_be_had_although_the_hosts_is_still_mounted(runtime, bundle, user_namespace):
    """the kernel mounts a procfs for a user namespace if its mount namespace has one without masks, seen or unseen"""
    if user_namespace:
        bundle.user_namespace()
    bundle.linux["maskedPaths"] = MASKS
    bundle.process["noNewPrivileges"] = False
    bundle.probe(
        ["syscall", "unshare", hex(0x10020000)], ["write", "/proc/self/uid_map", "0 0 1"],
        ["syscall", "unshare", hex(0x60000000)],
        ["exec", "/bin/probe", "mount", "proc", "/mnt", "proc", 0, "", ":", "mount", "sysfs", "/mnt", "sysfs", 0, ""])
    result = runtime.run(bundle, "--no-pivot")
    if user_namespace and result.status:
        assert "--no-pivot" in result.stderr  # refused, because the host's cannot be taken away there
        return
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


@pytest.mark.parametrize("how", ["plain", "link", "slash", "dots", "space"])
def test_the_containers_own_proc_stays_with_its_masks(runtime, bundle, how):
    """only the host's are taken away, however the root filesystem is named"""
    bundle.linux["maskedPaths"] = MASKS
    path = {"slash": "rootfs///", "dots": "./../" + bundle.path.name + "/rootfs/.", "link": "link", "space": "root fs"}
    (bundle.path / "link").symlink_to("rootfs")
    if how == "space":
        bundle.rootfs.rename(bundle.path / "root fs")
    bundle.config["root"]["path"] = path.get(how, "rootfs")
    bundle.probe(["stat", "/proc/self"], ["stat", "/proc/keys"], ["stat", "/sys/kernel"])
    seen = runtime.run(bundle, "--no-pivot").ok().seen
    assert seen.error("stat", "/proc/self") is None and seen.error("stat", "/sys/kernel") is None
    assert (seen("stat", "/proc/keys")["major"], seen("stat", "/proc/keys")["minor"]) == (1, 3)
