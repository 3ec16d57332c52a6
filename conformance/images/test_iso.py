"""Live media: filesystems in the files of an ISO image; and plain trees."""

import pytest

from images import disks, trees
from images.test_mount_mode import set_process


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


class Layers:
    """The directory casper/ of a medium of Ubuntu: each layer a squashfs of what it changes in those below."""

    def __init__(self, samples, work):
        self.work = work
        base = self.directory("minimal")
        trees.odd_files(trees.system(base, samples.busybox), holes=False)
        (base / "srv/removed").write_text("of the base")
        (base / "srv/replaced").mkdir()
        (base / "srv/replaced/hidden").touch()
        self.squash("minimal", base)

    def directory(self, name):
        path = self.work / "layers" / name
        path.mkdir(parents=True)
        return path

    def squash(self, name, tree):
        squash(tree, self.work / f"iso/casper/{name}.squashfs")

    def add(self, name, change):
        """A layer upon those that its name says, made as an installer does: the upper directory of an overlay."""
        parts = name.split(".")
        below = [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
        upper, scratch, point = self.directory(name), self.directory(f"{name}-work"), self.directory(f"{name}-all")
        lower = ":".join(str(self.work / "layers" / each) for each in below)
        disks.host.command("mount", "-t", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={scratch}", "overlay", point)
        try:
            change(point)
            whole = trees.manifest(point)
        finally:
            disks.host.command("umount", point)
        self.squash(name, upper)
        return whole

    def iso(self, boot=None):
        if boot:
            (self.work / "iso/boot/grub").mkdir(parents=True)
            (self.work / "iso/boot/grub/grub.cfg").write_text(
                f'menuentry "Try" {{\n\tlinux /casper/vmlinuz layerfs-path={boot} --- quiet splash\n}}\n')
        return make_iso(self.work / "stack.iso", self.work / "iso")


@pytest.fixture
def layers(samples, work):
    made = Layers(samples, work)

    def standard(root):
        (root / "srv/removed").unlink()
        disks.host.command("rm", "-r", root / "srv/replaced")
        (root / "srv/replaced").mkdir()
        (root / "srv/replaced/new").write_text("of the second")
        (root / "srv/odd/hl-a").write_text("changed in the second\n")
        (root / "etc/hostname").write_text("standard\n")

    def live(root):
        (root / "etc/hostname").write_text("live\n")
        (root / "srv/live").touch()

    made.standard = made.add("minimal.standard", standard)
    made.live = made.add("minimal.standard.live", live)
    made.add("minimal.standard.de", lambda root: (root / "etc/hostname").write_text("de\n"))
    return made


def differences(want, got):
    """As far as a squashfs goes: whole seconds, no access lists; and an overlay breaks hard links that it changes."""
    for each in (want, got):
        for path, line in list(each.items()):
            attributes = [a for a in line[7] if not a[0].startswith(("system.posix_acl", "trusted.overlay"))]
            each[path] = ("" if b"acl" in path else line[0], *line[1:3], line[3] // 10**9, *line[4:7], attributes)
        for path in (b"srv/odd/opaque", b"srv/odd/whiteout"):
            each.pop(path, None)
    return trees.differences(want, got)


def test_the_layers_of_a_live_medium_are_stacked(bundler, layers):
    """Ubuntu's layout: what a layer removes or replaces of those below is not there; the live session's stack is taken"""
    bundle = bundler(layers.iso(), "--devices")
    assert bundler.config(bundle)["annotations"]["swrun.partition.index"] == "casper/minimal.standard.live.squashfs"
    assert differences(layers.live, trees.manifest(bundle / "rootfs")) == []
    assert not (bundle / "rootfs/srv/removed").exists()
    assert [path.name for path in (bundle / "rootfs/srv/replaced").iterdir()] == ["new"]


def test_a_stack_of_a_live_medium_can_be_chosen(bundler, layers):
    image = layers.iso()
    bundle = bundler(image, "--devices", "--root", "casper/minimal.standard.squashfs")
    assert differences(layers.standard, trees.manifest(bundle / "rootfs")) == []
    base = bundler(image, "--root", "casper/minimal.squashfs")
    assert bundler.config(base)["hostname"] == "samplevm" and (base / "rootfs/srv/removed").exists()
    assert "root: casper/minimal.standard.live.squashfs squashfs (Sample Linux 12 (tests))" in bundler.layout(image)


def test_the_boot_loader_of_a_live_medium_says_which_stack_is_meant(bundler, layers):
    bundle = bundler(layers.iso(boot="minimal.standard.de.squashfs"))
    assert bundler.config(bundle)["hostname"] == "de"


def test_stacks_between_which_nothing_decides_are_listed(bundler, layers, work):
    (work / "iso/casper/minimal.standard.live.squashfs").unlink()
    layers.add("minimal.standard.fr", lambda root: (root / "etc/hostname").write_text("fr\n"))
    error = bundler.refused(layers.iso())
    assert "2 candidates for the root filesystem: casper/minimal.standard.de.squashfs" in error and "choose with --root" in error


def test_a_container_runs_from_a_stack(bundler, layers, runtime):
    bundle = set_process(bundler(layers.iso(), "--mode", "mount"), "/bin/cat", "/etc/hostname", "/srv/replaced/new")
    assert runtime.command("run", "--bundle", bundle, runtime.unique()).ok().stdout == "live\nof the second"


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
