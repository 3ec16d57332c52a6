"""netDevices (config-linux.md, Network Devices)."""

import json
import os
import subprocess

import pytest

from harness import host, refused


@pytest.fixture
def device(runtime):
    """A virtual network device of the runtime's namespace, and its peer, which stays there."""
    name, peer = f"a{runtime.prefix}", f"b{runtime.prefix}"
    host.command("ip", "link", "add", name, "type", "veth", "peer", "name", peer)
    yield name
    host.command("ip", "link", "del", peer, check=False)


def _links() -> dict:
    return {link["ifname"]: link for link in json.loads(host.command("ip", "-j", "link"))}


def test_the_device_is_in_the_container_and_up(runtime, bundle, device):
    """config-linux.md, Network Devices: MUST be available in the container, MUST set the state to up"""
    bundle.linux["netDevices"] = {device: {}}
    container = runtime.start(bundle.probe("report", "hold"))
    links = container.wait_for("hold").report["interfaces"]
    assert links[device]["up"]
    assert device not in _links()


def test_attributes_and_permanent_addresses_are_kept(runtime, bundle, device):
    """config-linux.md, Network Devices: MUST preserve attributes and permanent global addresses of any family"""
    host.command("ip", "link", "set", device, "mtu", 1312, "address", "02:00:00:aa:bb:cc")
    for address in ("198.51.100.7/24", "198.51.100.8/32", "192.0.2.5/28"):
        host.command("ip", "addr", "add", address, "dev", device)
    host.command("ip", "addr", "add", "2001:db8::7/64", "dev", device, "nodad")
    host.command("ip", "addr", "add", "203.0.113.9/24", "dev", device, "valid_lft", 1000, "preferred_lft", 1000)
    host.command("ip", "addr", "add", "198.51.100.99/32", "dev", device, "scope", "link")
    bundle.linux["netDevices"] = {device: {}}
    report = runtime.look(bundle).report
    link = report["interfaces"][device]
    assert (link["mtu"], link["mac"]) == (1312, "02:00:00:aa:bb:cc")
    addresses = {entry["address"] for entry in report["addresses"] if entry["name"] == device}
    kept = {"198.51.100.7/24", "198.51.100.8/32", "192.0.2.5/28", "2001:db8::7/64"}
    assert {address for address in addresses if not address.startswith("fe80")} == kept


def test_the_device_is_renamed(runtime, bundle, device):
    """config-linux.md, Network Devices: name inside the container namespace"""
    host.command("ip", "addr", "add", "198.51.100.7/24", "dev", device)
    bundle.linux["netDevices"] = {device: {"name": "container_eth0"}}
    report = runtime.look(bundle).report
    assert report["interfaces"]["container_eth0"]["up"] and device not in report["interfaces"]
    assert {"name": "container_eth0", "address": "198.51.100.7/24"} in report["addresses"]


def test_a_template_gets_a_number_from_the_kernel(runtime, bundle, device):
    """config-linux.md, Network Devices: the user has provided a template by appending %d"""
    bundle.linux["netDevices"] = {device: {"name": "net%d"}}
    assert runtime.look(bundle).report["interfaces"]["net0"]["up"]


def test_a_name_that_exists_in_the_container_is_refused(runtime, bundle, device):
    """config-linux.md, Network Devices: if the name already exists, the runtime MUST generate an error"""
    bundle.linux["netDevices"] = {device: {"name": "lo"}}
    runtime.refuses(bundle, "netDevices", device)
    assert device in _links(), "the device is where it was"


def test_two_devices_do_not_get_one_name(runtime, bundle, device):
    """config-linux.md, Network Devices: MUST generate an error; runtime.md, Errors: as if never attempted"""
    peer = "b" + device[1:]
    bundle.linux["netDevices"] = {device: {"name": "same"}, peer: {"name": "same"}}
    container = runtime.try_create(bundle)
    refused(container.created, names=["netDevices"])


