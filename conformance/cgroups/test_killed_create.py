"""A create that is killed at any moment leaves nothing that cannot be found (issue of every runtime with two steps)."""

import time

import pytest

from harness import host


@pytest.mark.parametrize("milliseconds", [0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20])
def test_delete_or_the_next_create_clears_what_a_killed_create_left(runtime, bundle, milliseconds):
    """runtime.md, Errors and Delete: no control group without a state that leads to it"""
    bundle.linux["resources"] = {"pids": {"limit": 50}}
    bundle.probe("hold").write()
    for round in range(4):
        id = runtime.new_id()
        process = runtime.spawn("create", "--bundle", bundle.path, id)
        time.sleep(milliseconds / 1000 * (1 + round / 4))
        process.kill()
        process.wait()
        if round % 2:
            runtime.command("delete", "--force", id).ok()
        else:
            container = runtime.try_create(bundle, id=id)
            if container.created.status == 0:
                container.start().ok()
            runtime.command("delete", "--force", id).ok()
        assert host.cgroups_named(bundle.name) == []
    runtime.expect_nothing()
