"""config.json that is missing, malformed or enormous (config.md, Valid values; glossary.md, JSON)."""

import json
import os
import shutil

import pytest

from harness import host, refused


def _refuses_text(runtime, bundle, text, *names):
    (bundle.path / "config.json").write_bytes(text.encode() if isinstance(text, str) else text)
    return runtime.refuses(bundle, *names, write=False)


def test_a_missing_bundle_and_a_missing_config(runtime, bundle):
    """bundle.md: this REQUIRED file MUST reside in the root of the bundle directory"""
    runtime.refuses(bundle, "config.json", write=False)
    shutil.rmtree(bundle.path)
    runtime.refuses(bundle, str(bundle.path), write=False)


@pytest.mark.parametrize("text", [
    "", " ", "{", "}", "[]", "null", "7", '"text"', "{]", "{'ociVersion': '1.0.2'}", '{"ociVersion": "1.0.2"',
    '{"ociVersion": "1.0.2",}', "\0", "{} {}", "\ufeff{}", "// comment\n{}",
])
def test_what_is_no_json_object_is_refused(runtime, bundle, text):
    """glossary.md, JSON; config.md, Valid values"""
    _refuses_text(runtime, bundle, text, "config.json")


def test_what_follows_the_document_is_refused(runtime, bundle):
    """glossary.md, JSON: one document"""
    _refuses_text(runtime, bundle, json.dumps(bundle.config) + "\ngarbage", "config.json")


def test_text_that_is_not_utf_8_is_refused(runtime, bundle):
    """glossary.md, JSON: MUST be encoded in UTF-8"""
    bundle.config["hostname"] = "MARK"
    _refuses_text(runtime, bundle, json.dumps(bundle.config).encode().replace(b"MARK", b"\xff\xfe"), "config.json")


@pytest.mark.parametrize("key", ["hostname", "process", "root"])
def test_a_name_that_comes_twice_is_refused(runtime, bundle, key):
    """glossary.md, JSON: objects MUST NOT include duplicate names"""
    bundle.config["hostname"] = "name"
    text = json.dumps(bundle.config)
    text = text[:-1] + f', "{key}": {json.dumps(bundle.config[key])}}}'
    _refuses_text(runtime, bundle, text, key)


