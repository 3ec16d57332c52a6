"""Bundles from tar archives."""

import os
import random
import shutil
import stat
import subprocess
import tarfile

import pytest

from archives import samples as a
from archives.trees import tree


@pytest.fixture
def sample(work):
    """A directory with everything that an archive can hold, and what GNU tar makes of it."""
    source = work / "source"
    (source / "bin").mkdir(parents=True)
    (source / "etc").mkdir()
    (source / "usr/lib").mkdir(parents=True)
    (source / "lib").symlink_to("usr/lib")
    (source / "etc/a").write_text("content\n")
    os.link(source / "etc/a", source / "etc/b")
    (source / "bin/su").write_bytes(b"#!/bin/sh\n")
    os.chmod(source / "bin/su", 0o4755)
    subprocess.run(["setfattr", "-n", "user.note", "-v", "text", source / "etc/a"], check=True)
    shutil.copy("/bin/true", source / "bin/ping")
    subprocess.run(["setcap", "cap_net_raw+ep", source / "bin/ping"], check=True)
    with open(source / "etc/holes", "wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 30)
        file.write(b"an island")
    os.chown(source / "etc/holes", 70000, 80000)
    open(os.fsencode(source) + b"/odd\xff\nname", "w").close()
    (source / ("n" * 200)).mkdir()
    (source / ("n" * 200) / ("m" * 250)).write_text("long")
    os.mkfifo(source / "etc/fifo")
    (source / "tmp").mkdir()
    os.chmod(source / "tmp", 0o1777)
    os.utime(source / "etc/a", ns=(1_000_000_000_123456789, 981_173_106_789_000_000))
    os.utime(source / "usr/lib", ns=(5, 5))
    return source


def gnu_tar(source, archive, *flags):
    attributes = [] if "--format=gnu" in flags else ["--xattrs", "--xattrs-include=*"]
    subprocess.run(["tar", *attributes, "-C", source, *flags, "-cf", archive, "."], check=True)
    return archive


FORMATS = {
    "pax": ["--format=pax"],
    "gnu": ["--format=gnu"],
    "sparse 0.0": ["--format=pax", "-S", "--sparse-version=0.0"],
    "sparse 0.1": ["--format=pax", "-S", "--sparse-version=0.1"],
    "sparse 1.0": ["--format=pax", "-S", "--sparse-version=1.0"],
    "sparse of GNU": ["--format=gnu", "-S"],
}


@pytest.mark.parametrize("format", FORMATS)
def test_a_tree_is_the_same_after_tar_and_bundle(sample, make, work, format):
    if "sparse" not in format:
        (sample / "etc/holes").unlink()  # a terabyte of zeros
    archive = gnu_tar(sample, work / "tree.tar", *FORMATS[format])
    made = make(archive)
    made.result.ok()
    wanted, found = tree(sample), tree(made.rootfs)
    assert set(found) == set(wanted)
    for path, (status, content) in wanted.items():
        got, text = found[path]
        fields = ("st_mode", "st_uid", "st_gid", "st_size", "st_nlink")
        assert [getattr(got, field) for field in fields] == [getattr(status, field) for field in fields], path
        # GNU's own format has whole seconds.
        unit = 1_000_000_000 if "GNU" in format or format == "gnu" else 1
        assert got.st_mtime_ns // unit == status.st_mtime_ns // unit, path
        assert text == content, path
    if "GNU" not in format and format != "gnu":
        assert os.getxattr(made.rootfs / "etc/a", "user.note") == b"text"
        assert os.getxattr(made.rootfs / "bin/ping", "security.capability") == os.getxattr(
            sample / "bin/ping", "security.capability")
    if "sparse" in format:
        with open(made.rootfs / "etc/holes", "rb") as file:
            file.seek(1 << 30)
            assert file.read(9) == b"an island"
        assert (made.rootfs / "etc/holes").stat().st_blocks < 1000
    assert made.peak < 64 << 20


def acl(path):
    return subprocess.run(["getfacl", "-cnpE", path], capture_output=True, text=True, check=True).stdout.split()


def test_access_lists_of_gnu_tar_are_kept(make, work):
    """SCHILY.acl.*, texts with numbers"""
    source = work / "source"
    source.mkdir()
    (source / "file").touch()
    (source / "dir").mkdir()
    subprocess.run(["setfacl", "-m", "u:12345:rw,g:54321:r,m::rw", source / "file"], check=True)
    subprocess.run(["setfacl", "-m", "u:12345:rx", "-d", "-m", "g:54321:rwx", source / "dir"], check=True)
    subprocess.run(["tar", "--acls", "--format=pax", "-C", source, "-cf", work / "acl.tar", "."], check=True)
    assert b"SCHILY.acl.access" in (work / "acl.tar").read_bytes()
    made = make(work / "acl.tar")
    made.result.ok()
    for name in ("file", "dir"):
        assert acl(made.rootfs / name) == acl(source / name)
        assert (made.rootfs / name).stat().st_mode == (source / name).stat().st_mode


@pytest.mark.parametrize("text, expected", [
    ("user::rw-,user:bob:rwx,group::r--,mask::rwx,other::---", ["user::rw-", "user:7:rwx", "group::r--", "mask::rwx", "other::---"]),
    ("other:---\nmask:rwx\ng:staff:r-x:99\nu::rw-\ng::r--", ["user::rw-", "group::r--", "group:99:r-x", "mask::rwx", "other::---"]),
    ("user::rw-,group::r--,group:wheel:-w-\t#effective:---,mask::r--,other::---", ["user::rw-", "group::r--", "group:10:-w-", "mask::r--", "other::---"]),
])
def test_names_in_access_lists_are_those_of_the_image(make, work, text, expected):
    members = [a.directory("etc"), a.member("etc/passwd", data=b"bob:x:7:8::/:/bin/sh\n"), a.member("etc/group", data=b"wheel:x:10:\n")]
    (work / "x.tar").write_bytes(a.tar(*members, a.member("listed", pax_headers={"SCHILY.acl.access": text})))
    made = make(work / "x.tar")
    made.result.ok()
    assert acl(made.rootfs / "listed") == expected


@pytest.mark.parametrize("text", ["user:nobody-knows:rwx,user::rw-,group::r--,mask::r--,other::---", "nonsense", "user::rwxrwx", "user::rwx" * 3])
def test_access_lists_that_make_no_sense_are_told(make, work, text):
    (work / "x.tar").write_bytes(a.tar(a.member("listed", data=b"x", pax_headers={"SCHILY.acl.access": text})))
    made = make(work / "x.tar")
    made.result.ok()
    assert "1 extended attributes could not be set, the first of them SCHILY.acl.access of \"listed\"" in made.result.stderr
    assert (made.rootfs / "listed").read_text() == "x"


@pytest.mark.parametrize("program, suffix", [("gzip", "gz"), ("zstd", "zst"), ("xz", "xz"), ("bzip2", "bz2")])
def test_compressed_archives_are_read(make, work, program, suffix):
    (work / "a.tar").write_bytes(a.tar(a.directory("etc"), a.member("etc/name", data=b"x" * 100_000)))
    subprocess.run(f"{program} -c <a.tar >a.tar.{suffix}", shell=True, check=True, cwd=work)
    (work / "a.tar").unlink()
    made = make(work / f"a.tar.{suffix}")
    made.result.ok()
    assert (made.rootfs / "etc/name").read_bytes() == b"x" * 100_000


@pytest.mark.parametrize("program", ["gzip", "zstd", "xz", "bzip2"])
def test_a_compressed_file_may_have_several_parts(make, work, program):
    """RFC 1952: members follow each other; RFC 8878: frames do; the .xz file format, 2: streams; pbzip2 makes such too"""
    data = a.tar(a.member("a", data=b"1"), a.member("b", data=b"2"))
    parts = [subprocess.run([program, "-c"], input=part, check=True, capture_output=True).stdout
             for part in (data[:700], data[700:])]
    (work / "a.tar").write_bytes(b"".join(parts) + (b"" if program == "zstd" else bytes(512)))
    made = make(work / "a.tar")
    made.result.ok()
    assert (made.rootfs / "b").read_text() == "2"


@pytest.mark.parametrize("check", ["none", "crc32", "crc64", "sha256"])
@pytest.mark.parametrize("level", ["-1", "-6", "-9"])
def test_whatever_xz_makes_is_read(make, work, check, level):
    """With each of its check sums, and the largest dictionary it takes unasked"""
    data = a.tar(a.member("a", data=random.Random(7).randbytes(3000) * 100))
    packed = subprocess.run(["xz", "-c", f"--check={check}", level], input=data, check=True, capture_output=True).stdout
    (work / "a.tar.xz").write_bytes(packed)
    made = make(work / "a.tar.xz")
    made.result.ok()
    assert (made.rootfs / "a").read_bytes() == random.Random(7).randbytes(3000) * 100


def test_names_that_begin_with_a_slash_are_inside(make, work):
    (work / "a.tar").write_bytes(a.tar(a.member("/etc/swrun-absolute", data=b"in"), a.member("./b", data=b"b")))
    made = make(work / "a.tar")
    made.result.ok()
    assert (made.rootfs / "etc/swrun-absolute").read_text() == "in"
    assert (made.rootfs / "b").read_text() == "b"


def test_a_later_member_takes_the_place_of_an_earlier_one(make, work):
    (work / "a.tar").write_bytes(a.tar(
        a.member("a", data=b"one"), a.hard_link("b", "a"), a.member("a", data=b"two"), a.directory("d"),
        a.member("d/x"), a.symlink("d", "a"), a.symlink("e", "a"), a.directory("e"), a.member("e/y")))
    made = make(work / "a.tar")
    made.result.ok()
    assert (made.rootfs / "a").read_text() == "two" and (made.rootfs / "b").read_text() == "one"
    assert os.readlink(made.rootfs / "d") == "a"
    assert (made.rootfs / "e").is_dir() and (made.rootfs / "e/y").exists() and not (made.rootfs / "e").is_symlink()


def test_files_behind_links_go_where_the_container_would_see_them(make, work):
    (work / "a.tar").write_bytes(a.tar(
        a.directory("usr"), a.directory("usr/lib"), a.symlink("lib", "/usr/lib"), a.member("lib/x", data=b"x")))
    made = make(work / "a.tar")
    made.result.ok()
    assert (made.rootfs / "usr/lib/x").read_text() == "x"


def test_device_nodes_are_made_only_when_asked_for(make, work):
    members = [a.member("null", tarfile.CHRTYPE, devmajor=1, devminor=3), a.member("a")]
    (work / "a.tar").write_bytes(a.tar(*members))
    made = make(work / "a.tar")
    made.result.ok()
    assert "1 device nodes were left out" in made.result.stderr
    assert not (made.rootfs / "null").exists()
    made = make(work / "a.tar", "--devices", name="with")
    made.result.ok()
    status = (made.rootfs / "null").stat()
    assert stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)


def test_set_user_id_bits_are_kept_unless_told_otherwise(make, work):
    (work / "a.tar").write_bytes(a.tar(a.member("su", mode=0o6755), a.directory("d", mode=0o2775)))
    made = make(work / "a.tar")
    assert (made.rootfs / "su").stat().st_mode & 0o7777 == 0o6755
    made = make(work / "a.tar", "--nosuid", name="without")
    assert (made.rootfs / "su").stat().st_mode & 0o7777 == 0o755


def test_the_container_of_a_tar_runs(make, work, runtime):
    busybox = os.environ["CONFORMANCE_BUSYBOX"]
    with tarfile.open(work / "a.tar", "w") as file:
        file.add(busybox, "bin/busybox")
    made = make(work / "a.tar", "--init", "/bin/busybox echo it runs")
    made.result.ok()
    result = runtime.command("run", "--bundle", made.path, runtime.new_id())
    assert result.ok().stdout == "it runs\n"
