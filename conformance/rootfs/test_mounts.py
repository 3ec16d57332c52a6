"""mounts: order, places, sources and types (config.md, Mounts)."""

import os

import pytest

from harness import refused


def test_mounts_are_made_in_the_listed_order(runtime, bundle, tree):
    """config.md, Mounts: the runtime MUST mount entries in the listed order"""
    bundle.mount("/mnt", "outer", "tmpfs")
    bundle.mount("/mnt/inner", tree.path, "bind", ["bind"])
    bundle.mount("/mnt/inner/sub", "deepest", "tmpfs")
    bundle.mount("/home/below", "hidden", "tmpfs")
    bundle.mount("/home", "cover", "tmpfs")
    seen = runtime.look(bundle, "report", ["list", "/mnt/inner"], ["list", "/home"])
    assert seen("list", "/mnt/inner")["entries"] == ["file", "sub"]
    assert seen("list", "/home")["entries"] == []
    assert seen.mount("/mnt/inner").parent == seen.mount("/mnt").id
    assert seen.mount("/mnt/inner/sub").parent == seen.mount("/mnt/inner").id


def test_the_last_of_two_mounts_at_one_place_is_on_top(runtime, bundle, tree):
    """config.md, Mounts: listed order"""
    bundle.mount("/mnt", "below", "tmpfs")
    bundle.mount("/mnt", tree.path, "bind", ["bind"])
    assert runtime.look(bundle, ["list", "/mnt"])("list")["entries"] == ["file", "sub"]


def test_a_relative_destination_is_taken_from_the_root(runtime, bundle, tree):
    """config.md, Mounts: MAY be a relative path, in which case it MUST be interpreted as relative to /"""
    bundle.mount("mnt/relative", tree.path, "bind", ["bind"])
    bundle.process["cwd"] = "/usr"
    assert runtime.look(bundle, ["read", "/mnt/relative/file"])("read")["content"] == "of the tree"


def test_a_relative_source_of_a_bind_mount_is_taken_from_the_bundle(runtime, bundle):
    """config.md, Mounts: path values for bind mounts are either absolute or relative to the bundle"""
    (bundle.path / "data").mkdir()
    (bundle.path / "data/file").write_text("of the bundle")
    bundle.mount("/mnt", "data", "bind", ["bind"])
    bundle.probe(["read", "/mnt/file"]).write()
    result = runtime.command("run", "--bundle", bundle.path, runtime.new_id(), cwd="/usr")
    assert result.ok().seen("read")["content"] == "of the bundle"


def test_places_to_mount_on_are_made_on_demand(runtime, bundle, tree):
    """config.md, Mounts; the issue of every engine: a volume in a directory that the image lacks"""
    bundle.mount("/made/on/demand", "tmpfs", "tmpfs")
    bundle.mount("/made/for/a/file", tree.path / "file", "bind", ["bind", "ro"])
    bundle.mount("/made/dir", tree.path, "bind", ["rbind"])
    seen = runtime.look(bundle, "report", ["read", "/made/for/a/file"], ["stat", "/made/on"], ["list", "/made/dir"])
    assert seen("read")["content"] == "of the tree"
    assert (seen("stat")["mode"] & 0o777, seen("stat")["uid"]) == (0o755, 0)
    assert seen("list")["entries"] == ["file", "sub"]
    assert seen.mount("/made/for/a/file").options[0] == "ro"
    assert (bundle.rootfs / "made/for/a/file").is_file()


def test_a_file_is_mounted_over_a_file(runtime, bundle, tree):
    """config.md, Mounts: source can also be a file for bind mounts"""
    bundle.mount("/etc/passwd", tree.path / "file", "bind", ["rbind"])
    assert runtime.look(bundle, ["read", "/etc/passwd"])("read")["content"] == "of the tree"
    assert "root:x" in (bundle.rootfs / "etc/passwd").read_text()


@pytest.mark.parametrize("link, target", [
    ("link", "/usr"), ("link", "usr"), ("link", "../../../../usr"), ("link", "/link2"), ("tmp/link", "../usr")])
def test_links_in_a_destination_lead_where_they_lead_inside(runtime, bundle, tree, link, target):
    """config.md, Mounts: destination is a path inside the container"""
    (bundle.rootfs / link).symlink_to(target)
    (bundle.rootfs / "link2").symlink_to("usr")
    bundle.mount(f"/{link}/data", tree.path, "bind", ["bind"])
    seen = runtime.look(bundle, "report", ["read", "/usr/data/file"])
    assert seen("read")["content"] == "of the tree"
    assert seen.has_mount("/usr/data")


def test_dots_in_a_destination_do_not_lead_out(runtime, bundle, tree):
    """config.md, Mounts: destination is a path inside the container"""
    bundle.mount("/usr/../../../../mnt/./x", tree.path, "bind", ["bind"])
    assert runtime.look(bundle, ["read", "/mnt/x/file"])("read")["content"] == "of the tree"


