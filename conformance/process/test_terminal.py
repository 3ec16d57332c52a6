"""terminal and consoleSize (config.md, Process; config-linux.md, Default Devices: /dev/console)."""

import os
import signal
import stat

import pytest

from harness import ConsoleSocket, refused
from harness.terminal import Attached


@pytest.fixture
def console(runtime):
    sock = ConsoleSocket(runtime.directory / "console.sock")
    yield sock
    sock.close()


def test_a_terminal_is_the_programs_standard_streams_and_its_controlling_terminal(runtime, bundle, console):
    """config.md, Process: terminal: a pseudoterminal pair is allocated and duplicated on the standard streams"""
    bundle.process["terminal"] = True
    bundle.probe("report", ["stat", "/dev/console"], ["open", "/dev/tty", "b"], "hold")
    container = runtime.create(bundle, "--console-socket", console.path)
    terminal = console.receive()
    assert os.isatty(terminal.master) and stat.S_ISCHR(os.fstat(terminal.master).st_mode)
    container.start().ok()
    seen = terminal.wait_for("hold")
    report = seen.report
    assert [stream["isatty"] for stream in report["tty"]] == [True] * 3
    assert report["controlling_tty"] and report["foreground_group"] == report["pgid"] == report["sid"]
    streams = {report["descriptors"][fd]["rdev"] for fd in "012"}
    assert len(streams) == 1
    device = seen("stat", "/dev/console")
    assert device["type"] == "character"
    assert (device["major"], os.makedev(device["major"], device["minor"])) == (136, streams.pop())
    assert seen.error("open", "/dev/tty") is None
    assert set(report["descriptors"]) == {"0", "1", "2"}
    terminal.close()


def test_what_is_typed_reaches_the_program_and_interrupts_it(runtime, bundle, console):
    """config.md, Process: terminal"""
    bundle.process["terminal"] = True
    container = runtime.create(bundle.probe("line", "signals"), "--console-socket", console.path)
    terminal = console.receive()
    container.start().ok()
    terminal.write("typed text\n")
    assert terminal.wait_for("signals")("line")["content"] == "typed text\n"
    terminal.write("\x03")
    terminal.read(f'"signal":{int(signal.SIGINT)}')
    terminal.close()


def test_the_terminal_has_the_size_of_the_configuration(runtime, bundle, console):
    """config.md, Process: consoleSize"""
    bundle.process |= {"terminal": True, "consoleSize": {"height": 37, "width": 113}}
    container = runtime.create(bundle.probe("report"), "--console-socket", console.path)
    terminal = console.receive()
    assert terminal.size == (37, 113)
    container.start().ok()
    stream = terminal.wait_for("report").report["tty"][0]
    assert (stream["rows"], stream["columns"]) == (37, 113)
    terminal.close()


def test_the_console_size_is_ignored_without_a_terminal(runtime, bundle):
    """config.md, Process: runtimes MUST ignore consoleSize if terminal is false or unset"""
    bundle.process |= {"terminal": False, "consoleSize": {"height": 37, "width": 113}}
    assert not runtime.look(bundle).report["tty"][0]["isatty"]
    del bundle.process["terminal"]
    assert not runtime.look(bundle).report["tty"][0]["isatty"]


def test_without_a_terminal_there_is_no_console_device(runtime, bundle):
    """config-linux.md, Default Devices: /dev/console if terminal is enabled"""
    seen = runtime.look(bundle, ["lstat", "/dev/console"])
    assert seen.error("lstat") == "ENOENT"


def test_a_terminal_needs_a_console_socket_when_the_runtime_does_not_stay(runtime, bundle):
    """the command line contract: create, run --detach"""
    bundle.process["terminal"] = True
    runtime.refuses(bundle, "console-socket")
    bundle.write()
    refused(
        runtime.command("run", "--detach", "--bundle", bundle.path, runtime.new_id()), names=["console-socket"])
    runtime.expect_nothing()


def test_a_console_socket_without_a_terminal_is_refused(runtime, bundle, console):
    """the command line contract: nobody would ever write to it"""
    container = runtime.try_create(bundle, "--console-socket", console.path)
    refused(container.created, names=["console"])
    runtime.expect_nothing(container.id)


