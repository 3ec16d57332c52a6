"""delete and kill of all containers whose ids match (crun's --regex)."""

from harness import refused


def test_kill_and_delete_reach_all_containers_that_match(runtime, make_bundle):
    """crun: kill --regex, delete --regex"""
    containers = [runtime.start(make_bundle().probe("hold"), id=runtime.unique(part)) for part in "aab"]
    prefix = runtime.prefix
    runtime.command("kill", "--regex", f"^{prefix}-a[0-9]+$", "TERM").ok()
    for container in containers[:2]:
        container.wait()
    assert containers[2].status == "running"
    runtime.command("delete", "--regex", f"^{prefix}-a").ok()
    assert runtime.state_entries() == [containers[2].id]
    runtime.command("delete", "--force", "--regex", prefix).ok()
    runtime.expect_nothing()


def test_one_that_cannot_be_deleted_does_not_save_the_others(runtime, make_bundle):
    """crun: delete --regex"""
    running = runtime.start(make_bundle().probe("hold"), id=runtime.unique("a"))
    stopped = runtime.start(make_bundle().probe("say"), id=runtime.unique("b"))
    stopped.wait()
    refused(runtime.command("delete", "--regex", runtime.prefix), names=[running.id])
    assert runtime.state_entries() == [running.id]


def test_an_expression_that_is_none_is_an_error(runtime):
    """regex(7)"""
    refused(runtime.command("delete", "--regex", "a["), names=["regex", "a["])


def test_nothing_that_matches_is_no_error(runtime):
    """crun: delete --regex"""
    runtime.command("delete", "--regex", "^no-such-container$").ok()
