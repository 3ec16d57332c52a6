"""Archives and images that mean harm: a line of error within two seconds and 64 MiB, nothing left, nothing of the host."""

import bz2
import gzip
import json
import lzma
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from harness import host
from harness.errors import refused
from archives import samples as a

MEMORY = 64 << 20
SECONDS = 2.0


def fails(made, *words):
    """The command said in one line what is wrong, soon and without much memory; the fixture sees to it that nothing is left."""
    refused(made.result, names=list(words))
    assert made.peak < MEMORY, f"{made.peak >> 20} MiB: {made.result}"
    quick(made)


def quick(made):
    """By the processor's time; how long it takes on the clock is also a matter of what else the machine does."""
    assert made.cpu < SECONDS, f"{made.cpu} s: {made.result}"
    assert made.result.seconds < host.timeout(5 * SECONDS), made.result


def has_nothing_of_the_host(made):
    """No file of the tree has what the host's file has."""
    secret = Path(a.SECRET).read_bytes()
    for directory, _, files in os.walk(made.rootfs):
        for name in files:
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                assert path.stat().st_ino != Path(a.SECRET).stat().st_ino
                assert path.read_bytes() != secret


class Forms:
    """The same members as a plain tar, as the layer of an OCI layout and in an archive of docker save."""

    NAMES = ["tar", "tar.gz", "oci", "docker-archive"]

    def __init__(self, work, form):
        self.work, self.form = work, form

    def __call__(self, data: bytes) -> Path:
        path = self.work / "image"
        if self.form == "oci":
            layout = a.Layout(path)
            return layout.write(layout.image(data))
        if self.form == "docker-archive":
            return a.docker_archive(path, [data])
        path.write_bytes(gzip.compress(data) if self.form == "tar.gz" else data)
        return path


@pytest.fixture(params=Forms.NAMES)
def image(request, work):
    return Forms(work, request.param)


# Names


@pytest.mark.parametrize("name", ["../escaped", "a/../../escaped", "/../escaped", "./../escaped", "a/.."])
def test_a_name_that_climbs_out_is_refused(make, image, work, name):
    fails(make(image(a.tar(a.member(name, data=b"x")))), "..")
    assert not (work / "escaped").exists()


def test_the_target_of_a_hard_link_may_not_climb_out(make, image):
    fails(make(image(a.tar(a.hard_link("a", "../../../../etc/passwd")))), "..")


@pytest.mark.parametrize("target", ["/etc/passwd", "etc/passwd"])
def test_a_hard_link_to_a_file_of_the_host_is_refused(make, image, target):
    fails(make(image(a.tar(a.hard_link("a", target)))), "hard link", "no file of the image")


@pytest.mark.parametrize("target", ["/etc", "../../../../../../etc", "/proc/self/root/etc", "/proc/1/root/etc"])
def test_a_link_does_not_lead_out_of_the_tree(make, image, work, target):
    """What is written or linked through it stays inside, or is refused"""
    marker = f"swrun-attack-{os.getpid()}"
    made = make(image(a.tar(a.symlink("out", target), a.member(f"out/{marker}", data=b"x"))))
    assert not Path("/etc", marker).exists()
    assert made.result.status in (0, 1)
    if made.result.status == 0:
        has_nothing_of_the_host(made)


@pytest.mark.parametrize("target", ["/etc", "../../../../../../etc", "/proc/self/root/etc"])
def test_a_hard_link_through_a_link_does_not_reach_the_host(make, image, target):
    fails(make(image(a.tar(a.symlink("out", target), a.hard_link("a", "out/passwd")))), "hard link")


def test_a_file_is_not_written_through_a_link(make, image, work):
    victim = work / "victim"
    victim.write_text("untouched")
    made = make(image(a.tar(a.symlink("a", str(victim)), a.member("a", data=b"x"))))
    made.result.ok()
    assert victim.read_text() == "untouched" and (made.rootfs / "a").read_text() == "x"
    assert not (made.rootfs / "a").is_symlink()


def test_a_chain_of_links_does_not_lead_out(make, image, work):
    links = [a.symlink("l0", "/")] + [a.symlink(f"l{n}", f"l{n - 1}/..") for n in range(1, 20)]
    made = make(image(a.tar(*links, a.member("l19/etc/swrun-chain", data=b"x"))))
    assert not Path("/etc/swrun-chain").exists()
    assert made.result.status in (0, 1)


def test_links_in_a_circle_are_refused(make, image):
    fails(make(image(a.tar(a.symlink("a", "b"), a.symlink("b", "a"), a.member("a/x")))), "a/x")


def test_a_name_with_a_zero_byte_is_refused(make, image):
    data = a.pax((b"path", b"etc/passwd\0.txt")) + a.header(b"x") + bytes(1024)
    fails(make(image(data)), "zero byte")