@pytest.mark.parametrize("path", ["no/such/socket", "config.json"])
def test_a_console_socket_that_nobody_listens_on_makes_create_fail(runtime, bundle, path):
    """runtime.md, Create: nothing is left"""
    bundle.process["terminal"] = True
    container = runtime.try_create(bundle, "--console-socket", bundle.path / path)
    refused(container.created, names=["console"])
    runtime.expect_nothing(container.id)


def test_a_user_may_reopen_the_terminal_and_its_streams(runtime, bundle, console):
    """programs such as loggers open /dev/stdout; the terminal belongs to who uses it"""
    bundle.process |= {"terminal": True, "user": {"uid": 1000, "gid": 1000}}
    bundle.probe(["open", "/dev/stdout", "w"], ["open", "/dev/tty", "b"], "hold")
    container = runtime.create(bundle, "--console-socket", console.path)
    terminal = console.receive()
    container.start().ok()
    seen = terminal.wait_for("hold")
    assert seen.error("open", "/dev/tty") is None
    assert seen.error("open", "/dev/stdout") is None
    terminal.close()


def test_a_terminal_works_in_a_user_namespace(runtime, bundle, console):
    """config.md, Process: terminal; config-linux.md, User namespace mappings"""
    bundle.user_namespace().process["terminal"] = True
    bundle.probe("report", ["stat", "/dev/console"], ["open", "/dev/tty", "b"], "hold")
    container = runtime.create(bundle, "--console-socket", console.path)
    terminal = console.receive()
    container.start().ok()
    seen = terminal.wait_for("hold")
    assert seen.report["controlling_tty"]
    assert seen("stat", "/dev/console")["uid"] == 0
    terminal.close()


def test_run_connects_the_callers_terminal_and_ends_with_the_programs_status(runtime, bundle):
    """the command line contract: run with a terminal in the foreground"""
    bundle.process["terminal"] = True
    bundle.probe("report", "line", ["exit", 7]).write()
    attached = Attached(runtime.words("run", "--bundle", bundle.path, runtime.new_id()), rows=31, columns=97)
    report = attached.terminal.wait_for("report").report
    assert report["controlling_tty"]
    assert (report["tty"][0]["rows"], report["tty"][0]["columns"]) == (31, 97)
    attached.terminal.write("typed\r")
    assert attached.terminal.wait_for("line")("line")["content"] == "typed\n"
    assert attached.wait() == 7
    assert attached.modes == attached.modes_before, "the caller's terminal is as it was"
    attached.close()


def test_run_hands_on_every_change_of_the_terminals_size(runtime, bundle):
    """the command line contract: resizing in run"""
    bundle.process["terminal"] = True
    bundle.probe(["winch", 50]).write()
    attached = Attached(runtime.words("run", "--bundle", bundle.path, runtime.new_id()))
    attached.terminal.wait_for("winch")
    attached.terminal.size = (50, 150)
    line = attached.terminal.wait_for("winch", 2).all("winch")[1]
    assert line["signalled"] and (line["rows"], line["columns"]) == (50, 150)
    assert attached.wait() == 0
    attached.close()


def test_control_c_in_run_interrupts_the_program_and_not_the_runtime(runtime, bundle):
    """the command line contract: keys belong to the container's terminal"""
    bundle.process["terminal"] = True
    bundle.probe("signals", ["exit", 3]).write()
    attached = Attached(runtime.words("run", "--bundle", bundle.path, runtime.new_id()))
    attached.terminal.wait_for("signals")
    attached.terminal.write("\x03")
    attached.terminal.read(f'"signal":{int(signal.SIGINT)}')
    assert attached.process.poll() is None
    attached.process.send_signal(signal.SIGTERM)
    assert attached.wait() == 3
    attached.close()


def test_run_shows_all_that_the_program_printed_last(runtime, bundle):
    """no output is lost between the program's end and the runtime's"""
    bundle.process["terminal"] = True
    bundle.shell("i=0; while [ $i -lt 3000 ]; do echo line-$i; i=$((i+1)); done; echo the-very-end").write()
    attached = Attached(runtime.words("run", "--bundle", bundle.path, runtime.new_id()))
    attached.terminal.read("the-very-end", 20)
    assert attached.wait() == 0
    assert [line for line in attached.terminal.text.splitlines() if line.startswith("line-")] == [
        f"line-{i}" for i in range(3000)]
    attached.close()
