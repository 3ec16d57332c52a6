"""Speaks the Container Runtime Interface to containerd, as the agent of a Kubernetes node does."""

import json
import os
from pathlib import Path

from harness import host

STATES = ["created", "running", "exited", "unknown"]

# The calls of the service: what each takes and gives back.
CALLS = {
    "Status": ("Empty", "StatusResponse"),
    "RunPodSandbox": ("RunPodSandboxRequest", "SandboxId"),
    "StopPodSandbox": ("SandboxId", "Empty"),
    "RemovePodSandbox": ("SandboxId", "Empty"),
    "PodSandboxStatus": ("PodSandboxStatusRequest", "PodSandboxStatusResponse"),
    "ListPodSandbox": ("Empty", "ListPodSandboxResponse"),
    "CreateContainer": ("CreateContainerRequest", "ContainerId"),
    "StartContainer": ("ContainerId", "Empty"),
    "StopContainer": ("StopContainerRequest", "Empty"),
    "RemoveContainer": ("ContainerId", "Empty"),
    "ContainerStatus": ("ContainerStatusRequest", "ContainerStatusResponse"),
    "ContainerStats": ("ContainerId", "ContainerStatsResponse"),
    "ExecSync": ("ExecSyncRequest", "ExecSyncResponse"),
    "UpdateContainerResources": ("UpdateContainerResourcesRequest", "Empty"),
}


class CRI:
    """`cri.call("StartContainer", container_id=ID)`; fields of messages are given as dictionaries."""

    def __init__(self, socket: Path, directory: Path):
        os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # its threads have nothing to do with the processes of tests
        import grpc  # here, for other tests do not need it
        from google.protobuf import descriptor_pb2, json_format, message_factory

        descriptors = directory / "cri.descriptors"
        source = Path(__file__).parent / "cri.proto"
        host.command("protoc", f"--proto_path={source.parent}", f"--descriptor_set_out={descriptors}", source)
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file
        self.messages = {
            name.rpartition(".")[2]: kind for name, kind in message_factory.GetMessages(list(files)).items()}
        self.parse = json_format.ParseDict
        # a socket of another mount namespace has no path here, but /proc leads to it
        self.channel = grpc.insecure_channel(f"unix://{socket}")
        self.failure = grpc.RpcError

    def call(self, name: str, seconds=60.0, **fields):
        takes, gives = CALLS[name]
        call = self.channel.unary_unary(
            f"/runtime.v1.RuntimeService/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.messages[gives].FromString)
        return call(self.parse(fields, self.messages[takes]()), timeout=host.timeout(seconds))

    def close(self) -> None:
        self.channel.close()


class Pod:
    """A pod: a sandbox that holds namespaces, and containers in them."""

    def __init__(self, cri: CRI, name: str, image: str, parent: str, logs: Path, **linux):
        self.cri, self.name, self.image, self.logs = cri, name, image, logs
        self.serial = 0
        security = {"namespace_options": {"pid": "CONTAINER"}, "seccomp": {"profile_type": 0}}
        security |= linux.pop("security_context", {})
        self.configuration = {
            "metadata": {"name": name, "uid": name, "namespace": "default"},
            "hostname": name,
            "log_directory": str(logs),
            "linux": {"cgroup_parent": parent, "security_context": security, **linux},
        }
        if security["namespace_options"].get("network") == "NODE":
            del self.configuration["hostname"]
        self.id = cri.call("RunPodSandbox", config=self.configuration).pod_sandbox_id

    def create(self, *words, security=None, resources=None, **fields) -> str:
        """Makes a container; its id."""
        self.serial += 1
        settings = {"namespace_options": {"pid": "CONTAINER"}, "seccomp": {"profile_type": 0}, **(security or {})}
        configuration = {
            "metadata": {"name": f"c{self.serial}"},
            "image": {"image": self.image},
            "command": list(words),
            "log_path": f"{self.serial}.log",
            "linux": {"resources": resources or {}, "security_context": settings},
            **fields,
        }
        return self.cri.call(
            "CreateContainer", pod_sandbox_id=self.id, config=configuration, sandbox_config=self.configuration
        ).container_id

    def start(self, *words, **fields) -> str:
        """Makes and starts a container; its id."""
        id = self.create(*words, **fields)
        self.cri.call("StartContainer", container_id=id)
        return id

    def status(self, id: str):
        return self.cri.call("ContainerStatus", container_id=id).status

    def state(self, id: str) -> str:
        return STATES[self.status(id).state]

    def pid(self, id: str) -> int:
        return json.loads(self.cri.call("ContainerStatus", container_id=id, verbose=True).info["info"])["pid"]

    @property
    def address(self) -> str:
        return self.cri.call("PodSandboxStatus", pod_sandbox_id=self.id).status.network.ip

    def execute(self, id: str, *words, seconds=0):
        """An exec probe: what it printed, and its status."""
        done = self.cri.call("ExecSync", container_id=id, cmd=list(words), timeout=seconds)
        return done.stdout.decode(), done.exit_code

    def log(self, number=1) -> str:
        """The output of the container with this number. Each line has a time, a stream and a mark before it."""
        lines = (self.logs / f"{number}.log").read_text().splitlines()
        return "".join(line.split(" ", 3)[3] + "\n" for line in lines)

    def remove(self) -> None:
        self.cri.call("StopPodSandbox", pod_sandbox_id=self.id)
        self.cri.call("RemovePodSandbox", pod_sandbox_id=self.id)
