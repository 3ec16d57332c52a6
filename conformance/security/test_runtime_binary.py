"""The runtime's own program cannot be overwritten from a container (CVE-2019-5736).

Until it executes the container's program, the first process of a container is the runtime. Whoever gets hold of its
/proc/PID/exe could write to the file of the host once nobody runs it any more, and waits for the next container.
"""

import os
from pathlib import Path

import pytest

from harness import host
from security.support import Snooper, changes_of

# The runtime, called from an image: it blocks on a fifo that the image has in the place of a state file.
BLOCKING = ["--root", "/r", "state", "c1"]


@pytest.fixture
def image(bundle):
    (bundle.rootfs / "r/c1").mkdir(parents=True)
    for name in ("state.json", "status"):
        os.mkfifo(bundle.rootfs / "r/c1" / name)
    return bundle


def _attack(runtime, snooper, victim, program):
    """The victim's process is the runtime, and its neighbour holds on to it until it has ended."""
    before = changes_of(program)
    container = runtime.try_create(victim)
    if container.created.status == 0:
        container.start()
        wait = min(1.0, host.timeout(0.3))
        try:
            host.wait_until(lambda: snooper.all("caught"), "", seconds=wait)
        except AssertionError:
            pass  # it ended at once, or cannot be looked into
    container.delete("--force").ok()
    snooper.finish()
    assert not snooper.all("written"), snooper.all("written")
    assert changes_of(program) == before
    return snooper


@pytest.mark.parametrize("name", ["/proc/self/exe", "/bin/link", "/bin/script"])
def test_an_image_that_executes_the_runtime_again_cannot_overwrite_it(
        spare_runtime, image, make_bundle, attacker_program, name):
    """args names /proc/self/exe, itself, through a link, or as the interpreter of a script"""
    runtime = spare_runtime
    snooper = Snooper(runtime, make_bundle(), attacker_program)
    snooper.join(image, "pid")
    (image.rootfs / "bin/link").symlink_to("/proc/self/exe")
    (image.rootfs / "bin/script").write_text("#!/proc/self/exe --log\n")
    (image.rootfs / "bin/script").chmod(0o755)
    image.args(name, *BLOCKING)
    _attack(runtime, snooper, image, Path(runtime.program))


def test_a_program_whose_loader_is_the_runtime_cannot_overwrite_it(
        spare_runtime, bundle, make_bundle, attacker_program):
    """the kernel maps the interpreter that a program names, here /proc/self/exe"""
    runtime = spare_runtime
    source = runtime.directory / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    host.command(
        "gcc", "-o", bundle.rootfs / "bin/loaded", source, "-Wl,--dynamic-linker=/proc/self/exe")
    snooper = Snooper(runtime, make_bundle(), attacker_program)
    snooper.join(bundle, "pid").args("/bin/loaded", *BLOCKING)
    os.link(bundle.rootfs / "bin/loaded", snooper.container.bundle.rootfs / "bin/loaded")
    _attack(runtime, snooper, bundle, Path(runtime.program))


@pytest.mark.parametrize("capabilities", [["CAP_SYS_PTRACE"], ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH"]])
def test_a_container_that_may_look_into_others_cannot_overwrite_the_runtime(
        spare_runtime, make_bundle, attacker_program, capabilities):
    """CAP_SYS_PTRACE is the right to look into the process that is still the runtime, and not one to write to it"""
    runtime = spare_runtime
    program = Path(runtime.program)
    before = changes_of(program)
    attack = make_bundle().add_capabilities(*capabilities)
    snooper = Snooper(runtime, attack, attacker_program, seal="CAP_SYS_ADMIN" in capabilities)
    for _ in range(10):
        container = runtime.create(snooper.join(make_bundle(), "pid").probe("say"))
        container.start().ok()
        container.wait().delete().ok()
    snooper.finish()
    assert snooper.all("caught"), "the attacker saw nothing of the runtime"
    assert not snooper.all("written", "unlocked"), snooper.all("written", "unlocked")
    assert changes_of(program) == before


def test_the_runtimes_own_memory_is_protected(runtime, bundle):
    """nothing can be both written and executed, and what the linker wants constant (PT_GNU_RELRO) is, in a runtime that
    stays with its container"""
    id = runtime.new_id()
    stdout = runtime.directory / "seen"
    with stdout.open("w") as output:
        process = runtime.spawn("run", "--bundle", bundle.probe("hold").write(), id, stdout=output)
    host.wait_until(lambda: "hold" in stdout.read_text(), "the container does not run")
    maps = [line.split() for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines()]
    assert not [line for line in maps if line[1].startswith("rwx")]

    headers = host.command("readelf", "--program-headers", "--wide", runtime.program).splitlines()
    fixed = any("EXEC (Executable file)" in line for line in headers)
    constant = [line.split() for line in headers if "GNU_RELRO" in line]
    for _, _, address, _, _, size, *_ in constant if fixed else []:
        # The last page may have data behind them.
        first, end = int(address, 16) & -4096, int(address, 16) + int(size, 16) & -4096
        within = [line for line in maps
                  if int(line[0].split("-")[0], 16) < end and int(line[0].split("-")[1], 16) > first]
        assert within and all(line[1] == "r--p" for line in within), within
    process.kill()
    process.wait()
