"""What a runtime writes to /proc reaches the kernel, and /proc and /sys are what they seem (CVE-2019-16884,
CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-52881)."""

from pathlib import Path

import pytest

from security.support import race

SYSCTL = "net.ipv4.ip_default_ttl"
FILE = "/proc/sys/net/ipv4/ip_default_ttl"


@pytest.mark.parametrize("target", ["proc", "sys"])
@pytest.mark.parametrize("how", ["/elsewhere", "elsewhere", "/", "canary", "/home/../elsewhere"])
def test_a_link_in_the_place_of_proc_or_sys_is_an_error(runtime, bundle, canary, target, how):
    """CVE-2019-19921: proc and sysfs must be mounted on ordinary directories, or the masks would be elsewhere"""
    (bundle.rootfs / "elsewhere").mkdir()
    place = bundle.rootfs / target
    if how == "canary":
        canary.link(place, "absolute")
    else:
        place.rmdir()
        place.symlink_to(how)
    runtime.refuses(bundle, f"/{target}", "ordinary directory|link")
    canary.check()
    assert not list((bundle.rootfs / "elsewhere").iterdir())


def test_proc_is_not_mounted_where_a_link_appears_meanwhile(runtime, bundle, attacker, make_bundle):
    """CVE-2023-28642: /proc of the root filesystem is swapped for a link while the container is made"""
    (bundle.rootfs / "elsewhere").mkdir()
    (bundle.rootfs / "link").symlink_to("elsewhere")
    attacker.exchange(bundle.rootfs / "proc", bundle.rootfs / "link")
    bundle.linux["maskedPaths"] = ["/proc/kcore", "/proc/keys"]
    bundle.probe("report", ["stat", "/elsewhere/keys"], ["stat", "/elsewhere/kcore"], ["stat", "/elsewhere/self"])
    for result in race(runtime, bundle):
        if result.status == 0 and result.seen.error("stat", "/elsewhere/self") is None:
            for name in ("keys", "kcore"):
                seen = result.seen("stat", f"/elsewhere/{name}")
                assert "error" in seen or (seen["type"], seen["major"], seen["minor"]) == ("character", 1, 3), seen


@pytest.mark.parametrize("destination", [
    "/proc/sys", "/proc/self/attr", "/proc/self", "/proc/1/attr/exec", "/proc/self/attr/exec", "/proc/sys/net/ipv4",
    FILE, "/proc/sysrq-trigger", "/proc/self/fd", "/proc/thread-self/attr/exec", "/proc/./sys", "/proc//sys",
    "/proc/sys/../sys"])
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_nothing_is_mounted_inside_of_proc(runtime, bundle, canary, destination, kind):
    """CVE-2019-16884: what would be written there would go elsewhere"""
    if kind == "tmpfs":
        bundle.mount(destination, "tmpfs", "tmpfs")
    else:
        bundle.mount(destination, canary.path / "content", "bind", ["bind"])
    bundle.linux["sysctl"] = {SYSCTL: "42"}
    container = runtime.try_create(bundle)
    canary.check()
    assert container.created.status != 0, f"{kind} on {destination}"


@pytest.mark.parametrize("name", ["data", "etc/data"])
def test_a_link_to_proc_is_no_way_to_mount_inside_of_it(runtime, bundle, canary, name):
    """an image's link /data -> /proc/sys, and a volume at /data"""
    (bundle.rootfs / name).symlink_to("/proc/sys/net/ipv4")
    bundle.mount(f"/{name}", canary.path, "bind", ["bind"])
    bundle.linux["sysctl"] = {SYSCTL: "42"}
    container = runtime.try_create(bundle)
    assert container.created.status != 0
    canary.check()


@pytest.mark.parametrize("destination", ["/proc/cpuinfo", "/proc/meminfo", "/proc/uptime"])
def test_files_that_show_the_machine_may_be_covered(runtime, bundle, canary, destination):
    """lxcfs: a few files of /proc are no way to redirect a write"""
    bundle.mount(destination, canary.path / "content", "bind", ["bind", "ro"])
    assert runtime.look(bundle, ["read", destination])("read")["content"] == "of the host"


