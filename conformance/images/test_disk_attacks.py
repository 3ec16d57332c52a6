"""Images are hostile. Each of these ends with one line of error within 2 s and 64 MB, leaves nothing, and no byte of a file
of the host gets into a bundle."""

import os
import struct
import zlib

import pytest

from images import disks, trees
from images.disks import MIB, ROOT_UUID

SECRET = "/etc/shadow"


@pytest.fixture
def qcow2(samples, work):
    return disks.convert(samples.whole(), work / "image.qcow2", "qcow2")


# Names of other files

@pytest.mark.parametrize("name", [
    "/etc/passwd", "../../../../../../../../etc/passwd", "/proc/self/root/etc/passwd", "json:{\"driver\":\"file\",\"filename\":\"/etc/shadow\"}",
    "file:///etc/passwd", "file:/etc/passwd", "nbd://127.0.0.1:1/x", "http://127.0.0.1/x", "fat:/etc", "/dev/vda", "",
    "x/../../../../../../../etc/passwd",
])
@pytest.mark.parametrize("allowed", [False, True])
def test_a_backing_file_of_the_host(bundler, qcow2, work, name, allowed):
    place = 0x8000
    disks.patch(qcow2, 8, struct.pack(">QI", place, len(name)))
    disks.patch(qcow2, place, name.encode())
    (work / "allowed").mkdir()
    error = bundler.refused(qcow2, *(["--allow-backing", work / "allowed"] if allowed else []))
    assert f'refers to backing file "{name}"' in error or "name of the backing file" in error


def test_a_backing_file_through_a_link_out_of_the_allowed_directory(bundler, qcow2, work):
    allowed = work / "allowed"
    allowed.mkdir()
    (allowed / "base").symlink_to("/etc/passwd")
    (allowed / "sub").symlink_to("/etc")
    for name in ("allowed/base", "allowed/sub/passwd"):
        disks.patch(qcow2, 8, struct.pack(">QI", 0x8000, len(name)))
        disks.patch(qcow2, 0x8000, name.encode())
        assert "cannot open the backing file" in bundler.refused(qcow2, "--allow-backing", allowed)


@pytest.mark.parametrize("kind", ["fifo", "device", "directory"])
def test_a_backing_file_that_is_no_file(bundler, qcow2, work, kind):
    allowed = work / "allowed"
    allowed.mkdir()
    if kind == "fifo":
        os.mkfifo(allowed / "base")
    elif kind == "device":
        os.mknod(allowed / "base", 0o600 | 0o020000, os.makedev(1, 5))
    else:
        (allowed / "base").mkdir()
    disks.patch(qcow2, 8, struct.pack(">QI", 0x8000, 12))
    disks.patch(qcow2, 0x8000, b"allowed/base")
    assert "is no regular file" in bundler.refused(qcow2, "--allow-backing", allowed)


def test_a_chain_of_backing_files_that_is_a_circle(bundler, qcow2, work):
    disks.patch(qcow2, 8, struct.pack(">QI", 0x8000, len(qcow2.name)))
    disks.patch(qcow2, 0x8000, qcow2.name.encode())
    assert "is its own backing file" in bundler.refused(qcow2, "--allow-backing", work)


def test_a_chain_that_is_too_long(bundler, qcow2, work):
    last = qcow2
    for number in range(17):
        path = work / f"{number}.qcow2"
        disks.host.command("qemu-img", "create", "-q", "-f", "qcow2", "-b", last.name, "-F", "qcow2", path)
        last = path
    assert "more than 16 backing files" in bundler.refused(last, "--allow-backing", work)


