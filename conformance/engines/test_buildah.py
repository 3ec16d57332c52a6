"""buildah runs the steps of a build with the runtime, by isolation with OCI containers."""

import pytest

from engines.engine import CommandLine
from engines.podman_engine import IMAGE
from harness.terminal import Attached


class Buildah(CommandLine):
    """buildah on the storage of podman."""

    def __init__(self, podman):
        super().__init__("buildah", podman.directory)
        self.environment = {**podman.environment, "BUILDAH_ISOLATION": "oci", "BUILDAH_RUNTIME": podman.program}
        self.words = ["buildah", "--storage-driver", "vfs"]
        for name in "root", "runroot":
            self.words += [f"--{name}", str(podman.directory / name)]
        self.runtime = ["--runtime", podman.program]


@pytest.fixture
def buildah(podman):
    made = Buildah(podman)
    yield made
    made("rm", "--all")


def test_run_in_a_working_container(buildah):
    name = buildah("from", IMAGE).strip()
    run = ["run", *buildah.runtime, "--network", "none"]
    look = "echo hello; id -u; test $$ -lt 10 && echo alone; exit 3"
    assert buildah(*run, name, "--", "sh", "-c", look, status=3) == "hello\n0\nalone\n"
    buildah(*run, "--user", "1000:5", name, "--", "sh", "-c", "id -u >/tmp/user")
    assert buildah(*run, name, "--", "cat", "/tmp/user") == "1000\n"


def test_run_on_a_terminal(buildah):
    name = buildah("from", IMAGE).strip()
    words = [*buildah.words, "run", *buildah.runtime, "--tty", "--network", "none", name, "--", "sh", "-c",
             "tty; read x; echo got $x; exit 9"]
    attached = Attached(words, env=buildah.environment)
    attached.terminal.read("/dev/pts/0")
    attached.terminal.write("word\n")
    attached.terminal.read("got word")
    assert attached.wait(20) == 9
    attached.close()


def test_a_program_that_is_missing(buildah):
    name = buildah("from", IMAGE).strip()
    status, out, err = buildah.result("run", *buildah.runtime, "--network", "none", name, "--", "nosuch")
    assert status != 0 and "nosuch" in out + err and "executable file not found" in out + err


RECIPE = f"""
FROM {IMAGE} AS first
ARG WORD=none
RUN echo "$WORD" >/word && test "$(id -u)" = 0
FROM {IMAGE}
COPY --from=first /word /copied
RUN mkdir -p /work && chown 1000 /work
USER 1000:5
WORKDIR /work
RUN id -u >user && pwd >directory
CMD ["cat", "/copied", "user", "directory"]
"""


@pytest.mark.parametrize("tool", ["buildah", "podman"])
def test_every_step_of_a_build_runs(buildah, podman, tool, tmp_path):
    (tmp_path / "Containerfile").write_text(RECIPE)
    build = ["build", "--network", "none", "--isolation", "oci", "--build-arg", "WORD=hello", "--tag", "built:test"]
    if tool == "buildah":
        buildah(*build, *buildah.runtime, tmp_path)
    else:
        podman(*build, tmp_path)
    assert podman("run", "--rm", *podman.options, "built:test") == "hello\n1000\n/work\n"
    podman("rmi", "--force", "built:test")


def test_a_step_that_fails_ends_the_build_with_its_status(buildah, tmp_path):
    (tmp_path / "Containerfile").write_text(f"FROM {IMAGE}\nRUN exit 42\n")
    status, out, err = buildah.result("build", *buildah.runtime, "--network", "none", tmp_path)
    assert status == 42, out + err
