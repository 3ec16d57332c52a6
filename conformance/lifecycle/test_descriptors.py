"""File descriptors: which ones the program finds open (runtime-linux.md, File descriptors)."""

import os
import socket
import subprocess

from harness import Result, host, reaper


def _shell(script, words) -> Result:
    """Runs a command line from a shell that has opened descriptors with the numbers that it needs."""
    process = reaper.Process(
        ["/bin/bash", "-c", script, "sh", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    out, err = process.communicate(timeout=host.timeout(30))
    return Result(words, process.returncode, out, err, 0).ok()


def test_the_program_finds_stdin_stdout_and_stderr_open_and_nothing_else(runtime, bundle):
    """runtime-linux.md, File descriptors: by default only the three are kept open"""
    extra = os.open("/", os.O_RDONLY)
    os.set_inheritable(extra, True)
    try:
        result = runtime.run(bundle, pass_fds=[extra])
    finally:
        os.close(extra)
    assert set(result.ok().seen.report["descriptors"]) == {"0", "1", "2"}


def test_the_streams_of_create_are_those_of_the_program(runtime, bundle):
    """the command line contract: create's stdio is the container's"""
    bundle.probe("stdin", ["echo", 1, "to stdout"], ["echo", 2, "to stderr"])
    given = bundle.path / "given"
    given.write_text("through stdin")
    with open(given) as stdin:
        container = runtime.create(bundle, stdin=stdin)
    container.start().ok()
    container.wait()
    assert container.seen("stdin")["content"] == "through stdin"
    assert "to stdout\n" in container.text
    assert any("to stderr\n" in path.read_text() for path in runtime.directory.glob("err*"))
    assert "to stderr" not in container.text.splitlines()


def test_the_streams_of_start_are_not_given_to_the_program(runtime, bundle):
    """the command line contract: the program's streams were settled by create"""
    container = runtime.create(bundle.probe(["echo", 1, "hello"]))
    result = container.start().ok()
    container.wait()
    assert result.stdout == "" and "hello" in container.text


def test_preserved_descriptors_reach_the_program_with_their_numbers(runtime, bundle):
    """runtime-linux.md: the runtime MAY pass additional file descriptors; the contract: --preserve-fds N"""
    files = []
    for number in (3, 4, 5):
        path = bundle.path / f"kept{number}"
        path.write_text("")
        files.append(path)
    bundle.probe("report", ["echo", 3, "three"], ["echo", 4, "four"], ["echo", 5, "five"]).write()
    id = runtime.new_id()
    words = runtime.words("run", "--bundle", bundle.path, "--preserve-fds", 2, id)
    script = f'exec 3>>"{files[0]}" 4>>"{files[1]}" 5>>"{files[2]}"; exec "$@"'
    result = _shell(script, words)
    assert set(result.seen.report["descriptors"]) == {"0", "1", "2", "3", "4"}
    assert (files[0].read_text(), files[1].read_text(), files[2].read_text()) == ("three\n", "four\n", "")


def test_listen_fds_are_passed_on_and_listen_pid_is_that_of_the_program(runtime, bundle):
    """runtime-linux.md: socket activation; the contract: LISTEN_FDS, LISTEN_PID"""
    bundle.probe("report").write()
    id = runtime.new_id()
    words = runtime.words("run", "--bundle", bundle.path, id)
    result = _shell('exec 3</ 4</ 5</; LISTEN_FDS=2 LISTEN_PID=$$ exec "$@"', words)
    report = result.seen.report
    assert set(report["descriptors"]) == {"0", "1", "2", "3", "4"}
    assert "LISTEN_FDS=2" in report["env"]
    assert "LISTEN_PID=1" in report["env"]


def test_a_socket_can_be_passed(runtime, bundle):
    """runtime-linux.md: such as socket activation"""
    ours, theirs = socket.socketpair()
    bundle.probe(["echo", 3, "through the socket"]).write()
    id = runtime.new_id()
    words = runtime.words("run", "--bundle", bundle.path, "--preserve-fds", 1, id)
    process = runtime.spawn_words(
        ["/bin/bash", "-c", f'exec 3<&{theirs.fileno()} {theirs.fileno()}<&-; exec "$@"', "sh", *words],
        pass_fds=[theirs.fileno()])
    theirs.close()
    assert process.wait(20) == 0
    assert ours.recv(100) == b"through the socket\n"


def test_the_owner_of_a_stream_that_is_a_file_of_the_host_does_not_change(runtime, bundle):
    """the streams belong to the caller: /dev/null of the host must stay root's"""
    before = {path: (os.stat(path).st_uid, os.stat(path).st_gid) for path in ("/dev/null", "/dev/full")}
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    with open("/dev/full", "wb") as out:
        runtime.spawn("create", "--bundle", bundle.write(), runtime.new_id(), stdout=out).wait(host.timeout(20))
    after = {path: (os.stat(path).st_uid, os.stat(path).st_gid) for path in before}
    for path, owner in before.items():
        os.chown(path, *owner)
    assert after == before