def extension(kind, content):
    return struct.pack(">II", kind, len(content)) + content.ljust((len(content) + 7) // 8 * 8, b"\0")


@pytest.mark.parametrize("flag", [0, 4])
def test_an_external_data_file(bundler, qcow2, flag):
    """Also where the feature bit, without which QEMU does not heed the name, is not set"""
    disks.patch(qcow2, 72, struct.pack(">Q", flag))
    disks.patch(qcow2, 112, extension(0x44415441, SECRET.encode()) + extension(0, b""))
    assert f'refers to external data file "{SECRET}"; never allowed' in bundler.refused(qcow2)


def test_a_real_image_with_an_external_data_file(bundler, samples, work):
    disks.host.command("qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={work}/data,data_file_raw=on",
                       work / "x.qcow2", "8M")
    assert "refers to external data file" in bundler.refused(work / "x.qcow2")
    (work / "data").unlink()


@pytest.mark.parametrize("text", [
    f'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "{SECRET}" 0\n',
    f'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="fullDevice"\nRW 8 FLAT "/dev/vda" 0\n',
    f'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=1\nparentFileNameHint="{SECRET}"\ncreateType="twoGbMaxExtentSparse"\n',
])
def test_a_vmdk_descriptor_that_names_a_file(bundler, work, text):
    (work / "x.vmdk").write_text(text)
    assert "is a descriptor that names other files; never allowed" in bundler.refused(work / "x.vmdk")


def test_a_vmdk_that_hides_a_descriptor(bundler, samples, work):
    """With a capacity of 0 QEMU looks into the descriptor for the extents"""
    image = disks.convert(samples.whole(), work / "x.vmdk", "vmdk")
    disks.patch(image, 12, bytes(8))
    flat = b'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/shadow" 0\n'
    disks.patch(image, 512, flat.ljust(1024, b"\0"))
    assert "is not possible" in bundler.refused(image)


def test_a_vmdk_with_a_parent(bundler, samples, work):
    image = disks.convert(samples.whole(), work / "x.vmdk", "vmdk")
    text = image.read_bytes()[512:512 + 400].split(b"\0")[0]
    disks.patch(image, 512, text + b'\nparentFileNameHint="/etc/shadow"\n')
    assert "refers to a parent image; never allowed" in bundler.refused(image)


def test_a_vdi_with_a_parent(bundler, samples, work):
    image = disks.convert(samples.whole(), work / "x.vdi", "vdi")
    disks.patch(image, 440, b"\1" * 16)
    assert "refers to a parent image; never allowed" in bundler.refused(image)


def test_a_vhd_with_a_parent(bundler, samples, work):
    image = disks.convert(samples.whole(), work / "x.vhd", "vpc")
    for offset in (60, image.stat().st_size - 512 + 60):
        disks.patch(image, offset, struct.pack(">I", 4))
    assert "refers to a parent image; never allowed" in bundler.refused(image)


def test_an_image_that_is_a_link_to_a_device(bundler, work):
    (work / "x.img").symlink_to("/dev/zero")
    assert "is neither a file nor a directory" in bundler.refused(work / "x.img")


# Headers that lie

@pytest.mark.parametrize(("offset", "content", "error"), [
    (4, ">I 9", "version 9 is not known"), (20, ">I 0", "clusters of"), (20, ">I 63", "clusters of"),
    (24, ">Q 18446744073709551615", "is not possible"), (24, ">Q 0", "is not possible"),
    (32, ">I 2", "encrypted"), (36, ">I 4294967295", "which is not sensible"), (36, ">I 0", "too few"),
    (40, ">Q 1152921504606846976", "truncated: the level 1 table at 1152921504606846976 lies beyond the end"),
    (40, ">Q 18446744073709486080", "lies beyond the end"), (40, ">Q 1", "is not at the beginning of a cluster"),
    (48, ">Q 9223372036854710272", "lies beyond the end"), (56, ">I 4294967295", "which is not sensible"),
    (60, ">I 4294967295", "snapshots are not sensible"), (60, ">I 5", "snapshot"),
    (72, ">Q 9223372036854775808", "unknown features"), (72, ">Q 2", "marked as corrupt"),
    (96, ">I 99", "refcounts"), (100, ">I 4294967288", "header of"), (100, ">I 3", "header of"),
])
def test_a_qcow2_header_that_lies(bundler, qcow2, offset, content, error):
    form, value = content.split()
    disks.patch(qcow2, offset, struct.pack(form, int(value)))
    assert error in bundler.refused(qcow2)


def test_a_name_of_a_backing_file_that_is_too_long(bundler, qcow2):
    disks.patch(qcow2, 8, struct.pack(">QI", 0x8000, 0x7fffffff))
    assert "lies beyond the header" in bundler.refused(qcow2, "--allow-backing", "/")


@pytest.mark.parametrize("size", [4, 60, 500, 70000, MIB])
@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "vdi", "vhdx", "vpc"])
def test_a_file_that_was_cut_off(bundler, samples, work, kind, size):
    image = disks.convert(samples.whole(), work / f"x.{kind}", kind)
    with open(image, "r+b") as file:
        file.truncate(size)
    bundler.refused(image)


