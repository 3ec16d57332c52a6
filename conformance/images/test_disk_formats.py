"""Disk images of every format become the same tree."""

import json

import pytest

from images import disks, trees

FORMATS = {
    "plain.qcow2": ("qcow2",), "version2.qcow2": ("qcow2", "compat=0.10"), "zlib.qcow2": ("qcow2", "-c"),
    "zstd.qcow2": ("qcow2", "-c", "compression_type=zstd"), "small-clusters.qcow2": ("qcow2", "cluster_size=4096"),
    "extended.qcow2": ("qcow2", "cluster_size=131072,extended_l2=on"), "sparse.vmdk": ("vmdk",),
    "stream.vmdk": ("vmdk", "subformat=streamOptimized"), "image.vdi": ("vdi",), "static.vdi": ("vdi", "static=on"),
    "image.vhdx": ("vhdx",), "dynamic.vhd": ("vpc",), "fixed.vhd": ("vpc", "subformat=fixed"),
}


@pytest.mark.parametrize("kind", ["ext2", "ext4", "xfs", "btrfs"])
def test_every_filesystem_is_copied_with_all_that_belongs_to_it(bundler, samples, kind):
    """Hard links, holes, attributes, access lists, capabilities, ids, times to the nanosecond, names of any bytes"""
    bundle = bundler(samples.whole(kind), "--devices")
    assert trees.differences(samples.manifest(kind), trees.manifest(bundle / "rootfs")) == []
    if kind != "ext2":
        assert disks.allocated(bundle / "rootfs/srv/odd/sparse-1T") == 0


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_the_same_tree(bundler, samples, name):
    image = samples.converted(name, *FORMATS[name])
    bundle = bundler(image, "--devices")
    assert trees.differences(samples.manifest(), trees.manifest(bundle / "rootfs")) == []


def test_an_internal_snapshot_can_be_chosen(bundler, samples, work):
    image = work / "snapshot.qcow2"
    disks.convert(samples.whole(), image, "qcow2")
    disks.host.command("qemu-img", "snapshot", "-c", "before", image)
    disks.host.command("qemu-io", "-c", "write -P 0 0 8M", image)
    assert "has neither a partition table nor a filesystem" in bundler.refused(image)
    bundle = bundler(image, "--snapshot", "before", "--devices")
    assert trees.differences(samples.manifest(), trees.manifest(bundle / "rootfs")) == []
    assert bundler.config(bundle)["annotations"]["swrun.source.snapshot"] == "before"
    assert 'has no snapshot "after"; it has "before"' in bundler.refused(image, "--snapshot", "after")


def test_backing_files_are_read_where_the_user_allows_them(bundler, samples, work):
    base = disks.convert(samples.whole(), work / "base.qcow2", "qcow2")
    for parent, name in ((base, "middle.qcow2"), (work / "middle.qcow2", "top.qcow2")):
        disks.host.command("qemu-img", "create", "-q", "-f", "qcow2", "-b", parent.name, "-F", "qcow2", work / name)
    assert 'refers to backing file "middle.qcow2"; refused (use --allow-backing DIR)' in bundler.refused(work / "top.qcow2")
    bundle = bundler(work / "top.qcow2", "--allow-backing", work, "--devices")
    assert trees.differences(samples.manifest(), trees.manifest(bundle / "rootfs")) == []


def test_device_nodes_are_left_out_unless_asked_for(bundler, samples):
    odd = bundler(samples.whole()) / "rootfs/srv/odd"
    assert not (odd / "null").exists() and not (odd / "sda").exists()
    assert (odd / "fifo").is_fifo()


def test_set_user_id_bits_are_left_out_when_asked_for(bundler, samples):
    odd = bundler(samples.whole(), "--nosuid") / "rootfs/srv/odd"
    assert (odd / "suid").stat().st_mode & 0o7777 == 0o755
    assert (odd / "sgid").stat().st_mode & 0o7777 == 0o755
    assert "security.capability" not in disks.os.listxattr(odd / "cap")


def test_only_the_owner_can_enter_a_bundle(bundler, samples):
    """The image's set-user-id programs are not for the users of the host"""
    assert bundler(samples.whole()).stat().st_mode & 0o7777 == 0o700


def test_a_path_may_be_deeper_than_system_calls_take(bundler, samples, work):
    image = disks.blank(work / "deep.raw", 64 * disks.MIB)
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.deep(trees.system(root, samples.busybox), 300)
    bundle = bundler(image)
    here = bundle / "rootfs"
    fd = disks.os.open(here, disks.os.O_RDONLY)
    for _ in range(300):
        inner = disks.os.open("d" * 40, disks.os.O_RDONLY, dir_fd=fd)
        disks.os.close(fd)
        fd = inner
    assert disks.os.listdir(fd) == ["bottom"]
    disks.os.close(fd)


