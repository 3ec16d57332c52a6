"""user: ids, umask, additional groups (config.md, POSIX-platform User)."""

import pytest

from harness import refused


def test_the_program_runs_with_the_ids_of_the_user(runtime, bundle):
    """config.md, User: uid, gid"""
    bundle.process["user"] = {"uid": 1000, "gid": 1001}
    report = runtime.look(bundle).report
    assert report["uids"] == [1000] * 4
    assert report["gids"] == [1001] * 4
    assert report["groups"] == [], "no group of the caller is left"


def test_the_additional_groups_are_those_of_the_configuration(runtime, bundle):
    """config.md, User: additionalGids"""
    bundle.process["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 6, 4000000]}
    assert sorted(runtime.look(bundle).report["groups"]) == [5, 6, 4000000]
    bundle.process["user"] = {"uid": 0, "gid": 0, "additionalGids": [7]}
    assert runtime.look(bundle).report["groups"] == [7]


def test_many_additional_groups_fit(runtime, bundle):
    """config.md, User: additionalGids"""
    groups = list(range(10000, 12000))
    bundle.process["user"]["additionalGids"] = groups
    assert sorted(runtime.look(bundle).report["groups"]) == groups


@pytest.mark.parametrize("umask", [0, 0o027, 0o777])
def test_the_umask_is_that_of_the_configuration(runtime, bundle, umask):
    """config.md, User: umask"""
    bundle.process["user"]["umask"] = umask
    assert runtime.look(bundle).report["umask"] == umask


def test_without_a_umask_it_is_that_of_the_caller(runtime, bundle):
    """config.md, User: umask: if unspecified, it should not be changed from the calling process"""
    assert runtime.look(bundle, umask=0o035).report["umask"] == 0o035


def test_the_umask_does_not_reach_what_the_runtime_makes_itself(runtime, bundle):
    """config-linux.md, Default Devices: for every user"""
    bundle.process["user"]["umask"] = 0o077
    seen = runtime.look(bundle, ["stat", "/dev/null"], ["stat", "/proc"], umask=0o077)
    assert seen("stat", "/dev/null")["mode"] == 0o666


def test_large_ids_are_no_problem(runtime, bundle):
    """config.md, User; the kernel's ids have 32 bits"""
    bundle.process["user"] = {"uid": 4294967294, "gid": 2147483648}
    report = runtime.look(bundle).report
    assert (report["uids"][0], report["gids"][0]) == (4294967294, 2147483648)


@pytest.mark.parametrize("key, value", [
    ("uid", -1), ("uid", 4294967296), ("gid", -5), ("uid", 1.5), ("uid", "0"), ("gid", {}),
    ("additionalGids", [-1]), ("additionalGids", ["5"]), ("umask", -1), ("umask", "022"),
])
def test_ids_that_are_none_are_refused(runtime, bundle, key, value):
    """config.md, Valid values: MUST generate an error when invalid values are encountered"""
    bundle.process["user"][key] = value
    runtime.refuses(bundle, key)


def test_an_id_that_the_kernel_reserves_is_refused(runtime, bundle):
    """config.md, Valid values: (uid_t)-1 means no user"""
    bundle.process["user"]["uid"] = 4294967295
    container = runtime.try_create(bundle)
    result = container.created if container.created.status else container.start()
    refused(result, names=["uid"])


def test_ids_are_those_of_the_container_namespace(runtime, bundle):
    """config.md, User: in the container namespace"""
    bundle.user_namespace(100000).shared_directory()
    bundle.process["user"] = {"uid": 7, "gid": 8, "additionalGids": [9]}
    seen = runtime.look(bundle, "report", ["create", "/out/file"])
    assert (seen.report["uids"][0], seen.report["gids"][0], seen.report["groups"]) == (7, 8, [9])
    status = (bundle.path / "shared/file").stat()
    assert (status.st_uid, status.st_gid) == (100007, 100008)


def test_an_id_without_a_mapping_is_refused(runtime, bundle):
    """runtime.md, Create: a property that cannot be applied"""
    bundle.user_namespace(100000, size=1000).process["user"] = {"uid": 1000, "gid": 0}
    container = runtime.try_create(bundle)
    result = container.created if container.created.status else container.start()
    refused(result, names=["uid"])
