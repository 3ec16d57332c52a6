"""The room in which runtimes are measured: a mount namespace with a tmpfs for bundles and state, the programs in C
compiled, and one bundle for each runtime. All contenders see the same machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
INSIDE = "SWRUN_BENCH_ROOM"


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def install(*packages):
    """Installs the Debian packages of this list that are not there yet."""
    def installed(package):
        query = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
        return subprocess.run(query, capture_output=True, text=True).stdout == "installed"

    missing = [package for package in packages if not installed(package)]
    if not missing:
        return
    print("installing:", *missing, file=sys.stderr)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing]
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def enter(*packages):
    """Runs this script again in a mount namespace of its own, after the packages are there; yields inside it the path
    of a tmpfs. What is mounted there goes away with the namespace, however the script ends."""
    if INSIDE not in os.environ:
        if os.geteuid() != 0:
            fail("containers need root here: sudo " + sys.argv[0])
        install("gcc", "libc6-dev", "busybox-static", *packages)
        os.environ[INSIDE] = subprocess.check_output(["mktemp", "-d", "--tmpdir", "swrun-bench.XXXXXX"], text=True).strip()
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = Path(os.environ[INSIDE])
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "bench", work], check=True)
        yield work
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        subprocess.run(["umount", "--lazy", work], check=True)
        work.rmdir()


def mounts():
    """The mounts that this process sees: mount point and kind."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        yield Path(left.split()[4]), right.split()[0]


def hierarchies(*kinds):
    top = Path("/sys/fs/cgroup")
    return sorted({point for point, kind in mounts() if kind in kinds and (point == top or top in point.parents)})


def layout():
    kinds = {kind for kind in ("cgroup", "cgroup2") if hierarchies(kind)}
    return "hybrid" if len(kinds) == 2 else "version 2" if "cgroup2" in kinds else "version 1"


def show_pure_v1(work):
    """On a machine with both kinds of control groups, shows only version 1 in this room: crun refuses the mixture,
    and all are to be measured on the same. The host's own directory stays as it is."""
    if layout() != "hybrid":
        return layout()
    view = work / "cgroup"
    view.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", view], check=True)
    for point in hierarchies("cgroup"):
        (view / point.name).mkdir()
        subprocess.run(["mount", "--bind", point, view / point.name], check=True)
    # The host's mounts go first (from this namespace): hidden ones would still be listed, with the same paths.
    subprocess.run(["umount", "--recursive", "/sys/fs/cgroup"], check=True)
    subprocess.run(["mount", "--move", view, "/sys/fs/cgroup"], check=True)
    return "version 1 (the host's version 2 hierarchy is hidden)"


def compile_programs(work):
    for name in "floor", "hello", "lifecycle", "stepper":
        subprocess.run(["gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", work / name, HERE / f"{name}.c"],
                       check=True)