@pytest.mark.parametrize("how", ["tmpfs", "bind"])
def test_kernel_parameters_do_not_go_to_what_is_mounted_instead_of_proc(runtime, bundle, canary, how):
    """CVE-2025-52881: /proc itself is a tmpfs or a directory of the host, with files of these names"""
    target = canary.path / "sys/net/ipv4/ip_default_ttl"
    target.parent.mkdir(parents=True)
    target.write_text("64\n")
    canary.renew()
    bundle.without_mount("/proc")
    if how == "tmpfs":
        bundle.mount("/proc", "tmpfs", "tmpfs")
    else:
        bundle.mount("/proc", canary.path, "bind", ["rbind"])
    bundle.linux["sysctl"] = {SYSCTL: "42"}
    runtime.try_create(bundle)
    canary.check()


def test_kernel_parameters_do_not_go_to_a_link_in_the_image(runtime, bundle, canary):
    """no /proc in the configuration: the image has one"""
    bundle.without_mount("/proc")
    place = bundle.rootfs / FILE[1:]
    place.parent.mkdir(parents=True)
    canary.link(place, "absolute", "content")
    bundle.linux["sysctl"] = {SYSCTL: "42"}
    runtime.try_create(bundle)
    canary.check()


@pytest.mark.parametrize("key", [
    "net.ipv4./../../../vm/swappiness", "net/../vm/swappiness", "net.//.vm.swappiness", "net.ipv4.//.//.vm.swappiness",
    "kernel.hostname/../../vm/swappiness", "fs/mqueue/../../vm/swappiness", "/vm/swappiness", "net//../vm/swappiness",
    "net/ipv4/../../../sysrq-trigger-not"])
def test_the_name_of_a_kernel_parameter_does_not_lead_out_of_its_namespace(runtime, bundle, key):
    """linux.sysctl: the value is the one it has, so that nothing happens if it is written"""
    bundle.linux["sysctl"] = {key: Path("/proc/sys/vm/swappiness").read_text().strip()}
    assert runtime.try_create(bundle).created.status != 0


@pytest.mark.parametrize("key", ["apparmorProfile", "selinuxLabel"])
@pytest.mark.parametrize("how", ["tmpfs", "bind", "image"])
def test_a_label_is_not_written_to_a_false_proc(runtime, bundle, canary, key, how):
    """CVE-2019-16884: attr/exec below a directory that is no procfs"""
    for name in ("self/attr/apparmor", "thread-self/attr/apparmor", "1/attr/apparmor"):
        directory = canary.path / name
        directory.mkdir(parents=True)
        for place in (directory, directory.parent):
            (place / "exec").write_text("")
    canary.renew()
    bundle.without_mount("/proc")
    if how == "tmpfs":
        bundle.mount("/proc", "tmpfs", "tmpfs")
    elif how == "bind":
        bundle.mount("/proc", canary.path, "bind", ["rbind"])
    else:
        canary.link(bundle.rootfs / "proc", "upwards")
    bundle.process[key] = "unconfined_u:unconfined_r:unconfined_t:s0" if key == "selinuxLabel" else "some-profile"
    container = runtime.try_create(bundle)
    canary.check()
    assert container.created.status != 0 or runtime.name != "swrun"


def test_masks_lie_where_the_kernel_s_files_are(runtime, bundle):
    """a mask on /proc is on the procfs, and root without CAP_SYS_ADMIN cannot get another one"""
    bundle.linux["maskedPaths"] = ["/proc/kcore", "/proc/keys", "/proc/timer_list"]
    bundle.linux["readonlyPaths"] = ["/proc/sys", "/proc/sysrq-trigger"]
    bundle.process["noNewPrivileges"] = False
    seen = runtime.look(
        bundle, ["stat", "/proc/keys"], ["mount", "proc", "/mnt", "proc", 0, ""], ["umount", "/proc/keys"],
        ["syscall", "unshare", hex(0x10020000)], ["write", "/proc/self/uid_map", "0 0 1"],
        ["syscall", "unshare", hex(0x60000000)], ["umount", "/proc/keys"], ["umount", "/proc/sys"],
        ["exec", "/bin/probe", "mount", "proc", "/mnt", "proc", 0, ""])
    status = seen("stat", "/proc/keys")
    assert (status["type"], status["major"], status["minor"]) == ("character", 1, 3)
    first, second = seen.all("mount")
    assert first["error"] == "EPERM"
    assert "error" in second, "a new user namespace sees a procfs without masks"
    assert all("error" in entry for entry in seen.all("umount"))
