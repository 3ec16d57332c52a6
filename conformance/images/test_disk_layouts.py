"""The root filesystem is found, whatever the layout of the disk; what fstab mounts from the same disk is added."""

from uuid import uuid4

import pytest

from images import disks, trees
from images.disks import BOOT_UUID, HOME_UUID, LINUX, MIB, ROOT_UUID, ROOT_X86_64
from images.test_mount_mode import set_process

FSTAB = f"""# <fs> <mountpoint> <type> <options> <dump> <pass>
UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1
UUID={BOOT_UUID} /boot ext4 defaults 0 2
LABEL=ESP /boot/efi vfat umask=0077 0 1
LABEL=home /home ext4 nodev,nosuid 0 2
UUID=99999999-9999-4999-8999-999999999999 none swap sw 0 0
nas:/export /mnt/nas nfs defaults 0 0
"""


def gpt(path, samples, root_type):
    """An EFI partition, /boot, / and /home, as an installer makes them."""
    disks.blank(path, 96 * MIB)
    places = disks.partition(path, f"""label: gpt
size=2M, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
size=16M, type={LINUX}, name=boot
size=48M, type={root_type}, name=system
type={LINUX}, name=home
""")
    with disks.loop(path, places[0]) as device:
        disks.host.command("mkfs.vfat", "-n", "ESP", device)
    disks.make(path, "ext4", places[1], BOOT_UUID)
    with disks.mounted(path, places[1]) as boot:
        (boot / "vmlinuz").write_text("kernel")
        (boot / "efi").mkdir()
    disks.make(path, "ext4", places[3], HOME_UUID, "home")
    with disks.mounted(path, places[3]) as home:
        (home / "alice").mkdir()
        (home / "alice/hello").write_text("hello")
        disks.os.chown(home / "alice", 1000, 1000)
    disks.make(path, "ext4", places[2], ROOT_UUID)
    with disks.mounted(path, places[2]) as root:
        trees.system(root, samples.busybox, fstab=FSTAB)
        (root / "home/hidden").write_text("below the mount point")
    return path


@pytest.mark.parametrize("root_type", [ROOT_X86_64, LINUX])
def test_partitions_of_a_gpt_are_merged_as_fstab_says(bundler, samples, work, root_type):
    image = gpt(work / "gpt.raw", samples, root_type)
    bundle = bundler(image)
    rootfs = bundle / "rootfs"
    assert (rootfs / "boot/vmlinuz").read_text() == "kernel"
    assert (rootfs / "home/alice/hello").read_text() == "hello"
    assert (rootfs / "home/alice").stat().st_uid == 1000
    assert not (rootfs / "home/hidden").exists(), "what a mount hides is not in the bundle"
    notes = bundler.config(bundle)["annotations"]
    assert notes["swrun.partition.index"] == "3"
    assert notes["swrun.merged-mounts"] == "/boot /home"
    assert notes["swrun.skipped"] == "/boot/efi /mnt/nas"
    alone = bundler(image, "--fstab", "none") / "rootfs"
    assert (alone / "home/hidden").exists() and not (alone / "boot/vmlinuz").exists()


def test_a_damaged_gpt_is_read_from_its_copy(bundler, samples, work):
    image = disks.patch(gpt(work / "gpt.raw", samples, LINUX), 512 + 40, b"\xff" * 8)
    assert (bundler(image) / "rootfs/etc/hostname").exists()


def test_extended_partitions_are_found(bundler, samples, work):
    image = disks.blank(work / "mbr.raw", 80 * MIB)
    places = disks.partition(image, "label: dos\n1: size=4M, type=83\n2: size=70M, type=5\n5: size=8M, type=82\n6: size=40M, type=83\n")
    disks.make(image, "ext4", places[3])
    with disks.mounted(image, places[3]) as root:
        trees.system(root, samples.busybox)
    bundle = bundler(image)
    assert bundler.config(bundle)["annotations"]["swrun.partition.index"] == "6"
    assert "6: " in bundler.layout(image)


def btrfs(path, samples):
    disks.blank(path, 160 * MIB)
    places = disks.partition(path, "label: gpt\ntype=linux\n")
    uuid = str(uuid4())  # two of the same at a time are nothing that the kernel could tell apart
    disks.make(path, "btrfs", places[0], uuid)
    with disks.mounted(path, places[0]) as top:
        for name in ("@", "@home"):
            disks.host.command("btrfs", "-q", "subvolume", "create", top / name)
        (top / "@snapshots").mkdir()
        fstab = f"UUID={uuid} / btrfs subvol=@,compress=zstd 0 0\nUUID={uuid} /home btrfs subvol=/@home 0 0\n"
        trees.system(top / "@", samples.busybox, fstab=fstab)
        (top / "@home/alice").write_text("home")
        disks.host.command("btrfs", "-q", "subvolume", "snapshot", "-r", top / "@", top / "@snapshots/1")
        (top / "@/etc/hostname").write_text("now\n")
    return path


