"""Attacks on exec: on the process that enters a container, by those who are in it (CVE-2016-9962, CVE-2019-5736,
CVE-2022-29162, CVE-2024-21626, CVE-2026-30892).

A program that does not exist is executed here and there: then the process is the runtime from its first moment to its
last, and whatever of it is seen is the runtime's."""

import os
from pathlib import Path

import pytest

from harness import host
from harness.config import CAPABILITIES
from harness.host import CAPABILITIES as ALL
from security.support import RACES, Snooper, changes_of

ACCESS = ("exe", "caught", "descriptor", "directory", "root", "cwd", "environ", "mem", "escaped")


def _exec_many(container, count=RACES, *flags):
    for _ in range(count):
        assert container.exec("/no/such/program", flags=flags).status != 0


@pytest.mark.parametrize("user_namespace", [False, True], ids=["host's users", "own users"])
def test_the_container_cannot_look_into_the_process_that_enters_it(
        runtime, make_bundle, attacker_program, user_namespace):
    """with the capabilities that engines give by default; in a user namespace with all of them"""
    attack = make_bundle()
    if user_namespace:
        attack.user_namespace().without_mount("/sys").capabilities(*[f"CAP_{name}" for name in ALL])
    snooper = Snooper(runtime, attack, attacker_program)
    _exec_many(snooper.container)
    snooper.finish()
    assert not snooper.all(*ACCESS), snooper.all(*ACCESS)


def test_who_may_look_into_it_finds_nothing_of_the_host(runtime, make_bundle, attacker_program, canary):
    """CAP_SYS_PTRACE is the right to look: root, working directory and descriptors lead nowhere"""
    attack = make_bundle().add_capabilities("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH")
    snooper = Snooper(runtime, attack, attacker_program, canary=canary.path / "content")
    _exec_many(snooper.container, 5 * RACES)
    snooper.finish()
    assert snooper.all("root", "exe"), "the attacker saw nothing of the runtime"
    assert not snooper.all("escaped"), snooper.all("escaped")
    canary.check()


