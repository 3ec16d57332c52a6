"""exec under pressure: many callers at once, and a container whose process never stops forking."""

from harness import host


def test_into_a_container_whose_process_is_busy_forking(start, bundle):
    """the command line contract: exec of health checks, whatever the container does"""
    container = start() if bundle.shell("while true; do /bin/true; done") else None
    for status in range(10):
        assert container.exec("/bin/probe", "exit", status).status == status


def test_from_hundreds_of_callers_at_once(runtime, container):
    """the command line contract: Kubernetes runs many probes in one container"""
    count = 200
    processes = [
        runtime.spawn("exec", container.id, "/bin/probe", "exit", number % 100) for number in range(count)]
    statuses = [process.wait(host.timeout(60)) for process in processes]
    assert statuses == [number % 100 for number in range(count)]
    assert container.status == "running"


def test_while_the_container_ends_it_succeeds_or_says_so(runtime, start, bundle):
    """the command line contract: an error is an error, never a process outside of the container"""
    container = start()
    processes = [runtime.spawn("exec", container.id, "/bin/sleep", 1000) for _ in range(20)]
    container.kill("KILL").ok()
    for process in processes:
        assert process.wait(host.timeout(30)) in (137, 255)
    container.delete("--force").ok()
    runtime.expect_nothing()


def test_exec_needs_room_for_its_process_and_no_more(start, bundle):
    """config-linux.md, PIDs: pids.limit"""
    bundle.linux["resources"] = {"pids": {"limit": 2}}
    assert start().exec("/bin/probe", "exit", "3").status == 3


def test_nothing_is_left_of_the_callers(container):
    """no process stays behind an exec that has ended"""
    before = container.exec("/bin/ls", "/proc").ok().stdout.split()
    for _ in range(5):
        container.exec("/bin/true").ok()
    after = container.exec("/bin/ls", "/proc").ok().stdout.split()
    assert len([name for name in after if name.isdigit()]) == len([name for name in before if name.isdigit()])
