"""maskedPaths and readonlyPaths (config-linux.md, Masked Paths, Readonly Paths)."""

import pytest


def _secret(bundle):
    (bundle.rootfs / "secret/deep").mkdir(parents=True)
    (bundle.rootfs / "secret/deep/file").write_text("hidden")
    (bundle.rootfs / "plain").write_text("hidden")
    return bundle


def test_masked_paths_cannot_be_read(runtime, bundle):
    """config-linux.md, Masked Paths: will mask over the provided paths so that they cannot be read"""
    _secret(bundle).linux["maskedPaths"] = ["/plain", "/secret/deep", "/proc/keys", "/proc/scsi", "/sys/firmware"]
    seen = runtime.look(
        bundle, ["read", "/plain"], ["list", "/secret/deep"], ["read", "/secret/deep/file"], ["read", "/proc/keys"],
        ["list", "/sys/firmware"], ["write", "/plain", "x"], ["create", "/secret/deep/new"], ["stat", "/plain"])
    assert seen("read", "/plain").get("content", "") == ""
    assert seen("list", "/secret/deep").get("entries", []) == []
    assert seen.error("read", "/secret/deep/file") == "ENOENT"
    assert seen("read", "/proc/keys").get("content", "") == ""
    assert seen("list", "/sys/firmware").get("entries", []) == []
    assert seen.error("create") in ("EROFS", "EACCES")
    assert (bundle.rootfs / "plain").read_text() == "hidden"


def test_a_masked_directory_does_not_show_what_others_write_there(runtime, bundle):
    """config-linux.md, Masked Paths: one mask must not become a channel"""
    _secret(bundle)
    (bundle.rootfs / "second").mkdir()
    bundle.linux["maskedPaths"] = ["/secret", "/second"]
    seen = runtime.look(bundle, "report", ["create", "/secret/new"], ["list", "/second"])
    assert "ro" in seen.mount("/secret").options
    assert seen("list")["entries"] == []


def test_a_path_that_does_not_exist_is_passed_over(runtime, bundle):
    """config-linux.md: engines list the paths of all kernels"""
    bundle.linux |= {
        "maskedPaths": ["/no/such/path", "/proc/no-such"], "readonlyPaths": ["/no/such/path", "/proc/no-such"]}
    assert runtime.look(bundle).report["pid"] == 1


def test_readonly_paths_cannot_be_written(runtime, bundle):
    """config-linux.md, Readonly Paths: will set the provided paths as readonly inside the container"""
    _secret(bundle).linux["readonlyPaths"] = ["/secret", "/plain", "/proc/sys"]
    bundle.add_capabilities("CAP_SYS_ADMIN")
    seen = runtime.look(
        bundle, "report", ["read", "/plain"], ["write", "/plain", "x"], ["create", "/secret/new"],
        ["write", "/secret/deep/file", "x"], ["write", "/proc/sys/kernel/domainname", "x"], ["read", "/secret/deep/file"])
    assert seen("read", "/plain")["content"] == seen("read", "/secret/deep/file")["content"] == "hidden"
    assert {seen.error("write", path) for path in ("/plain", "/secret/deep/file", "/proc/sys/kernel/domainname")} == {"EROFS"}
    assert seen.error("create") == "EROFS"
    assert "ro" in seen.mount("/proc/sys").options


def test_a_readonly_path_keeps_the_other_flags_of_its_mount(runtime, bundle):
    """config-linux.md, Readonly Paths: nosuid, nodev and noexec are not lost"""
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nosuid", "nodev", "noexec"])
    bundle.linux["readonlyPaths"] = ["/mnt"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(runtime.look(bundle).mount("/mnt").options)


def test_links_are_followed_inside_the_container(runtime, bundle):
    """config-linux.md: absolute paths in the container namespace"""
    _secret(bundle)
    (bundle.rootfs / "link").symlink_to("/secret/deep")
    (bundle.rootfs / "out").rmdir()
    (bundle.rootfs / "out").symlink_to("../../../../../plain")
    bundle.linux |= {"maskedPaths": ["/link"], "readonlyPaths": ["/out"]}
    seen = runtime.look(bundle, ["list", "/secret/deep"], ["write", "/plain", "x"])
    assert seen("list").get("entries", []) == []
    assert seen.error("write") == "EROFS"


def test_masking_works_in_a_user_namespace(runtime, bundle):
    """config-linux.md, Masked Paths, User namespace mappings"""
    _secret(bundle.user_namespace()).linux |= {"maskedPaths": ["/plain", "/secret", "/proc/keys"], "readonlyPaths": ["/proc/sys"]}
    seen = runtime.look(bundle, "report", ["read", "/plain"], ["list", "/secret"], ["read", "/proc/keys"])
    assert seen("read", "/plain").get("content", "") == seen("read", "/proc/keys").get("content", "") == ""
    assert seen("list").get("entries", []) == []
    assert "ro" in seen.mount("/proc/sys").options


@pytest.mark.parametrize("key", ["maskedPaths", "readonlyPaths"])
@pytest.mark.parametrize("path", ["etc/passwd", "", "./etc", "../etc"])
def test_the_paths_must_be_absolute(runtime, bundle, key, path):
    """config-linux.md, Masked Paths, Readonly Paths: the values MUST be absolute paths"""
    bundle.linux[key] = [path]
    runtime.refuses(bundle, f"{key}[0]")


def test_nothing_is_masked_unless_the_configuration_says_so(runtime, bundle):
    """config-linux.md: both properties are OPTIONAL"""
    bundle.linux |= {"maskedPaths": [], "readonlyPaths": []}
    points = {mount.point for mount in runtime.look(bundle).mounts}
    assert points == {"/"} | {mount["destination"] for mount in bundle.config["mounts"]}