@pytest.mark.parametrize("magic", [b"QFI\xfb\0\0\0\3", b"KDMV", b"vhdxfile", b"conectix", b"EFI PART", b"hsqs", b"XFSB"])
def test_noise_behind_a_magic_number(bundler, work, magic):
    image = work / "noise"
    noise = bytes((index * 7919 + 13) % 251 for index in range(1 << 16)) * 4
    image.write_bytes(magic + noise)
    bundler.refused(image)


def test_a_format_is_never_guessed_by_others(bundler, work):
    """A raw disk whose content is the header of a qcow2 image with a backing file stays a raw disk"""
    image = work / "x.raw"
    header = struct.pack(">4sIQI", b"QFI\xfb", 3, 0x100, 11).ljust(0x100, b"\0") + b"/etc/passwd"
    image.write_bytes(header.ljust(MIB, b"\0"))
    assert "has neither a partition table nor a filesystem" in bundler.refused(image, "--format", "raw")


# Partition tables

def mbr(path, entries, size=4 * MIB):
    table = b"".join(struct.pack("<B3xB3xII", 0, kind, first, count) for kind, first, count in entries)
    return disks.patch(disks.blank(path, size), 446, table.ljust(64, b"\0") + b"\x55\xaa")


@pytest.mark.parametrize(("entries", "error"), [
    ([(0x83, 0xffffffff, 0xffffffff)], "reaches beyond the end of the disk"),
    ([(0x83, 100, 1000), (0x83, 500, 1000)], "partition 1 and partition 2 overlap"),
    ([(0x05, 100, 1000)], "the chain of extended partitions is broken"),
    ([(0x05, 100, 1000), (0x0f, 2000, 1000)], "two extended partitions"),
])
def test_a_partition_table_that_lies(bundler, work, entries, error):
    assert error in bundler.refused(mbr(work / "x.img", entries))


@pytest.mark.parametrize("next", [0, 5])
def test_extended_partitions_that_run_in_a_circle(bundler, work, next):
    image = mbr(work / "x.img", [(0x05, 100, 1000)])
    for place, following in ((100, 5), (105, next)):
        link = struct.pack("<16xB3xB3xII", 0, 5, following, 10)
        disks.patch(image, place * 512 + 446, link.ljust(64, b"\0") + b"\x55\xaa")
    assert "runs in a circle" in bundler.refused(image)


def gpt(path, first=34, last=100, count=128, size=128, entries=2, intact=True):
    entry = os.urandom(32) + struct.pack("<QQ", first, last)
    table = entry.ljust(128, b"\0") * (1 if count else 0)
    table = table.ljust(max(0, min(count, 1024)) * max(0, min(size, 4096)), b"\0")
    header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 8191, 34, 8000, bytes(16), entries, count, size,
                         zlib.crc32(table))
    crc = zlib.crc32(header) if intact else 1
    header = header[:16] + struct.pack("<I", crc) + header[20:]
    disks.patch(disks.blank(path, 4 * MIB), 512, header)
    return disks.patch(path, 1024, table)


