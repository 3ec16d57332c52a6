"""More than one machine: Docker Swarm over three daemons, each in a room with a network card of its own.

The load balancer of Swarm needs IPVS, which not every kernel has: the services here are found by name (dnsrr)."""

import os
from pathlib import Path

import pytest

from engines.docker_engine import IMAGE, Docker
from engines.engine import Room, wait_for

SUBNET = "10.66.0"


class Swarm:
    """One manager and workers. The room `switch` has the bridge to which all nodes are connected."""

    def __init__(self, make_room, program: str, rootfs: Path, count: int):
        self.switch: Room = make_room("sx")
        self.switch.command("ip", "link", "add", "bridge", "type", "bridge")
        self.switch.command("ip", "link", "set", "bridge", "up")
        self.nodes = [
            self._add_node(make_room(f"s{number}"), program, rootfs, number) for number in range(1, count + 1)]
        self.manager = self.nodes[0]
        self.manager("swarm", "init", "--advertise-addr", f"{SUBNET}.1", "--dispatcher-heartbeat", "1s")
        token = self.manager("swarm", "join-token", "--quiet", "worker").strip()
        for number, node in enumerate(self.nodes[1:], 2):
            node("swarm", "join", "--token", token, "--advertise-addr", f"{SUBNET}.{number}", f"{SUBNET}.1:2377")

    def _add_node(self, room: Room, program: str, rootfs: Path, number: int) -> Docker:
        card = f"node{number}"
        self.switch.command("ip", "link", "add", card, "type", "veth", "peer", "name", "eth0", "netns", room.holder.pid)
        self.switch.command("ip", "link", "set", card, "master", "bridge", "up")
        room.command("ip", "address", "add", f"{SUBNET}.{number}/24", "dev", "eth0")
        room.command("ip", "link", "set", "eth0", "up")
        node = Docker(room, program)
        node.start_everything(rootfs)
        return node

    def running_on(self, service: str) -> list[str]:
        """The nodes of the running replicas, sorted."""
        lines = self.manager("service", "ps", "--filter", "desired-state=running", "--format",
                             "{{.Node}} {{.CurrentState}}", service).splitlines()
        return sorted(line.split()[0] for line in lines if line.split()[1] == "Running")


class Client:
    """A container on the manager that asks a service over and over: its log has the answers, and `none`."""

    def __init__(self, swarm: Swarm, service: str, network: str):
        self.docker, self.name = swarm.manager, swarm.manager.name()
        ask = f"while :; do web get {service} 80 2>/dev/null || echo none; sleep 0.1; done"
        self.docker("run", "--detach", "--init", "--name", self.name, "--network", network, IMAGE, "sh", "-c", ask)

    def answers(self, start=0) -> list[str]:
        return self.docker("logs", self.name).splitlines()[start:]

    def wait_for_all(self, *words: str, seconds=60.0) -> int:
        """Waits for answers that begin with each of these words; how many answers there are now."""
        start = len(self.answers())
        wait_for(lambda: all(any(line.startswith(word) for line in self.answers(start)) for word in words),
                 f"answers from {words}", seconds)
        return len(self.answers())

    def longest_silence(self, start: int) -> int:
        """How many questions had no answer, one after the other."""
        longest = silence = 0
        for line in self.answers(start):
            silence = silence + 1 if line == "none" else 0
            longest = max(longest, silence)
        return longest


@pytest.fixture(scope="module")
def swarm(make_room, rootfs):
    made = Swarm(make_room, os.environ["RUNTIME"], rootfs, 3)
    wait_for(lambda: made.manager("node", "ls", "--format", "{{.Status}}").split() == ["Ready"] * 3, "three nodes")
    yield made
    for node in reversed(made.nodes):
        if node.daemon.poll() is None:
            node.result("swarm", "leave", "--force")
            node.stop_daemon()
            node.containerd.stop()


def test_a_service_over_three_nodes(swarm):
    """Replicas on every node, on a network over all of them; what ends is started again; a rolling update; a node that
    loses its power. One test, for each step needs the ones before."""
    names = sorted(node.room.name for node in swarm.nodes)
    swarm.manager("network", "create", "--driver", "overlay", "--attachable", "wide")
    swarm.manager(
        "service", "create", "--detach", "--name", "web", "--replicas", "3", "--no-resolve-image", "--network", "wide",
        "--endpoint-mode", "dnsrr", "--restart-delay", "100ms", "--hostname", "{{.Node.Hostname}}",
        IMAGE, "web", "serve", "80", "first")
    wait_for(lambda: swarm.running_on("web") == names, "a replica runs on every node", 60)
    for node in swarm.nodes:
        assert len(node.known_to_the_runtime()) == 1, "the runtime under test runs it"
    client = Client(swarm, "web", "wide")
    client.wait_for_all(*(f"first {name}" for name in names))

    # a replica that ends is started again
    victim = swarm.nodes[1]
    first = victim("ps", "--quiet").strip()
    os.kill(victim.state(first)["Pid"], 9)
    wait_for(lambda: victim("ps", "--quiet").strip() not in ("", first) and swarm.running_on("web") == names,
             "the replica is started again", 60)
    start = client.wait_for_all(f"first {victim.room.name}")

    # a rolling update: it is served all the time
    swarm.manager("service", "update", "--detach", "--no-resolve-image", "--update-order", "start-first",
                  "--update-parallelism", "1", "--update-delay", "1s", "--args", "web serve 80 second", "web")
    wait_for(lambda: "completed" in swarm.manager("service", "inspect", "--format", "{{.UpdateStatus.State}}", "web"),
             "the update is done", 120)
    end = client.wait_for_all("second ")
    assert client.longest_silence(start) <= 1, client.answers(start)
    wait_for(lambda: len(swarm.running_on("web")) == 3, "three replicas run")
    assert not [line for line in client.answers(end) if line.startswith("first ")]

    # a node loses its power: its replica moves to another, and the service is served again
    swarm.nodes[2].room.kill()
    left = sorted(node.room.name for node in swarm.nodes[:2])
    wait_for(lambda: len(found := swarm.running_on("web")) == 3 and set(found) == set(left),
             "three replicas run on two nodes", 120)
    wait_for(lambda: "none" not in client.answers(client.wait_for_all("second ") - 10), "all questions are answered", 60)
    client.wait_for_all(*(f"second {name}" for name in left))
    assert len([id for node in swarm.nodes[:2] for id in node.known_to_the_runtime()]) == 4, "with the client"

    # nothing remains of a service that is removed
    swarm.manager("rm", "--force", client.name)
    swarm.manager("service", "rm", "web")
    for node in swarm.nodes[:2]:
        wait_for(lambda node=node: not node.leftovers(), "nothing is left", 60)