@pytest.mark.parametrize("name", ["raw", "qcow2", "vmdk"])
def test_progress_is_by_what_is_allocated(bundler, samples, name):
    """A hole of 1 TiB is nothing"""
    image = samples.whole() if name == "raw" else samples.converted(f"progress.{name}", name)
    result = bundler.runtime.command("bundle", image, "-o", bundler.target(), "--progress", "json").ok()
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    last = reports[-1]
    assert last["step"] == "copying" and last["finished"] and last["files"] > 30
    assert disks.MIB // 2 < last["bytes"] <= last["total"] < 32 * disks.MIB


def test_config_json_tells_where_the_tree_comes_from(bundler, samples):
    image = samples.converted("plain.qcow2", "qcow2")
    config = bundler.config(bundler(image))
    assert config["hostname"] == "samplevm"
    assert config["process"]["args"] == ["/bin/sh"]
    assert "container=oci" in config["process"]["env"] and "LANG=C.UTF-8" in config["process"]["env"]
    notes = config["annotations"]
    assert notes["swrun.source.path"] == str(image) and notes["swrun.source.format"] == "qcow2"
    assert notes["swrun.partition.fstype"] == "ext4" and notes["swrun.partition.uuid"] == disks.ROOT_UUID
    assert notes["swrun.os-release.id"] == "sample" and notes["swrun.os-release.version"] == "12"
    assert notes["swrun.mode"] == "copy" and notes["swrun.journal"] == "clean"


@pytest.mark.parametrize(("unified", "has_systemd", "args"), [
    (True, True, ["/sbin/init"]), (True, False, ["/bin/sh"]), (False, True, ["/bin/sh"])])
def test_a_system_with_systemd_is_booted_where_it_can_be(bundler, samples, work, unified, has_systemd, args):
    """It needs a control group that it may divide, which only version 2 gives; then it gets what it expects of a container"""
    image = disks.blank(work / "x.raw", 32 * disks.MIB)
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox, fstab="UUID=0000-0000 / ext4 defaults 0 0\n")
        if has_systemd:
            (root / "usr/lib/systemd").mkdir()
            (root / "usr/lib/systemd/systemd").touch(mode=0o755)
    target = bundler.target()
    script = f"mount -t {'cgroup2' if unified else 'tmpfs'} none /sys/fs/cgroup && exec \"$@\""
    bundler.runtime.command_words(
        ["unshare", "--mount", "sh", "-c", script, "sh", *bundler.runtime.words("bundle", image, "-o", target)]).ok()
    config = bundler.config(target)
    assert config["process"]["args"] == args
    boots = args == ["/sbin/init"]
    in_memory = {mount["destination"] for mount in config["mounts"] if mount["type"] == "tmpfs"}
    assert ({"/run", "/run/lock", "/tmp"} <= in_memory) == boots
    # a system that starts would wait for disks that are not there
    assert (target / "rootfs/etc/fstab.orig").exists() == boots


def test_the_bundle_runs(bundler, samples, runtime):
    bundle = bundler(samples.converted("plain.qcow2", "qcow2"), "--init", "/bin/cat /etc/hostname", "--hostname", "other")
    assert bundler.config(bundle)["hostname"] == "other"
    config = bundler.config(bundle)
    assert config["process"]["args"] == ["/bin/cat", "/etc/hostname"]
    assert runtime.command("run", "--bundle", bundle, runtime.unique()).ok().stdout == "samplevm\n"


def test_qemu_storage_daemon_is_named_when_it_is_missing(bundler, samples):
    """The daemon is hidden by a file in its place that cannot be opened: a mount of the test's own namespace"""
    image = samples.converted("plain.qcow2", "qcow2")
    runtime = bundler.runtime
    words = runtime.words("bundle", image, "-o", bundler.target())
    script = "mkdir -p $1; cp -a /usr/bin/. $1/; rm $1/qemu-storage-daemon; mount --bind $1 /usr/bin; shift; exec \"$@\""
    empty = bundler.directory / "bin"
    result = runtime.command_words(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(empty), *words], seconds=60)
    assert result.status == 1
    assert "needs /usr/bin/qemu-storage-daemon, which is missing; Debian has it in the package qemu-system-common" in result.stderr
