"""How exec ends: the program's own status, or 255 with the words that engines look for (the command line contract)."""

import signal

import pytest

from harness import host, refused


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


@pytest.mark.parametrize("interpreter", ["/no/such/interpreter", "/bin/sh\r"])
def test_a_script_with_a_bad_interpreter_gets_an_error_that_says_so(bundle, container, interpreter):
    """what users meet: the kernel says `no such file` of a file that is there; engines still find their words"""
    script = bundle.rootfs / "bin/script"
    script.write_text(f"#!{interpreter}\necho never\n")
    script.chmod(0o755)
    refused(
        container.exec("/bin/script"), "no such file or directory", names=["interpreter|carriage return"], status=255)


def _elf(machine: int, loader: str | None = None) -> bytes:
    """The head of a 64-bit little-endian program, with the name of a loader where given."""
    names = loader.encode() + b"\0" if loader else b""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + machine.to_bytes(2, "little")
    header += (1).to_bytes(4, "little") + (0x400078).to_bytes(8, "little") + (64).to_bytes(8, "little") + bytes(8)
    header += bytes(4) + (64).to_bytes(2, "little") + (56).to_bytes(2, "little")
    header += (1).to_bytes(2, "little") + bytes(6)
    kind = 3 if loader else 1
    segment = kind.to_bytes(4, "little") + (4).to_bytes(4, "little") + (120).to_bytes(8, "little") + bytes(16)
    segment += len(names).to_bytes(8, "little") * 2 + (1).to_bytes(8, "little")
    return header + segment + names + bytes(4096)


@pytest.mark.parametrize("how", ["run", "exec"])
@pytest.mark.parametrize(
    "content, text, told",
    [
        (_elf(0x1234), "exec format error", "processor"),
        (_elf(62, "/lib64/no-such-loader.so"), "no such file or directory", "no-such-loader"),
        (b"", "exec format error", "empty"),
        (b"echo without an interpreter line\n", "exec format error", "#!"),
    ],
    ids=["processor", "loader", "empty", "no-interpreter"],
)
def test_a_program_that_the_kernel_refuses_gets_an_error_that_says_why(
        runtime, bundle, start, how, content, text, told):
    """what users meet; the contract: `no such file or directory` stays, for engines make 127 of it"""
    program = bundle.rootfs / "bin/refused"
    program.write_bytes(content)
    program.chmod(0o755)
    if how == "exec":
        refused(start().exec("/bin/refused"), text, names=[told], status=255)
    else:
        refused(runtime.run(bundle.args("/bin/refused")), text, names=[told])