def test_names_of_control_characters_do_not_reach_the_terminal(make, image):
    made = make(image(a.tar(a.member("../\x1b[2Jevil\nline"))))
    fails(made, "..")
    assert "\x1b" not in made.result.stderr


def test_a_path_longer_than_any_can_be_is_refused(make, image):
    name = b"/".join([b"d" * 200] * 30)
    fails(make(image(a.pax((b"path", name)) + a.header(b"x") + bytes(1024))), "too long|name")


def test_a_deep_tree_is_removed_whole(make, image):
    """More levels than a process may have files"""
    name = b"/".join([b"d"] * 1100)
    fails(make(image(a.pax((b"path", name)) + a.header(b"x", type=b"5") + a.tar(a.member("..")))), "..")


# Numbers


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"77777777777", b"99999999999", b"-1"])
def test_a_size_that_lies_is_refused(make, image, size):
    fails(make(image(a.header(b"a", at={124: size.ljust(12, b"\0")}) + bytes(2048))), "")


@pytest.mark.parametrize("key, value", [
    (b"size", b"18446744073709551616"), (b"size", b"9223372036854775807"), (b"size", b"-1"), (b"uid", b"4294967295"),
    (b"gid", b"99999999999"), (b"mtime", b"yesterday"), (b"GNU.sparse.map", b"0,1,0"), (b"GNU.sparse.size", b"x")])
def test_a_record_that_lies_is_refused(make, image, key, value):
    data = a.pax((key, value), (b"GNU.sparse.size", b"5")) + a.header(b"a", 5) + b"hello".ljust(512, b"\0")
    fails(make(image(data + bytes(1024))), "")


@pytest.mark.parametrize("record", [b"99999999999999999999 a=b\n", b"5 a=b", b"0 a=b\n", b"x", b"3 =\n", b"12 path=etc\n\n"])
def test_damaged_records_are_refused(make, image, record):
    data = a.header(b"p", len(record), b"x") + record.ljust(512, b"\0") + a.header(b"a") + bytes(1024)
    fails(make(image(data)), "extended header")


@pytest.mark.parametrize("type", [b"x", b"g", b"L", b"K"])
def test_an_enormous_extended_header_is_refused(make, image, type):
    """Before it is read: 8 GiB are promised"""
    fails(make(image(a.header(b"p", (1 << 33) - 1, type) + bytes(4096))), "longer")


def test_a_million_records_are_read_in_time(make, image):
    records = a.pax_record(b"a", b"") * 150_000
    data = a.header(b"p", len(records), b"x") + records + bytes(-len(records) % 512)
    made = make(image(data + a.tar(a.member("a"))))
    assert made.peak < MEMORY
    quick(made)


SPARSE = b"GNU.sparse."


@pytest.mark.parametrize("map", [b"10,5,0,5", b"0,10,5,10", b"0,99", b"18446744073709551615,2", b"0,1"])
def test_pieces_of_a_sparse_file_that_make_no_sense_are_refused(make, image, map):
    data = a.pax((SPARSE + b"size", b"20"), (SPARSE + b"map", map)) + a.header(b"a", 10) + bytes(512 + 1024)
    fails(make(image(data)), "sparse")


def test_the_map_of_a_sparse_file_may_not_go_on_without_end(make, image):
    records = ((SPARSE + b"major", b"1"), (SPARSE + b"minor", b"0"), (SPARSE + b"name", b"a"), (SPARSE + b"realsize", b"9"))
    data = a.pax(*records) + a.header(b"a", 512) + b"99999999\n".ljust(512, b"1") + bytes(1024)
    fails(make(image(data)), "sparse")


def test_a_hole_of_a_terabyte_takes_no_room(make, image):
    data = a.pax((SPARSE + b"size", str(1 << 40).encode()), (SPARSE + b"map", b"0,5")) + a.header(b"a", 5)
    made = make(image(data + b"hello".ljust(512, b"\0") + bytes(1024)))
    made.result.ok()
    assert (made.rootfs / "a").stat().st_size == 1 << 40 and (made.rootfs / "a").stat().st_blocks < 100
    assert made.peak < MEMORY
    quick(made)


# Quantities


def test_files_are_limited(make, image):
    members = [a.member(f"f{n}") for n in range(300)]
    fails(make(image(a.tar(*members, format=tarfile.USTAR_FORMAT)), "--max-files", "200"), "200 files", "--max-files")


def test_bytes_are_limited(make, image):
    fails(make(image(a.tar(a.member("f", data=b"x" * (2 << 20)))), "--max-size", "1M"), "1048576 bytes", "--max-size")