def test_a_deep_document_is_refused_or_ignored_and_never_crashes(runtime, bundle):
    """what comes from users must not exhaust the stack"""
    for depth in (3000, 200000):
        text = json.dumps(bundle.config)[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
        (bundle.path / "config.json").write_text(text)
        container = runtime.try_create(bundle, write=False)
        if container.created.status:
            refused(container.created, names=["config.json"])
            runtime.expect_nothing(container.id)
        else:
            container.delete("--force").ok()


def test_a_document_of_100_megabytes_is_refused_or_used_and_never_crashes(runtime, bundle):
    """what comes from users must not exhaust memory without a word"""
    text = json.dumps(bundle.config)[:-1] + ', "x": [' + '"' + "x" * 1000 + '",'
    with open(bundle.path / "config.json", "w") as file:
        file.write(text)
        for _ in range(100):
            file.write(('"' + "y" * 1000 + '",') * 1000)
        file.write('""]}')
    container = runtime.try_create(bundle, write=False, seconds=60)
    if container.created.status:
        refused(container.created, names=["config.json"])
        runtime.expect_nothing(container.id)
    else:
        container.delete("--force").ok()


@pytest.mark.parametrize("where, value", [
    ("ociVersion", 1), ("process", []), ("process", "x"), ("root", "rootfs"), ("root.path", 5), ("root.readonly", "true"),
    ("hostname", 5), ("mounts", {}), ("mounts", ["x"]), ("linux", []), ("linux.namespaces", {}),
    ("linux.namespaces", ["pid"]), ("process.args", "sh"), ("process.args", [1]), ("process.env", {}), ("process.env", [1]),
    ("process.cwd", 1), ("process.user", 0), ("process.terminal", 1), ("process.noNewPrivileges", "no"),
    ("process.capabilities", ["CAP_CHOWN"]), ("process.capabilities", {"bounding": "CAP_CHOWN"}),
    ("process.rlimits", {}), ("hooks", []), ("hooks", {"prestart": {}}), ("hooks", {"prestart": [{"path": 1}]}),
    ("hooks", {"prestart": [{"args": ["x"]}]}), ("annotations", ["x"]), ("annotations", {"x": 1}),
    ("linux.maskedPaths", "x"), ("linux.sysctl", []), ("linux.cgroupsPath", 5), ("linux.devices", {}), ("linux.resources", []),
    ("linux.seccomp", []), ("linux.rootfsPropagation", 5), ("linux.uidMappings", {}),
])
def test_a_value_of_the_wrong_type_is_refused(runtime, bundle, where, value):
    """config.md, Valid values: MUST generate an error when invalid values are encountered"""
    target = bundle.config
    *path, last = where.split(".")
    for part in path:
        target = target[part]
    target[last] = value
    runtime.refuses(bundle, where)


@pytest.mark.parametrize("where", ["ociVersion", "root", "process.cwd"])
def test_what_is_required_must_be_there(runtime, bundle, where):
    """config.md: REQUIRED"""
    target = bundle.config
    *path, last = where.split(".")
    for part in path:
        target = target[part]
    del target[last]
    runtime.refuses(bundle, last)


@pytest.mark.parametrize("version", ["1.0.0", "1.0.0-rc1", "1.0.2-dev", "1.1.0", "1.2.1", "1.3.0", "1.0.2+build.5"])
def test_versions_that_are_compatible_are_accepted(runtime, bundle, version):
    """config.md, Specification version: compatible within the major version"""
    bundle.config["ociVersion"] = version
    runtime.create(bundle)


@pytest.mark.parametrize("version", ["", "1", "1.0", "v1.0.0", "1.0.0.0", "latest", "01.0.0", "2.0.0", "1.0.x"])
def test_versions_that_are_none_or_not_compatible_are_refused(runtime, bundle, version):
    """config.md, Specification version: MUST be in SemVer v2.0.0 format; compatible within the major version"""
    bundle.config["ociVersion"] = version
    runtime.refuses(bundle, "ociVersion")


def test_unknown_properties_are_ignored(runtime, bundle):
    """config.md, Extensibility: MUST otherwise ignore them, not generate errors"""
    bundle.config |= {"x-unknown": {"a": [1, 2]}, "solaris": {"milestone": "x"}, "windows": {"layerFolders": ["x"]}}
    bundle.process["unknown"] = True
    bundle.linux["unknown"] = [{}]
    bundle.config["root"]["unknown"] = 1
    bundle.config["mounts"][0]["unknown"] = "x"
    bundle.linux["namespaces"][0]["unknown"] = "x"
    assert runtime.look(bundle).report["pid"] == 1


def test_unknown_annotations_are_ignored(runtime, bundle):
    """config.md, Annotations: MUST handle unknown annotation keys like any other unknown property"""
    bundle.config["annotations"] = {"org.opencontainers.image.os": "linux", "x" * 300: "y" * 5000, "": ""}
    del bundle.config["annotations"][""]
    assert runtime.look(bundle).report["pid"] == 1


def test_a_config_that_is_a_directory_a_fifo_or_unreadable(runtime, bundle):
    """one clear line, and no waiting for ever"""
    path = bundle.path / "config.json"
    path.mkdir()
    runtime.refuses(bundle, "config.json", write=False)
    path.rmdir()
    os.mkfifo(path)
    try:
        container = runtime.try_create(bundle, write=False, seconds=4)
    except AssertionError:
        pytest.skip("it waits for a writer, as cat would")
    refused(container.created, names=["config.json"])


def test_a_full_disk_below_the_state_root_is_an_error(runtime, bundle):
    """one clear line; nothing left behind"""
    small = runtime.directory / "small"
    small.mkdir()
    host.command("mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=40", "small", small)
    try:
        root = small / "state"
        root.mkdir()
        bundle.config["annotations"] = {f"com.example.{i}": "x" * 200 for i in range(100)}
        bundle.probe("hold").write()
        id = runtime.unique()
        result = runtime.command("--root", root, "create", "--bundle", bundle.path, id)
        assert result.status > 0, f"a state of 20 KB cannot fit in 4 KB: {result}"
        refused(result, names=["space"])
        assert [path.name for path in root.iterdir() if path.is_dir()] == []
        runtime.known_mounts = host.mounts_below(runtime.directory)
        runtime.expect_nothing(id)
        runtime.expect_nothing(bundle.name)
    finally:
        host.command("umount", "-l", small)


def test_a_full_disk_under_the_root_filesystem_is_an_error(runtime, bundle):
    """one clear line; nothing left behind"""
    small = runtime.directory / "small"
    small.mkdir()
    host.command("mount", "-t", "tmpfs", "-o", "nr_inodes=12", "small", small)
    try:
        shutil.copytree(bundle.rootfs / "bin", small / "bin", symlinks=True, ignore=lambda d, n: [x for x in n if x not in ("probe", "busybox")])
        for name in ("proc", "dev", "sys", "filler1", "filler2", "filler3", "filler4", "filler5", "filler6"):
            try:
                (small / name).mkdir(exist_ok=True)
            except OSError:
                break
        bundle.config["root"]["path"] = str(small)
        bundle.mount("/needs/a/new/directory", "tmpfs", "tmpfs")
        container = runtime.try_create(bundle)
        refused(container.created, names=["space"])
        runtime.expect_nothing(container.id)
    finally:
        host.command("umount", "-l", small)
