"""Mount options: what the kernel then shows (config.md, Linux mount options)."""

import os

import pytest

# Options, what the mount must show, and what it must not show.
SIMPLE = [
    ("ro", {"ro"}, {"rw"}), ("rw", {"rw"}, {"ro"}), ("nosuid", {"nosuid"}, set()), ("nodev", {"nodev"}, set()),
    ("noexec", {"noexec"}, set()), ("noatime", {"noatime"}, {"relatime"}), ("nodiratime", {"nodiratime"}, set()),
    ("relatime", {"relatime"}, {"noatime"}), ("strictatime", set(), {"relatime", "noatime"}),
    ("nosymfollow", {"nosymfollow"}, set()), ("suid", set(), {"nosuid"}), ("dev", set(), {"nodev"}),
    ("exec", set(), {"noexec"}), ("atime", set(), {"noatime"}), ("diratime", set(), {"nodiratime"}),
    ("norelatime", set(), {"noatime"}), ("nostrictatime", {"relatime"}, {"noatime"}), ("symfollow", set(), {"nosymfollow"}),
    ("defaults", {"rw"}, {"nosuid", "nodev", "noexec"}),
    # an option and its opposite: the last one counts
    ("ro,rw", {"rw"}, {"ro"}), ("rw,ro", {"ro"}, {"rw"}), ("nosuid,suid", set(), {"nosuid"}),
    ("nodev,dev", set(), {"nodev"}), ("noexec,exec", set(), {"noexec"}), ("exec,noexec", {"noexec"}, set()),
    ("noatime,atime", set(), {"noatime"}), ("nodiratime,diratime", set(), {"nodiratime"}),
    ("strictatime,nostrictatime", {"relatime"}, {"noatime"}), ("nosymfollow,symfollow", set(), {"nosymfollow"}),
    ("noatime,strictatime", set(), {"noatime", "relatime"}),
    ("nosuid,nodev,noexec,ro,noatime", {"nosuid", "nodev", "noexec", "ro", "noatime"}, set()),
]
OF_THE_FILESYSTEM = [
    ("sync", {"sync"}, set()), ("async", set(), {"sync"}), ("dirsync", {"dirsync"}, set()),
    ("lazytime", {"lazytime"}, set()), ("nolazytime", set(), {"lazytime"}), ("sync,async", set(), {"sync"}),
    ("lazytime,nolazytime", set(), {"lazytime"}), ("iversion", set(), set()), ("noiversion", set(), set()),
    ("silent", set(), set()), ("loud", set(), set()), ("silent,loud", set(), set()), ("mand", set(), set()),
    ("nomand", set(), {"mand"}),
]


def _names(entry):
    return entry[0]


@pytest.mark.parametrize("options, shown, hidden", SIMPLE, ids=map(_names, SIMPLE))
def test_an_option_of_the_mount(runtime, bundle, options, shown, hidden):
    """config.md, Linux mount options: of a new file system"""
    bundle.mount("/mnt", "tmpfs", "tmpfs", options.split(","))
    found = set(runtime.look(bundle).mount("/mnt").options)
    assert shown <= found and not hidden & found, found


@pytest.mark.parametrize("options, shown, hidden", SIMPLE, ids=map(_names, SIMPLE))
def test_an_option_of_a_bind_mount(runtime, bundle, tree, options, shown, hidden):
    """config.md, Linux mount options: of a bind mount"""
    bundle.mount("/mnt", tree.path, "bind", ["bind", *options.split(",")])
    found = set(runtime.look(bundle).mount("/mnt").options)
    assert shown <= found and not hidden & found, found


@pytest.mark.parametrize("options, shown, hidden", OF_THE_FILESYSTEM, ids=map(_names, OF_THE_FILESYSTEM))
def test_an_option_of_the_file_system(runtime, bundle, options, shown, hidden):
    """config.md, Linux mount options: sync, dirsync, lazytime, iversion, silent and their opposites"""
    bundle.mount("/mnt", "tmpfs", "tmpfs", [*options.split(","), "size=4096"])
    mount = runtime.look(bundle).mount("/mnt")
    found = set(mount.super_options)
    assert shown <= found and not hidden & found, found
    assert "size=4k" in found


