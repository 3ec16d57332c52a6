"""Live media: filesystems in the files of an ISO image; and plain trees."""

import pytest

from images import disks, trees


@pytest.fixture
def tree(samples, work):
    root = work / "tree"
    root.mkdir()
    trees.odd_files(trees.system(root, samples.busybox), holes=False)
    return root


def make_iso(path, source, *flags):
    disks.host.command("xorriso", "-as", "mkisofs", "-quiet", "-V", "LIVE", "-R", *flags, "-o", path, source)
    return path


def squash(source, target, *flags):
    target.parent.mkdir(parents=True, exist_ok=True)
    disks.host.command("mksquashfs", source, target, "-quiet", "-no-progress", "-noappend", *flags)


@pytest.mark.parametrize("place", ["live/filesystem.squashfs", "casper/filesystem.squashfs", "arch/x86_64/airootfs.sfs"])
def test_a_live_medium_with_a_squashfs(bundler, tree, work, place):
    squash(tree, work / "iso" / place, "-comp", "zstd")
    bundle = bundler(make_iso(work / "live.iso", work / "iso"), "--devices")
    # a squashfs has whole seconds, and no access lists
    want, got = trees.manifest(tree), trees.manifest(bundle / "rootfs")
    for each in (want, got):
        for path, line in each.items():
            attributes = [a for a in line[7] if not a[0].startswith("system.posix_acl")]
            mode = "" if b"acl" in path else line[0]
            each[path] = (mode, *line[1:3], line[3] // 10**9, *line[4:7], attributes, line[8])
    assert trees.differences(want, got) == []
    assert bundler.config(bundle)["annotations"]["swrun.partition.index"] == place


def test_a_live_medium_with_an_image_in_its_squashfs(bundler, samples, work):
    """Fedora's layout: LiveOS/squashfs.img holds LiveOS/rootfs.img, an ext4"""
    inner = work / "inner/LiveOS/rootfs.img"
    inner.parent.mkdir(parents=True)
    disks.make(disks.blank(inner, 24 * disks.MIB), "ext4")
    with disks.mounted(inner) as root:
        trees.odd_files(trees.system(root, samples.busybox))
        want = trees.manifest(root)
    squash(work / "inner", work / "iso/LiveOS/squashfs.img")
    bundle = bundler(make_iso(work / "nested.iso", work / "iso"), "--devices")
    assert trees.differences(want, trees.manifest(bundle / "rootfs")) == []


def test_an_iso_image_of_a_plain_tree(bundler, samples, work):
    root = work / "tree"
    root.mkdir()
    trees.system(root, samples.busybox)
    (root / "srv/suid").touch()
    (root / "srv/suid").chmod(0o4755)
    (root / "srv/A long Name, with Capitals.txt").write_text("content")
    (root / "srv/big").write_bytes(bytes(range(256)) * 20000)
    (root / "srv/link").symlink_to("/etc/../etc/hostname")
    disks.os.chown(root / "srv/big", 1000, 1001)
    disks.os.utime(root / "srv/big", (10**9, 10**9))
    bundle = bundler(make_iso(work / "plain.iso", root))
    want, got = trees.manifest(root), trees.manifest(bundle / "rootfs")
    for each in (want, got):
        for path, line in each.items():
            each[path] = (*line[:3], line[3] // 10**9, line[4], line[5], line[6])
    assert trees.differences(want, got) == []


def test_an_iso_image_without_a_system(bundler, work):
    (work / "iso").mkdir()
    (work / "iso/readme").write_text("nothing")
    assert "no root filesystem" in bundler.refused(make_iso(work / "empty.iso", work / "iso"))