@pytest.mark.parametrize(("lie", "error"), [
    ({"first": 100, "last": 34}, "ends before it begins"), ({"last": 2**63}, "beyond all disks"), ({"last": 2**40}, "beyond the end"),
    ({"count": 2**32 - 1}, "not sensible"), ({"size": 2**31}, "not sensible"), ({"size": 0}, "not sensible"),
    ({"entries": 2**60}, "beyond the end of the disk"), ({"intact": False}, "both headers of the GPT are damaged"),
])
def test_a_gpt_that_lies(bundler, work, lie, error):
    assert error in bundler.refused(gpt(work / "x.img", **lie))


# Filesystems

def system(path, samples, fstab=None, change=None, size=32 * MIB):
    disks.make(disks.blank(path, size), "ext4", None, ROOT_UUID)
    with disks.mounted(path) as root:
        trees.system(root, samples.busybox, fstab=fstab)
        if change:
            change(root)
    return path


def two(path, samples, fstab, change=None):
    """A system, and a second filesystem with the label data."""
    disks.blank(path, 64 * MIB)
    places = disks.partition(path, "label: dos\nsize=32M, type=83\nsize=24M, type=83\n")
    disks.make(path, "ext4", places[0], ROOT_UUID)
    with disks.mounted(path, places[0]) as root:
        trees.system(root, samples.busybox, fstab=fstab)
        if change:
            change(root)
    disks.make(path, "ext4", places[1], None, "data")
    with disks.mounted(path, places[1]) as data:
        (data / "planted").write_text("planted")
    return path


@pytest.mark.parametrize("point", [
    "/../../../../../../../../tmp/escaped", "/srv/../../../escaped", "/proc", "/sys/fs", "/dev/shm", "/link/x", "/link",
    "/host/etc", "/loop/x",
])
def test_a_mount_point_that_leads_elsewhere(bundler, samples, work, point):
    def change(root):
        (root / "link").symlink_to("/etc")
        (root / "host").symlink_to("../../../../../../../..")
        (root / "loop").symlink_to("loop")

    image = two(work / "x.raw", samples, f"LABEL=data {point} ext4 defaults 0 0\n", change)
    assert "of /etc/fstab" in (error := bundler.refused(image)) or "/etc/fstab has the mount point" in error
    assert not os.path.exists("/tmp/escaped") and not os.path.exists("/etc/planted")


def test_fstab_entries_that_name_the_hosts_disks_are_not_followed(bundler, samples, work):
    fstab = "/dev/vdb1 /a ext4 defaults 0 0\n/etc/passwd /b none bind 0 0\n//host/share /c cifs defaults 0 0\n/dev/loop0 /d ext4 loop 0 0\n"
    bundle = bundler(system(work / "x.raw", samples, fstab))
    assert bundler.config(bundle)["annotations"]["swrun.skipped"] == "/a /c /d"
    assert not (bundle / "rootfs/b").exists()


def test_etc_that_is_a_link_to_the_hosts(bundler, samples, work):
    """What is read of an image to describe it is looked up inside it"""
    def change(root):
        disks.host.command("rm", "-r", root / "etc")
        (root / "etc").symlink_to("../../../../../../../../../../etc")

    bundle = bundler(system(work / "x.raw", samples, change=change))
    assert bundler.config(bundle)["hostname"] == "swrun"
    assert os.readlink(bundle / "rootfs/etc") == "../../../../../../../../../../etc"


@pytest.mark.parametrize("name", ["etc/hostname", "usr/lib/os-release", "etc/fstab", "etc/locale.conf"])
@pytest.mark.parametrize("kind", ["link", "fifo", "huge"])
def test_small_files_that_are_something_else(bundler, samples, work, name, kind):
    def change(root):
        (root / name).unlink(missing_ok=True)
        if kind == "link":
            (root / name).symlink_to("/proc/self/environ")
        elif kind == "fifo":
            os.mkfifo(root / name)
        else:
            with open(root / name, "wb") as file:
                file.truncate(1 << 40)

    bundle = bundler(system(work / "x.raw", samples, change=change), seconds=20)
    assert os.environ["CONFORMANCE_TMP"] not in (bundle / "config.json").read_text().replace(str(work), "")