def test_options_do_what_they_say(runtime, bundle, tree):
    """config.md, Linux mount options: ro, noexec, nosuid, nodev as the program meets them"""
    (tree.path / "program").write_bytes((bundle.rootfs / "bin/busybox").read_bytes())
    (tree.path / "program").chmod(0o755)
    (tree.path / "link").symlink_to("file")
    bundle.mount("/mnt/a", tree.path, "bind", ["bind", "ro", "noexec", "nosymfollow"])
    bundle.mount("/mnt/b", tree.path, "bind", ["bind"])
    bundle.probe(
        ["create", "/mnt/a/x"], ["exec", "/mnt/a/program", "true"], ["read", "/mnt/a/link"],
        ["exec", "/mnt/b/program", "true"], ["create", "/mnt/b/x"])
    seen = runtime.look(bundle)
    assert seen.error("create", "/mnt/a/x") == "EROFS"
    assert seen.error("exec", "/mnt/a/program") == "EACCES"
    assert seen.error("read", "/mnt/a/link") == "ELOOP"
    assert seen.error("exec", "/mnt/b/program") is None
    assert seen.error("create", "/mnt/b/x") is None


def test_what_is_no_option_of_the_mount_goes_to_the_file_system(runtime, bundle):
    """config.md, Linux mount options: unknown options SHOULD be passed as a comma-separated string"""
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["size=64k", "nosuid", "mode=1750", "uid=12", "gid=34", "nr_inodes=77"])
    seen = runtime.look(bundle, "report", ["stat", "/mnt"], ["statfs", "/mnt"])
    assert {"size=64k", "mode=1750", "uid=12", "gid=34", "nr_inodes=77"} <= set(seen.mount("/mnt").super_options)
    status = seen("stat", "/mnt")
    assert (status["mode"], status["uid"], status["gid"]) == (0o1750, 12, 34)


def test_an_option_that_the_file_system_does_not_know_is_an_error(runtime, bundle):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nosuchoption=1"])
    runtime.refuses(bundle, "mounts[6]")


def test_remount_changes_a_mount_that_is_there(runtime, bundle):
    """config.md, Linux mount options: remount"""
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["size=64k"])
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["remount", "ro", "size=128k"])
    seen = runtime.look(bundle)
    assert len([mount for mount in seen.mounts if mount.point == "/mnt"]) == 1
    assert "ro" in seen.mount("/mnt").options and "size=128k" in seen.mount("/mnt").super_options


def test_remount_of_a_bind_mount_changes_its_flags_alone(runtime, bundle, tree):
    """config.md, Linux mount options: remount, bind"""
    bundle.mount("/mnt", tree.path, "bind", ["bind"])
    bundle.mount("/mnt", tree.path, "bind", ["bind", "remount", "ro", "nosuid"])
    seen = runtime.look(bundle, "report", ["create", "/mnt/x"])
    assert {"ro", "nosuid"} <= set(seen.mount("/mnt").options)
    assert seen.error("create") == "EROFS"


def test_a_tmpfs_copies_what_it_covers(runtime, bundle):
    """config.md, Linux mount options: tmpcopyup"""
    covered = bundle.rootfs / "covered"
    (covered / "deep").mkdir(parents=True)
    (covered / "deep/file").write_text("copied")
    (covered / "link").symlink_to("deep/file")
    (covered / "deep").chmod(0o1750)
    os.chown(covered / "deep/file", 12, 34)
    bundle.mount("/covered", "tmpfs", "tmpfs", ["tmpcopyup", "size=1m"])
    seen = runtime.look(
        bundle, "report", ["read", "/covered/link"], ["stat", "/covered/deep"], ["stat", "/covered/deep/file"],
        ["append", "/covered/deep/file", " and changed"])
    assert seen.mount("/covered").type == "tmpfs"
    assert "tmpcopyup" not in seen.mount("/covered").super_options
    assert seen("read")["content"] == "copied"
    assert seen("stat", "/covered/deep")["mode"] == 0o1750
    assert (seen("stat", "/covered/deep/file")["uid"], seen("stat", "/covered/deep/file")["gid"]) == (12, 34)
    assert (covered / "deep/file").read_text() == "copied", "what is covered does not change"
