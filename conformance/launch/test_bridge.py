"""--bridge: a container on a bridge of the host, in the network namespace of the tests."""

import json
import subprocess

import pytest

from harness import host
from harness.errors import refused
from harness.reaper import Process


@pytest.fixture
def network(runtime):
    """A network namespace for the test's commands: a prefix that enters it."""
    name = runtime.unique("net")
    host.command("ip", "netns", "add", name)
    enter = ["nsenter", f"--net=/run/netns/{name}"]
    host.command(*enter, "ip", "link", "set", "lo", "up")
    runtime.wrapper = enter
    yield enter
    runtime.wrapper = []
    host.command("ip", "netns", "delete", name)


@pytest.fixture
def devices(network):
    """The names of the devices in it."""
    def names() -> set[str]:
        return {link["ifname"] for link in json.loads(host.command(*network, "ip", "-json", "link"))} - {"lo"}

    return names


@pytest.fixture
def bridge(devices):
    """A name; nothing may be left on it."""
    yield "testing0"
    assert devices() == set()


@pytest.fixture
def server(runtime, network):
    """A server of the host."""
    directory = runtime.directory / "www"
    directory.mkdir()
    (directory / "index.html").write_text("served")
    process = Process(
        [*network, "busybox", "httpd", "-f", "-p", "8080", "-h", str(directory)], stdin=subprocess.DEVNULL)
    yield 8080
    process.kill()
    process.wait()


def started(runtime, launch, *flags, script="echo up; exec sleep 1000"):
    words = launch.words(*flags, command=["sh", "-c", script])
    out = runtime.directory / f"out-{words[2]}"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, stdout=stdout)
    host.wait_until(lambda: out.read_text().endswith("up\n"), "the container runs")
    return words[2], process


def ended(runtime, name, process):
    runtime.command("kill", name, "KILL").ok()
    assert process.wait(10) == 137


ADDRESS = "busybox ip -4 -o addr show dev eth0 | busybox awk '{print $4}'; busybox ip route show default"


def test_a_bridge_is_made_with_an_address_and_a_default_route_and_goes_afterwards(launch, bridge, server, devices):
    """a new bridge; the host is reached over it"""
    printed = launch.shell(f"{ADDRESS}; busybox wget -q -O - http://10.89.0.1:{server}/", "--bridge", bridge)
    assert printed.split()[:6] == ["10.89.0.2/24", "default", "via", "10.89.0.1", "dev", "eth0"]
    assert printed.endswith("served")
    assert bridge not in devices()


def test_containers_on_a_bridge_have_addresses_of_their_own_and_reach_each_other(runtime, launch, bridge, devices):
    """the first free address; the bridge stays until the last container has ended"""
    first, first_process = started(
        runtime, launch, "--bridge", bridge, script="echo found me >/tmp/index.html; busybox httpd -h /tmp; echo up; exec sleep 1000")
    second, second_process = started(runtime, launch, "--bridge", bridge)
    printed = launch.shell(f"{ADDRESS}; busybox wget -q -O - http://10.89.0.2/index.html", "--bridge", bridge)
    assert printed.split()[0] == "10.89.0.4/24" and printed.endswith("found me\n")
    assert bridge in devices()
    ended(runtime, first, first_process)
    assert launch.shell(ADDRESS, "--bridge", bridge).split()[0] == "10.89.0.2/24", "an address that is free again"
    ended(runtime, second, second_process)
    assert bridge not in devices()


def test_an_existing_bridge_is_used_and_stays(launch, bridge, network, devices):
    """its address is the gateway"""
    host.command(*network, "ip", "link", "add", bridge, "type", "bridge")
    host.command(*network, "ip", "address", "add", "192.168.77.9/29", "dev", bridge)
    host.command(*network, "ip", "link", "set", bridge, "up")
    try:
        printed = launch.shell(ADDRESS, "--bridge", bridge).split()
        assert (printed[0], printed[3]) == ("192.168.77.10/29", "192.168.77.9")
        assert launch.shell(ADDRESS, "--bridge", f"{bridge}:192.168.77.13/29").split()[0] == "192.168.77.13/29"
        refused(launch("--bridge", f"{bridge}:10.1.2.3/24", command=["true"]), names=["10.1.2.3/24", "192.168.77.9/29"])
        assert devices() == {bridge}
    finally:
        host.command(*network, "ip", "link", "delete", bridge)


def test_an_address_is_given_once(runtime, launch, bridge):
    """NAME:ADDRESS/PREFIX; the kernel keeps it apart"""
    name, process = started(runtime, launch, "--bridge", f"{bridge}:10.77.1.5/24")
    assert launch.shell(ADDRESS, "--bridge", bridge).split()[:4] == [
        "10.77.1.2/24", "default", "via", "10.77.1.1"]
    refused(launch("--bridge", f"{bridge}:10.77.1.5/24", command=["true"]), names=["10.77.1.5/24", "another container"])
    ended(runtime, name, process)


def test_nothing_is_left_of_a_container_that_cannot_be_made(runtime, launch, bridge, devices):
    """undone"""
    refused(launch("--bridge", bridge, command=["/not/there"]), names=["/not/there"])
    runtime.expect_nothing()
    assert bridge not in devices()


def test_an_engine_can_ask_for_it_by_the_annotation(runtime, bundle, bridge, devices):
    """create, start, delete of a bundle with org.swrun.bridge"""
    bundle.config["annotations"] = {"org.swrun.bridge": bridge}
    container = runtime.start(bundle.probe("report", "hold"))
    report = container.wait_for("hold").report
    assert "eth0" in json.dumps(report["interfaces"])
    assert bridge in devices()
    container.delete("--force").ok()
    assert bridge not in devices()
    bundle.without_namespace("network")
    runtime.refuses(bundle, 'annotations["org.swrun.bridge"]', "network namespace")


def test_two_bridges_have_two_networks(runtime, launch, bridge, devices):
    """a network that the host does not have yet"""
    name, process = started(runtime, launch, "--bridge", bridge)
    other = "testing1"
    assert launch.shell(ADDRESS, "--bridge", other).split()[0] == "10.89.1.2/24"
    assert other not in devices()
    ended(runtime, name, process)


@pytest.mark.parametrize("text", ["", "a/b", "a-name-that-is-too-long", "br0:10.0.0.1", "br0:10.0.0.256/24", "br0:10.0.0.1/33", "br0:"])
def test_what_names_no_bridge_is_refused(launch, runtime, text):
    """NAME[:ADDRESS/PREFIX]"""
    result = launch(f"--bridge={text}", command=["true"])
    if text:
        refused(result, names=["--bridge", f'"{text}"'])
    else:
        result.ok()


def test_an_ordinary_user_is_refused(launch, user):
    """and without a new network namespace there is nothing to connect"""
    refused(launch("--bridge", "br0", command=["true"]), names=["--bridge", "only root"])


def test_without_a_network_namespace_it_is_refused(launch):
    """-m alone"""
    refused(launch("-m", "--bridge", "br0", command=["true"]), names=["--bridge", "--net"])
