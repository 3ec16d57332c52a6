"""The image of the tests: busybox and the program web, as a root filesystem and as archives. No registry is asked."""

import hashlib
import json
import os
import platform
import shutil
import tarfile
from io import BytesIO
from pathlib import Path

from harness import host

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


USERS = """root:x:0:0:root:/root:/bin/sh
user:x:1000:1000:user:/home:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
"""
GROUPS = """root:x:0:
tty:x:5:
user:x:1000:
nogroup:x:65534:
"""


def make_rootfs(rootfs: Path, web=True) -> Path:
    """Makes the root filesystem, in a directory that does not exist yet: busybox, its applets, and the program web."""
    for name in "bin dev etc home proc root run sbin sys tmp usr/bin usr/sbin var/log".split():
        (rootfs / name).mkdir(parents=True)
    (rootfs / "tmp").chmod(0o1777)
    busybox = os.environ.get("CONFORMANCE_BUSYBOX", "/bin/busybox")
    shutil.copy(busybox, rootfs / "bin/busybox")
    for applet in host.command(busybox, "--list-full").split():
        if applet != "bin/busybox":
            (rootfs / applet).parent.mkdir(parents=True, exist_ok=True)
            (rootfs / applet).symlink_to("/bin/busybox")
    for name, text in ("passwd", USERS), ("group", GROUPS), ("hosts", "127.0.0.1 localhost\n"):
        (rootfs / "etc" / name).write_text(text)
    if web:
        _add_web(rootfs)
    return rootfs


def _add_web(rootfs: Path) -> None:
    program = rootfs / "bin/web"
    host.command("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, Path(__file__).parent / "web.c")
    for line in host.command("ldd", program).splitlines():
        for word in line.split():
            if word.startswith("/"):
                (rootfs / word[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, f"{rootfs}{word}")


def make_layer(rootfs: Path, archive: Path) -> None:
    """The root filesystem as a tar file."""
    host.command("tar", "-C", rootfs, "--owner=0", "--group=0", "-cf", archive, ".")


def make_archive(rootfs: Path, archive: Path, name: str, words=("sh",)) -> None:
    """An OCI image of one layer, as a tar file with its layout; and the words of the program that it runs."""
    layer = archive.with_suffix(".layer")
    make_layer(rootfs, layer)
    content = layer.read_bytes()
    layer.unlink()
    digest = hashlib.sha256(content).hexdigest()
    configuration = _document({
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": list(words)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    })
    manifest = _document({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _described("application/vnd.oci.image.config.v1+json", configuration),
        "layers": [_described("application/vnd.oci.image.layer.v1.tar", content)],
    })
    entry = _described("application/vnd.oci.image.manifest.v1+json", manifest)
    entry["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    with tarfile.open(archive, "w") as tar:
        _add(tar, "oci-layout", _document({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", _document({"schemaVersion": 2, "manifests": [entry]}))
        for blob in content, configuration, manifest:
            _add(tar, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)


def _document(value) -> bytes:
    return json.dumps(value).encode()


def _described(kind: str, content: bytes) -> dict:
    return {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, BytesIO(content))