def test_the_usual_file_systems(runtime, bundle):
    """config-linux.md, Default Filesystems: proc, sysfs, devpts, tmpfs"""
    seen = runtime.look(bundle)
    assert {point: seen.mount(point).type for point in ("/proc", "/sys", "/dev/pts", "/dev/shm", "/dev/mqueue")} == {
        "/proc": "proc", "/sys": "sysfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs", "/dev/mqueue": "mqueue"}
    assert "ro" in seen.mount("/sys").options
    assert {"nosuid", "noexec"} <= set(seen.mount("/dev/pts").options)
    assert "ptmxmode=666" in seen.mount("/dev/pts").super_options
    assert seen.mount("/dev/shm").source == "shm"


def test_the_root_and_the_listed_mounts_are_all_that_is_mounted(runtime, bundle):
    """config.md, Mounts: additional mounts beyond root; nothing of the host shows"""
    bundle.linux["maskedPaths"] = bundle.linux["readonlyPaths"] = []
    points = [mount.point for mount in runtime.look(bundle).mounts]
    assert sorted(points) == sorted(["/"] + [mount["destination"] for mount in bundle.config["mounts"]])


def test_a_bind_mount_needs_no_type_and_other_mounts_no_source(runtime, bundle, tree):
    """config.md, Mounts: type and source are OPTIONAL; bind mounts are known by their options"""
    bundle.config["mounts"] += [
        {"destination": "/mnt/a", "source": str(tree.path), "options": ["bind"]},
        {"destination": "/mnt/b", "source": str(tree.path), "type": "ext4", "options": ["rbind"]},
        {"destination": "/mnt/c", "type": "tmpfs"},
    ]
    seen = runtime.look(bundle, "report", ["list", "/mnt/a"], ["list", "/mnt/b"])
    assert [line["entries"] for line in seen.all("list")] == [["file", "sub"]] * 2
    assert seen.mount("/mnt/c").type == "tmpfs"


@pytest.mark.parametrize("mount", [
    {"destination": "/mnt", "source": "/no/such/place", "options": ["bind"]},
    {"destination": "/mnt", "source": "x", "type": "nosuchfs"},
    {"source": "tmpfs", "type": "tmpfs"}, {"destination": "/mnt", "type": 5}, {"destination": "", "type": "tmpfs"},
    {"destination": "/mnt", "type": "tmpfs", "options": "ro"}, {"destination": "/etc/passwd/x", "type": "tmpfs"},
])
def test_a_mount_that_cannot_be_made_is_an_error(runtime, bundle, mount):
    """config.md, Mounts: REQUIRED; runtime.md, Create: what cannot be applied is an error"""
    bundle.config["mounts"].append(mount)
    runtime.refuses(bundle, "mounts[6]")


def test_a_directory_cannot_be_mounted_over_a_file(runtime, bundle, tree):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.mount("/etc/passwd", tree.path, "bind", ["bind"])
    runtime.refuses(bundle, "mounts[6]")


def test_a_mount_over_the_root_of_proc_must_be_on_a_directory(runtime, bundle):
    """a /proc that is a link could lead anywhere: the kernel's files must be where they are looked for"""
    (bundle.rootfs / "proc").rmdir()
    (bundle.rootfs / "proc").symlink_to("/tmp")
    runtime.refuses(bundle, "/proc")
    assert os.listdir(bundle.rootfs / "tmp") == []


def test_a_source_that_is_a_link_is_followed(runtime, bundle, tree):
    """config.md, Mounts: source is a path of the host"""
    (runtime.directory / "link").symlink_to(tree.path)
    bundle.mount("/mnt", runtime.directory / "link", "bind", ["bind"])
    assert runtime.look(bundle, ["list", "/mnt"])("list")["entries"] == ["file", "sub"]


def test_sockets_and_devices_can_be_bound(runtime, bundle):
    """config.md, Mounts: bind mounts of files of any kind"""
    bundle.mount("/run/device", "/dev/full", "bind", ["bind"])
    status = runtime.look(bundle, ["stat", "/run/device"])("stat")
    assert (status["type"], status["major"], status["minor"]) == ("character", 1, 7)


def test_a_readonly_place_cannot_hold_a_new_mount_point(runtime, bundle, tree):
    """runtime.md, Create: what cannot be applied is an error, and the source does not change"""
    bundle.mount("/mnt", tree.path, "bind", ["bind", "ro"])
    bundle.mount("/mnt/new", "tmpfs", "tmpfs")
    container = runtime.try_create(bundle)
    if container.created.status:
        refused(container.created, names=["mounts[7]"])
    assert sorted(os.listdir(tree.path)) == ["file", "sub"]


def test_very_many_mounts(runtime, bundle, tree):
    """config.md, Mounts: no limit is given"""
    for i in range(200):
        bundle.mount(f"/mnt/{i}", tree.path, "bind", ["bind", "ro"])
    points = {mount.point for mount in runtime.look(bundle).mounts}
    assert {f"/mnt/{i}" for i in range(200)} <= points
