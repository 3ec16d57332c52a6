"""Bundles from directories: a copy of the tree."""

import os
import tarfile

from harness.errors import refused
from archives import samples as a
from images import trees


def test_a_tree_is_copied_whole(make, work):
    source = work / "source"
    source.mkdir()
    trees.system(source, os.environ["CONFORMANCE_BUSYBOX"])
    trees.odd_files(source)
    made = make(source, "--devices")
    made.result.ok()
    wanted, found = trees.manifest(source), trees.manifest(made.rootfs)
    assert not trees.differences(wanted, found)
    assert made.peak < 64 << 20


def test_a_directory_is_not_copied_into_itself(runtime, work):
    (work / "source").mkdir()
    refused(runtime.command("bundle", work / "source", "-o", work / "source/bundle"), names=["bundle would lie in"])
    assert not list((work / "source").iterdir())


def test_the_format_can_be_named(make, work):
    source = work / "source"
    a.Layout(source).write()
    made = make(source, "--format", "directory")
    made.result.ok()
    assert (made.rootfs / "oci-layout").exists()


def test_odd_files_survive_tar_too(make, work):
    """The same tree through tarfile and bundle"""
    source = work / "source"
    source.mkdir()
    trees.system(source, os.environ["CONFORMANCE_BUSYBOX"])
    trees.odd_files(source, holes=False)
    with tarfile.open(work / "tree.tar", "w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as file:
        for directory, directories, files in os.walk(os.fsencode(source)):
            for name in directories + files:
                path = os.path.join(directory, name)
                info = file.gettarinfo(os.fsdecode(path), os.fsdecode(os.path.relpath(path, os.fsencode(source))))
                if info is None:
                    continue  # a socket
                for attribute in os.listxattr(path, follow_symlinks=False):
                    value = os.getxattr(path, attribute, follow_symlinks=False)
                    info.pax_headers[f"SCHILY.xattr.{attribute}"] = value.decode("utf-8", "surrogateescape")
                with open(path, "rb") if info.isreg() else open(os.devnull, "rb") as content:
                    file.addfile(info, content)
    made = make(work / "tree.tar", "--devices")
    made.result.ok()
    wanted, found = trees.manifest(source), trees.manifest(made.rootfs)
    left_out = (b"srv/odd/sock", b"srv/odd/opaque")  # nobody listens on a copy; orders to overlayfs
    for path in left_out:
        wanted.pop(path, None), found.pop(path, None)

    def to_milliseconds(manifest):
        """Python writes times as floating-point numbers."""
        return {path: (*entry[:3], entry[3] // 1_000_000, *entry[4:]) for path, entry in manifest.items()}

    differences = trees.differences(to_milliseconds(wanted), to_milliseconds(found))
    assert not differences, "\n".join(differences[:5])
