"""How exec ends: the program's own status, or 255 with the words that engines look for (the command line contract)."""

import signal

import pytest

from harness import host, refused
from harness.broken import BROKEN


@pytest.mark.parametrize("status", [0, 1, 7, 126, 127, 255])
def test_exec_ends_with_the_exit_status_of_the_program(container, status):
    """the command line contract: exec in the foreground = the child's code"""
    assert container.exec("/bin/probe", "exit", status).status == status


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_exec_ends_with_128_and_the_signal_that_killed_the_program(container, number):
    """the command line contract: 128+sig"""
    assert container.exec("/bin/probe", "raise", int(number)).status == 128 + number


def test_the_streams_are_those_of_the_command(container):
    """the command line contract: BuildKit and cri-o use the streams of exec in the foreground"""
    result = container.exec("/bin/probe", "stdin", ":", "echo", 2, "to stderr", stdin="typed").ok()
    assert result.seen("stdin")["content"] == "typed"
    assert result.stderr == "to stderr\n"


def test_signals_are_passed_on(runtime, container):
    """the command line contract: cri-o and conmon end a command by ending exec"""
    out = runtime.directory / "signals"
    with open(out, "wb") as stdout:
        process = runtime.spawn("exec", container.id, "/bin/probe", "signals", stdout=stdout)
    host.wait_until(lambda: "ready" in out.read_text(), "the program is ready")
    process.send_signal(signal.SIGUSR1)
    host.wait_until(lambda: f'"signal":{int(signal.SIGUSR1)}}}' in out.read_text(), "the signal arrives")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert container.status == "running"


@pytest.mark.parametrize(
    "name, text",
    [
        ("no-such-tool", "executable file not found in $PATH"),
        ("/no/such/tool", "no such file or directory"),
        ("/bin/not-executable", "permission denied"),
        ("/etc", "permission denied|is a directory"),
        ("/etc/passwd/tool", "not a directory|no such file or directory"),
    ],
)
def test_a_program_that_cannot_be_run_is_told_in_the_words_that_engines_match(bundle, container, name, text):
    """the command line contract: texts from which engines derive 126 and 127; an error of exec itself is 255"""
    file = bundle.rootfs / "bin/not-executable"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o644)
    refused(container.exec(name), text, names=[name], status=255)


def test_an_error_of_exec_itself_begins_as_engines_expect(container):
    """the command line contract: `exec failed: ...`"""
    refused(container.exec("no-such-tool"), "exec failed: ", status=255)
    refused(container.exec("/bin/true", flags=["--cwd", "/no/such/directory"]), "exec failed: ", status=255)


def test_a_working_directory_that_does_not_exist_is_an_error(container):
    """the command line contract: bad cwd"""
    refused(
        container.exec("/bin/true", flags=["--cwd", "/no/such/directory"]), "no such file or directory",
        names=["/no/such/directory"], status=255)
    refused(container.exec("/bin/true", flags=["--cwd", "/etc/passwd"]), "not a directory", status=255)


def test_a_container_that_does_not_exist_is_an_error(runtime):
    """the command line contract: does not exist"""
    refused(runtime.command("exec", "cf-nobody", "/bin/true"), "does not exist", status=255)


def test_a_command_or_a_process_is_needed(container):
    """the command line contract: exec ID COMMAND"""
    assert container.exec().status > 0


def test_options_behind_the_command_are_the_commands(container):
    """the command line contract: exec ID ls -l"""
    result = container.exec("/bin/probe", "say", "-t", "--user", "x").ok()
    assert result.seen("say")["arguments"] == ["-t", "--user", "x"]


@pytest.mark.parametrize("how", ["run", "exec"])
@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_a_program_that_the_kernel_refuses_gets_an_error_that_says_why(runtime, bundle, start, how, broken):
    """what users meet: the kernel says `no such file` of a file that is there; engines still find their words"""
    broken.put(bundle.rootfs / "bin/refused")
    if how == "exec":
        refused(start().exec("/bin/refused"), broken.text, names=[broken.told], status=255)
    else:
        refused(runtime.run(bundle.args("/bin/refused")), broken.text, names=[broken.told])
