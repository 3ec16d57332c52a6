"""Input that is longer than a buffer is an error, or is taken whole: never cut, and never at the price of a namespace
(CVE-2021-43784, in which a length of more than 64 KiB wrapped around)."""

import os

import pytest

from harness import host


def _namespaces_are_its_own(report):
    for kind in ("pid", "net", "ipc", "uts", "mnt", "user"):
        assert report["namespaces"][kind] != os.stat(f"/proc/self/ns/{kind}").st_ino, kind


@pytest.mark.parametrize("count", [5, 100, 340, 341, 1000, 5000])
def test_many_id_mappings_are_applied_or_refused(runtime, bundle, count):
    """config-linux.md, User namespace mappings: the kernel takes 340 lines, and no text of more than a page"""
    bundle.user_namespace()
    mappings = [{"containerID": n, "hostID": 100000 + 2 * n, "size": 1} for n in range(count)]
    bundle.linux |= {"uidMappings": mappings, "gidMappings": mappings}
    bundle.without_mount("/dev/pts")
    result = runtime.run(bundle)
    if result.status == 0:
        _namespaces_are_its_own(result.seen.report)
        assert len(result.seen.report["uid_map"].split()) == 3 * count
    else:
        assert count > 100, result


@pytest.mark.parametrize("length", [4096, 65530, 65536, 65540, 131080, 1 << 20])
def test_a_long_namespace_path_is_an_error(runtime, bundle, length):
    """config-linux.md, Namespaces: the other namespaces are not forgotten over it"""
    bundle.namespace("network", "/" + "x" * length)
    assert runtime.try_create(bundle).created.status != 0


@pytest.mark.parametrize("length", [65536, 1 << 20])
@pytest.mark.parametrize("where", ["argument", "variable", "annotation", "environment"])
def test_long_texts_reach_the_program_whole_or_not_at_all(runtime, bundle, where, length):
    """the limit of execve(2) is 128 KiB for one text"""
    text = "x" * length
    if where == "argument":
        bundle.args("/bin/probe", "report", ":", "say", text)
    elif where == "variable":
        bundle.process["env"].append(f"LONG={text}")
    elif where == "environment":
        bundle.process["env"] += [f"V{n}={text[:1000]}" for n in range(length // 1000)]
    else:
        bundle.config["annotations"] = {"long": text}
    result = runtime.run(bundle)
    if result.status == 0:
        _namespaces_are_its_own(dict(result.seen.report, namespaces=result.seen.report["namespaces"] | {"user": 0}))
        if where == "variable":
            assert f"LONG={text}" in result.seen.report["env"]


def test_hooks_that_do_not_read_a_long_state_do_not_hold_up_the_container(runtime, bundle):
    """the state on their stdin has the annotations in it; a pipe holds 64 KiB"""
    bundle.config["annotations"] = {f"name{n}": "x" * 1000 for n in range(200)}
    for moment in ("createRuntime", "createContainer", "startContainer", "poststart", "poststop"):
        bundle.hook(moment, ["sleep", "0.2"], "say")
    result = runtime.run(bundle, seconds=20)
    assert result.ok().seconds < host.timeout(10)
    assert set(bundle.seen().tags) == {"createRuntime", "createContainer", "startContainer", "poststart", "poststop"}
