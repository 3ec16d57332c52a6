"""checkpoint and restore with criu (the command line contract). The counter that a container writes tells whether it goes
on where it was."""

import os
import time

import pytest

from harness import ConsoleSocket, host, refused

COUNT = "i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done"


@pytest.fixture
def counter(runtime, bundle):
    """A container that counts; `numbers` are those that it has printed."""
    container = runtime.start(bundle.shell(COUNT))
    wait_for_more(container)
    return container


def numbers(text: str) -> list[int]:
    return [int(line) for line in text.split() if line.isdigit()]


def wait_for_more(container, than=2):
    host.wait_until(lambda: len(numbers(container.text)) > than, "it counts", seconds=30)


def checkpoint(container, *flags):
    images = container.runtime.directory / "images"
    return container.runtime.command("checkpoint", "--image-path", images, *flags, container.id, seconds=60)


def restore(container, *flags, **options):
    images = container.runtime.directory / "images"
    return container.runtime.command(
        "restore", "--detach", "--image-path", images, "--bundle", container.bundle.path, *flags, container.id,
        stdout=container.stdout, seconds=60, **options)


def goes_on(container):
    """It counts on from where it was, without a gap and without beginning anew."""
    before = len(numbers(container.text))
    wait_for_more(container, before + 2)
    found = numbers(container.text)
    assert found == list(range(1, len(found) + 1))


@pytest.mark.vm
def test_a_container_goes_on_where_it_was(runtime, counter):
    """the command line contract: checkpoint, restore --detach --pid-file"""
    checkpoint(counter).ok()
    assert counter.id not in runtime.state_entries()
    seen = len(numbers(counter.text))
    time.sleep(0.3)
    assert len(numbers(counter.text)) == seen, "it runs although it was saved"
    pid_file = runtime.directory / "pid"
    restore(counter, "--pid-file", pid_file).ok()
    state = counter.state()
    assert state["status"] == "running" and str(state["pid"]) == pid_file.read_text()
    goes_on(counter)
    places = [line.split(":", 2)[2] for line in open(f"/proc/{state['pid']}/cgroup").read().splitlines()]
    assert all(counter.bundle.name in place for place in places if place != "/"), places
    assert counter.exec("/bin/true").status == 0
    counter.kill("KILL").ok()
    counter.wait()
    counter.delete().ok()
    runtime.expect_nothing()


@pytest.mark.vm
def test_a_container_can_be_left_running(runtime, counter):
    """the command line contract: --leave-running"""
    checkpoint(counter, "--leave-running").ok()
    assert counter.status == "running"
    goes_on(counter)


@pytest.mark.vm
def test_memory_can_be_saved_before(runtime, counter):
    """the command line contract: --pre-dump, --parent-path"""
    before = runtime.directory / "before"
    runtime.command("checkpoint", "--pre-dump", "--image-path", before, counter.id, seconds=60).ok()
    assert counter.status == "running" and any(before.glob("pages-*.img"))
    checkpoint(counter, "--parent-path", "../before").ok()
    assert (runtime.directory / "images/parent").is_symlink()
    restore(counter).ok()
    goes_on(counter)


@pytest.mark.vm
@pytest.mark.parametrize("mode", ["soft", "full", "strict", "ignore"])
def test_cgroups_are_managed_as_is_asked_for(runtime, counter, mode):
    """the command line contract: --manage-cgroups-mode"""
    checkpoint(counter, "--manage-cgroups-mode", mode).ok()
    restore(counter, "--manage-cgroups-mode", mode).ok()
    goes_on(counter)
    place = open(f"/proc/{counter.pid}/cgroup").read()
    assert counter.bundle.name in place


@pytest.mark.vm
def test_a_strict_restore_wants_new_groups(runtime, counter):
    """the command line contract: --manage-cgroups-mode strict"""
    checkpoint(counter).ok()
    group = host.hierarchies()["v2"] / counter.bundle.name
    group.mkdir()
    refused(restore(counter, "--manage-cgroups-mode", "strict"), names=[counter.bundle.name, "strict"])
    assert group.is_dir(), "it was somebody else's"
    group.rmdir()
    runtime.expect_nothing(counter.id)


@pytest.mark.vm
def test_a_terminal_is_handed_over_again(runtime, bundle):
    """the command line contract: restore --console-socket"""
    console = ConsoleSocket(runtime.directory / "console.sock")
    bundle.process["terminal"] = True
    container = runtime.start(bundle.shell("while read line; do echo got $line; done"), "--console-socket", console.path)
    terminal = console.receive()
    terminal.write("one\n")
    terminal.read("got one")
    checkpoint(container).ok()
    terminal.close()
    restore(container, "--console-socket", console.path).ok()
    terminal = console.receive()
    terminal.write("two\n")
    terminal.read("got two", seconds=30)
    terminal.close()
    console.close()


@pytest.mark.vm
def test_what_is_mounted_from_the_host_is_mounted_again(runtime, bundle):
    """the command line contract: checkpoint of a container as engines make them"""
    shared = bundle.shared_directory()
    bundle.linux |= {
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware", "/no/such/path"],
        "readonlyPaths": ["/proc/sys", "/proc/bus"]}
    container = runtime.start(bundle.shell(COUNT.replace("echo $i", "echo $i; echo $i > /out/last")))
    wait_for_more(container)
    checkpoint(container).ok()
    restore(container).ok()
    goes_on(container)
    last = int((shared / "last").read_text())
    host.wait_until(lambda: int((shared / "last").read_text() or 0) > last, "it writes into the shared directory", 30)
    seen = container.look(["read", "/proc/keys"], ["create", "/proc/sys/kernel/hostname"], ["stat", "/out/last"])
    assert seen("read")["content"] == "" and seen.error("stat", "/out/last") is None


