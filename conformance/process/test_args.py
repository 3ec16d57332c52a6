"""args: the program, where it is looked for, and its arguments (config.md, Process)."""

import os

import pytest

from harness import refused


def _program(bundle, path, text="#!/bin/sh\necho $0 from " + "PLACE\n", mode=0o755):
    file = bundle.rootfs / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace("PLACE", path))
    file.chmod(mode)
    return file


def test_the_arguments_arrive_as_they_are(runtime, bundle):
    """config.md, Process: args with the semantics of execvp's argv"""
    words = ["/bin/probe", "report", ":", "say", "", " spaces  and\ttabs ", "line\nbreak", "quo\"te'", "$HOME *", "é", "\\"]
    report = runtime.look(bundle.args(*words)).report
    assert [word.encode("latin-1").decode() for word in report["args"]] == words


def test_a_name_is_looked_for_in_the_path_of_the_containers_environment(runtime, bundle):
    """config.md, Process: the first entry is used as execvp's file; the PATH is that of process.env"""
    _program(bundle, "opt/second/tool")
    _program(bundle, "opt/first/other")
    bundle.process["env"] = ["PATH=/nowhere:/opt/first:/opt/second:/bin"]
    result = runtime.run(bundle.args("tool"))
    assert result.ok().stdout.strip().endswith("from opt/second/tool")
    _program(bundle, "opt/first/tool")
    assert runtime.run(bundle).ok().stdout.strip().endswith("from opt/first/tool")


def test_the_path_of_the_runtimes_own_environment_does_not_count(runtime, bundle):
    """config.md, Process: env"""
    _program(bundle, "opt/tool")
    bundle.process["env"] = ["PATH=/bin"]
    result = runtime.run(bundle.args("tool"), env=os.environ | {"PATH": "/opt:" + os.environ["PATH"]})
    refused(result, "executable file not found in $PATH")


def test_a_file_that_may_not_be_executed_is_passed_over(runtime, bundle):
    """config.md, Process: execvp goes on when permission is denied"""
    _program(bundle, "opt/first/tool", mode=0o644)
    (bundle.rootfs / "opt/directory/tool").mkdir(parents=True)
    _program(bundle, "opt/second/tool")
    bundle.process["env"] = ["PATH=/opt/directory:/opt/first:/opt/second:/bin"]
    assert runtime.run(bundle.args("tool")).ok().stdout.strip().endswith("from opt/second/tool")


def test_a_name_with_a_slash_is_a_path_from_the_working_directory(runtime, bundle):
    """config.md, Process: cwd, args"""
    _program(bundle, "opt/tool")
    _program(bundle, "tool")
    bundle.process["cwd"] = "/opt"
    assert runtime.run(bundle.args("./tool")).ok().stdout.endswith("tool from opt/tool\n")
    assert runtime.run(bundle.args("../tool")).ok().stdout.endswith("tool from tool\n")


def test_the_first_argument_is_what_the_program_sees_as_its_name(runtime, bundle):
    """config.md, Process: args"""
    bundle.process["env"] = ["PATH=/bin"]
    report = runtime.look(bundle.args("probe", "report")).report
    assert report["args"] == ["probe", "report"]
    assert report["exe"] == "/bin/probe"


@pytest.mark.parametrize(
    "name, text",
    [
        ("no-such-tool", "executable file not found in $PATH"),
        ("/no/such/tool", "no such file or directory"),
        ("/bin/tool-without-permission", "permission denied"),
        ("/etc", "permission denied|is a directory"),
        ("/etc/passwd/tool", "not a directory|no such file or directory"),
    ],
)
def test_a_program_that_cannot_be_run_is_an_error_with_the_words_that_engines_match(runtime, bundle, name, text):
    """runtime.md, Start: MUST run the program; the contract: texts from which engines derive 126 and 127"""
    _program(bundle, "bin/tool-without-permission", mode=0o644)
    container = runtime.try_create(bundle.args(name))
    result = container.created if container.created.status else container.start()
    refused(result, text, names=[name])
    container.delete("--force")
    runtime.expect_nothing(container.id)


@pytest.mark.parametrize("args", [[], None, [""]])
def test_at_least_one_argument_is_required(runtime, bundle, args):
    """config.md, Process: at least one entry is REQUIRED"""
    bundle.process["args"] = args
    if args is None:
        del bundle.process["args"]
    container = runtime.try_create(bundle)
    if container.created.status == 0:
        refused(container.start(), names=["args"])
    else:
        refused(container.created, names=["args"])
        runtime.expect_nothing(container.id)


@pytest.mark.parametrize("interpreter", ["/no/such/interpreter", "/bin/sh\r"])
def test_a_script_with_a_bad_interpreter_is_an_error(runtime, bundle, interpreter):
    """what users meet: the kernel says `no such file` of a file that is there"""
    _program(bundle, "bin/script", f"#!{interpreter}\necho never\n")
    container = runtime.try_create(bundle.args("/bin/script"))
    result = container.created if container.created.status else container.start()
    if result.status == 0:  # the program was executed by a process that nobody waits for any more
        container.wait()
        assert "never" not in container.text
    else:
        refused(result, names=["interpreter|carriage return"])


def test_a_file_of_no_known_format_is_an_error(runtime, bundle):
    """runtime.md, Start: MUST run the program, or else tell"""
    _program(bundle, "bin/noise", "\x7fELF, but not really")
    result = runtime.run(bundle.args("/bin/noise"))
    refused(result, "exec format error")
    runtime.expect_nothing()