def test_a_bomb_of_zeros_is_limited(make, work):
    """A thousand times as large as the file that it comes from"""
    size = 8 << 30
    header = a.pax((b"size", str(size).encode())) + a.header(b"zeros")
    (work / "bomb").write_bytes(gzip.compress(header) + a.gzip_of_zeros(256 << 20))
    fails(make(work / "bomb", "--max-size", "100M"), "--max-size")


def test_what_is_behind_the_archive_counts_too(make, work):
    (work / "bomb").write_bytes(gzip.compress(a.tar(a.member("f"))) + a.gzip_of_zeros(256 << 20))
    fails(make(work / "bomb", "--max-size", "100M"), "--max-size")


def test_zeros_take_no_room_on_the_disk(make, work):
    """Short of the limit they are holes"""
    header = a.pax((b"size", str(64 << 20).encode())) + a.header(b"zeros")
    (work / "bomb").write_bytes(gzip.compress(header) + a.gzip_of_zeros(64 << 20) + gzip.compress(bytes(1024)))
    made = make(work / "bomb")
    made.result.ok()
    assert (made.rootfs / "zeros").stat().st_size == 64 << 20 and (made.rootfs / "zeros").stat().st_blocks < 2048


# Pieces that are missing or wrong


@pytest.mark.parametrize("at", [1, 100, 511, 512, 600, 1023, 1024])
def test_a_truncated_archive_is_refused(make, work, at):
    data = a.tar(a.member("a", data=b"x" * 600), a.member("b"))
    (work / "image").write_bytes(data[:at])
    fails(make(work / "image", "--format", "tar"), "truncated|checksum|not a tar|no end")


def packed(program: str, *words) -> bytes:
    """An archive that compresses to more than 100,000 bytes."""
    plain = a.tar(a.member("a", data=os.urandom(100_000)))
    return subprocess.run([program, *words, "-c"], input=plain, check=True, capture_output=True).stdout


PROGRAMS = pytest.mark.parametrize("program", ["gzip", "zstd", "xz", "bzip2"])


@PROGRAMS
@pytest.mark.parametrize("left", [5, 20, 50_000, -1])
def test_a_compressed_archive_that_is_cut_off_is_refused(make, work, program, left):
    (work / "image").write_bytes(packed(program)[:left])
    fails(make(work / "image", "--format", "tar"), "truncated|not a tar")


@PROGRAMS
def test_damaged_compressed_data_is_refused(make, work, program):
    data = bytearray(packed(program, *(["--check"] if program == "zstd" else [])))
    data[70_000] ^= 0xff
    (work / "image").write_bytes(data)
    fails(make(work / "image"), "damaged|truncated")


@pytest.mark.parametrize("program", ["gzip", "xz", "bzip2"])
def test_what_follows_compressed_data_and_is_none_is_refused(make, work, program):
    (work / "image").write_bytes(packed(program) + b"more")
    fails(make(work / "image"), "behind the compressed data")


@pytest.mark.parametrize("bits", [37, 40])
def test_a_dictionary_larger_than_the_memory_is_refused(make, work, bits):
    """1.5 GiB and 4 GiB: what would be in memory while it is decompressed"""
    (work / "image").write_bytes(a.xz_with_dictionary(a.tar(a.member("a", data=b"x" * 1000)), bits))
    fails(make(work / "image"), "MiB of memory", "smaller dictionary")


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress])
def test_a_bomb_in_each_compression_is_limited(make, work, compress):
    data = a.pax((b"size", str(8 << 30).encode())) + a.header(b"zeros")
    (work / "bomb").write_bytes(compress(data) + compress(bytes(4 << 20)) * 60)
    fails(make(work / "bomb", "--max-size", "100M"), "--max-size")


def test_an_empty_file_and_one_of_noise_are_refused(make, work):
    (work / "image").write_bytes(b"")
    fails(make(work / "image", "--format", "tar"), "empty")
    (work / "noise").write_bytes(os.urandom(5000))
    fails(make(work / "noise", "--format", "tar"), "not a tar")


def test_a_member_of_an_unknown_kind_is_refused(make, image):
    fails(make(image(a.header(b"a", type=b"Q") + bytes(1024))), "kind of file")


# Layouts


@pytest.fixture
def layout(work):
    return a.Layout(work / "layout")


def good():
    return a.tar(a.member("f", data=b"content"))


def blob(layout, descriptor) -> Path:
    return layout.path / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")


@pytest.mark.parametrize("which", ["manifest", "config", "layer"])
def test_a_blob_that_was_changed_is_refused(make, layout, which):
    """descriptor.md, Verification"""
    image = layout.image(good())
    manifest = json.loads(blob(layout, image).read_text())
    victim = {"manifest": image, "config": manifest["config"], "layer": manifest["layers"][0]}[which]
    path = blob(layout, victim)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    layout.write(image)
    fails(make(layout.path), "")