def test_subvolumes_of_btrfs_are_found_and_merged(bundler, samples, work):
    """A snapshot looks like a root as well"""
    image = btrfs(work / "btrfs.raw", samples)
    bundle = bundler(image)
    assert (bundle / "rootfs/home/alice").read_text() == "home"
    config = bundler.config(bundle)
    assert config["hostname"] == "now"
    assert config["annotations"]["swrun.partition.subvol"] == "@"
    snapshot = bundler(image, "--root", "1:@snapshots/1")
    assert bundler.config(snapshot)["hostname"] == "samplevm"
    assert "there is no partition" in bundler.refused(image, "--root", "7:@")
    assert 'has no subvolume "nope"' in bundler.refused(image, "--root", "1:nope")
    layout = bundler.layout(image)
    assert "subvolume @: Sample Linux 12 (tests)" in layout and "root: 1:@ btrfs" in layout


def test_a_container_runs_from_several_subvolumes(bundler, samples, work):
    """A filesystem is mounted once, however many of its subvolumes are used"""
    bundle = set_process(bundler(btrfs(work / "btrfs.raw", samples), "--mode", "mount"), "/bin/cat", "/etc/hostname", "/home/alice")
    assert bundler.runtime.command("run", "--bundle", bundle, bundler.runtime.unique()).ok().stdout == "now\nhome"


def test_nested_subvolumes_of_btrfs_are_part_of_the_tree(bundler, samples, work):
    """As systemd makes them for /var/lib/machines; read-only snapshots are left out, which is told"""
    image = disks.blank(work / "nested.raw", 128 * MIB)
    disks.make(image, "btrfs")
    with disks.mounted(image) as top:
        disks.host.command("btrfs", "-q", "subvolume", "create", top / "@")
        trees.system(top / "@", samples.busybox)
        (top / "@/var/lib").mkdir()
        for name in ("@/var/lib/machines", "@/var/lib/machines/inner", "@/srv/other"):
            disks.host.command("btrfs", "-q", "subvolume", "create", top / name)
        # the same inode numbers in each
        for name in ("@/var/lib/machines", "@/srv/other"):
            (top / name / "a").write_text(name)
            disks.os.link(top / name / "a", top / name / "b")
        (top / "@/var/lib/machines/inner/deep").write_text("deep")
        disks.host.command("btrfs", "-q", "subvolume", "snapshot", "-r", top / "@/srv/other", top / "@/srv/snapshot")
    target = bundler.target()
    result = bundler.runtime.command("bundle", image, "-o", target).ok()
    rootfs = target / "rootfs"
    for name in ("var/lib/machines", "srv/other"):
        assert (rootfs / name / "a").read_text() == f"@/{name}" == (rootfs / name / "b").read_text()
        assert (rootfs / name / "a").stat().st_nlink == 2
    assert (rootfs / "var/lib/machines/inner/deep").read_text() == "deep"
    assert list((rootfs / "srv/snapshot").iterdir()) == []
    assert "1 read-only snapshots were left out, the first of them /srv/snapshot" in result.stderr
    bundle = set_process(bundler(image, "--mode", "mount"), "/bin/cat", "/var/lib/machines/inner/deep")
    assert bundler.runtime.command("run", "--bundle", bundle, bundler.runtime.unique()).ok().stdout == "deep"


def test_a_tie_is_an_error_that_lists_the_candidates(bundler, samples, work):
    image = disks.blank(work / "tie.raw", 80 * MIB)
    places = disks.partition(image, "label: gpt\nsize=32M, type=linux\nsize=32M, type=linux\n")
    for place in places:
        disks.make(image, "ext4", place)
        with disks.mounted(image, place) as root:
            trees.system(root, samples.busybox)
    error = bundler.refused(image)
    assert error.endswith(
        "2 candidates for the root filesystem: 1 ext4 (Sample Linux 12 (tests)), 2 ext4 (Sample Linux 12 (tests)); "
        "choose with --root"), error
    assert (bundler(image, "--root", "2") / "rootfs/etc/hostname").exists()