def test_the_device_has_no_name_twice_in_a_namespace_that_is_joined(runtime, bundle, device):
    """config-linux.md, Network Devices: already exists in the container namespace"""
    namespace = f"n{runtime.prefix}"
    holder = runtime.spawn_words(["unshare", "--net", "sleep", "1000"], stdin=subprocess.DEVNULL)
    path = f"/proc/{holder.pid}/ns/net"
    host.wait_until(lambda: os.stat(path).st_ino != os.stat("/proc/self/ns/net").st_ino, namespace)
    host.command("nsenter", f"--net={path}", "ip", "link", "add", "taken", "type", "ifb")
    bundle.namespace("network", path)
    bundle.linux["netDevices"] = {device: {"name": "taken"}}
    runtime.refuses(bundle, "netDevices")
    assert device in _links()
    bundle.linux["netDevices"] = {device: {"name": "given"}}
    report = runtime.look(bundle).report
    assert report["interfaces"]["given"]["up"]
    links = host.command("nsenter", f"--net={path}", "ip", "link")
    assert "given" in links, "the runtime MUST NOT attempt to move the interface out of the namespace"
    assert device not in _links()


@pytest.fixture
def set_up(device):
    """The device is up and has addresses; a function tells whether it is as it was."""
    host.command("ip", "addr", "add", "198.51.100.7/24", "dev", device)
    host.command("ip", "link", "set", device, "up")
    host.command("ip", "link", "set", "b" + device[1:], "up")

    def is_as_it_was() -> bool:
        link = _links().get(device)
        addresses = host.command("ip", "-4", "-o", "addr", "show", "dev", device) if link else ""
        return bool(link) and "UP" in link["flags"] and "198.51.100.7/24" in addresses
    return is_as_it_was


def test_a_device_is_back_when_a_later_one_cannot_be_moved(runtime, bundle, device, set_up):
    """runtime.md, Errors: as if the operation were never attempted"""
    bundle.linux["netDevices"] = {device: {"name": "eth7"}, "lo": {"name": "lo7"}}
    runtime.refuses(bundle, "netDevices", "lo")
    assert set_up()


def test_a_device_is_back_when_create_fails_later(runtime, bundle, device, set_up):
    """runtime.md, Errors: as if the operation were never attempted"""
    bundle.linux["netDevices"] = {device: {"name": "eth7"}}
    bundle.args("/bin/no-such-program")
    runtime.refuses(bundle, "no-such-program")
    assert set_up()


def test_a_device_that_does_not_exist_is_an_error(runtime, bundle):
    """config-linux.md, Network Devices: MUST check if moving is possible"""
    bundle.linux["netDevices"] = {f"x{runtime.prefix}": {}}
    runtime.refuses(bundle, f"x{runtime.prefix}")


def test_devices_without_a_network_namespace_of_the_containers_own_are_refused(runtime, bundle, device):
    """config-linux.md, Network Devices: MUST check if moving to the container namespace is possible"""
    bundle.without_namespace("network").linux["netDevices"] = {device: {}}
    runtime.refuses(bundle, "netDevices")
    assert device in _links()


@pytest.mark.parametrize("name", ["a" * 16, "a/b", "..", "a b", "x%s", "%d%d"])
def test_a_name_that_the_kernel_does_not_allow_is_refused(runtime, bundle, device, name):
    """config.md, Valid values"""
    bundle.linux["netDevices"] = {device: {"name": name}}
    runtime.refuses(bundle, "netDevices")
    assert device in _links()


def test_a_device_can_be_moved_into_a_container_with_a_user_namespace(runtime, bundle, device):
    """config-linux.md, Network Devices, User namespace mappings"""
    bundle.user_namespace().linux["netDevices"] = {device: {"name": "eth0"}}
    assert runtime.look(bundle).report["interfaces"]["eth0"]["up"]
