"""Bind mounts, recursive or not, and options for whole trees (config.md, Linux mount options)."""

import pytest

# Option, flags of the mount below before, shown afterwards, hidden afterwards; for the top and for what is below it.
RECURSIVE = [
    ("rro", "rw", {"ro"}, {"rw"}), ("rrw", "ro", {"rw"}, {"ro"}), ("rnosuid", "suid", {"nosuid"}, set()),
    ("rsuid", "nosuid", set(), {"nosuid"}), ("rnodev", "dev", {"nodev"}, set()), ("rdev", "nodev", set(), {"nodev"}),
    ("rnoexec", "exec", {"noexec"}, set()), ("rexec", "noexec", set(), {"noexec"}),
    ("rnoatime", "relatime", {"noatime"}, {"relatime"}), ("ratime", "noatime", set(), {"noatime"}),
    ("rnodiratime", "diratime", {"nodiratime"}, set()), ("rdiratime", "nodiratime", set(), {"nodiratime"}),
    ("rrelatime", "noatime", {"relatime"}, {"noatime"}), ("rstrictatime", "noatime", set(), {"noatime", "relatime"}),
    ("rnostrictatime", "strictatime", {"relatime"}, set()), ("rnosymfollow", "symfollow", {"nosymfollow"}, set()),
    ("rsymfollow", "nosymfollow", set(), {"nosymfollow"}), ("rnorelatime", "relatime", set(), {"noatime"}),
]


@pytest.mark.parametrize("option, before, shown, hidden", RECURSIVE, ids=[entry[0] for entry in RECURSIVE])
def test_a_recursive_option_reaches_every_mount_of_the_tree(runtime, bundle, tree, option, before, shown, hidden):
    """config.md, Linux mount options: recursive options (AT_RECURSIVE)"""
    tree.on_a_mount_of_its_own(options=before).mount_sub(before)
    bundle.mount("/mnt", tree.path, "bind", ["rbind", option])
    seen = runtime.look(bundle)
    for point in ("/mnt", "/mnt/sub"):
        found = set(seen.mount(point).options)
        assert shown <= found and not hidden & found, (point, found)


def test_a_plain_option_reaches_the_top_alone(runtime, bundle, tree):
    """config.md, Linux mount options: ro is not recursive, rro is"""
    tree.mount_sub()
    bundle.mount("/mnt", tree.path, "bind", ["rbind", "ro", "nosuid"])
    seen = runtime.look(bundle, "report", ["create", "/mnt/x"], ["create", "/mnt/sub/x"])
    assert {"ro", "nosuid"} <= set(seen.mount("/mnt").options)
    assert "rw" in seen.mount("/mnt/sub").options
    assert seen.error("create", "/mnt/x") == "EROFS"
    assert seen.error("create", "/mnt/sub/x") is None


def test_recursive_and_plain_options_together(runtime, bundle, tree):
    """config.md, Linux mount options"""
    tree.mount_sub()
    bundle.mount("/mnt", tree.path, "bind", ["rbind", "rro", "rnosuid", "noexec"])
    seen = runtime.look(bundle)
    assert {"ro", "nosuid", "noexec"} <= set(seen.mount("/mnt").options)
    assert {"ro", "nosuid"} <= set(seen.mount("/mnt/sub").options)
    assert "noexec" not in seen.mount("/mnt/sub").options


def test_bind_shows_one_mount_and_rbind_the_tree(runtime, bundle, tree):
    """config.md, Linux mount options: bind, rbind"""
    tree.mount_sub()
    (tree.path / "sub/below").write_text("")
    bundle.mount("/mnt/one", tree.path, "bind", ["bind"])
    bundle.mount("/mnt/all", tree.path, "none", ["rbind"])
    seen = runtime.look(bundle, "report", ["list", "/mnt/one/sub"], ["list", "/mnt/all/sub"], ["read", "/mnt/one/file"])
    assert seen("list", "/mnt/one/sub")["entries"] == []
    assert seen("list", "/mnt/all/sub")["entries"] == ["below"]
    assert seen("read")["content"] == "of the tree"
    assert not seen.has_mount("/mnt/one/sub") and seen.has_mount("/mnt/all/sub")


def test_a_readonly_bind_in_a_user_namespace_keeps_the_flags_that_are_locked(runtime, bundle, tree):
    """mount_namespaces(7): flags of the source cannot be cleared there, and an option must not try"""
    tree.on_a_mount_of_its_own(options="nosuid,nodev,noexec")
    bundle.user_namespace().mount("/mnt", tree.path, "bind", ["rbind", "ro"])
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(runtime.look(bundle).mount("/mnt").options)