@dataclass
class Contender:
    """One runtime, with a bundle and a state root of its own. Its control groups carry the name in `group`."""

    name: str
    program: str
    bundle: Path
    root: Path
    group: str

    def command(self, verb, *words, id="bench"):
        return [self.program, "--root", str(self.root), verb, *map(str, words), id]

    def hold(self):
        """Starts the container in which `exec` is measured."""
        config = json.loads((self.bundle / "config.json").read_text())
        config["process"]["args"] = ["/bin/sleep", "100000"]
        config["linux"]["cgroupsPath"] += "-held"
        bundle = self.bundle.with_name(self.bundle.name + "-held")
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(config))
        subprocess.run(self.command("run", "--detach", "--bundle", bundle, id="held"), check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def release(self):
        subprocess.run(self.command("delete", "--force", id="held"), check=True)

    @property
    def held_pid(self):
        done = subprocess.run(self.command("state", id="held"), check=True, capture_output=True)
        return json.loads(done.stdout)["pid"]

    @property
    def exec(self):
        return [*self.command("exec", id="held"), "/bin/true"]

    @property
    def run(self):
        return self.command("run", "--bundle", self.bundle)

    @property
    def create(self):
        return self.command("create", "--bundle", self.bundle)

    @property
    def start(self):
        return self.command("start")

    @property
    def delete(self):
        return self.command("delete")

    @property
    def state(self):
        return self.command("state")

    @property
    def version(self):
        return [self.program, "--version"]


class Floor(Contender):
    """The C program that does only the kernel's share. It measures `exec` in the container of `host`."""

    host = None

    def hold(self):
        pass

    def release(self):
        pass

    @property
    def exec(self):
        return [self.program, "exec", str(self.host.held_pid), f"{self.host.group}-held"]

    @property
    def run(self):
        return [self.program, "run", str(self.bundle / "rootfs"), self.group]

    @property
    def create(self):
        return [self.program, "create", str(self.bundle / "rootfs"), self.group, str(self.root / "bench")]

    @property
    def start(self):
        return [self.program, "start", str(self.root / "bench")]

    @property
    def delete(self):
        return [self.program, "delete", self.group, str(self.root / "bench")]


def subject():
    """The runtime that is measured: RUNTIME, or the release build as it is installed. What the linker writes piece by
    piece lies in the page cache in pages of 4 KiB, what install(1) writes, like the peers' packages, in large ones, which
    take less time to map."""
    named = os.environ.get("RUNTIME")
    program = shutil.which(named) if named else TOP / ".build/release/swrun"
    if not program or not Path(program).exists():
        fail(f"{named}: no such runtime" if named else f"{program} is not there: swift build -c release")
    if named:
        return str(Path(program).absolute())
    installed = TOP / ".build/installed/swrun"
    subprocess.run(["install", "-D", program, installed], check=True)
    return str(installed)


def name_of(program):
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split()
    return said[0] if said else Path(program).name


def contenders(work, peers=("crun", "runc")):
    """The floor, the subject, and those of the peers that are installed, each with its bundle."""
    subprocess.run([TOP / "bundles/make-busybox", work / "busybox"], check=True, stdout=subprocess.DEVNULL)
    config = json.loads((HERE / "config.json").read_text())
    programs = [("floor", str(work / "floor"), Floor)]
    own = subject()
    programs.append((name_of(own), own, Contender))
    for peer in peers:
        found = shutil.which(peer)
        if found and peer != programs[1][0]:
            programs.append((peer, found, Contender))
    made = []
    for name, program, kind in programs:
        bundle, root = work / f"bundle-{name}", work / f"state-{name}"
        bundle.mkdir()
        root.mkdir(mode=0o700)
        (bundle / "rootfs").symlink_to(work / "busybox/rootfs")
        group = f"bench-{os.getpid()}-{name}"
        config["root"]["path"] = str(work / "busybox/rootfs")
        config["linux"]["cgroupsPath"] = f"/{group}"
        (bundle / "config.json").write_text(json.dumps(config, indent=2))
        made.append(kind(name, program, bundle, root, group))
    made[0].host = made[1]
    return made


def groups(made):
    """The control groups of these contenders, inner ones first."""
    for point in hierarchies("cgroup", "cgroup2"):
        for one in made:
            for group in one.group, f"{one.group}-held":
                for directory, _, _ in os.walk(point / group, topdown=False):
                    yield Path(directory)


def leftovers(work, made):
    """What the contenders left behind: control groups, and mounts and state below the room."""
    found = [f"state {path}" for one in made for path in one.root.iterdir()]
    found += [f"mount {point}" for point, _ in mounts() if work in point.parents]
    return found + [f"control group {group}" for group in groups(made)]


def clean_up(made):
    """Removes what is left of an interrupted measurement."""
    for one in made:
        if not isinstance(one, Floor) and any(one.root.iterdir()):
            for id in "bench", "held":
                subprocess.run([one.program, "--root", one.root, "delete", "--force", id], capture_output=True)
    for group in groups(made):
        remove(group)


def remove(group):
    """Ends the processes of a control group and removes it."""
    reason = "its processes do not end"
    for _ in range(100):
        try:
            for pid in (group / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
            return group.rmdir()
        except FileNotFoundError:
            return None
        except ProcessLookupError:
            pass
        except OSError as error:
            reason = error.strerror
        time.sleep(0.01)
    print(f"{group}: cannot be removed: {reason}", file=sys.stderr)