@pytest.mark.parametrize("change", [1, -1])
def test_a_blob_of_another_size_is_refused(make, layout, change):
    layer, diff_id = layout.layer(good())
    layout.write(layout.image((layer | {"size": layer["size"] + change}, diff_id)))
    fails(make(layout.path), "bytes")


def test_a_layer_that_is_not_the_one_of_the_configuration_is_refused(make, layout):
    """config.md, rootfs.diff_ids"""
    layer, _ = layout.layer(good())
    layout.write(layout.image((layer, a.digest(b"another"))))
    fails(make(layout.path), "configuration")


def test_a_layer_of_docker_save_is_verified(make, work):
    path = a.docker_archive(work / "a.tar", [good()])
    path.write_bytes(path.read_bytes().replace(b"content", b"changed"))
    fails(make(path), "configuration")


def test_a_blob_may_not_be_a_link_to_the_host(make, layout):
    image = layout.image(good())
    layer = json.loads(blob(layout, image).read_text())["layers"][0]
    blob(layout, layer).unlink()
    blob(layout, layer).symlink_to(a.SECRET)
    layout.write(image)
    fails(make(layout.path), "blob|layer")


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_documents_may_not_be_links_to_the_host(make, layout, name):
    layout.write(layout.image(good()))
    (layout.path / name).unlink()
    (layout.path / name).symlink_to(a.SECRET)
    made = make(layout.path)
    fails(made, "")
    assert "root:" not in made.result.stderr


def test_a_fifo_in_the_place_of_a_blob_does_not_hang(make, layout):
    image = layout.image(good())
    blob(layout, image).unlink()
    os.mkfifo(blob(layout, image))
    layout.write(image)
    fails(make(layout.path), "")


@pytest.mark.parametrize("digest", ["sha256:../../../../../../etc/passwd", "sha256:", "md5:" + "0" * 32, "sha256:" + "A" * 64,
                                    "sha512:" + "0" * 128])
def test_a_digest_is_no_path(make, layout, digest):
    """descriptor.md, Digests"""
    layout.write({"mediaType": a.MANIFEST, "digest": digest, "size": 5})
    fails(make(layout.path), "digest")


def test_indexes_that_go_on_without_end_are_refused(make, layout):
    inner = layout.index(layout.image(good()))
    for _ in range(20):
        inner = layout.index(inner)
    layout.write(inner)
    fails(make(layout.path), "without end")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"manifests": 5}', '{"manifests": [{}]}', "[" * 100_000, '{"manifests":[]}',
                                  '{"manifests":[{"digest":"x","size":-1}]}'])
def test_an_index_that_is_none_is_refused(make, layout, text):
    layout.write()
    (layout.path / "index.json").write_text(text)
    fails(make(layout.path), "")


def test_an_enormous_document_is_not_read(make, layout):
    layout.write()
    with open(layout.path / "index.json", "wb") as file:
        file.truncate(1 << 40)
    fails(make(layout.path), "index.json")


def test_the_passwd_of_an_image_may_not_be_a_link_to_the_host(make, layout):
    """Names of users are looked up inside the image"""
    layer = a.tar(a.directory("etc"), a.symlink("etc/passwd", "/../../../../../../etc/passwd"))
    layout.write(layout.image(layer, config={"User": "daemon"}))
    fails(make(layout.path), "daemon")


def test_a_passwd_that_is_a_fifo_does_not_hang(make, layout):
    layout.write(layout.image(a.tar(a.member("etc/passwd", tarfile.FIFOTYPE)), config={"User": "bob"}))
    fails(make(layout.path), "bob")


def test_the_working_directory_is_made_inside(make, layout, work):
    layer = a.tar(a.symlink("out", "/../../../../../../../../" + str(work)))
    layout.write(layout.image(layer, config={"WorkingDir": "/out/made"}))
    make(layout.path)
    assert not (work / "made").exists()


def test_what_an_overlay_would_obey_is_left_out(make, work):
    data = a.pax((b"SCHILY.xattr.trusted.overlay.redirect", b"/etc"), (b"SCHILY.xattr.user.fine", b"1"))
    (work / "image").write_bytes(data + a.tar(a.directory("d")))
    made = make(work / "image")
    made.result.ok()
    assert os.listxattr(made.rootfs / "d") == ["user.fine"]


def test_a_killed_command_leaves_no_process(runtime, work, make):
    """The processes that decompress end with the one that reads"""
    header = a.pax((b"size", str(8 << 30).encode())) + a.header(b"zeros")
    (work / "bomb").write_bytes(gzip.compress(header) + a.gzip_of_zeros(1 << 30))
    process = runtime.spawn("bundle", work / "bomb", "-o", work / "bundle")
    host.wait_until(lambda: any(work.glob("bundle.partial-*")), "the command to begin")
    process.terminate()
    assert process.wait(host.timeout(10)) == 128 + 15
    assert not list(work.glob("bundle*"))
