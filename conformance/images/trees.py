"""Small systems for images: a tree with all that a careless copier loses, and the list of what must be equal."""

import hashlib
import os
import shutil
import socket
import stat
from pathlib import Path

from harness import host

OS_RELEASE = 'ID=sample\nVERSION_ID="12"\nPRETTY_NAME="Sample Linux 12 (tests)"\n'


def system(root: Path, busybox: Path, hostname="samplevm", fstab: str | None = None) -> Path:
    """The least that is found to be a system."""
    for name in "bin boot dev etc home proc root run sbin srv sys tmp usr/lib var".split():
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(busybox, root / "bin/busybox")
    for name in "sh cat ls id echo sleep true touch".split():
        (root / "bin" / name).symlink_to("busybox")
    (root / "sbin/init").symlink_to("../bin/busybox")
    (root / "usr/lib/os-release").write_text(OS_RELEASE)
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    (root / "etc/hostname").write_text(f"{hostname}\n")
    (root / "etc/locale.conf").write_text("LANG=C.UTF-8\n")
    if fstab is not None:
        (root / "etc/fstab").write_text(fstab)
    return root


def odd_files(root: Path, holes=True) -> None:
    odd = root / "srv/odd"
    odd.mkdir()
    (odd / "hl-a").write_text("hardlinked\n")
    os.link(odd / "hl-a", odd / "hl-b")
    os.link(odd / "hl-a", root / "srv/hl-c")
    (odd / "rel-escape").symlink_to("../../../../../../etc/passwd")
    (odd / "abs-link").symlink_to("/etc/passwd")
    (odd / "dangling").symlink_to("/nonexistent")
    os.setxattr(odd / "dangling", "trusted.of-a-link", b"y", follow_symlinks=False)
    for name in (b"name with\nnewline", b" leading space", b"-rf", b"latin1-\xe9-not-utf8", b"tab\there", b"x" * 255):
        Path(os.fsdecode(os.fsencode(odd) + b"/" + name)).touch()
    if holes:
        with open(odd / "sparse-1T", "wb") as file:
            file.truncate(1 << 40)
        with open(odd / "sparse-mid", "wb") as file:
            file.seek(1 << 30)
            file.write(b"data")
    os.mknod(odd / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(odd / "sda", 0o660 | stat.S_IFBLK, os.makedev(8, 0))
    os.mknod(odd / "whiteout", stat.S_IFCHR, os.makedev(0, 0))
    os.mkfifo(odd / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(odd)
        listener.bind("sock")
        os.chdir(here)
    for name, mode in (("suid", 0o4755), ("sgid", 0o2755), ("cap", 0o755)):
        shutil.copy("/bin/true", odd / name)
        (odd / name).chmod(mode)
    host.command("setcap", "cap_net_raw+ep", odd / "cap")
    (odd / "xattr").write_text("x")
    os.setxattr(odd / "xattr", "user.comment", b"hello")
    os.setxattr(odd / "xattr", "trusted.secret", b"t")
    os.chown(odd / "xattr", 123456, 654321)
    (odd / "opaque").mkdir()
    os.setxattr(odd / "opaque", "trusted.overlay.opaque", b"y")
    (odd / "acl").write_text("x")
    host.command("setfacl", "-m", "u:1234:rw,g:4321:r", odd / "acl")
    (odd / "dacl").mkdir()
    host.command("setfacl", "-d", "-m", "u:1234:rwx", odd / "dacl")
    (odd / "mtime-ns").touch()
    os.utime(odd / "mtime-ns", ns=(946684799_123456789, 946684799_123456789))
    (odd / "ro-dir").mkdir()
    (odd / "ro-dir/f").touch()
    (odd / "ro-dir").chmod(0o555)
    (odd / "mode0").touch(mode=0)
    (odd / "mode0").chmod(0)


def deep(root: Path, levels: int) -> None:
    """A path that is longer than any system call takes."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 40, dir_fd=here)
        inner = os.open("d" * 40, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def manifest(root: Path) -> dict[bytes, tuple]:
    """Everything of a tree that must survive, by path."""
    top = os.fsencode(root)
    found, first = {}, {}
    pending = [b""]
    while pending:
        directory = pending.pop()
        for name in sorted(os.listdir(os.path.join(top, directory))):
            path = os.path.join(directory, name)
            full = os.path.join(top, path)
            status = os.lstat(full)
            kind = stat.S_IFMT(status.st_mode)
            attributes = sorted(
                (key, os.getxattr(full, key, follow_symlinks=False))
                for key in os.listxattr(full, follow_symlinks=False) if not key.startswith("security.selinux"))
            content = b""
            if kind == stat.S_IFLNK:
                content = os.readlink(full)
            elif kind == stat.S_IFREG and status.st_size < 1 << 28:
                content = hashlib.sha1(open(full, "rb").read()).digest()
            same = first.setdefault(status.st_ino, path) if status.st_nlink > 1 and kind != stat.S_IFDIR else b""
            found[path] = (
                oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns,
                status.st_size if kind != stat.S_IFDIR else 0,
                status.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0, content, attributes, same)
            if kind == stat.S_IFDIR:
                pending.append(path)
    return found


def differences(left: dict, right: dict) -> list[str]:
    lines = [f"only left: {path!r}" for path in left.keys() - right.keys()]
    lines += [f"only right: {path!r}" for path in right.keys() - left.keys()]
    lines += [f"{path!r}: {left[path]} is {right[path]}" for path in left.keys() & right.keys() if left[path] != right[path]]
    return sorted(lines)