@pytest.mark.parametrize("capabilities", [["CAP_SYS_PTRACE"], ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH"]])
def test_the_runtimes_program_cannot_be_overwritten_through_proc(
        spare_runtime, make_bundle, attacker_program, capabilities):
    """opened through /proc/PID/exe of the process that enters, and written to once nobody runs it any more"""
    runtime = spare_runtime
    program = Path(runtime.program)
    before = changes_of(program)
    attack = make_bundle().add_capabilities(*capabilities)
    snooper = Snooper(runtime, attack, attacker_program, seal="CAP_SYS_ADMIN" in capabilities)
    _exec_many(snooper.container)
    snooper.finish()
    assert snooper.all("caught"), "the attacker saw nothing of the runtime"
    assert not snooper.all("written", "unlocked"), snooper.all("written", "unlocked")
    assert changes_of(program) == before


@pytest.mark.parametrize("name", ["/proc/self/exe", "/bin/link", "/bin/script"])
def test_a_container_whose_programs_are_the_runtime_cannot_overwrite_it(
        spare_runtime, bundle, make_bundle, attacker_program, name):
    """exec of what the container put in the place of a program: /proc/self/exe"""
    runtime = spare_runtime
    program = Path(runtime.program)
    before = changes_of(program)
    snooper = Snooper(runtime, make_bundle().add_capabilities("CAP_SYS_PTRACE"), attacker_program)
    (bundle.rootfs / "bin/link").symlink_to("/proc/self/exe")
    (bundle.rootfs / "bin/script").write_text("#!/proc/self/exe --log\n")
    (bundle.rootfs / "bin/script").chmod(0o755)
    container = runtime.start(snooper.join(bundle, "pid").probe("hold"))
    for _ in range(5):
        container.exec(name, "--version")
    snooper.finish()
    assert not snooper.all("written", "unlocked"), snooper.all("written", "unlocked")
    assert changes_of(program) == before


@pytest.mark.parametrize("way", ["directly", "through a link"])
def test_the_working_directory_cannot_be_a_descriptor_of_the_runtime(runtime, bundle, canary, way):
    """--cwd /proc/self/fd/N: an error, or a directory of the container"""
    container = runtime.start(bundle.probe("hold"))
    paths = [f"/proc/self/fd/{number}" for number in range(3, 33)]
    relative = os.path.relpath(canary.path, runtime.root / "id")
    for path in paths + [f"{path}/{relative}" for path in paths] + [f"{path}/" + "../" * 20 + str(canary.path)[1:] for path in paths]:
        if way == "through a link":
            (bundle.rootfs / "work").unlink(missing_ok=True)
            (bundle.rootfs / "work").symlink_to(path)
            path = "/work"
        result = container.exec("/bin/probe", "report", ":", "read", "content", flags=["--cwd", path])
        assert "of the host" not in result.stdout, path
        if result.status == 0:
            assert "unreachable" not in result.seen.report["cwd"], path
    canary.check()


def test_the_program_cannot_be_found_through_a_descriptor_of_the_runtime(runtime, bundle, canary):
    """the way to the program, which the kernel follows while the runtime's descriptors may be open"""
    target = canary.path / "program"
    relative = os.path.relpath(target, runtime.root / "id")
    names = []
    for number in range(3, 33):
        for way in (f"/proc/self/fd/{number}/{relative}", f"/proc/self/fd/{number}/" + "../" * 20 + str(target)[1:]):
            names.append(f"/l{len(names)}")
            (bundle.rootfs / names[-1][1:]).symlink_to(way)
    container = runtime.start(bundle.probe("hold"))
    for name in names:
        result = container.exec(name, "say", "escaped")
        assert "escaped" not in result.stdout, f"{os.readlink(bundle.rootfs / name[1:])}, of the host, ran in the container"
        assert result.status != 0
    canary.check()


@pytest.mark.parametrize("flags", [[], ["--cap", "CAP_KILL"], ["--cap", "CAP_KILL", "-u", "1000:1000"]])
def test_no_capability_can_be_inherited(runtime, bundle, flags):
    """CapInh is empty: a program with file capabilities gains nothing"""
    container = runtime.start(bundle.capabilities("CAP_CHOWN").probe("hold"))
    seen = container.look(flags=flags)
    assert seen.status_field("CapInh") == seen.status_field("CapAmb") == "0" * 16
    wanted = host.CAPABILITIES.index("CHOWN"), host.CAPABILITIES.index("KILL")
    bounding = int(seen.status_field("CapBnd"), 16)
    assert bounding == sum(1 << number for number in (wanted if flags else wanted[:1]))


@pytest.mark.parametrize(
    "user", ["", "abc", "1000:", ":1000", "1000:x", "x:1000", "-1", "+1", "4294967295", "4294967296", "1000:-1", " 1000",
             "1000 ", "0x0", "1000:1000:1000", "root"])
def test_a_user_that_is_not_understood_is_an_error_and_never_root(runtime, bundle, user):
    """--user is UID or UID:GID"""
    container = runtime.start(bundle.probe("hold"))
    result = container.exec("/bin/probe", "say", "ran", flags=[f"--user={user}"])
    assert result.status > 0 and "ran" not in result.stdout, result


@pytest.mark.parametrize("id", ["..", ".", "a/b", "/", "", "../x"])
def test_an_id_is_never_a_path(runtime, id):
    """ids name directories"""
    assert runtime.command("exec", id, "/bin/true").status > 0


def test_what_the_caller_has_open_does_not_get_in(runtime, bundle, canary):
    """descriptors of an engine, or of whoever called it"""
    container = runtime.start(bundle.probe("hold"))
    directory = os.open(canary.path, os.O_RDONLY)
    os.set_inheritable(directory, True)
    try:
        report = container.look(pass_fds=[directory]).report
    finally:
        os.close(directory)
    assert set(report["descriptors"]) == {"0", "1", "2"}


def test_the_container_cannot_offer_a_terminal_multiplexer_of_its_own(runtime, bundle):
    """/dev/pts replaced in the container: exec -t gets a terminal, or an error, and never another file"""
    (bundle.rootfs / "other").mkdir()
    (bundle.rootfs / "other/ptmx").write_text("no terminal")
    bundle.without_mount("/dev/pts").mount("/dev/pts", bundle.rootfs / "other", "bind", ["bind"])
    container = runtime.start(bundle.probe("hold"))
    result = container.exec("/bin/probe", "report", flags=["-t"])
    assert (bundle.rootfs / "other/ptmx").read_text() == "no terminal"
    assert result.status != 0 or "/other" not in result.stdout
