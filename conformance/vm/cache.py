"""What is made once: the disk, and the state of a machine that has booted from it."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from machine import Failed, Machine, Origin, say, version

HERE = Path(__file__).resolve().parent
#: What the disk is made of: it is made anew when one of them changes.
INGREDIENTS = ("image", "guest", "guest-packages")
#: Disks of other branches are kept, so many in all.
KEPT = 3
#: An emulated machine needs one or two minutes to boot, a real one seconds.
BOOT_SECONDS = {False: 900, True: 45}


def directory() -> Path:
    if own := os.environ.get("CONFORMANCE_VM_CACHE"):
        return Path(own).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swrun-conformance-vm"


def prepare(append: str) -> Origin:
    """Makes what is missing; what a machine is to start from."""
    top = directory()
    top.mkdir(parents=True, exist_ok=True)
    with open(top / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        disk = _disk(top)
        if os.access("/dev/kvm", os.W_OK) and not (disk / "no-kvm").exists():
            if (disk / "kvm").exists() or _boots(disk):
                return Origin(disk, True, append)
        return _saved(Origin(disk, False, append))


def _disk(top: Path) -> Path:
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in INGREDIENTS)).hexdigest()[:12]
    disk = top / f"disk-{digest}"
    if not disk.exists():
        say(f"making the disk in {disk}; this takes some minutes")
        making = top / "making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        if subprocess.run([HERE / "image", making], stdout=2).returncode != 0:
            shutil.rmtree(making, ignore_errors=True)
            raise Failed("the disk cannot be made")
        making.rename(disk)
    os.utime(disk)
    for old in sorted(top.glob("disk-*"), key=lambda path: -path.stat().st_mtime)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return disk


def _boots(disk: Path) -> bool:
    """Whether a guest boots with KVM: a host that is a virtual machine itself may offer it without being able to."""
    say("trying KVM")
    try:
        with Machine(Origin(disk, True, ""), BOOT_SECONDS[True]) as machine:
            machine.wait_until_up()
    except Failed as error:
        say("no guest boots with KVM here: the processor is emulated")
        (disk / "no-kvm").write_text(f"{error}\n")
        return False
    (disk / "kvm").touch()
    return True


def _saved(origin: Origin) -> Origin:
    """The origin with a state; it is saved now if it was not before."""
    machine = " ".join(origin.words("")) + version()
    state = origin.directory / f"state-{hashlib.sha256(machine.encode()).hexdigest()[:12]}"
    if state.exists():
        return Origin(origin.directory, origin.kvm, origin.append, state)
    say(f"booting to save the machine's state{f' ({origin.append})' if origin.append else ''}")
    result = Origin(origin.directory, origin.kvm, origin.append, state)
    saving = state.with_suffix(".saving")
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", origin.directory / "disk.raw", result.overlay],
        check=True)
    with Machine(origin, BOOT_SECONDS[False], f"file={result.overlay}") as booting:
        booting.wait_until_up()
        booting.save(saving)
    saving.rename(state)
    return result
