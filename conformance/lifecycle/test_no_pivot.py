"""--no-pivot: for hosts whose root cannot be pivoted (the command line contract)."""


def test_the_container_is_complete_without_pivot_root(runtime, bundle):
    """the command line contract: --no-pivot moves the mount to / and changes root"""
    bundle.probe("report", ["list", "/"], ["lstat", str(bundle.path)]).write()
    seen = runtime.command("run", "--no-pivot", "--bundle", bundle.path, runtime.new_id()).ok().seen
    assert "proc" in seen("list")["entries"]
    assert seen.error("lstat") == "ENOENT"
    assert seen.has_mount("/proc") and seen.has_mount("/dev/pts")
    assert not [mount for mount in seen.mounts if str(bundle.path) in mount.point]
