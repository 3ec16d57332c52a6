"""mounts add and mounts remove: the mounts of a running container (crun's command)."""

import json

import pytest

from harness import refused


@pytest.fixture(autouse=True)
def has_the_command(runtime):
    if runtime.command("mounts", "add", "--help").status != 0:
        assert runtime.name != "swrun"
        pytest.skip(f"{runtime.name} has no command mounts (crun has it since 1.20)")


def change(container, action, *mounts, document=None):
    path = container.runtime.directory / f"{container.runtime.unique('mounts')}.json"
    path.write_text(json.dumps(document or list(mounts)))
    return container.runtime.command("mounts", action, container.id, path)


def bound(container, name="file", destination="/mnt/it", options=("bind",)):
    source = container.runtime.directory / name
    source.write_text("of the host")
    return {"destination": destination, "type": "bind", "source": str(source), "options": list(options)}


def test_a_mount_appears_and_goes(container):
    """crun: mounts add, mounts remove"""
    mount = bound(container)
    change(container, "add", mount).ok()
    seen = container.look(["read", "/mnt/it"], ["write", "/mnt/it", "x"])
    assert seen("read")["content"] == "of the host" and seen.error("write", "/mnt/it") is None
    change(container, "remove", {"destination": "/mnt/it"}).ok()
    assert container.look(["read", "/mnt/it"])("read").get("content", "") == ""
    assert "/mnt/it" not in [mount.point for mount in container.look().mounts]


def test_filesystems_and_options_are_those_of_config_json(container):
    """config.md, Mounts"""
    change(
        container, "add", document={"mounts": [
            {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "noexec"]},
            bound(container, options=("bind", "ro"))]}).ok()
    seen = container.look("report", ["create", "/mnt/new"], ["write", "/mnt/it", "x"])
    assert seen.error("create", "/mnt/new") is None and seen.error("write", "/mnt/it") == "EROFS"
    assert "noexec" in seen.mount("/mnt").options


def test_in_a_user_namespace(start, bundle):
    """config-linux.md, User namespace mappings"""
    bundle.namespace("user")
    mapping = [{"containerID": 0, "hostID": 200000, "size": 65536}]
    bundle.linux |= {"uidMappings": mapping, "gidMappings": mapping}
    bundle.mount("/mnt", "tmpfs", "tmpfs")
    container = start()
    change(container, "add", bound(container)).ok()
    assert container.look(["read", "/mnt/it"])("read")["content"] == "of the host"


def test_all_of_a_list_is_mounted_or_nothing(container):
    """an error leaves nothing behind"""
    result = change(
        container, "add", {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/tmp", "type": "no-such-filesystem", "source": "x"})
    refused(result, names=["mounts[1]", "no-such-filesystem"])
    assert "/mnt" not in [mount.point for mount in container.look().mounts]


def test_a_source_that_is_missing_is_an_error(container):
    """config.md, Mounts"""
    refused(
        change(container, "add", {"destination": "/mnt", "source": "/no/such/source", "options": ["bind"]}),
        names=["mounts[0].source", "/no/such/source"])


def test_what_is_not_mounted_cannot_be_removed(container):
    """crun: mounts remove"""
    refused(change(container, "remove", {"destination": "/mnt"}), names=["/mnt"])
    refused(change(container, "remove", {"destination": "/"}), names=["destination"])


@pytest.mark.parametrize("action", ["add", "remove"])
def test_links_of_the_container_lead_nowhere_else(container, bundle, action, runtime):
    """a path of the container is resolved in the container"""
    outside = runtime.directory / "outside"
    outside.mkdir()
    (bundle.rootfs / "mnt/link").symlink_to(outside)
    change(container, "add", {"destination": "/mnt/link", "type": "tmpfs", "source": "tmpfs"})
    if action == "remove":
        change(container, "remove", {"destination": "/mnt/link"})
    assert not [line for line in open("/proc/self/mountinfo") if str(outside) in line.split(" ")[4]]
    assert not list(outside.iterdir())


def test_a_stopped_container_has_no_mounts(runtime, bundle):
    """crun: while the container is running"""
    container = runtime.start(bundle.probe("say"))
    container.wait()
    refused(change(container, "add", {"destination": "/mnt", "type": "tmpfs"}), "container not running|stopped")
