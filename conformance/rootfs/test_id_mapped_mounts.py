"""Mounts with their own id mappings (config.md, Linux mount options: idmap, ridmap; POSIX-platform Mounts)."""

import os

import pytest

from harness import host


@pytest.fixture
def owned(tree):
    """Files of several owners, also on a mount below."""
    tree.on_a_mount_of_its_own().mount_sub()
    for place in (tree.path, tree.path / "sub"):
        for owner in (0, 1000, 5000):
            (place / str(owner)).write_text("")
            os.chown(place / str(owner), owner, owner)
    if host.kernel() < (5, 12):
        pytest.skip("this kernel has no id-mapped mounts")
    return tree


def _maps(*entries):
    return [{"containerID": c, "hostID": h, "size": s} for c, h, s in entries]


def _owners(seen, directory, *names):
    return [(seen("stat", f"{directory}/{name}")["uid"], seen("stat", f"{directory}/{name}")["gid"]) for name in names]


def _stats(*directories):
    return [["stat", f"{directory}/{owner}"] for directory in directories for owner in (0, 1000, 5000)]


def test_idmap_with_mappings_of_the_mount(runtime, bundle, owned):
    """config.md: if mappings are specified for the mount, the runtime MUST use those values"""
    bundle.mount("/mnt", owned.path, "bind", ["rbind", "idmap"], uidMappings=_maps((0, 20000, 1), (1000, 7, 1)),
                 gidMappings=_maps((0, 30000, 1), (1000, 8, 1)))
    seen = runtime.look(bundle, *_stats("/mnt", "/mnt/sub"))
    assert _owners(seen, "/mnt", 0, 1000, 5000) == [(20000, 30000), (7, 8), (65534, 65534)]
    assert _owners(seen, "/mnt/sub", 0, 1000) == [(0, 0), (1000, 1000)], "idmap is not recursive"


def test_ridmap_reaches_the_mounts_below(runtime, bundle, owned):
    """config.md: ridmap: the mapping is applied recursively"""
    maps = _maps((0, 20000, 1), (1000, 7, 1))
    bundle.mount("/mnt", owned.path, "bind", ["rbind", "ridmap"], uidMappings=maps, gidMappings=maps)
    result = runtime.run(bundle.probe(*_stats("/mnt", "/mnt/sub")))
    if result.status and host.kernel() < (6, 3):
        pytest.skip("this kernel cannot map a tmpfs")
    seen = result.ok().seen
    assert _owners(seen, "/mnt", 0, 1000) == _owners(seen, "/mnt/sub", 0, 1000) == [(20000, 20000), (7, 7)]


def test_idmap_without_mappings_uses_those_of_the_container(runtime, bundle, owned):
    """config.md: if they are not specified, the runtime MAY use the container's user namespace mapping"""
    bundle.user_namespace(100000).mount("/mnt", owned.path, "bind", ["rbind", "idmap"])
    result = runtime.run(bundle.probe(*_stats("/mnt"), ["create", "/mnt/new"]))
    if result.status:
        return  # otherwise an error MUST be returned
    assert _owners(result.seen, "/mnt", 0, 1000, 5000) == [(0, 0), (1000, 1000), (5000, 5000)]
    assert result.seen.error("create") is None
    assert (owned.path / "new").stat().st_uid == 0


def test_without_idmap_the_owners_of_the_host_show(runtime, bundle, owned):
    """config.md: only the options ask for a mapping"""
    bundle.user_namespace(100000).mount("/mnt", owned.path, "bind", ["rbind"])
    assert _owners(runtime.look(bundle, *_stats("/mnt")), "/mnt", 0, 1000) == [(65534, 65534)] * 2


def test_mappings_of_the_mount_in_a_container_with_a_user_namespace(runtime, bundle, owned):
    """config.md: the runtime MUST use those values for the mount's mapping"""
    maps = _maps((0, 100005, 1), (1000, 100006, 1))
    bundle.user_namespace(100000).mount("/mnt", owned.path, "bind", ["rbind", "idmap"], uidMappings=maps, gidMappings=maps)
    assert _owners(runtime.look(bundle, *_stats("/mnt")), "/mnt", 0, 1000) == [(5, 5), (6, 6)]


@pytest.mark.parametrize("option", ["idmap", "ridmap"])
def test_idmap_without_any_mapping_is_refused(runtime, bundle, owned, option):
    """config.md: no mappings and no user namespace: an error MUST be returned"""
    bundle.mount("/mnt", owned.path, "bind", ["bind", option])
    runtime.refuses(bundle, "mounts[6]")


@pytest.mark.parametrize("given, missing", [("uidMappings", "gidMappings"), ("gidMappings", "uidMappings")])
def test_one_kind_of_mapping_without_the_other_is_refused(runtime, bundle, owned, given, missing):
    """config.md, POSIX-platform Mounts: if specified, it MUST be specified along with the other"""
    bundle.mount("/mnt", owned.path, "bind", ["bind", "idmap"], **{given: _maps((0, 1, 1))})
    runtime.refuses(bundle, "mounts[6]", missing)


def test_other_options_go_together_with_a_mapping(runtime, bundle, owned):
    """config.md, Linux mount options"""
    maps = _maps((0, 20000, 1))
    bundle.mount("/mnt", owned.path, "bind", ["bind", "idmap", "ro", "nosuid"], uidMappings=maps, gidMappings=maps)
    seen = runtime.look(bundle, "report", *_stats("/mnt"))
    assert {"ro", "nosuid", "idmapped"} <= set(seen.mount("/mnt").options)
    assert _owners(seen, "/mnt", 0) == [(20000, 20000)]


def test_the_source_on_the_host_is_not_changed(runtime, bundle, owned):
    """config-linux.md, User namespace mappings: SHOULD NOT modify the ownership"""
    maps = _maps((0, 20000, 1))
    bundle.mount("/mnt", owned.path, "bind", ["bind", "idmap"], uidMappings=maps, gidMappings=maps)
    runtime.look(bundle)
    assert (owned.path / "1000").stat().st_uid == 1000