@pytest.mark.vm
def test_its_part_of_the_cgroups_is_mounted_again(runtime, bundle):
    """a cgroup mount shows the container's part of the host's hierarchy where there is no cgroup namespace"""
    bundle.without_mount("/sys/fs/cgroup").without_namespace("cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid"])
    container = runtime.start(bundle.shell(COUNT))
    wait_for_more(container)
    checkpoint(container).ok()
    restore(container).ok()
    goes_on(container)
    assert container.look(["read", "/sys/fs/cgroup/cgroup.procs"])("read")["content"].split()[:1] == ["1"]


@pytest.mark.vm
def test_a_restore_in_the_foreground_ends_as_the_container_does(runtime, bundle):
    """the command line contract: restore without --detach"""
    container = runtime.start(bundle.shell("until test -e /tmp/end; do echo 1; sleep 0.05; done; exit 9"))
    wait_for_more(container)
    checkpoint(container).ok()
    (bundle.rootfs / "tmp/end").touch()
    images = runtime.directory / "images"
    result = runtime.command(
        "restore", "--image-path", images, "--bundle", bundle.path, container.id, stdout=container.stdout, seconds=60)
    assert result.status == 9
    runtime.expect_nothing()


@pytest.mark.vm
def test_a_failure_is_told_in_the_words_of_criu_and_changes_nothing(runtime, bundle):
    """what users meet: `criu failed`, and no reason"""
    container = runtime.start(bundle.probe(["lock", "/tmp/lock"], ["exec", "/bin/sh", "-c", COUNT]))
    wait_for_more(container)
    refused(checkpoint(container), names=["lock", "dump.log"])
    assert container.status == "running"
    before = len(numbers(container.text))
    wait_for_more(container, before)
    checkpoint(container, "--file-locks").ok()
    restore(container, "--file-locks").ok()
    goes_on(container)


@pytest.mark.vm
def test_a_restore_that_fails_leaves_nothing(runtime, counter):
    """runtime.md, Lifecycle: a container that cannot be made does not exist"""
    checkpoint(counter).ok()
    images = runtime.directory / "images"
    for image in images.glob("core-*.img"):
        image.unlink()
    refused(restore(counter), names=["criu failed", "restore.log"])
    runtime.expect_nothing(counter.id)


@pytest.mark.vm
def test_hooks_are_called_for_a_restore(runtime, bundle):
    """runtime.md, Lifecycle"""
    bundle.hook("createRuntime", "say")
    bundle.hook("poststart", "say")
    container = runtime.start(bundle.shell(COUNT))
    wait_for_more(container)
    checkpoint(container).ok()
    bundle.written.write_text("")
    restore(container).ok()
    assert bundle.seen().tags == ["createRuntime", "poststart"]
    goes_on(container)


@pytest.mark.vm
def test_a_user_namespace_is_restored(runtime, bundle):
    """config-linux.md, User namespace mappings"""
    bundle.namespace("user")
    mapping = [{"containerID": 0, "hostID": 200000, "size": 65536}]
    bundle.linux |= {"uidMappings": mapping, "gidMappings": mapping}
    os.chown(bundle.rootfs, 200000, 200000)
    container = runtime.start(bundle.shell(COUNT))
    wait_for_more(container)
    checkpoint(container).ok()
    assert (runtime.directory / "images").stat().st_mode & 0o077 == 0, "memory is for its owner's eyes"

    def give_streams():
        """criu opens them again as that user; an engine gives it pipes"""
        for number in (1, 2):
            os.fchown(number, 200000, 200000)

    restore(container, preexec_fn=give_streams).ok()
    goes_on(container)
    assert os.stat(f"/proc/{container.pid}").st_uid == 200000


@pytest.mark.vm
def test_more_options_for_criu_come_from_a_file(runtime, bundle):
    """runc: the annotation org.criu.config names a file with options of criu's, which hold for both directions"""
    file = runtime.directory / "criu.conf"
    file.write_text("log-file told-by-the-file.log\n")
    bundle.config["annotations"] = {"org.criu.config": str(file)}
    container = runtime.start(bundle.shell(COUNT))
    wait_for_more(container)
    checkpoint(container).ok()
    log = runtime.directory / "images/told-by-the-file.log"
    dumped = log.read_text()
    assert "Dumping finished successfully" in dumped
    restore(container).ok()
    assert log.read_text() != dumped
    goes_on(container)


# Without criu, and on any kernel

def test_not_of_a_container_that_does_not_run(runtime, bundle):
    """the command line contract: checkpoint needs a running container"""
    container = runtime.create(bundle.probe("say"))
    assert checkpoint(container).status > 0
    container.start().ok()
    container.wait()
    refused(checkpoint(container), "container not running|stopped|does not exist")


def test_without_criu_the_error_says_what_is_missing(runtime, bundle):
    """what users meet"""
    container = runtime.start(bundle.probe("hold"))
    images = runtime.directory / "images"
    result = runtime.command("checkpoint", "--image-path", images, container.id, env={"PATH": "/nowhere"})
    refused(result, names=["criu", "install"])
    assert container.status == "running"
    container.delete("--force").ok()
    (runtime.directory / "images").mkdir(exist_ok=True)
    result = runtime.command(
        "restore", "--image-path", images, "--bundle", bundle.path, runtime.new_id(), env={"PATH": "/nowhere"})
    refused(result, names=["criu", "install"])
    runtime.expect_nothing()


def test_engines_find_out_which_options_there_are(runtime):
    """the command line contract: podman asks restore for --lsm-mount-context, and checkpoint for its help"""
    result = runtime.command("restore", "--lsm-mount-context")
    assert "flag needs an argument" in result.stderr or "requires an argument" in result.stderr
    assert runtime.command("checkpoint", "--help").status == 0
