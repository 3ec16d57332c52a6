"""exec --detach, the pid file and the pidfd socket (the command line contract)."""

import os
import socket
from pathlib import Path

from harness import host
from harness.reaper import orphan_status


def test_a_detached_process_belongs_to_the_callers_subreaper(runtime, container):
    """the command line contract: conmon and the shim wait for the pid in the pid file"""
    pid_file = runtime.directory / "pid"
    result = container.exec("/bin/probe", "hold", flags=["-d", "--pid-file", pid_file])
    assert result.ok().status == 0
    pid = int(pid_file.read_text())
    assert host.namespaces(pid) == host.namespaces(container.pid)
    assert pid_file.read_text() == str(pid)
    os.kill(pid, 9)
    assert orphan_status(pid, host.timeout(10)) == -9


def test_a_detached_process_that_cannot_be_executed_is_an_error(runtime, container):
    """the command line contract: exec --detach reports before it returns"""
    pid_file = runtime.directory / "pid"
    result = container.exec("/no/such/program", flags=["--detach", "--pid-file", pid_file])
    assert result.status == 255 or (runtime.name != "swrun" and result.status > 0)
    assert not pid_file.exists()
    assert "no such file or directory" in result.stderr.lower()


def test_the_pid_file_has_the_process_also_in_the_foreground(runtime, container):
    """the command line contract: BuildKit: exec --process --pid-file in the foreground"""
    pid_file = runtime.directory / "pid"
    process = runtime.spawn("exec", "--pid-file", pid_file, container.id, "/bin/sleep", 1000)
    host.wait_until(pid_file.exists, "the pid file is there")
    pid = int(pid_file.read_text())
    assert Path(f"/proc/{pid}/comm").read_text().strip() in ("sleep", "busybox")
    os.kill(pid, 9)
    assert process.wait(10) == 137


def test_a_pidfd_of_the_process_is_sent(runtime, container):
    """the command line contract: --pidfd-socket"""
    path = runtime.directory / "pidfd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(host.timeout(10))
        container.exec("/bin/sleep", 1000, flags=["-d", "--pidfd-socket", path]).ok()
        connection, _ = listener.accept()
        with connection:
            _, (pidfd,), _, _ = socket.recv_fds(connection, 100, 4)
    info = dict(line.split(":", 1) for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines())
    pid = int(info["Pid"])
    os.close(pidfd)
    assert Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] == b"/bin/sleep"