def test_a_hostname_that_is_no_name(bundler, samples, work):
    image = system(work / "x.raw", samples, change=lambda root: (root / "etc/hostname").write_text('a"}\n;$(id)\n'))
    assert bundler.config(bundler(image))["hostname"] == "swrun"


def test_a_superblock_that_asks_for_a_panic(bundler, samples, work):
    """errors=panic, and a directory that is damaged: reading it is an error and nothing more"""
    image = system(work / "x.raw", samples)
    disks.host.command("tune2fs", "-e", "panic", image)
    inode = disks.host.command("debugfs", "-R", "stat /srv", image)
    block = int(inode.split("EXTENTS:")[1].split(":")[1].split("-")[0].split()[0])
    size = int([line for line in disks.host.command("dumpe2fs", "-h", image).splitlines() if "Block size" in line][0].split()[-1])
    disks.patch(image, block * size, b"\xff" * size)
    assert "the image is damaged" in bundler.refused(image)


def test_too_many_files_and_too_many_bytes(bundler, samples, work):
    def change(root):
        for number in range(300):
            (root / "srv" / str(number)).touch()
        (root / "srv/big").write_bytes(b"x" * 4 * MIB)

    image = system(work / "x.raw", samples, change=change)
    assert "has more than 200 files; --max-files allows more" in bundler.refused(image, "--max-files", "200")
    assert "unpacks to more than 2097152 bytes; --max-size allows more" in bundler.refused(image, "--max-size", "2M")


def test_holes_in_a_squashfs_stay_holes(bundler, samples, work):
    """Not every kernel knows where they are: then a file of zeros is read, as far as --max-size allows"""
    root = work / "tree"
    root.mkdir()
    trees.system(root, samples.busybox)
    with open(root / "hole", "wb") as file:
        file.truncate(1 << 30)
    disks.host.command("mksquashfs", root, work / "x.squashfs", "-quiet", "-no-progress", "-noappend")
    bundle = bundler(work / "x.squashfs")
    assert (bundle / "rootfs/hole").stat().st_size == 1 << 30
    assert disks.allocated(bundle / "rootfs/hole") < MIB


# ISO images

@pytest.fixture
def iso(samples, work):
    (work / "tree").mkdir()
    trees.system(work / "tree", samples.busybox)
    disks.host.command("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", work / "x.iso", work / "tree")
    return work / "x.iso"


@pytest.mark.parametrize(("offset", "content", "error"), [
    (158, b"\xff\xff\xff\x7f", "lies beyond the end"), (166, b"\xff\xff\xff\x7f", "not sensible"), (128, b"\0\2", "blocks of 512"),
    (156, b"\0", "root directory is damaged"),
])
def test_an_iso_image_that_lies(bundler, iso, offset, content, error):
    disks.patch(iso, 0x8000 + offset, content)
    assert error in bundler.refused(iso)


def test_directories_of_an_iso_image_that_run_in_a_circle(bundler, iso):
    data = bytearray(iso.read_bytes())
    root = struct.unpack_from("<I", data, 0x8000 + 158)[0] * 2048
    place = data.index(b"SRV", root) - 33
    struct.pack_into("<I", data, place + 2, root // 2048)
    iso.write_bytes(data)
    assert "run in a circle" in bundler.refused(iso)


@pytest.mark.parametrize("name", [b"../x", b"..", b"a/b"])
def test_names_of_an_iso_image_that_lead_out(bundler, iso, name):
    """Rock Ridge names have any bytes"""
    data = bytearray(iso.read_bytes())
    root = struct.unpack_from("<I", data, 0x8000 + 158)[0] * 2048
    place = data.index(b"NM", data.index(b"SRV", root))
    length = data[place + 2]
    data[place + 5:place + length] = (name + b"\0" * 8)[:length - 5] if len(name) > length - 5 else name.ljust(length - 5, b"/")
    iso.write_bytes(data)
    assert "is not possible" in bundler.refused(iso)
