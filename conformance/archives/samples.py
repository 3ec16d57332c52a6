"""Archives and container images for the tests: good ones, and ones that no honest program writes."""

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zlib
from pathlib import Path

SECRET = "/etc/passwd"  # a file of the host that must not get into a bundle
BLOCK = 512


def member(name, type=tarfile.REGTYPE, data=b"", **fields) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive; `fields` are those of TarInfo."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = type, len(data), 1_000_000_000
    info.mode = 0o755 if type == tarfile.DIRTYPE else 0o644
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def directory(name, **fields):
    return member(name, tarfile.DIRTYPE, **fields)


def symlink(name, target, **fields):
    return member(name, tarfile.SYMTYPE, linkname=target, **fields)


def hard_link(name, target, **fields):
    return member(name, tarfile.LNKTYPE, linkname=target, **fields)


def tar(*members, format=tarfile.PAX_FORMAT, end=True) -> bytes:
    """An archive of members, in this order and with exactly these names."""
    parts = []
    for info, data in members:
        parts.append(info.tobuf(format, "utf-8", "surrogateescape"))
        parts.append(data + bytes(-len(data) % BLOCK))
    return b"".join(parts) + (bytes(2 * BLOCK) if end else b"")


def header(name, size=0, type=b"0", **fields) -> bytes:
    """One header whose fields are bytes as given: what no library writes."""
    values = {"name": name, "mode": b"0000644", "uid": b"0000000", "gid": b"0000000", "size": b"%011o" % size,
              "mtime": b"00000000000", "type": type, "link": b"", "magic": b"ustar\x0000", **fields}
    block = bytearray(BLOCK)
    for field, offset, length in (("name", 0, 100), ("mode", 100, 8), ("uid", 108, 8), ("gid", 116, 8),
                                  ("size", 124, 12), ("mtime", 136, 12), ("type", 156, 1), ("link", 157, 100),
                                  ("magic", 257, 8)):
        value = values[field]
        assert len(value) <= length, field
        block[offset:offset + len(value)] = value
    for offset, value in fields.get("at", {}).items():
        block[offset:offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax_record(key: bytes, value: bytes) -> bytes:
    length = len(key) + len(value) + 3
    while True:
        record = b"%d %s=%s\n" % (length, key, value)
        if len(record) == length:
            return record
        length = len(record)


def pax(*records: tuple[bytes, bytes], type=b"x") -> bytes:
    """An extended header as a member of its own."""
    data = b"".join(pax_record(key, value) for key, value in records)
    return header(b"pax", len(data), type) + data + bytes(-len(data) % BLOCK)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layout:
    """An OCI image layout in a directory."""

    def __init__(self, path: Path):
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.manifests: list[dict] = []

    def blob(self, data: bytes, media_type: str, **fields) -> dict:
        name = digest(data)
        (self.path / "blobs/sha256" / name.removeprefix("sha256:")).write_bytes(data)
        return {"mediaType": media_type, "digest": name, "size": len(data), **fields}

    def document(self, value, media_type: str, **fields) -> dict:
        return self.blob(json.dumps(value).encode(), media_type, **fields)

    def layer(self, plain: bytes, compress=gzip.compress, suffix="+gzip") -> tuple[dict, str]:
        """A layer's descriptor and its diff_id."""
        return self.blob(compress(plain), LAYER + suffix), digest(plain)

    def image(self, *layers, name=None, platform=None, config=None, **fields) -> dict:
        """An image of layers: tars, or pairs as of `layer`. Gives its descriptor, which is not in the index yet."""
        pairs = [self.layer(layer) if isinstance(layer, bytes) else layer for layer in layers]
        os, architecture, *variant = (platform or "linux/amd64").split("/")
        document = {"os": os, "architecture": architecture, "config": config or {},
                    "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in pairs]}}
        document |= {"variant": variant[0]} if variant else {}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.document(document, CONFIG),
                    "layers": [layer for layer, _ in pairs], **fields}
        found = self.document(manifest, MANIFEST)
        if platform:
            found["platform"] = {"os": os, "architecture": architecture} | ({"variant": variant[0]} if variant else {})
        if name:
            found["annotations"] = {"org.opencontainers.image.ref.name": name}
        return found

    def index(self, *manifests, **fields) -> dict:
        return self.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}, INDEX, **fields)

    def write(self, *manifests: dict) -> Path:
        """Writes index.json."""
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": list(manifests)}))
        return self.path

    def archive(self, path: Path) -> Path:
        """The layout as an oci-archive."""
        with tarfile.open(path, "w") as file:
            for name in ("blobs", "index.json", "oci-layout"):
                file.add(self.path / name, name)
        return path


def docker_archive(path: Path, layers: list[bytes], config=None, tags=("name:tag",), name=None, compress=bytes) -> Path:
    """An archive as `docker save` writes it; `compress`: what its layers go through."""
    document = {"os": "linux", "architecture": "amd64", "config": config or {},
                "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}}
    text = json.dumps(document).encode()
    config_name = name or hashlib.sha256(text).hexdigest() + ".json"
    members = [(config_name, text)]
    names = []
    for layer in layers:
        names.append(hashlib.sha256(layer).hexdigest() + "/layer.tar")
        members.append((names[-1], compress(layer)))
    manifest = [{"Config": config_name, "RepoTags": list(tags), "Layers": names}]
    members.append(("manifest.json", json.dumps(manifest).encode()))
    path.write_bytes(tar(*[member(name, data=data) for name, data in members], format=tarfile.USTAR_FORMAT))
    return path


def xz_with_dictionary(data: bytes, bits: int) -> bytes:
    """The data, with a header that asks for a dictionary of 2^(bits/2 + 12) bytes, or half as much again for odd bits (the
    .xz file format, 3.1 and 5.3.1)."""
    packed = bytearray(lzma.compress(data, check=lzma.CHECK_CRC32))
    size = (packed[12] + 1) * 4  # of the block's header, behind that of the stream
    assert packed[14:16] == b"\x21\x01", "one filter: LZMA2, with one byte of properties"
    packed[16] = bits
    packed[12 + size - 4:12 + size] = zlib.crc32(packed[12:12 + size - 4]).to_bytes(4, "little")
    return bytes(packed)


def gzip_of_zeros(count: int) -> bytes:
    """A small file that unpacks to many zeros."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0) as file:
        chunk = bytes(1 << 20)
        for _ in range(count >> 20):
            file.write(chunk)
    return out.getvalue()
