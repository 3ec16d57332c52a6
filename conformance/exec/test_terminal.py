"""exec with a terminal: a console socket, or the caller's own terminal (the command line contract)."""

import pytest

from harness import ConsoleSocket, refused
from harness.terminal import Attached


@pytest.fixture
def console(runtime):
    sock = ConsoleSocket(runtime.directory / "console.sock")
    yield sock
    sock.close()


def test_the_terminal_goes_to_the_console_socket(container, console):
    """the command line contract: --console-socket with --detach"""
    container.exec(
        "/bin/probe", "report", ":", "open", "/dev/tty", "b", ":", "hold",
        flags=["--tty", "--detach", "--console-socket", console.path]).ok()
    terminal = console.receive()
    seen = terminal.wait_for("hold")
    report = seen.report
    assert [stream["isatty"] for stream in report["tty"]] == [True] * 3
    assert report["controlling_tty"] and report["foreground_group"] == report["pgid"] == report["sid"]
    assert seen.error("open", "/dev/tty") is None
    assert set(report["descriptors"]) == {"0", "1", "2"}
    terminal.close()


def test_a_process_document_can_ask_for_a_terminal_and_its_size(container, console):
    """config.md, Process: terminal, consoleSize; the contract: --process with --console-socket"""
    document = {
        "terminal": True, "consoleSize": {"height": 31, "width": 117}, "cwd": "/", "user": {"uid": 1000, "gid": 1000},
        "args": ["/bin/probe", "report", ":", "line"]}
    container.exec_process(document, "--detach", "--console-socket", console.path).ok()
    terminal = console.receive()
    assert terminal.size == (31, 117)
    terminal.wait_for("report")
    terminal.write("hello\n")
    assert terminal.wait_for("line")("line")["content"] == "hello\n"
    terminal.close()


def test_a_terminal_of_the_callers_own_is_connected(runtime, container):
    """the command line contract: exec -t in the foreground"""
    words = runtime.words("exec", "-t", container.id, "/bin/probe", "report", ":", "line", ":", "exit", "9")
    attached = Attached(words, rows=40, columns=100)
    attached.terminal.wait_for("report")
    attached.terminal.write("typed\n")
    assert attached.terminal.wait_for("line")("line")["content"] == "typed\n"
    assert attached.wait() == 9
    assert attached.modes == attached.modes_before
    attached.close()


def test_without_tty_there_is_no_terminal_although_the_container_has_one(start, bundle, console):
    """the command line contract: exec -t decides"""
    bundle.process["terminal"] = True
    container = start("--console-socket", console.path)
    terminal = console.receive()
    assert [stream["isatty"] for stream in container.look().report["tty"]] == [False] * 3
    terminal.close()


def test_a_detached_terminal_without_a_socket_is_refused(container):
    """the command line contract"""
    refused(container.exec("/bin/true", flags=["-t", "-d"]), names=["console-socket"], status=255)
    refused(
        container.exec("/bin/true", flags=["-d", "--console-socket", "/nobody"]), names=["console-socket"], status=255)