def test_no_root_filesystem_is_an_error_that_tells_why(bundler, samples, work):
    image = disks.blank(work / "data.raw", 32 * MIB)
    places = disks.partition(image, "label: dos\ntype=83\n")
    disks.make(image, "ext4", places[0])
    assert "no root filesystem: partition 1 (ext4) has neither os-release nor init nor a shell" in bundler.refused(image)


def lvm(path, samples, layout):
    """A physical volume written by hand: not every kernel has the device mapper. `layout`: LVM's text of the segments."""
    extent, first = 4 * MIB, MIB
    disks.blank(path, 64 * MIB)
    inner = path.parent / "inner.raw"
    disks.blank(inner, 32 * MIB)
    disks.make(inner, "ext4", None, ROOT_UUID)
    with disks.mounted(inner) as root:
        trees.system(root, samples.busybox)
    disks.patch(path, first + 2 * extent, inner.read_bytes())
    inner.unlink()
    text = f"""vg {{
id = "x"
seqno = 1 # a comment
extent_size = {extent // 512}
physical_volumes {{
pv0 {{
id = "y"
pe_start = {first // 512}
pe_count = 15
}}
}}
logical_volumes {{
root {{
id = "z"
{layout}
}}
}}
}}
""".encode() + b"\0"
    label = b"LABELONE" + (1).to_bytes(8, "little") + bytes(4) + (32).to_bytes(4, "little") + b"LVM2 001"
    label += b"P" * 32 + (64 * MIB).to_bytes(8, "little")
    for offset, size in ((first, 0), (0, 0), (4096, first - 4096), (0, 0)):
        label += offset.to_bytes(8, "little") + size.to_bytes(8, "little")
    disks.patch(path, 512, label)
    area = bytes(4) + b" LVM2 x[5A%r0N*>" + (1).to_bytes(4, "little")
    area += (4096).to_bytes(8, "little") + (first - 4096).to_bytes(8, "little")
    area += (512).to_bytes(8, "little") + len(text).to_bytes(8, "little") + bytes(24)
    disks.patch(path, 4096, area.ljust(512, b"\0") + text)
    return path


def segment(number, start, count, extents, stripes):
    return f"""segment{number} {{
start_extent = {start}
extent_count = {count}
type = "striped"
stripe_count = {extents}
stripes = [ {stripes} ]
}}
"""


def test_a_linear_logical_volume_is_found(bundler, samples, work):
    image = lvm(work / "lvm.raw", samples, segment(1, 0, 4, 1, '"pv0", 2') + segment(2, 4, 4, 1, '"pv0", 6'))
    bundle = bundler(image)
    assert bundler.config(bundle)["annotations"]["swrun.partition.index"] == "vg/root"
    assert (bundler(image, "--root", "vg/root") / "rootfs/etc/hostname").exists()


@pytest.mark.parametrize(("segments", "reason"), [
    (segment(1, 0, 8, 2, '"pv0", 2, "pv0", 6'), "striped over several disks"),
    (segment(1, 0, 4, 1, '"pv0", 2') + segment(2, 4, 4, 1, '"pv0", 9'), "several pieces"),
    (segment(1, 0, 8, 1, '"pv0", 2').replace("striped", "thin"), "is thin"),
])
def test_other_logical_volumes_are_refused_with_the_reason(bundler, samples, work, segments, reason):
    error = bundler.refused(lvm(work / "lvm.raw", samples, segments))
    assert "vg/root: " in error and reason in error and "needs the kernel's device mapper" in error


def test_an_encrypted_disk_is_named(bundler, work):
    image = disks.patch(disks.blank(work / "luks.raw", 8 * MIB), 0, b"LUKS\xba\xbe\0\2")
    assert "is encrypted" in bundler.refused(image)


def test_a_disk_may_be_an_erofs(bundler, samples, work):
    """Without a partition table, as systems come that are never written"""
    (work / "tree").mkdir()
    trees.odd_files(trees.system(work / "tree", samples.busybox), holes=False)
    (work / "tree/srv/odd" / ("x" * 255)).unlink()  # Debian's mkfs.erofs ends at such a name
    disks.host.command("mkfs.erofs", "--quiet", work / "root.erofs", work / "tree")
    assert "root: 0 erofs (Sample Linux 12 (tests))" in bundler.layout(work / "root.erofs")
    bundle = bundler(work / "root.erofs", "--devices")
    assert trees.differences(trees.manifest(work / "tree"), trees.manifest(bundle / "rootfs")) == []
